/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* GetCACaps and GetCACert. */

#include "agent/enroller/scep-ca.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/scep-message.h"

void
signet_scep_ca_clear(SignetScepCa *ca)
{
    g_clear_pointer(&ca->certificates, signet_x509_stack_free);
    g_clear_pointer(&ca->former, signet_x509_stack_free);
    g_clear_pointer(&ca->named, signet_x509_stack_free);
}

char *
signet_scep_make_url(const SignetJobRemote *remote, const char *operation, const char *message)
{
    g_autofree char *text = message ? g_uri_escape_string(message, NULL, FALSE) : NULL;

    return g_strconcat(remote->url, strchr(remote->url, '?') ? "&" : "?", "operation=", operation,
                       text ? "&message=" : "", text ? text : "", NULL);
}

static gboolean
get(const SignetProtocolContext *context, const char *operation, SignetHttpResponse *response,
    GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    g_autofree char *url =
        signet_scep_make_url(remote, operation, signet_remote_get_option(remote, "CaIdentifier"));
    const SignetHttpRequest request = {.url = url, .is_plain_enough = TRUE};

    return signet_http_do(context->http, &request, response, error);
}

/* --- capabilities --- */

static void
take_capability(SignetScepCa *ca, const char *word)
{
    if (g_ascii_strcasecmp(word, "SCEPStandard") == 0)
        ca->has_aes = ca->has_post = ca->has_sha256 = TRUE;
    else if (g_ascii_strcasecmp(word, "AES") == 0)
        ca->has_aes = TRUE;
    else if (g_ascii_strcasecmp(word, "POSTPKIOperation") == 0)
        ca->has_post = TRUE;
    else if (g_ascii_strcasecmp(word, "Renewal") == 0)
        ca->has_renewal = TRUE;
    else if (g_ascii_strcasecmp(word, "GetNextCACert") == 0)
        ca->has_next = TRUE;
    else if (g_ascii_strcasecmp(word, "SHA-256") == 0)
        ca->has_sha256 = TRUE;
}

/* A server without an answer has none. What it says here decides between ways of which the weakest
 * is the administrator's choice: nobody has to vouch for it. */
static gboolean
ask_capabilities(const SignetProtocolContext *context, SignetScepCa *ca, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!get(context, "GetCACaps", &response, error))
        return FALSE;
    if (response.status != 200)
        return TRUE;
    g_autofree char *text = g_strndup((const char *)response.body->data, response.body->len);
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n", 64);
    for (char **word = words; *word; word++)
        take_capability(ca, *word);
    return TRUE;
}

/* --- certificates --- */

static gboolean
has_fingerprint(X509 *certificate, const char *wanted)
{
    guint8 *der = NULL;
    int size = wanted ? i2d_X509(certificate, &der) : 0;
    g_autofree char *hex =
        size > 0 ? g_compute_checksum_for_data(G_CHECKSUM_SHA256, der, (gsize)size) : NULL;

    OPENSSL_free(der);
    return hex && g_ascii_strcasecmp(hex, wanted + strlen("sha256:")) == 0;
}

static gboolean
is_signed_by(X509 *certificate, SignetX509Stack *issuers)
{
    gboolean is_it = FALSE;

    for (int i = 0; !is_it && i < sk_X509_num(issuers); i++) {
        X509 *issuer = sk_X509_value(issuers, i);
        EVP_PKEY *key = X509_get0_pubkey(issuer);

        is_it = X509_cmp(issuer, certificate) == 0 ||
                (key && X509_check_ca(issuer) > 0 && X509_verify(certificate, key) == 1);
    }
    ERR_clear_error();
    return is_it;
}

static gboolean
is_known(const SignetProtocolContext *context, X509 *certificate, SignetX509Stack *anchors)
{
    return has_fingerprint(certificate,
                           signet_remote_get_option(&context->job->remote, "Fingerprint")) ||
           signet_http_is_pinned(context->http, certificate) || is_signed_by(certificate, anchors);
}

static gboolean
push(SignetX509Stack *list, X509 *certificate)
{
    return sk_X509_push(list, certificate) > 0 && X509_up_ref(certificate);
}

/* A CA that the policy names has announced the others: without it they are nobody's. */
static gboolean
add_learned(const SignetProtocolContext *context, SignetScepCa *ca, SignetX509Stack *anchors,
            GError **error)
{
    g_autoptr(SignetX509Stack) none = sk_X509_new_null();
    g_autoptr(SignetX509Stack) learned =
        signet_answer_add_anchors(none, context->job->certificates, error);

    ca->former = sk_X509_new_null();
    ca->named = sk_X509_new_null();
    if (!learned)
        return FALSE;
    for (int i = 0; i < sk_X509_num(learned); i++) {
        X509 *certificate = sk_X509_value(learned, i);

        if (X509_check_ca(certificate) > 0 && is_known(context, certificate, anchors))
            push(ca->named, certificate);
    }
    for (int i = 0; sk_X509_num(ca->named) > 0 && i < sk_X509_num(learned); i++) {
        X509 *certificate = sk_X509_value(learned, i);

        if (X509_check_ca(certificate) > 0 && push(anchors, certificate))
            push(ca->former, certificate);
    }
    return TRUE;
}

static gboolean
keep(SignetScepCa *ca, X509 *certificate)
{
    return push(ca->certificates, certificate);
}

