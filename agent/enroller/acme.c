/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* From the account to the certificate. */

#include "agent/enroller/acme.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/acme-order.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/attestation.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/request.h"
#include "provider/wire/limits.h"

#define RETRY_AFTER_S 10

typedef struct {
    const SignetProtocolContext *context;
    SignetAcmeSession session;
    SignetAcmePlaced order;
    GHashTable *answered; /* (owned) set of URLs: challenges that the CA was sent to */
} Acme;

static void
acme_clear(Acme *acme)
{
    signet_acme_placed_clear(&acme->order);
    signet_acme_session_clear(&acme->session);
    g_clear_pointer(&acme->answered, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Acme, acme_clear)

/* --- proofs --- */

static gboolean
refuse_name(const SignetAcmeAuthorization *authorization, const char *why, GError **error)
{
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA does not believe that '%s' is this machine's: %s",
                            authorization->value, why ? why : "it does not say why");
}

/* What went wrong stands at one of the challenges. */
static const char *
find_problem(const SignetAcmeAuthorization *authorization)
{
    for (guint i = 0; i < authorization->challenges->len; i++) {
        const SignetAcmeChallenge *challenge = authorization->challenges->pdata[i];

        if (challenge->problem)
            return challenge->problem;
    }
    return NULL;
}

/* A device is proven by evidence, a name by being reachable under it. */
static gboolean
can_prove(const Acme *acme, const SignetAcmeAuthorization *authorization, const char *type)
{
    gboolean is_device = strcmp(authorization->type, "permanent-identifier") == 0;

    if (strcmp(type, SIGNET_ATTESTATION_CHALLENGE) == 0)
        return is_device && acme->context->job->permanent;
    return !is_device && signet_prover_can(acme->context->prover, type);
}

static const SignetAcmeChallenge *
choose(const Acme *acme, const SignetAcmeAuthorization *authorization, GError **error)
{
    static const char *const types[] = {SIGNET_ATTESTATION_CHALLENGE, "http-01", "dns-01"};
    g_autoptr(GString) offered = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        const SignetAcmeChallenge *challenge =
            signet_acme_authorization_find(authorization, types[i]);

        if (challenge && *challenge->token && can_prove(acme, authorization, challenge->type))
            return challenge;
    }
    for (guint i = 0; i < authorization->challenges->len; i++) {
        const SignetAcmeChallenge *other = authorization->challenges->pdata[i];

        g_string_append_printf(offered, "%s%s", i ? ", " : "", other->type);
    }
    signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                     "nothing that the policy allows proves '%s': the CA offers %s; see Http01= "
                     "and Dns01= of the CA",
                     authorization->value, offered->str);
    return NULL;
}

/* What the CA is told of the proof; NULL with error. */
static json_t *
make_response(Acme *acme, const char *name, const SignetAcmeChallenge *challenge, GError **error)
{
    const char *thumbprint = signet_jose_get_thumbprint(acme->session.jose);
    g_autofree char *text = g_strconcat(challenge->token, ".", thumbprint, NULL);
    const SignetProof proof = {challenge->type, name, challenge->token, text};

    if (strcmp(challenge->type, SIGNET_ATTESTATION_CHALLENGE) == 0)
        return signet_attestation_make_response(acme->context->link, challenge->token, error);
    return signet_prover_add(acme->context->prover, &proof, error) ? json_object() : NULL;
}

/* RFC 8555 7.5.1: the proof is in place, the CA may look. */
static gboolean
answer(Acme *acme, const char *name, const SignetAcmeChallenge *challenge, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!g_hash_table_add(acme->answered, g_strdup(challenge->url)))
        return TRUE;
    g_autoptr(json_t) payload = make_response(acme, name, challenge, error);
    if (!payload)
        return FALSE;
    /* "processing": an earlier job has sent it already */
    return challenge->status != SIGNET_ACME_PENDING ||
           signet_acme_session_post(&acme->session, challenge->url, payload, &response, error);
}

static gboolean
get_authorization(Acme *acme, const char *url, SignetAcmeAuthorization *authorization,
                  GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!signet_acme_session_post(&acme->session, url, NULL, &response, error))
        return FALSE;
    g_autoptr(GBytes) body = g_bytes_new(response.body->data, response.body->len);
    return signet_acme_authorization_read(authorization, body, error);
}

