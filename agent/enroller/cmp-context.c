/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who asks, what for, and whose answer counts. */

#include "agent/enroller/cmp-context.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/job.h"
#include "agent/enroll/names.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/http-tls.h"
#include "agent/enroller/request.h"

static int
fail(GError **error)
{
    return signet_crypto_fail(error, "cannot prepare the conversation");
}

/* --- the same for every way --- */

gboolean
signet_cmp_base_init(SignetCmpBase *base, const SignetProtocolContext *context, GError **error)
{
    const SignetJobRequest *job = context->job;
    SignetHttpTls reader = {.anchors = sk_X509_new_null()};

    base->context = context;
    base->anchors = reader.anchors;
    if (job->remote.anchors && !signet_http_tls_add_anchors(&reader, job->remote.anchors, error))
        return FALSE;
    if (g_strcmp0(job->protocol, SIGNET_JOB_REVOKE) == 0 ||
        g_strcmp0(job->protocol, SIGNET_JOB_CHECK) == 0)
        return TRUE; /* nothing new */
    base->key = signet_crypto_load_key(context->crypto, job->identity, job->new_generation, error);
    return base->key != NULL;
}

void
signet_cmp_base_clear(SignetCmpBase *base)
{
    g_clear_pointer(&base->key, EVP_PKEY_free);
    g_clear_pointer(&base->anchors, signet_x509_stack_free);
}

static const char *
get_option(const SignetCmpBase *base, const char *key)
{
    return signet_remote_get_option(&base->context->job->remote, key);
}

/* --- whose answer counts --- */

/* RFC 9810 appendix, RFC 6402 2.10: who may speak for a CA */
static gboolean
speaks_for_ca(X509 *certificate)
{
    static const char *const usages[] = {"1.3.6.1.5.5.7.3.27", "1.3.6.1.5.5.7.3.28", NULL};
    g_autoptr(EXTENDED_KEY_USAGE) extended =
        X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);

    for (int i = 0; extended && i < sk_ASN1_OBJECT_num(extended); i++) {
        char text[64];

        OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(extended, i), 1);
        if (g_strv_contains(usages, text))
            return TRUE;
    }
    ERR_clear_error();
    return X509_check_ca(certificate) > 0;
}

static int
base_index(void)
{
    static int number = -1;

    if (number < 0)
        number = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, NULL, NULL, NULL, NULL);
    return number;
}

/* Any device has a certificate of the CA: only some may answer in the CA's name. One that is named
 * in Trust= itself may. */
static int
on_certificate(int is_good, X509_STORE_CTX *path)
{
    SignetCmpBase *base = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(path), base_index());

    if (!is_good) {
        base->distrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(path));
        return 0;
    }
    if (X509_STORE_CTX_get_error_depth(path) > 0 || get_option(base, "Sender") ||
        X509_STORE_CTX_get_num_untrusted(path) == 0 ||
        speaks_for_ca(X509_STORE_CTX_get_current_cert(path)))
        return 1;
    base->distrust = "it is neither a CA's nor marked (cmcCA, cmcRA) as one that may speak for it; "
                     "name its subject in Sender= of the CA";
    X509_STORE_CTX_set_error(path, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* Without anchors no signature counts, only the shared secret. */
static gboolean
set_trust(OSSL_CMP_CTX *cmp, SignetCmpBase *base)
{
    X509_STORE *store = sk_X509_num(base->anchors) > 0 ? X509_STORE_new() : NULL;

    if (!store)
        return TRUE;
    for (int i = 0; i < sk_X509_num(base->anchors); i++)
        X509_STORE_add_cert(store, sk_X509_value(base->anchors, i));
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_verify_cb(store, on_certificate);
    if (X509_STORE_set_ex_data(store, base_index(), base) &&
        OSSL_CMP_CTX_set0_trustedStore(cmp, store))
        return TRUE;
    X509_STORE_free(store);
    return FALSE;
}

/* --- what is asked for --- */

typedef int (*SetName)(OSSL_CMP_CTX *cmp, const X509_NAME *name);

static gboolean
set_name(OSSL_CMP_CTX *cmp, const char *text, SetName set, GError **error)
{
    g_autoptr(X509_NAME) name = text ? signet_names_parse_subject(text, error) : NULL;

    return !text || (name && (set(cmp, name) || fail(error)));
}

static gboolean
set_names(OSSL_CMP_CTX *cmp, const SignetCmpBase *base, GError **error)
{
    const char *subject = base->context->job->subject;

    return set_name(cmp, subject ? subject : "", OSSL_CMP_CTX_set1_subjectName, error) &&
           set_name(cmp, get_option(base, "Recipient"), OSSL_CMP_CTX_set1_recipient, error) &&
           set_name(cmp, get_option(base, "Issuer"), OSSL_CMP_CTX_set1_issuer, error) &&
           set_name(cmp, get_option(base, "Sender"), OSSL_CMP_CTX_set1_expected_sender, error);
}

static gboolean
set_request(OSSL_CMP_CTX *cmp, const SignetCmpBase *base, int type, GError **error)
{
    const SignetJobRequest *job = base->context->job;

    if (type == OSSL_CMP_P10CR) {
        g_autoptr(X509_REQ) csr = signet_request_new(base->context->crypto, job, NULL, error);

        return csr && (OSSL_CMP_CTX_set1_p10CSR(cmp, csr) || fail(error));
    }
    g_autoptr(SignetExtensions) extensions =
        signet_request_make_extensions(job, EVP_PKEY_is_a(base->key, "RSA"), error);
    if (!extensions)
        return FALSE;
    if (!OSSL_CMP_CTX_set0_reqExtensions(cmp, extensions))
        return fail(error);
    g_steal_pointer(&extensions);
    return OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_SUBJECTALTNAME_NODEFAULT, 1) || fail(error);
}