static gboolean
is_kept(const SignetScepCa *ca, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(ca->certificates); i++) {
        if (X509_cmp(sk_X509_value(ca->certificates, i), certificate) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Another one that was signed by one of those that are kept; FALSE: there is none. */
static gboolean
keep_another(SignetScepCa *ca, SignetX509Stack *found)
{
    for (int i = 0; i < sk_X509_num(found); i++) {
        X509 *certificate = sk_X509_value(found, i);

        if (!is_kept(ca, certificate) && is_signed_by(certificate, ca->certificates))
            return keep(ca, certificate);
    }
    return FALSE;
}

/* First what is known, then what it has signed, and what that has, in whatever order they came. */
static gboolean
choose(const SignetProtocolContext *context, SignetX509Stack *found, SignetX509Stack *anchors,
       SignetScepCa *ca, GError **error)
{
    ca->certificates = sk_X509_new_null();
    for (int i = 0; i < sk_X509_num(found); i++) {
        if (is_known(context, sk_X509_value(found, i), anchors))
            keep(ca, sk_X509_value(found, i));
    }
    while (keep_another(ca, found)) {
    }
    return sk_X509_num(ca->certificates) > 0 ||
           signet_error_set(error, SIGNET_ERROR_DENIED,
                            "none of the certificates that the server shows as its CA's is the one "
                            "of Fingerprint=, Pin= or Trust=");
}

static gboolean
ask_certificates(const SignetProtocolContext *context, SignetScepCa *ca, GError **error)
{
    OSSL_LIB_CTX *library = signet_crypto_get_library(context->crypto);
    g_auto(SignetHttpResponse) response = {0};
    g_autoptr(SignetX509Stack) none = sk_X509_new_null();

    if (!get(context, "GetCACert", &response, error))
        return FALSE;
    if (response.status != 200)
        return signet_error_set(
            error, response.status >= 500 ? SIGNET_ERROR_CA_UNREACHABLE : SIGNET_ERROR_CA_REFUSED,
            "the server answers GetCACert with status %ld", response.status);
    g_autoptr(GBytes) body = g_bytes_new(response.body->data, response.body->len);
    g_autoptr(SignetX509Stack) found = signet_answer_read_any(library, body, error);
    g_autoptr(SignetX509Stack) anchors =
        found ? signet_answer_add_anchors(none, context->job->remote.anchors, error) : NULL;
    if (!anchors) {
        g_prefix_error(error, "GetCACert: ");
        return FALSE;
    }
    return add_learned(context, ca, anchors, error) && choose(context, found, anchors, ca, error);
}

gboolean
signet_scep_ca_ask(const SignetProtocolContext *context, SignetScepCa *ret_ca, GError **error)
{
    return ask_capabilities(context, ret_ca, error) && ask_certificates(context, ret_ca, error);
}

/* --- what it will go on with --- */

/* Who may say so: an RA speaks for what the CA is now only. */
static SignetX509Stack *
find_cas(const SignetScepCa *ca)
{
    SignetX509Stack *cas = sk_X509_new_null();

    for (int i = 0; i < sk_X509_num(ca->certificates); i++) {
        X509 *certificate = sk_X509_value(ca->certificates, i);

        if (X509_check_ca(certificate) > 0)
            push(cas, certificate);
    }
    return cas;
}

static gboolean
add_next(const SignetProtocolContext *context, const SignetScepCa *ca, SignetX509Stack *all,
         GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!get(context, "GetNextCACert", &response, error))
        return FALSE;
    if (response.status != 200) /* it has no plans */
        return TRUE;
    g_autoptr(GBytes) body = g_bytes_new(response.body->data, response.body->len);
    g_autoptr(SignetX509Stack) cas = find_cas(ca);
    g_autoptr(SignetX509Stack) next =
        signet_scep_next_read(signet_crypto_get_library(context->crypto), body, cas, error);
    if (!next) {
        g_prefix_error(error, "GetNextCACert: ");
        return FALSE;
    }
    for (int i = 0; i < sk_X509_num(next); i++) {
        X509 *certificate = sk_X509_value(next, i);

        if (X509_check_ca(certificate) > 0)
            push(all, certificate);
    }
    return TRUE;
}

SignetX509Stack *
signet_scep_get_authorities(const SignetProtocolContext *context, GError **error)
{
    g_auto(SignetScepCa) ca = {0};

    if (!context->job->remote.url) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
        return NULL;
    }
    if (!signet_scep_ca_ask(context, &ca, error))
        return NULL;
    g_autoptr(SignetX509Stack) all = find_cas(&ca);
    return !ca.has_next || add_next(context, &ca, all, error) ? g_steal_pointer(&all) : NULL;
}

/* X509_get_key_usage() says all bits where there is no such extension. */
X509 *
signet_scep_ca_get_recipient(const SignetScepCa *ca)
{
    for (int i = 0; i < sk_X509_num(ca->certificates); i++) {
        X509 *certificate = sk_X509_value(ca->certificates, i);

        if (X509_check_ca(certificate) == 0 &&
            X509_get_key_usage(certificate) & X509v3_KU_KEY_ENCIPHERMENT)
            return certificate;
    }
    for (int i = 0; i < sk_X509_num(ca->certificates); i++) {
        if (X509_check_ca(sk_X509_value(ca->certificates, i)) > 0)
            return sk_X509_value(ca->certificates, i);
    }
    return sk_X509_value(ca->certificates, 0);
}
