/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Chains by libcrypto. */

#include "agent/evidence/chain.h"

#include <openssl/pem.h>

#include "agent/base/error.h"
#include "agent/evidence/crypto.h"

#define DEPTH_MAX      8
#define SECURITY_LEVEL 1
#define WORDS_MAX      256

static X509 *
read_certificate(GBytes *der)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(der, &size);
    const guint8 *end = at + size;
    X509 *certificate = size > 0 ? d2i_X509(NULL, &at, (long)size) : NULL;

    ERR_clear_error();
    if (certificate && at != end)
        g_clear_pointer(&certificate, X509_free);
    return certificate;
}

/* FALSE: there is none. */
static gboolean
add_anchors(X509_STORE *store, GBytes *pem)
{
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(pem, &size);
    g_autoptr(BIO) in = BIO_new_mem_buf(data, (int)size);
    guint n = 0;

    for (;; n++) {
        g_autoptr(X509) anchor = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;

        if (!anchor)
            break;
        X509_STORE_add_cert(store, anchor);
    }
    ERR_clear_error();
    return n > 0;
}

static SignetX509List *
read_all(const GPtrArray *others)
{
    SignetX509List *list = sk_X509_new_null();

    for (guint i = 0; others && i < others->len; i++) {
        X509 *certificate = read_certificate(others->pdata[i]);

        if (certificate)
            sk_X509_push(list, certificate);
    }
    return list;
}

static gboolean
has_usage(X509 *certificate, const SignetChainRule *rule)
{
    g_autoptr(EXTENDED_KEY_USAGE) usages =
        X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    char text[64];

    for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages); i++) {
        OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(usages, i), 1);
        if (g_str_equal(text, rule->usage))
            return TRUE;
    }
    return !usages && !rule->is_usage_needed &&
           X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1) < 0;
}

gboolean
signet_chain_check(GBytes *der, GPtrArray *others, const SignetChainRule *rule, GError **error)
{
    g_autoptr(X509) certificate = read_certificate(der);
    g_autoptr(SignetX509List) list = read_all(others);
    g_autoptr(X509_STORE) store = X509_STORE_new();
    g_autoptr(X509_STORE_CTX) context = X509_STORE_CTX_new();

    if (!certificate)
        return signet_error_set(error, SIGNET_ERROR_POLICY, "the %s is malformed", rule->what);
    if (!add_anchors(store, rule->anchors))
        return signet_error_set(error, SIGNET_ERROR_POLICY,
                                "the file with those who are believed holds no certificate (PEM)");
    if (X509_check_ca(certificate) != 0 || !has_usage(certificate, rule))
        return signet_error_set(error, SIGNET_ERROR_POLICY,
                                "the %s is a CA's, or its extended key usage is not %s", rule->what,
                                rule->usage);
    if (!X509_STORE_CTX_init(context, store, certificate, list))
        return signet_error_set(error, SIGNET_ERROR_FAILED, "out of memory");
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)rule->now_s);
    X509_VERIFY_PARAM_set_depth(parameters, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(parameters, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    gboolean is_good = X509_verify_cert(context) == 1;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    ERR_clear_error();
    return is_good ||
           signet_error_set(error, SIGNET_ERROR_POLICY,
                            "the %s does not lead to anybody who is believed: %s", rule->what, why);
}

GBytes *
signet_chain_dup_spki(GBytes *certificate)
{
    g_autoptr(X509) x509 = read_certificate(certificate);
    guint8 *der = NULL;
    int size = x509 ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der) : -1;
    GBytes *bytes = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;

    OPENSSL_free(der);
    return bytes;
}

static char *
name_to_text(const X509_NAME *name)
{
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    char *text = NULL;

    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
    long size = BIO_get_mem_data(out, &text);
    return g_strndup(text, (gsize)CLAMP(size, 0, WORDS_MAX));
}

char *
signet_chain_dup_words(GBytes *certificate)
{
    g_autoptr(X509) x509 = read_certificate(certificate);
    g_autofree char *subject = x509 ? name_to_text(X509_get_subject_name(x509)) : g_strdup("");
    g_autofree char *issuer = x509 ? name_to_text(X509_get_issuer_name(x509)) : g_strdup("");

    return *subject ? g_strdup_printf("'%s', certified by '%s'", subject, issuer)
                    : g_strdup_printf("certified by '%s'", issuer);
}
