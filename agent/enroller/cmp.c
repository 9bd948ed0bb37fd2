/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of CMP: the ladder, the waiting, and the answer. */

#include "agent/enroller/cmp.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/certificate.h"
#include "agent/enroll/parse.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/cmp-context.h"
#include "agent/enroller/cmp-general.h"
#include "agent/enroller/cmp-wire.h"
#include "agent/enroller/cmp-words.h"
#include "agent/enroller/answer.h"

#define RUNGS_MAX 32
/* A CA that wants to be asked again so soon is waited for, others in a job of their own. */
#define WAIT_MAX_S   15
#define WAIT_SPARE_S 5

typedef struct {
    const SignetProtocolContext *context;
    SignetEnrollerOutcome *outcome;
    SignetCmpBase base;
    SignetCmpWire wire;
    GError *refusal; /* (owned, nullable) ours, of the certificate */
    SignetRung rung; /* of the conversation */
} Cmp;

static void
cmp_clear(Cmp *cmp)
{
    signet_cmp_base_clear(&cmp->base);
    signet_cmp_wire_clear(&cmp->wire);
    g_clear_error(&cmp->refusal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cmp, cmp_clear)

/* --- the certificate --- */

static void
push_all(SignetX509Stack *all, SignetX509Stack *some)
{
    for (int i = 0; i < sk_X509_num(some); i++) {
        X509 *certificate = sk_X509_value(some, i);

        if (sk_X509_push(all, certificate) > 0)
            X509_up_ref(certificate);
    }
    signet_x509_stack_free(some);
}

static GPtrArray *
split(const GByteArray *certificates)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    const guint8 *at = certificates->data;
    const guint8 *end = at + certificates->len;

    while (at < end) {
        const guint8 *begin = at;
        g_autoptr(X509) certificate = d2i_X509(NULL, &at, end - at);

        if (!certificate)
            break;
        g_ptr_array_add(list, g_bytes_new(begin, (gsize)(at - begin)));
    }
    return list;
}

static gboolean
try_authorities(Cmp *cmp, SignetX509Stack *found, SignetX509Stack *authorities, GError **error)
{
    const SignetProtocolContext *context = cmp->context;

    if (!signet_chain_build(context->job, found, authorities, cmp->outcome, error))
        return FALSE;
    g_autoptr(GPtrArray) chain = split(cmp->outcome->chain);
    g_autoptr(GPtrArray) anchors = split(cmp->outcome->anchors);
    return signet_certificate_check(context->job, chain, anchors, context->now_s, error);
}

/* The CA may have gone to a root that those of Trust= have signed: it is asked for only then. */
static gboolean
try_new_roots(Cmp *cmp, SignetX509Stack *found, SignetX509Stack *authorities)
{
    g_autoptr(SignetX509Stack) proven = signet_cmp_prove_roots(&cmp->base, cmp->rung);

    if (sk_X509_num(proven) == 0)
        return FALSE;
    push_all(authorities, g_steal_pointer(&proven));
    return try_authorities(cmp, found, authorities, NULL);
}

/* What came beside the certificate is not protected: it is only tried as a way to an anchor. The
 * CA's own certificates are believed where nobody else can have sent them, with the secret, and
 * where the policy names none. */
static gboolean
accept(Cmp *cmp, OSSL_CMP_CTX *client, X509 *certificate, GError **error)
{
    g_autoptr(SignetX509Stack) found = sk_X509_new_null();
    g_autoptr(SignetX509Stack) authorities = sk_X509_new_null();

    if (X509_up_ref(certificate) && sk_X509_push(found, certificate) <= 0)
        X509_free(certificate);
    push_all(found, OSSL_CMP_CTX_get1_extraCertsIn(client));
    push_all(found, OSSL_CMP_CTX_get1_newChain(client));
    if (sk_X509_num(found) > SIGNET_ANSWER_CERTIFICATES_MAX)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the answer holds %d certificates, at most %d are taken",
                                sk_X509_num(found), SIGNET_ANSWER_CERTIFICATES_MAX);
    if (sk_X509_num(cmp->base.anchors) > 0)
        push_all(authorities, X509_chain_up_ref(cmp->base.anchors));
    else if (cmp->rung == SIGNET_RUNG_SECRET)
        push_all(authorities, OSSL_CMP_CTX_get1_caPubs(client));
    g_autoptr(GError) failure = NULL;
    if (try_authorities(cmp, found, authorities, &failure) ||
        try_new_roots(cmp, found, authorities))
        return TRUE;
    g_byte_array_set_size(cmp->outcome->chain, 0);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* Before the CA is told that all is well: a certificate that this machine will not use is refused,
 * with the reason, so that the CA can take it back (RFC 4210 5.2.8). */
