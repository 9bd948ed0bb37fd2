/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Verifies a CA's server, and authenticates to it. */

#include "agent/enroller/http-tls.h"

#include "agent/base/error.h"

/* RSA-2048, SHA-256 and better: 112 bits. The system's configuration, which would say it, is not
 * read. */
#define SECURITY_LEVEL 2

gboolean
signet_http_tls_is_pinned(const char *const *pins, X509 *certificate)
{
    guint8 *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    g_autofree char *hex = NULL;

    if (size <= 0)
        return FALSE;
    hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der, (gsize)size);
    OPENSSL_free(der);
    return pins && g_strv_contains(pins, hex);
}

static gboolean
is_any_pinned(const char *const *pins, const STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (signet_http_tls_is_pinned(pins, sk_X509_value(chain, i)))
            return TRUE;
    }
    return FALSE;
}

/* With nothing but pins, what they name is the anchor: the server has to send it. */
static SignetX509Stack *
find_pinned(const SignetHttpTls *tls, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(context);
    SignetX509Stack *pinned = sk_X509_new_null();

    for (int i = 0; i < sk_X509_num(sent); i++) {
        X509 *certificate = sk_X509_value(sent, i);

        if (signet_http_tls_is_pinned(tls->pins, certificate) &&
            sk_X509_push(pinned, certificate) > 0)
            X509_up_ref(certificate);
    }
    return pinned;
}

static int
on_verify(X509_STORE_CTX *context, void *data)
{
    SignetHttpTls *tls = data;
    gboolean has_pins = tls->pins && tls->pins[0];
    g_autoptr(SignetX509Stack) pinned = NULL;

    if (tls->is_provisional) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    if (has_pins && sk_X509_num(tls->anchors) == 0 && !tls->is_system) {
        pinned = find_pinned(tls, context);
        X509_STORE_CTX_set0_trusted_stack(context, pinned);
    }
    if (X509_verify_cert(context) != 1) {
        tls->distrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
        return 0;
    }
    if (has_pins && !is_any_pinned(tls->pins, X509_STORE_CTX_get0_chain(context))) {
        tls->distrust = "no key of its chain is one of Pin=";
        X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    tls->is_believed = TRUE;
    return 1;
}

/* RFC 8446 6.2: the alerts that are about the certificate we have shown, or have not. */
static gboolean
is_refusal(int alert)
{
    static const int refusals[] = {
        SSL_AD_BAD_CERTIFICATE,     SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED,
        SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN,     SSL_AD_UNKNOWN_CA,
        SSL_AD_ACCESS_DENIED,       TLS13_AD_CERTIFICATE_REQUIRED,  SSL_AD_HANDSHAKE_FAILURE,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        if (refusals[i] == alert)
            return TRUE;
    }
    return FALSE;
}

static void
on_info(const SSL *ssl, int where, int value)
{
    SignetHttpTls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    /* A session is never taken up again: the first Finished is ours. */
    if (where & SSL_CB_HANDSHAKE_DONE && SSL_version(ssl) <= TLS1_2_VERSION &&
        !SSL_session_reused((SSL *)ssl))
        tls->unique_size =
            MIN(SSL_get_finished(ssl, tls->unique, sizeof(tls->unique)), sizeof(tls->unique));
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && is_refusal(value & 0xff))
        tls->refusal = SSL_alert_desc_string_long(value);
}

static gboolean
set_anchors(SignetHttpTls *tls, SSL_CTX *context)
{
    X509_STORE *store = X509_STORE_new();

    if (!store)
        return FALSE;
    /* Takes it, and drops what libcurl had put there. */
    SSL_CTX_set_cert_store(context, store);
    for (int i = 0; i < sk_X509_num(tls->anchors); i++) {
        if (!X509_STORE_add_cert(store, sk_X509_value(tls->anchors, i)))
            return FALSE;
    }
    /* An anchor counts also where it is not self-signed. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return !tls->is_system || X509_STORE_set_default_paths(store);
}

static gboolean
set_identity(const SignetHttpTls *tls, SSL_CTX *context)
{
    if (!SSL_CTX_use_certificate(context, sk_X509_value(tls->chain, 0)))
        return FALSE;
    for (int i = 1; i < sk_X509_num(tls->chain); i++) {
        if (!SSL_CTX_add1_chain_cert(context, sk_X509_value(tls->chain, i)))
            return FALSE;
    }
    return SSL_CTX_use_PrivateKey(context, tls->key);
}

gboolean
signet_http_tls_prepare(SignetHttpTls *tls, SSL_CTX *context)
{
    tls->distrust = tls->refusal = NULL;
    tls->is_believed = FALSE;
    tls->unique_size = 0;
    SSL_CTX_set_app_data(context, tls);
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cert_verify_callback(context, on_verify, tls);
    if (!set_anchors(tls, context))
        return FALSE;
    return !tls->key || tls->is_provisional || set_identity(tls, context);
}

gboolean
signet_http_tls_add_anchors(SignetHttpTls *tls, GBytes *der, GError **error)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(der, &size);
    const guint8 *end = at + size;

    while (at < end) {
        X509 *certificate = d2i_X509(NULL, &at, (long)(end - at));

        if (!certificate) {
            ERR_clear_error();
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "the job's trust anchors cannot be read");
        }
        sk_X509_push(tls->anchors, certificate);
    }
    return TRUE;
}

void
signet_http_tls_clear(SignetHttpTls *tls)
{
    g_clear_pointer(&tls->anchors, signet_x509_stack_free);
    g_clear_pointer(&tls->chain, signet_x509_stack_free);
    g_clear_pointer(&tls->key, EVP_PKEY_free);
}
