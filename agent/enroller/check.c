/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asks whoever may know something about the certificate in use. */

#include "agent/enroller/check.h"

#include "agent/base/error.h"
#include "agent/enroll/findings.h"
#include "agent/enroll/parse.h"
#include "agent/enroller/acme-window.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/cmp-general.h"
#include "agent/enroller/crl.h"
#include "agent/enroller/est.h"
#include "agent/enroller/ocsp.h"
#include "agent/enroller/rollover.h"
#include "agent/enroller/scep-ca.h"

#define CERTIFICATES_MAX 32

/* One look around. */
typedef struct {
    const SignetProtocolContext *context;
    SignetX509Stack *certificates; /* (owned) the leaf first */
    X509 *leaf;                    /* (unowned) */
    X509 *issuer;                  /* (unowned, nullable) */
    SignetFindings findings;
    GString *failures; /* (owned) why nothing was learned so far */
} Look;

static void
look_clear(Look *look)
{
    g_clear_pointer(&look->certificates, signet_x509_stack_free);
    if (look->failures)
        g_string_free(look->failures, TRUE);
    look->failures = NULL;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static gboolean
read_certificates(Look *look, GError **error)
{
    gsize size = 0;
    const guint8 *at = look->context->job->certificates
                           ? g_bytes_get_data(look->context->job->certificates, &size)
                           : NULL;
    const guint8 *end = at ? at + size : NULL;

    look->certificates = sk_X509_new_null();
    while (at < end && sk_X509_num(look->certificates) < CERTIFICATES_MAX) {
        X509 *certificate = d2i_X509(NULL, &at, (long)(end - at));

        if (!certificate)
            return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                    "job: Certificates= cannot be read");
        sk_X509_push(look->certificates, certificate);
    }
    look->leaf = sk_X509_value(look->certificates, 0);
    return look->leaf ||
           signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Certificates= is missing");
}

static void
find_issuer(Look *look)
{
    for (int i = 1; i < sk_X509_num(look->certificates) && !look->issuer; i++) {
        X509 *candidate = sk_X509_value(look->certificates, i);
        EVP_PKEY *key = X509_get0_pubkey(candidate);

        if (key && X509_check_issued(candidate, look->leaf) == X509_V_OK &&
            X509_verify(look->leaf, key) == 1)
            look->issuer = candidate;
    }
    ERR_clear_error();
}

/* --- revocation --- */

static void
note_failure(Look *look, const char *url, const GError *failure)
{
    g_string_append_printf(look->failures, "%s%s: %s", look->failures->len ? "; " : "", url,
                           failure->message);
}

static gboolean
check_status(const SignetHttpResponse *response, GError **error)
{
    return response->status == 200 || signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE,
                                                       "the server answers with status "
                                                       "%ld",
                                                       response->status);
}

static gboolean
ask_responder(Look *look, const char *url, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    g_autoptr(OCSP_REQUEST) request = signet_ocsp_make_request(look->leaf, look->issuer, error);
    g_autoptr(GBytes) body = request ? signet_ocsp_to_der(request) : NULL;
    const SignetHttpRequest question = {
        .url = url,
        .body = body,
        .content_type = "application/ocsp-request",
        .accept = "application/ocsp-response",
        .body_max = SIGNET_OCSP_ANSWER_MAX,
        .is_plain_enough = TRUE, /* the answer is signed, the question is no secret */
    };

    if (!body || !signet_http_do(look->context->http, &question, &response, error) ||
        !check_status(&response, error))
        return FALSE;
    g_autoptr(GBytes) answer = g_byte_array_free_to_bytes(g_steal_pointer(&response.body));
    return signet_ocsp_judge(answer, request, look->issuer, look->context->now_s, &look->findings,
                             error);
}

static gboolean
read_list(Look *look, const char *url, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    const SignetHttpRequest question = {
        .url = url, .body_max = SIGNET_CRL_MAX, .is_plain_enough = TRUE};

    if (!signet_http_do(look->context->http, &question, &response, error) ||
        !check_status(&response, error))
        return FALSE;
    g_autoptr(GBytes) list = g_byte_array_free_to_bytes(g_steal_pointer(&response.body));
    return signet_crl_judge(list, look->leaf, look->issuer, look->context->now_s, &look->findings,
                            error);
}

