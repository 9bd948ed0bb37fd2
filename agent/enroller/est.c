/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of EST. */

#include "agent/enroller/est.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/parse.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/est-attributes.h"
#include "agent/enroller/refusal.h"
#include "agent/enroller/request.h"
#include "provider/wire/limits.h"

#define PATH        "/.well-known/est"
#define LINE        64 /* RFC 2045; libest takes no longer ones */
#define UNIQUE_SIZE 12 /* of Finished in TLS 1.2 */
/* between two ECDSA signatures by one key, as DER */
#define SIGNATURE_DIFFERENCE 8
#define RETRY_AFTER_S        300 /* RFC 7030 4.2.3 wants the server to say it */

typedef struct {
    const SignetProtocolContext *context;
    const SignetJobRemote *remote;
    char *base;                   /* (owned) of all URLs */
    SignetX509Stack *authorities; /* (owned) */
    SignetRequestWishes wishes;   /* of the CA */
    GBytes *csr;                  /* (owned) DER */
    gboolean is_renewal;          /* the current certificate has the names that are asked for */
} Est;

static void
est_clear(Est *est)
{
    g_clear_pointer(&est->authorities, signet_x509_stack_free);
    g_clear_pointer(&est->csr, g_bytes_unref);
    g_free(est->base);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Est, est_clear)

/* --- requests --- */

/* Url= may name the server or the whole way to the operations. */
static char *
make_base(const SignetJobRemote *remote)
{
    const char *label = signet_remote_get_option(remote, "Label");
    gsize length = strlen(remote->url);

    while (length > 0 && remote->url[length - 1] == '/')
        length--;
    g_autofree char *url = g_strndup(remote->url, length);
    return g_strconcat(url, strstr(url, PATH) ? "" : PATH, label ? "/" : "", label ? label : "",
                       NULL);
}

static gboolean
get(const Est *est, const char *operation, gboolean is_provisional, SignetHttpResponse *response,
    GError **error)
{
    g_autofree char *url = g_strconcat(est->base, "/", operation, NULL);
    const SignetHttpRequest request = {.url = url, .is_provisional = is_provisional};

    return signet_http_do(est->context->http, &request, response, error);
}

static SignetX509Stack *
read_certificates(const Est *est, const SignetHttpResponse *response, const char *operation,
                  GError **error)
{
    g_autoptr(GBytes) der = signet_answer_decode(response->body->data, response->body->len, error);
    SignetX509Stack *certificates =
        der ? signet_answer_read_certificates(signet_crypto_get_library(est->context->crypto), der,
                                              error)
            : NULL;

    if (!certificates)
        g_prefix_error(error, "%s: ", operation);
    return certificates;
}

/* --- cacerts --- */

/* Nothing is known of the server but the pin of its CA: its list of certificates is asked from
 * whoever answers, and only a certificate with the pinned key is taken from it (RFC 7030 4.1.1,
 * with the pin in place of the person). Without a word when there is none: the server itself may
 * still show it. */
static gboolean
bootstrap_trust(const Est *est, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    g_autoptr(SignetX509Stack) certificates = NULL;

    if (!get(est, "cacerts", TRUE, &response, error))
        return FALSE;
    if (response.status == 200)
        certificates = read_certificates(est, &response, "cacerts", NULL);
    for (int i = 0; certificates && i < sk_X509_num(certificates); i++) {
        X509 *certificate = sk_X509_value(certificates, i);

        if (signet_http_is_pinned(est->context->http, certificate))
            signet_http_add_anchor(est->context->http, certificate);
    }
    return TRUE;
}

static gboolean
get_authorities(Est *est, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!signet_http_has_anchors(est->context->http) && !bootstrap_trust(est, error))
        return FALSE;
    if (!get(est, "cacerts", FALSE, &response, error))
        return FALSE;
    if (response.status != 200)
        return signet_refusal_set(&response, "cacerts", error);
    est->authorities = read_certificates(est, &response, "cacerts", error);
    return est->authorities != NULL;
}

/* --- csrattrs --- */