static int
on_issued(OSSL_CMP_CTX *client, X509 *certificate, int fail_info, const char **ret_text)
{
    Cmp *cmp = OSSL_CMP_CTX_get_certConf_cb_arg(client);

    g_clear_error(&cmp->refusal);
    if (accept(cmp, client, certificate, &cmp->refusal))
        return fail_info;
    *ret_text = cmp->refusal->message;
    return fail_info ? fail_info : OSSL_CMP_CTX_FAILINFO_incorrectData;
}

/* --- failures --- */

/* Takes libcrypto's error queue. TRUE: an answer was not proved to be the CA's. */
static gboolean
take_errors(GString *words)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = 0;
    gboolean is_unproved = FALSE;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);
        gboolean is_cmp = ERR_GET_LIB(code) == ERR_LIB_CMP;

        if (is_cmp && (ERR_GET_REASON(code) == CMP_R_ERROR_VALIDATING_PROTECTION ||
                       ERR_GET_REASON(code) == CMP_R_MISSING_PROTECTION ||
                       ERR_GET_REASON(code) == CMP_R_ERROR_VALIDATING_SIGNATURE ||
                       ERR_GET_REASON(code) == CMP_R_WRONG_PBM_VALUE))
            is_unproved = TRUE;
        if (words->len < 300)
            g_string_append_printf(words, "%s%s", words->len ? ", " : "",
                                   reason ? reason : "unknown reason");
    }
    return is_unproved;
}

static gboolean
explain_unproved(const Cmp *cmp, const char *reasons, GError **error)
{
    const char *distrust = cmp->base.distrust;

    if (cmp->wire.complaint)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "an answer that is not proved to be the CA's says: %s",
                                cmp->wire.complaint);
    return signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE,
                            "the answer is not proved to be the CA's: %s; see Trust= and the "
                            "secret of the CA",
                            distrust ? distrust : reasons);
}

/* *ret_denied: another way to authenticate may be accepted. */
static gboolean
explain(Cmp *cmp, OSSL_CMP_CTX *client, gboolean *ret_denied, GError **error)
{
    g_autoptr(GString) reasons = g_string_new(NULL);
    gboolean is_unproved = take_errors(reasons);
    int status = OSSL_CMP_CTX_get_status(client);
    int fail_info = OSSL_CMP_CTX_get_failInfoCode(client);

    *ret_denied = FALSE;
    if (cmp->wire.failure || cmp->refusal) {
        g_propagate_error(error, cmp->wire.failure ? g_steal_pointer(&cmp->wire.failure)
                                                   : g_steal_pointer(&cmp->refusal));
        return FALSE;
    }
    /* libcrypto 3.0 finds this wrong without a word */
    if (status != OSSL_CMP_PKISTATUS_rejection &&
        signet_remote_get_option(&cmp->context->job->remote, "Sender") &&
        (reasons->len == 0 || strstr(reasons->str, "unexpected sender")))
        return explain_unproved(cmp, "its sender is not the one of Sender=", error);
    if (is_unproved)
        return explain_unproved(cmp, reasons->str, error);
    if (status != OSSL_CMP_PKISTATUS_rejection)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the answer cannot be used: %s",
                                reasons->len ? reasons->str : "unknown reason");
    g_autofree char *words =
        signet_cmp_words(status, fail_info, OSSL_CMP_CTX_get0_statusString(client));
    *ret_denied = signet_cmp_is_about_sender(fail_info);
    return signet_error_set(error,
                            signet_cmp_is_transient(fail_info) ? SIGNET_ERROR_CA_UNREACHABLE
                                                               : SIGNET_ERROR_CA_REFUSED,
                            "the CA answers: %s", words);
}