static gboolean
prove_one(Acme *acme, const char *url, GError **error)
{
    g_auto(SignetAcmeAuthorization) authorization = {0};
    const SignetAcmeChallenge *challenge;

    if (!get_authorization(acme, url, &authorization, error))
        return FALSE;
    if (authorization.status == SIGNET_ACME_VALID)
        return TRUE;
    if (authorization.status == SIGNET_ACME_INVALID)
        return refuse_name(&authorization, find_problem(&authorization), error);
    challenge = choose(acme, &authorization, error);
    if (!challenge)
        return FALSE;
    /* it may have failed while all that hangs on it is pending still */
    if (challenge->status == SIGNET_ACME_INVALID)
        return refuse_name(&authorization, challenge->problem, error);
    return answer(acme, authorization.value, challenge, error);
}

static gboolean
prove(Acme *acme, GError **error)
{
    g_auto(GStrv) urls = g_strdupv(acme->order.now.authorizations);

    for (char **url = urls; *url; url++) {
        if (!prove_one(acme, *url, error))
            return FALSE;
    }
    return TRUE;
}

/* --- the certificate --- */

static gboolean
finalize(Acme *acme, GError **error)
{
    g_autoptr(X509_REQ) csr =
        signet_request_new(acme->context->crypto, acme->context->job, NULL, error);
    g_autoptr(GError) failure = NULL;
    guint8 *der = NULL;

    if (!csr)
        return FALSE;
    int size = i2d_X509_REQ(csr, &der);
    if (size <= 0)
        return signet_crypto_fail(error, "cannot write the request");
    g_autoptr(GBytes) bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    if (signet_acme_order_finalize(&acme->order, bytes, &failure))
        return TRUE;
    /* not everybody at the CA knows yet */
    if (signet_acme_session_is_problem(&acme->session, "orderNotReady"))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static X509 *
read_last(const GByteArray *chain)
{
    const guint8 *at = chain->data;
    const guint8 *end = at + chain->len;
    X509 *last = NULL;

    while (at < end) {
        X509_free(last);
        last = d2i_X509(NULL, &at, (long)(end - at));
        if (!last)
            return NULL;
    }
    return last;
}

/* The one of Trust= that issued it, or NULL; DER. */
static GBytes *
find_trusted(GBytes *anchors, X509 *certificate)
{
    gsize size = 0;
    const guint8 *at = anchors ? g_bytes_get_data(anchors, &size) : NULL;
    const guint8 *end = size ? at + size : at;

    while (at < end) {
        const guint8 *begin = at;
        g_autoptr(X509) anchor = d2i_X509(NULL, &at, (long)(end - at));

        if (!anchor)
            break;
        if (X509_check_issued(anchor, certificate) == X509_V_OK)
            return g_bytes_new(begin, (gsize)(at - begin));
    }
    ERR_clear_error();
    return NULL;
}

/* No ACME server says what its root is. The anchor is the one of Trust= that leads on, or the last
 * certificate of the chain: who told it was believed to be the CA. */
static gboolean
add_anchor(const Acme *acme, SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(X509) last = read_last(outcome->chain);
    g_autoptr(GBytes) trusted =
        last ? find_trusted(acme->context->job->remote.anchors, last) : NULL;
    guint8 *der = NULL;
    gsize size = 0;

    if (trusted) {
        const guint8 *data = g_bytes_get_data(trusted, &size);

        g_byte_array_append(outcome->anchors, data, (guint)size);
        return TRUE;
    }
    int last_size = last ? i2d_X509(last, &der) : -1;
    gboolean is_alone = last_size >= 0 && (guint)last_size == outcome->chain->len;
    if (last_size > 0 && !is_alone)
        g_byte_array_append(outcome->anchors, der, (guint)last_size);
    OPENSSL_free(der);
    return (last_size > 0 && !is_alone) ||
           signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the CA gives no chain with the certificate, and nothing in Trust= "
                            "issued it");
}

static gboolean
download(Acme *acme, SignetEnrollerOutcome *outcome, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!signet_acme_session_post(&acme->session, acme->order.now.certificate, NULL, &response,
                                  error))
        return FALSE;
    g_autoptr(GBytes) body = g_bytes_new(response.body->data, response.body->len);
    g_autoptr(SignetX509Stack) found =
        signet_answer_read_any(signet_crypto_get_library(acme->context->crypto), body, error);
    g_autoptr(SignetX509Stack) none = sk_X509_new_null();

    return found && signet_chain_build(acme->context->job, found, none, outcome, error) &&
           add_anchor(acme, outcome, error);
}

/* --- all of it --- */