/* Optional: a server that has no answer has no wish (RFC 7030 4.5.1). */
static gboolean
get_attributes(Est *est, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!get(est, "csrattrs", FALSE, &response, error))
        return FALSE;
    if (response.status != 200 || response.body->len == 0)
        return TRUE;
    g_autoptr(GBytes) der = signet_answer_decode(response.body->data, response.body->len, error);
    if (!der) {
        g_prefix_error(error, "csrattrs: ");
        return FALSE;
    }
    return signet_est_attributes_read(der, est->context->job, &est->wishes, error);
}

/* --- the request --- */

/* size: what it is to have at least; a decoder of base64 skips what fills it up, as one of PEM does
 * at the end of a line. */
static GBytes *
wrap_base64(GBytes *der, gsize size)
{
    gsize der_size = 0;
    const guint8 *data = g_bytes_get_data(der, &der_size);
    g_autofree char *base64 = g_base64_encode(data, der_size);
    GString *lines = g_string_new(NULL);

    for (const char *at = base64; *at; at += MIN(strlen(at), LINE))
        g_string_append_printf(lines, "%.*s\n", LINE, at);
    while (lines->len < size)
        g_string_insert_c(lines, (gssize)lines->len - 1, '\r');
    return g_string_free_to_bytes(lines);
}

/* Any request that is tied to a connection has as much: signatures differ by a few bytes. */
static gsize
get_linked_size(const Est *est)
{
    gsize base64 = (g_bytes_get_size(est->csr) + SIGNATURE_DIFFERENCE + 2) / 3 * 4;

    return base64 + (base64 + LINE - 1) / LINE;
}

static GBytes *
make_linked_der(const Est *est, const guint8 *unique, gsize size, GError **error)
{
    SignetRequestWishes wishes = est->wishes;
    g_autofree char *challenge = g_base64_encode(unique, size);

    wishes.challenge = challenge;
    return signet_request_make_der(est->context->crypto, est->context->job, &wishes, NULL, error);
}

/* The request of this connection, whose name is the challenge password (RFC 7030 3.5). */
static GBytes *
make_linked(GBytes *unique, gpointer data, GError **error)
{
    const Est *est = data;
    gsize size = 0;
    const guint8 *bytes = g_bytes_get_data(unique, &size);
    g_autoptr(GBytes) der = make_linked_der(est, bytes, size, error);

    return der ? wrap_base64(der, get_linked_size(est)) : NULL;
}

/* A request that was sent before is sent again as it was (RFC 7030 4.2.3). One that is tied to a
 * connection is made for each; this one shows that it can be, and how large it will be. */
static gboolean
make_request(Est *est, GError **error)
{
    static const guint8 unknown[UNIQUE_SIZE];

    if (est->wishes.is_linked)
        est->csr = make_linked_der(est, unknown, sizeof(unknown), error);
    else
        est->csr = signet_request_make_der(est->context->crypto, est->context->job, &est->wishes,
                                           est->remote->state, error);
    return est->csr != NULL;
}

static gboolean
post(const Est *est, const char *operation, SignetHttpResponse *response, GError **error)
{
    static const char *const headers[] = {"Content-Transfer-Encoding: base64", NULL};
    g_autofree char *url = g_strconcat(est->base, "/", operation, NULL);
    g_autoptr(GBytes) body = est->wishes.is_linked ? NULL : wrap_base64(est->csr, 0);
    const SignetHttpRequest request = {
        .url = url,
        .body = body,
        .make_body = body ? NULL : make_linked,
        .make_data = (gpointer)est,
        .body_size = get_linked_size(est),
        .content_type = "application/pkcs10",
        .headers = headers,
    };

    if (signet_http_do(est->context->http, &request, response, error))
        return TRUE;
    if (!body)
        g_prefix_error(error, "the CA asks for a request that is tied to its connection, which "
                              "needs TLS 1.2: ");
    return FALSE;
}

/* --- who asks --- */