/* --- the conversation --- */

static void
set_pending(Cmp *cmp, SignetRung rung, int check_after_s)
{
    cmp->outcome->retry_after_s = (guint)MAX(check_after_s, 1);
    cmp->outcome->state = signet_cmp_wire_dup_state(&cmp->wire, (guint8)rung);
}

/* TRUE: issued or pending. */
static gboolean
converse(Cmp *cmp, OSSL_CMP_CTX *client, SignetRung rung, int type, gboolean *ret_denied,
         GError **error)
{
    int check_after_s = 0;
    int result;

    cmp->rung = rung;
    OSSL_CMP_CTX_set_certConf_cb(client, on_issued);
    OSSL_CMP_CTX_set_certConf_cb_arg(client, cmp);
    while ((result = OSSL_CMP_try_certreq(client, type, NULL, &check_after_s)) == -1) {
        gint64 left_s = signet_http_get_time_left(cmp->context->http) / 1000;
        gboolean is_replayed = !cmp->wire.is_asked;

        ERR_clear_error();
        if (!is_replayed && (check_after_s > WAIT_MAX_S || check_after_s + WAIT_SPARE_S > left_s)) {
            set_pending(cmp, rung, check_after_s);
            return TRUE;
        }
        if (!is_replayed)
            g_usleep((gulong)MAX(check_after_s, 1) * G_USEC_PER_SEC);
    }
    if (result == 1 && cmp->outcome->chain->len > 0) {
        ERR_clear_error();
        return TRUE;
    }
    return explain(cmp, client, ret_denied, error);
}

/* Servers by OpenSSL call a signature by a certificate that they do not know a bad request. One of
 * another CA may well be unknown. */
static gboolean
is_stranger_refused(const OSSL_CMP_CTX *client, SignetRung rung)
{
    int fail_info = OSSL_CMP_CTX_get_failInfoCode(client);

    return rung == SIGNET_RUNG_IDENTITY && fail_info > 0 &&
           fail_info & OSSL_CMP_CTX_FAILINFO_badRequest;
}

/* TRUE: issued or pending. *ret_denial (owned by the caller): why the next rung may do. */
static gboolean
try_rung(Cmp *cmp, SignetRung rung, char **ret_denial, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean is_denied = FALSE;
    int type = 0;
    g_autoptr(OSSL_CMP_CTX) client = signet_cmp_context_new(&cmp->base, rung, &type, &failure);

    if (client) {
        signet_cmp_wire_connect(&cmp->wire, client);
        if (converse(cmp, client, rung, type, &is_denied, &failure))
            return TRUE;
        is_denied |= is_stranger_refused(client, rung);
    }
    if (is_denied || signet_error_is(failure, SIGNET_ERROR_DENIED))
        *ret_denial = g_strdup(failure->message);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
climb(Cmp *cmp, guint rungs, GError **error)
{
    g_autoptr(GString) tried = g_string_new(NULL);

    for (guint bit = 0; bit < RUNGS_MAX; bit++) {
        SignetRung rung = (SignetRung)(1u << bit);
        g_autofree char *denial = NULL;

        if (!(rungs & (guint)rung))
            continue;
        if (try_rung(cmp, rung, &denial, error))
            return TRUE;
        if (!denial)
            return FALSE;
        g_string_append_printf(tried, "%s%s (%s)", tried->len ? ", " : "", signet_rung_name(rung),
                               denial);
    }
    if (tried->len == 0)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "nothing of Bootstrap= is there to authenticate with: no valid "
                                "certificate, no secret");
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA accepts none of the ways to authenticate: %s", tried->str);
}

/* A conversation that another process began. FALSE: it has to begin anew; an error only when there
 * is no way to the CA. */