/* The new key stays the context's: for the proof, and to compare the certificate with. */
static gboolean
set_key(OSSL_CMP_CTX *cmp, const SignetCmpBase *base)
{
    if (!EVP_PKEY_up_ref(base->key))
        return FALSE;
    if (OSSL_CMP_CTX_set0_newPkey(cmp, 1, base->key))
        return TRUE;
    EVP_PKEY_free(base->key);
    return FALSE;
}

/* --- who asks --- */

/* With Reference= all of the file is the secret, else it is "reference:secret". */
static gboolean
set_secret(OSSL_CMP_CTX *cmp, const SignetCmpBase *base, GError **error)
{
    gsize size = 0;
    const guint8 *secret = signet_secret_get(base->context->job->remote.secret, &size);
    const char *reference = get_option(base, "Reference");
    const guint8 *colon = reference ? NULL : memchr(secret, ':', size);
    const guint8 *value = colon ? colon + 1 : secret;
    gsize reference_size = reference ? strlen(reference) : colon ? (gsize)(colon - secret) : 0;

    if (reference_size == 0 || value == secret + size)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the CA's secret has no reference: write it as reference:secret, "
                                "or Reference= in the CA's file");
    if (OSSL_CMP_CTX_set1_referenceValue(cmp, reference ? (const guint8 *)reference : secret,
                                         (int)reference_size) &&
        OSSL_CMP_CTX_set1_secretValue(cmp, value, (int)(secret + size - value)))
        return TRUE;
    return fail(error);
}

/* One digest for the proof by the new key (where one is needed) and the protection by the other:
 * the weaker key's. */
static int
choose_digest(EVP_PKEY *one, EVP_PKEY *other)
{
    one = one ? one : other;
    other = other ? other : one;
    int bits = EVP_PKEY_is_a(one, "EC") ? EVP_PKEY_get_bits(one) : 256;
    int other_bits = EVP_PKEY_is_a(other, "EC") ? EVP_PKEY_get_bits(other) : 256;

    bits = MIN(bits, other_bits);
    return bits <= 256 ? NID_sha256 : bits <= 384 ? NID_sha384 : NID_sha512;
}

static gboolean
set_identity(OSSL_CMP_CTX *cmp, const SignetCmpBase *base, SignetRung rung, gboolean *ret_same,
             GError **error)
{
    const SignetJobRequest *job = base->context->job;
    gboolean is_own = rung != SIGNET_RUNG_IDENTITY;
    const char *identity = is_own ? job->identity : job->remote.bootstrap_identity;
    guint32 generation = is_own ? job->current_generation : 0;
    g_autoptr(EVP_PKEY) key = NULL;
    g_autoptr(SignetX509Stack) chain = NULL;

    if (sk_X509_num(base->anchors) == 0)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "without Trust= its answer could not be believed");
    if (!signet_crypto_load_identity(base->context->crypto, identity, generation, &key, &chain,
                                     error))
        return FALSE;
    *ret_same = is_own && signet_request_has_names(job, sk_X509_value(chain, 0));
    if (OSSL_CMP_CTX_set1_cert(cmp, sk_X509_value(chain, 0)) && OSSL_CMP_CTX_set1_pkey(cmp, key) &&
        OSSL_CMP_CTX_set1_extraCertsOut(cmp, chain) &&
        OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_DIGEST_ALGNID, choose_digest(key, base->key)))
        return TRUE;
    return fail(error);
}

