/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Signed requests and the account. */

#include "agent/enroller/acme-session.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/origin.h"
#include "agent/enroll/remote.h"

#define NONCES_MAX   10
#define NONCE_MAX    512
#define TIMEOUT_S    120
#define WAIT_FIRST_S 1
#define WAIT_MAX_S   15
#define JOSE_TYPE    "application/jose+json"

/* --- requests --- */

/* A signature that is good at another server, or a question that goes there, helps nobody but it.
 */
static gboolean
check_url(const SignetAcmeSession *session, const char *url, GError **error)
{
    const char *base = session->context->job->remote.url;

    return signet_origin_has(base, url) ||
           signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the server sends us to '%s', which is not its own", url);
}

static void
keep_nonce(SignetAcmeSession *session, const SignetHttpResponse *response)
{
    g_autofree char *nonce = signet_http_response_dup_header(response, "Replay-Nonce");

    if (!nonce || !*nonce || strlen(nonce) > NONCE_MAX)
        return;
    for (const char *p = nonce; *p; p++) {
        if (!g_ascii_isalnum(*p) && *p != '-' && *p != '_')
            return;
    }
    g_free(session->nonce);
    session->nonce = g_steal_pointer(&nonce);
}

static gboolean
get_nonce(SignetAcmeSession *session, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    const SignetHttpRequest request = {.url = session->directory.new_nonce, .method = "HEAD"};

    if (session->nonce)
        return TRUE;
    if (!check_url(session, request.url, error) ||
        !signet_http_do(session->context->http, &request, &response, error))
        return FALSE;
    keep_nonce(session, &response);
    gboolean is_transient = response.status >= 500 || response.status == 429;
    return session->nonce ||
           signet_error_set(error,
                            is_transient ? SIGNET_ERROR_CA_UNREACHABLE : SIGNET_ERROR_CORRUPT,
                            "the server gives no nonce (status %ld)", response.status);
}

static GBytes *
make_body(SignetAcmeSession *session, const char *url, const json_t *payload, GError **error)
{
    g_autofree char *nonce = g_steal_pointer(&session->nonce); /* once */
    g_autoptr(json_t) header = json_pack("{s:s, s:s}", "nonce", nonce, "url", url);

    if (session->account)
        json_object_set_new(header, "kid", json_string(session->account));
    else
        json_object_set(header, "jwk", signet_jose_get_jwk(session->jose));
    return signet_jose_sign(session->jose, header, payload, error);
}

static gboolean
post_once(SignetAcmeSession *session, const char *url, const json_t *payload,
          SignetHttpResponse *response, GError **error)
{
    if (!get_nonce(session, error))
        return FALSE;
    g_autoptr(GBytes) body = make_body(session, url, payload, error);
    const SignetHttpRequest request = {.url = url, .body = body, .content_type = JOSE_TYPE};

    if (!body || !signet_http_do(session->context->http, &request, response, error))
        return FALSE;
    keep_nonce(session, response);
    return TRUE;
}

static gboolean
is_good(const SignetHttpResponse *response)
{
    return response->status >= 200 && response->status < 300;
}

static void
keep_problem(SignetAcmeSession *session, const SignetHttpResponse *response)
{
    g_autoptr(GBytes) body = g_bytes_new(response->body->data, response->body->len);

    signet_acme_problem_clear(&session->problem);
    signet_acme_problem_read(&session->problem, body);
}

static gboolean
refuse(const SignetAcmeSession *session, const SignetHttpResponse *response, GError **error)
{
    gboolean is_transient = response->status >= 500 || response->status == 429 ||
                            signet_acme_session_is_problem(session, "rateLimited") ||
                            signet_acme_session_is_problem(session, "badNonce") ||
                            signet_acme_session_is_problem(session, "serverInternal");
    const char *words = session->problem.words;

    return signet_error_set(
        error, is_transient ? SIGNET_ERROR_CA_UNREACHABLE : SIGNET_ERROR_CA_REFUSED,
        "the server answers with status %ld%s%s", response->status, *words ? ": " : "", words);
}

gboolean
signet_acme_session_post(SignetAcmeSession *session, const char *url, const json_t *payload,
                         SignetHttpResponse *response, GError **error)
{
    if (!check_url(session, url, error))
        return FALSE;
    for (guint i = 0; i < NONCES_MAX; i++) {
        if (!post_once(session, url, payload, response, error))
            return FALSE;
        if (is_good(response))
            return TRUE;
        keep_problem(session, response);
        if (!signet_acme_session_is_problem(session, "badNonce"))
            break;
    }
    return refuse(session, response, error);
}

gboolean
signet_acme_session_is_problem(const SignetAcmeSession *session, const char *type)
{
    return g_strcmp0(session->problem.type, type) == 0;
}

gboolean
signet_acme_session_get(SignetAcmeSession *session, const char *url, SignetHttpResponse *response,
                        GError **error)
{
    const SignetHttpRequest request = {.url = url};

    if (!check_url(session, url, error) ||
        !signet_http_do(session->context->http, &request, response, error))
        return FALSE;
    if (is_good(response))
        return TRUE;
    keep_problem(session, response);
    return refuse(session, response, error);
}