/* The name that was not believed says more than the order does. */
static gboolean
refuse_order(Acme *acme, GError **error)
{
    const char *problem = acme->order.now.problem;

    for (char **url = acme->order.now.authorizations; *url; url++) {
        g_auto(SignetAcmeAuthorization) authorization = {0};

        if (get_authorization(acme, *url, &authorization, NULL) &&
            authorization.status == SIGNET_ACME_INVALID)
            return refuse_name(&authorization, find_problem(&authorization), error);
    }
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED, "the CA has ended the order: %s",
                            problem ? problem : "it does not say why");
}

/* One step, by what the server last said. *ret_is_done: nothing is left to do. */
static gboolean
step(Acme *acme, SignetEnrollerOutcome *outcome, gboolean *ret_is_done, GError **error)
{
    switch (acme->order.now.status) {
    case SIGNET_ACME_PENDING:
        return prove(acme, error);
    case SIGNET_ACME_READY:
        return finalize(acme, error);
    case SIGNET_ACME_PROCESSING:
        return TRUE;
    case SIGNET_ACME_VALID:
        *ret_is_done = TRUE;
        return download(acme, outcome, error);
    case SIGNET_ACME_INVALID:
        break;
    }
    return refuse_order(acme, error);
}

/* Until there is a certificate, a refusal, or no time. */
static gboolean
follow(Acme *acme, SignetEnrollerOutcome *outcome, GError **error)
{
    gboolean is_done = FALSE;

    for (guint turn = 0;; turn++) {
        SignetAcmeStatus before = acme->order.now.status;

        if (!step(acme, outcome, &is_done, error))
            return FALSE;
        if (is_done)
            return TRUE;
        if (acme->order.now.status != before)
            continue;
        if (!signet_acme_session_wait(&acme->session, acme->order.retry_after_s, turn))
            break;
        if (!signet_acme_order_look(&acme->order, error))
            return FALSE;
    }
    outcome->retry_after_s = MAX(acme->order.retry_after_s, RETRY_AFTER_S);
    return TRUE;
}

/* The next job goes on with this order, unless it is refused. */
static void
keep_order(const Acme *acme, SignetEnrollerOutcome *outcome, const GError *failure)
{
    const char *url = acme->order.url;
    gboolean is_over = failure && !signet_error_is(failure, SIGNET_ERROR_CA_UNREACHABLE) &&
                       !signet_error_is(failure, SIGNET_ERROR_TIMED_OUT);

    if (url && !is_over && strlen(url) <= SIGNET_WIRE_STATE_MAX)
        outcome->state = g_bytes_new(url, strlen(url));
}

gboolean
signet_acme_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                   GError **error)
{
    g_auto(Acme) acme = {.context = context};
    g_autoptr(GError) failure = NULL;

    acme.answered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    acme.order.session = &acme.session;
    gboolean is_good = signet_acme_session_open(&acme.session, context, &failure) &&
                       signet_acme_session_register(&acme.session, &failure) &&
                       signet_acme_order_place(&acme.order, &failure) &&
                       follow(&acme, outcome, &failure);

    keep_order(&acme, outcome, failure);
    if (!is_good)
        g_propagate_error(error, g_steal_pointer(&failure));
    return is_good;
}

/* RFC 8555 7.6 */
static gboolean
post_revocation(SignetAcmeSession *session, GError **error)
{
    const SignetJobRequest *job = session->context->job;
    g_auto(SignetHttpResponse) response = {0};
    gsize size = 0;
    gconstpointer der = job->certificates ? g_bytes_get_data(job->certificates, &size) : NULL;
    g_autofree char *text = signet_base64url_encode(der, size);
    g_autoptr(json_t) payload = json_pack("{s:s}", "certificate", text);
    g_autoptr(GError) failure = NULL;

    if (!session->directory.revoke_cert)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the CA's directory has no revokeCert");
    if (job->reason)
        json_object_set_new(payload, "reason", json_integer(job->reason));
    if (signet_acme_session_post(session, session->directory.revoke_cert, payload, &response,
                                 &failure) ||
        signet_acme_session_is_problem(session, "alreadyRevoked"))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
signet_acme_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                   GError **error)
{
    g_auto(SignetAcmeSession) session = {0};

    return signet_acme_session_open(&session, context, error) &&
           signet_acme_session_register(&session, error) && post_revocation(&session, error);
}

SignetProver *
signet_acme_prepare(const SignetJobRequest *job, GError **error)
{
    return strcmp(job->protocol, "acme") == 0 ? signet_prover_new(job, error) : NULL;
}
