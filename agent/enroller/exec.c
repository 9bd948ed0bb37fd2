/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an administrator's program is asked, and what its end means. */

#include "agent/enroller/exec.h"

#include <openssl/pem.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/request.h"
#include "provider/wire/limits.h"

#define RETRY_AFTER_S 300
#define COOKIE_MAX    1024u
#define WORDS_MAX     300

/* The exit codes of certmonger's enrolment helpers. */
typedef enum {
    ISSUED = 0,
    WAIT = 1, /* standard output: a cookie */
    REJECTED = 2,
    UNREACHABLE = 3,
    UNCONFIGURED = 4,
    WAIT_WITH_DELAY = 5, /* a line with seconds before the cookie */
    UNSUPPORTED = 6,     /* the operation, in certmonger's protocol */
} Code;

SignetRunner *
signet_exec_prepare(const SignetJobRequest *job, GError **error)
{
    const char *program = signet_remote_get_option(&job->remote, "Program");

    if (strcmp(job->protocol, "exec") != 0)
        return NULL;
    if (!program) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Program= is missing");
        return NULL;
    }
    return signet_runner_new(program, job->remote.timeout_s, error);
}

static char *
dup_pem(GBytes *csr)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(csr, &size);
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    PEM_write_bio(bio, PEM_STRING_X509_REQ, "", data, (long)size);
    long length = BIO_get_mem_data(bio, &text);
    return g_strndup(text, (gsize)MAX(length, 0));
}

/* --- the state: the request, and the cookie behind it --- */

static char *
dup_cookie(const SignetJobRequest *job, GBytes *csr)
{
    GBytes *state = job->remote.state;
    gsize head = g_bytes_get_size(csr);
    gsize size = 0;
    const char *data = state ? g_bytes_get_data(state, &size) : NULL;

    if (size <= head || memcmp(data, g_bytes_get_data(csr, NULL), head) != 0)
        return NULL;
    return g_strndup(data + head, size - head);
}

static void
set_state(SignetEnrollerOutcome *outcome, GBytes *csr, const char *cookie)
{
    GByteArray *state = g_byte_array_new();
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(csr, &size);

    g_byte_array_append(state, data, (guint)size);
    if (cookie)
        g_byte_array_append(state, (const guint8 *)cookie, (guint)strlen(cookie));
    g_clear_pointer(&outcome->state, g_bytes_unref);
    if (state->len <= SIGNET_WIRE_STATE_MAX)
        outcome->state = g_byte_array_free_to_bytes(state);
    else
        g_byte_array_unref(state);
}

/* --- how it ended --- */

/* What it said of its own: ": " and a few lines, made one of plain characters. */
static char *
dup_words(const SignetRunnerEnd *end)
{
    const char *said = *end->words ? end->words : "";
    GString *words = g_string_new(NULL);

    if (!*said && (end->code == REJECTED || end->code == UNREACHABLE || end->code == UNCONFIGURED))
        said = end->output->str; /* where helpers of certmonger say it */
    for (const char *p = said; *p && words->len < WORDS_MAX; p++)
        g_string_append_c(words, g_ascii_isprint(*p) ? *p : ' ');
    g_strstrip(words->str);
    words->len = strlen(words->str);
    if (words->len > 0)
        g_string_prepend(words, ": ");
    return g_string_free(words, FALSE);
}

static gboolean
read_certificates(const SignetProtocolContext *context, const SignetRunnerEnd *end,
                  SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(GBytes) answer = g_bytes_new(end->output->str, end->output->len);
    g_autoptr(SignetX509Stack) found =
        signet_answer_read_any(signet_crypto_get_library(context->crypto), answer, error);

    g_clear_pointer(&outcome->state, g_bytes_unref);
    return found && signet_chain_build_given(context->job, found, outcome, error);
}

static gboolean
wait_for(const SignetRunnerEnd *end, GBytes *csr, SignetEnrollerOutcome *outcome, GError **error)
{
    char *cookie = end->output->str;
    guint64 seconds = RETRY_AFTER_S;

    if (end->code == WAIT_WITH_DELAY) {
        char *rest = NULL;

        seconds = g_ascii_strtoull(cookie, &rest, 10);
        if (rest == cookie || (*rest && *rest != '\n' && *rest != '\r'))
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "the program ended with status %d and its first line is no "
                                    "number of seconds",
                                    end->code);
        cookie = rest;
    }
    g_strstrip(cookie);
    if (strlen(cookie) > COOKIE_MAX)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the program's cookie is longer than %u bytes", COOKIE_MAX);
    set_state(outcome, csr, cookie);
    outcome->retry_after_s = (guint)CLAMP(seconds, 1, G_MAXINT32);
    return TRUE;
}

static gboolean
judge(const SignetProtocolContext *context, const SignetRunnerEnd *end, GBytes *csr,
      SignetEnrollerOutcome *outcome, GError **error)
{
    g_autofree char *words = dup_words(end);

    switch ((Code)end->code) {
    case ISSUED:
        return read_certificates(context, end, outcome, error);
    case WAIT:
    case WAIT_WITH_DELAY:
        return wait_for(end, csr, outcome, error);
    case REJECTED:
        g_clear_pointer(&outcome->state, g_bytes_unref);
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED, "the program says rejected%s",
                                words);
    case UNREACHABLE:
        return signet_error_set(error, SIGNET_ERROR_CA_UNREACHABLE,
                                "the program cannot reach the CA%s", words);
    case UNCONFIGURED:
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the program says that it is not configured%s", words);
    case UNSUPPORTED:
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the program does not support what it was asked%s", words);
    }
    return signet_error_set(error, SIGNET_ERROR_FAILED, "the program ended with status %d%s",
                            end->code, words);
}

gboolean
signet_exec_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                   GError **error)
{
    const SignetJobRequest *job = context->job;
    g_auto(SignetRunnerEnd) end = {0};
    g_autoptr(GBytes) csr =
        signet_request_make_der(context->crypto, job, NULL, job->remote.state, error);

    if (!csr)
        return FALSE;
    g_autofree char *pem = dup_pem(csr);
    g_autofree char *cookie = dup_cookie(job, csr);
    g_autofree char *csr_variable = g_strconcat("CERTMONGER_CSR=", pem, NULL);
    g_autofree char *cookie_variable =
        g_strconcat("CERTMONGER_CA_COOKIE=", cookie ? cookie : "", NULL);
    g_autofree char *identity_variable = g_strconcat("SIGNET_IDENTITY=", job->identity, NULL);
    const char *const variables[] = {
        cookie ? "CERTMONGER_OPERATION=POLL" : "CERTMONGER_OPERATION=SUBMIT",
        csr_variable,
        identity_variable,
        cookie ? cookie_variable : NULL,
        NULL,
    };

    set_state(outcome, csr, cookie); /* what comes next is the same question */
    return signet_runner_run(context->runner, pem, variables, &end, error) &&
           judge(context, &end, csr, outcome, error);
}