/* The first that can be believed; TRUE: there is one. */
static gboolean
ask_each(Look *look, char **urls, const char *kind,
         gboolean (*ask)(Look *look, const char *url, GError **error))
{
    for (char **url = urls; *url; url++) {
        g_autoptr(GError) failure = NULL;
        g_autofree char *words = g_strdup_printf("%s %s", kind, *url);

        if (ask(look, *url, &failure)) {
            signet_findings_set_words(look->findings.words, words);
            return TRUE;
        }
        note_failure(look, words, failure);
    }
    return FALSE;
}

static void
look_at_revocation(Look *look)
{
    gboolean has_others = FALSE;
    g_auto(GStrv) responders = signet_ocsp_dup_urls(look->leaf);
    g_auto(GStrv) lists = signet_crl_dup_urls(look->leaf, &has_others);
    const char *nowhere = has_others ? "its revocation list cannot be had by http"
                                     : "it names neither an OCSP responder nor a revocation list";

    look->findings.looks |= SIGNET_LOOK_REVOCATION;
    if (!responders[0] && !lists[0]) {
        look->findings.standing = SIGNET_STANDING_NOWHERE;
        signet_findings_set_words(look->findings.words, nowhere);
        return;
    }
    if (!look->issuer) {
        signet_findings_set_words(look->findings.words, "its issuer's certificate is not there");
        return;
    }
    if (ask_each(look, responders, "OCSP", ask_responder) ||
        ask_each(look, lists, "CRL", read_list))
        return;
    signet_findings_set_words(look->findings.words, look->failures->str);
}

/* --- the CA --- */

static void
look_at_window(Look *look)
{
    g_autoptr(GError) failure = NULL;

    if (g_strcmp0(look->context->job->ca_protocol, "acme") == 0 &&
        signet_acme_window_look(look->context, look->leaf, &look->findings, &failure)) {
        look->findings.looks |= SIGNET_LOOK_WINDOW;
        return;
    }
    signet_findings_set_words(look->findings.window_words,
                              failure ? failure->message : "this CA has no such information");
}

/* NULL, without an error: its protocol has no word for it. */
static SignetX509Stack *
get_authorities(const SignetProtocolContext *context, GError **error)
{
    if (g_strcmp0(context->job->ca_protocol, "est") == 0)
        return signet_est_get_authorities(context, error);
    if (g_strcmp0(context->job->ca_protocol, SIGNET_JOB_CMP) == 0)
        return signet_cmp_get_authorities(context, error);
    if (g_strcmp0(context->job->ca_protocol, "scep") == 0)
        return signet_scep_get_authorities(context, error);
    return NULL;
}

static void
look_at_authorities(Look *look, SignetEnrollerOutcome *outcome)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(SignetX509Stack) offered = get_authorities(look->context, &failure);

    if (!offered) {
        signet_findings_set_words(look->findings.issuer_words,
                                  failure ? failure->message : "this CA does not show it");
        return;
    }
    look->findings.looks |= SIGNET_LOOK_AUTHORITIES;
    signet_rollover_judge(offered, look->certificates, &look->findings);
    signet_chain_append_roots(outcome->anchors, offered);
}

gboolean
signet_check_look(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    g_auto(Look) look = {.context = context, .failures = g_string_new(NULL)};

    if (!read_certificates(&look, error))
        return FALSE;
    find_issuer(&look);
    /* the largest last: the time is one for all */
    if (context->job->looks & SIGNET_LOOK_WINDOW)
        look_at_window(&look);
    if (context->job->looks & SIGNET_LOOK_AUTHORITIES)
        look_at_authorities(&look, outcome);
    if (context->job->looks & SIGNET_LOOK_REVOCATION)
        look_at_revocation(&look);
    outcome->state = signet_findings_to_text(&look.findings);
    outcome->retry_after_s = 1; /* pending, for the wire; the agent has its own times */
    return TRUE;
}