/* RFC 9483 4.1: ir for the first certificate of a CA, kur for one that replaces its like, cr for
 * anything else. */
static int
choose_type(const SignetCmpBase *base, SignetRung rung, gboolean is_same)
{
    static const struct {
        const char *name;
        int type;
    } kinds[] = {{"ir", OSSL_CMP_IR}, {"cr", OSSL_CMP_CR}, {"p10cr", OSSL_CMP_P10CR}};
    const char *wish = get_option(base, "Request");

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(wish, kinds[i].name) == 0)
            return kinds[i].type;
    }
    if (rung != SIGNET_RUNG_CURRENT && rung != SIGNET_RUNG_EXPIRED)
        return OSSL_CMP_IR;
    return is_same ? OSSL_CMP_KUR : OSSL_CMP_CR;
}

static gboolean
set_common(OSSL_CMP_CTX *cmp, SignetCmpBase *base)
{
    gboolean is_implicit = g_strcmp0(get_option(base, "ImplicitConfirm"), "yes") == 0;

    return OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithSHA256) &&
           OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_OWF_ALGNID, NID_sha256) &&
           OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_IMPLICIT_CONFIRM, is_implicit) &&
           set_trust(cmp, base);
}

/* Whom to believe, and who asks. */
static OSSL_CMP_CTX *
context_new(SignetCmpBase *base, SignetRung rung, gboolean *ret_same, GError **error)
{
    g_autoptr(OSSL_CMP_CTX) cmp =
        OSSL_CMP_CTX_new(signet_crypto_get_library(base->context->crypto), NULL);
    gboolean is_ready = FALSE;

    if (!cmp || !set_common(cmp, base)) {
        fail(error);
        return NULL;
    }
    switch (rung) {
    case SIGNET_RUNG_CURRENT:
    case SIGNET_RUNG_EXPIRED:
    case SIGNET_RUNG_IDENTITY:
        is_ready = set_identity(cmp, base, rung, ret_same, error);
        break;
    case SIGNET_RUNG_SECRET:
        is_ready = set_secret(cmp, base, error);
        break;
    case SIGNET_RUNG_APPROVAL:
        signet_error_set(error, SIGNET_ERROR_DENIED, "CMP does not go without authentication");
        break;
    }
    return is_ready && set_names(cmp, base, error) ? g_steal_pointer(&cmp) : NULL;
}

OSSL_CMP_CTX *
signet_cmp_context_new(SignetCmpBase *base, SignetRung rung, int *ret_type, GError **error)
{
    gboolean is_same = FALSE;
    g_autoptr(OSSL_CMP_CTX) cmp = context_new(base, rung, &is_same, error);

    if (!cmp)
        return NULL;
    if (!set_key(cmp, base) || (rung == SIGNET_RUNG_SECRET &&
                                !OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_DIGEST_ALGNID,
                                                         choose_digest(base->key, base->key)))) {
        fail(error);
        return NULL;
    }
    *ret_type = choose_type(base, rung, is_same);
    return set_request(cmp, base, *ret_type, error) ? g_steal_pointer(&cmp) : NULL;
}

OSSL_CMP_CTX *
signet_cmp_context_new_general(SignetCmpBase *base, SignetRung rung, GError **error)
{
    gboolean is_same = FALSE;

    return context_new(base, rung, &is_same, error);
}

OSSL_CMP_CTX *
signet_cmp_context_new_revocation(SignetCmpBase *base, SignetRung rung, X509 *certificate,
                                  GError **error)
{
    gboolean is_same = FALSE;
    g_autoptr(OSSL_CMP_CTX) cmp = context_new(base, rung, &is_same, error);
    guint reason = base->context->job->reason;

    if (!cmp)
        return NULL;
    if (OSSL_CMP_CTX_set1_oldCert(cmp, certificate) &&
        (reason == 0 || OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_REVOCATION_REASON, (int)reason)))
        return g_steal_pointer(&cmp);
    fail(error);
    return NULL;
}