static gboolean
resume(Cmp *cmp, GError **error)
{
    const SignetJobRemote *remote = &cmp->context->job->remote;
    gsize size = 0;
    const guint8 *state = remote->state ? g_bytes_get_data(remote->state, &size) : NULL;
    SignetRung rung = size > 0 ? (SignetRung)state[0] : 0;
    gboolean is_denied = FALSE;
    gboolean is_done = FALSE;
    int type = 0;

    if (size == 0 || !signet_rung_name(rung) || !(remote->rungs & (guint)rung))
        return FALSE;
    g_autoptr(GError) failure = NULL;
    g_autoptr(OSSL_CMP_CTX) client = signet_cmp_context_new(&cmp->base, rung, &type, &failure);
    if (client && signet_cmp_wire_resume(&cmp->wire, client, remote->state)) {
        signet_cmp_wire_connect(&cmp->wire, client);
        is_done = converse(cmp, client, rung, type, &is_denied, &failure);
    }
    g_queue_clear_full(&cmp->wire.replay, (GDestroyNotify)g_bytes_unref);
    if (!is_done && (signet_error_is(failure, SIGNET_ERROR_TIMED_OUT) ||
                     signet_error_is(failure, SIGNET_ERROR_CA_UNREACHABLE))) {
        cmp->outcome->state = g_bytes_ref(remote->state);
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return is_done;
}

/* SecretUse=always: the secret protects renewals as well. Without any proof CMP does not go. */
static guint
choose_rungs(const SignetJobRemote *remote)
{
    if (remote->is_secret_kept && remote->secret)
        return SIGNET_RUNG_SECRET;
    return remote->rungs & ~(guint)SIGNET_RUNG_APPROVAL;
}

gboolean
signet_cmp_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    g_autoptr(GError) failure = NULL;
    g_auto(Cmp) cmp = {.context = context,
                       .outcome = outcome,
                       .wire = {.http = context->http, .url = remote->url}};

    if (!remote->url)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
    if (!signet_cmp_base_init(&cmp.base, context, error))
        return FALSE;
    if (resume(&cmp, &failure))
        return TRUE;
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return climb(&cmp, choose_rungs(remote), error);
}

/* --- revocation --- */

/* TRUE: revoked. *ret_denial (owned by the caller): why the next rung may do. */
static gboolean
try_revocation(Cmp *cmp, X509 *certificate, SignetRung rung, char **ret_denial, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean is_denied = FALSE;
    g_autoptr(OSSL_CMP_CTX) client =
        signet_cmp_context_new_revocation(&cmp->base, rung, certificate, &failure);

    if (client) {
        signet_cmp_wire_connect(&cmp->wire, client);
        if (OSSL_CMP_exec_RR_ses(client) == 1) {
            ERR_clear_error();
            return TRUE;
        }
        explain(cmp, client, &is_denied, &failure);
    }
    if (is_denied || signet_error_is(failure, SIGNET_ERROR_DENIED))
        *ret_denial = g_strdup(failure->message);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
try_ways(Cmp *cmp, X509 *certificate, guint rungs, GError **error)
{
    static const SignetRung ways[] = {SIGNET_RUNG_CURRENT, SIGNET_RUNG_SECRET};
    g_autoptr(GString) tried = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *denial = NULL;

        if (!(rungs & (guint)ways[i]))
            continue;
        if (try_revocation(cmp, certificate, ways[i], &denial, error))
            return TRUE;
        if (!denial)
            return FALSE;
        g_string_append_printf(tried, "%s%s (%s)", tried->len ? ", " : "",
                               signet_rung_name(ways[i]), denial);
    }
    if (tried->len == 0)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "there is nothing to authenticate with: no valid certificate, no "
                                "secret");
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA accepts none of the ways to authenticate: %s", tried->str);
}

gboolean
signet_cmp_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    const SignetJobRequest *job = context->job;
    g_auto(Cmp) cmp = {.context = context,
                       .outcome = outcome,
                       .wire = {.http = context->http, .url = job->remote.url}};
    g_autoptr(X509) certificate =
        job->certificates ? signet_parse_certificate(job->certificates, error) : NULL;

    if (job->certificates && !certificate)
        return FALSE;
    if (!certificate || !job->remote.url)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "job: Url= or Certificates= is missing");
    return signet_cmp_base_init(&cmp.base, context, error) &&
           try_ways(&cmp, certificate, choose_rungs(&job->remote), error);
}