static gboolean
stand_on(Est *est, SignetRung rung, GError **error)
{
    const SignetJobRequest *job = est->context->job;
    SignetHttp *http = est->context->http;
    gboolean has_password = rung == SIGNET_RUNG_SECRET || est->remote->is_secret_kept;
    gboolean is_own = rung == SIGNET_RUNG_CURRENT || rung == SIGNET_RUNG_EXPIRED;
    const char *identity = is_own ? job->identity : NULL;

    if (rung == SIGNET_RUNG_IDENTITY)
        identity = est->remote->bootstrap_identity;
    est->is_renewal = FALSE;
    if (!signet_http_use_password(http, has_password ? est->remote->secret : NULL, error) ||
        !signet_http_use_identity(http, identity, is_own ? job->current_generation : 0, error))
        return FALSE;
    /* simplereenroll is for a certificate of the same names (RFC 7030 4.2.2) */
    if (is_own)
        est->is_renewal = signet_request_has_names(job, signet_http_get_certificate(http));
    return TRUE;
}

/* Why the server does not take this rung, in few words; NULL: it does. */
static char *
dup_denial(const SignetHttpResponse *response, const GError *failure)
{
    if (failure)
        return g_strdup(failure->message);
    if (response->status == 401 || response->status == 403)
        return g_strdup_printf("status %ld", response->status);
    return NULL;
}

static gboolean
ask(const Est *est, SignetHttpResponse *response, GError **error)
{
    if (!est->is_renewal)
        return post(est, "simpleenroll", response, error);
    if (!post(est, "simplereenroll", response, error))
        return FALSE;
    /* Some servers have but one way in. */
    return (response->status != 404 && response->status != 501) ||
           post(est, "simpleenroll", response, error);
}

/* FALSE: not even an answer, for another reason than that it does not want us so. */
static gboolean
try_rung(Est *est, SignetRung rung, SignetHttpResponse *response, char **ret_denial, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!stand_on(est, rung, &failure) || !ask(est, response, &failure)) {
        if (!signet_error_is(failure, SIGNET_ERROR_DENIED)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
    *ret_denial = dup_denial(response, failure);
    return TRUE;
}

/* The first rung that the server takes; what it says to all of them otherwise. */
static gboolean
climb(Est *est, SignetHttpResponse *response, GError **error)
{
    g_autoptr(GString) tried = g_string_new(NULL);

    for (guint bit = 0; bit < 32; bit++) {
        SignetRung rung = (SignetRung)(1u << bit);
        g_autofree char *denial = NULL;

        if (!(est->remote->rungs & (guint)rung))
            continue;
        if (!try_rung(est, rung, response, &denial, error))
            return FALSE;
        if (!denial)
            return TRUE;
        g_string_append_printf(tried, "%s%s (%s)", tried->len ? ", " : "", signet_rung_name(rung),
                               denial);
    }
    if (tried->len == 0)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "nothing of Bootstrap= is there to authenticate with: no valid "
                                "certificate, no secret");
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the server accepts none of the ways to authenticate: %s", tried->str);
}

/* --- the answer --- */

static gboolean
read_answer(const Est *est, const SignetHttpResponse *response, SignetEnrollerOutcome *outcome,
            GError **error)
{
    const char *operation = est->is_renewal ? "simplereenroll" : "simpleenroll";
    g_autoptr(SignetX509Stack) found = NULL;

    if (response->status == 202) {
        outcome->retry_after_s = response->retry_after_s ? response->retry_after_s : RETRY_AFTER_S;
        if (!est->wishes.is_linked && g_bytes_get_size(est->csr) <= SIGNET_WIRE_STATE_MAX)
            outcome->state = g_bytes_ref(est->csr);
        return TRUE;
    }
    if (response->status != 200)
        return signet_refusal_set(response, operation, error);
    found = read_certificates(est, response, operation, error);
    return found && signet_chain_build(est->context->job, found, est->authorities, outcome, error);
}

gboolean
signet_est_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    g_auto(Est) est = {.context = context, .remote = &context->job->remote};

    if (!est.remote->url)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
    est.base = make_base(est.remote);
    return get_authorities(&est, error) && get_attributes(&est, error) &&
           make_request(&est, error) && climb(&est, &response, error) &&
           read_answer(&est, &response, outcome, error);
}

SignetX509Stack *
signet_est_get_authorities(const SignetProtocolContext *context, GError **error)
{
    g_auto(Est) est = {.context = context, .remote = &context->job->remote};

    if (!est.remote->url) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
        return NULL;
    }
    est.base = make_base(est.remote);
    return get_authorities(&est, error) ? g_steal_pointer(&est.authorities) : NULL;
}