gboolean
signet_acme_session_wait(const SignetAcmeSession *session, guint retry_after_s, guint turn)
{
    guint pause_s = MIN(WAIT_FIRST_S << MIN(turn, 4), WAIT_MAX_S);
    gint64 pause_us;

    if (retry_after_s > 0)
        pause_s = retry_after_s;
    pause_us = (gint64)pause_s * G_USEC_PER_SEC;
    if (g_get_monotonic_time() + pause_us > session->deadline_us)
        return FALSE;
    g_usleep((gulong)pause_us);
    return TRUE;
}

/* --- opening --- */

gboolean
signet_acme_session_open(SignetAcmeSession *session, const SignetProtocolContext *context,
                         GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    g_auto(SignetHttpResponse) response = {0};
    gint64 timeout_s = remote->timeout_s ? remote->timeout_s : TIMEOUT_S;

    session->context = context;
    /* a fifth is left for what comes after the waiting */
    session->deadline_us = g_get_monotonic_time() + timeout_s * G_USEC_PER_SEC / 5 * 4;
    if (!remote->url || !remote->account_identity)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "job: Url= or AccountIdentity= is missing");
    if (!signet_acme_session_get(session, remote->url, &response, error))
        return FALSE;
    g_autoptr(GBytes) body = g_bytes_new(response.body->data, response.body->len);
    if (!signet_acme_directory_read(&session->directory, body, error))
        return FALSE;
    session->jose = signet_jose_new(context->crypto, remote->account_identity, error);
    return session->jose != NULL;
}

void
signet_acme_session_clear(SignetAcmeSession *session)
{
    signet_acme_directory_clear(&session->directory);
    signet_acme_problem_clear(&session->problem);
    g_clear_pointer(&session->jose, signet_jose_free);
    g_free(session->account);
    g_free(session->nonce);
}

/* --- the account --- */

static gboolean
take_account(SignetAcmeSession *session, const SignetHttpResponse *response, GError **error)
{
    g_autofree char *url = signet_http_response_dup_header(response, "Location");

    if (!url)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the server does not say where the account is");
    if (!check_url(session, url, error))
        return FALSE;
    session->account = g_steal_pointer(&url);
    return TRUE;
}

/* RFC 8555 7.3.4: whoever has the MAC's key lets this key act for the external account. */
static json_t *
make_binding(const SignetAcmeSession *session, const char *kid, GError **error)
{
    const SignetJobRemote *remote = &session->context->job->remote;
    g_autoptr(json_t) header =
        json_pack("{s:s, s:s}", "kid", kid, "url", session->directory.new_account);

    return signet_jose_mac(remote->secret, header, signet_jose_get_jwk(session->jose), error);
}

static gboolean
add_binding(const SignetAcmeSession *session, json_t *payload, GError **error)
{
    const SignetJobRemote *remote = &session->context->job->remote;
    const char *kid = signet_remote_get_option(remote, "ExternalAccount");
    json_t *binding;

    if (!kid || !remote->secret)
        return !session->directory.needs_external_account ||
               signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the CA wants an account of its customer; write ExternalAccount= "
                                "and SecretFile=");
    binding = make_binding(session, kid, error);
    return binding && json_object_set_new(payload, "externalAccountBinding", binding) == 0;
}

static gboolean
add_agreement(const SignetAcmeSession *session, json_t *payload, GError **error)
{
    if (!session->directory.terms)
        return TRUE;
    if (!signet_remote_get_option(&session->context->job->remote, "AgreeTerms"))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the CA wants its terms to be agreed to: read %s, then write "
                                "AgreeTerms=yes",
                                session->directory.terms);
    return json_object_set_new(payload, "termsOfServiceAgreed", json_true()) == 0;
}

static void
add_contacts(const SignetAcmeSession *session, json_t *payload)
{
    const char *text = signet_remote_get_option(&session->context->job->remote, "Contact");
    g_auto(GStrv) items = g_strsplit(text ? text : "", ";", -1);
    json_t *list = json_array();

    for (char **item = items; *item; item++) {
        if (*g_strstrip(*item))
            json_array_append_new(list, json_string(*item));
    }
    if (json_array_size(list) > 0)
        json_object_set_new(payload, "contact", list);
    else
        json_decref(list);
}

static gboolean
make_account(SignetAcmeSession *session, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    g_autoptr(json_t) payload = json_object();

    if (!add_agreement(session, payload, error) || !add_binding(session, payload, error))
        return FALSE;
    add_contacts(session, payload);
    return signet_acme_session_post(session, session->directory.new_account, payload, &response,
                                    error) &&
           take_account(session, &response, error);
}

gboolean
signet_acme_session_register(SignetAcmeSession *session, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    g_autoptr(GError) failure = NULL;
    g_autoptr(json_t) payload = json_pack("{s:b}", "onlyReturnExisting", 1);

    /* The secret is shown when there is no other way only. */
    if (signet_acme_session_post(session, session->directory.new_account, payload, &response,
                                 &failure))
        return take_account(session, &response, error);
    if (signet_acme_session_is_problem(session, "accountDoesNotExist"))
        return make_account(session, error) ||
               (g_prefix_error(error, "cannot make an account: "), FALSE);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}
