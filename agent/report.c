/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent says in the log about the things that happen in it. */

#include "agent/report.h"

#include "agent/base/log.h"

void
signet_report_denied(const SignetRequester *requester, const char *identity, const char *reason,
                     gpointer data)
{
    g_autofree char *uid = NULL;
    g_autofree char *pid = NULL;
    const char *program = "signet-enroll";

    if (requester->sender) {
        uid = g_strdup_printf("%u", (guint)signet_peer_get_uid(requester->sender));
        pid = g_strdup_printf("%d", (int)signet_peer_get_pid(requester->sender));
        program = signet_peer_get_program(requester->sender);
    }
    signet_log(LOG_NOTICE,
               SIGNET_LOG_FIELDS("SIGNET_IDENTITY", identity, "SIGNET_PEER_UID", uid,
                                 "SIGNET_PEER_PID", pid, "SIGNET_PEER_PROGRAM", program),
               "refused %s the use of '%s': %s", program, identity, reason);
}

/* "in 5 min"-like precision is for people at a terminal; a log wants the moment itself. */
static char *
describe_time(gint64 when_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when_s);

    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
}

static void
report_failure(const char *identity, const SignetIdentityStatus *status, const char *const *fields)
{
    g_autofree char *next = status->next_s ? describe_time(status->next_s) : NULL;
    const char *cause = status->cause ? status->cause : "unknown";

    if (next)
        signet_log(LOG_WARNING, fields,
                   "could not rotate '%s' (attempt %u): %s; trying again at %s", identity,
                   status->attempt, cause, next);
    else
        signet_log(LOG_WARNING, fields, "could not rotate '%s' (attempt %u): %s", identity,
                   status->attempt, cause);
}

void
signet_report_engine(SignetEngine *engine, const char *identity, SignetEngineEvent event,
                     guint32 generation)
{
    g_autofree char *number = g_strdup_printf("%u", generation);
    const char *const fields[] = {
        "SIGNET_IDENTITY", identity, "SIGNET_GENERATION", number, NULL, NULL};
    SignetIdentityStatus status = {0};
    g_autofree char *not_after = NULL;
    gboolean has_status = signet_engine_get_status(engine, identity, &status);

    not_after = describe_time(status.not_after_s);
    switch (event) {
    case SIGNET_ENGINE_CHANGED:
        if (has_status)
            signet_log(LOG_DEBUG, fields, "'%s' is %s", identity, status.state);
        break;
    case SIGNET_ENGINE_ROTATED:
        signet_log(LOG_INFO, fields,
                   "generation %u of '%s' is current; its certificate is valid until %s",
                   generation, identity, not_after);
        break;
    case SIGNET_ENGINE_FAILED:
        report_failure(identity, &status, fields);
        break;
    case SIGNET_ENGINE_EXPIRING:
        signet_log(LOG_ERR, fields,
                   "the certificate of '%s' expires at %s and could not be renewed: %s", identity,
                   not_after, status.cause ? status.cause : "no attempt has ended yet");
        break;
    case SIGNET_ENGINE_REVOKED:
        signet_log(LOG_WARNING, fields, "the certificate of '%s' (generation %u) %s", identity,
                   generation, status.revocation ? status.revocation : "is revoked");
        break;
    case SIGNET_ENGINE_RETIRED:
        signet_log(LOG_INFO, fields, "generation %u of '%s' is retired and its key destroyed",
                   generation, identity);
        break;
    }
}

void
signet_report_token(SignetToken *token)
{
    const char *name = signet_token_get_name(token);
    SignetTokenState state = signet_token_get_state(token);
    const char *state_name = signet_token_state_name(state);
    SignetTokenInfo info = signet_token_get_info(token);
    const char *const fields[] = {"SIGNET_TOKEN", name, "SIGNET_TOKEN_STATE",
                                  state_name,     NULL, NULL};

    switch (state) {
    case SIGNET_TOKEN_STATE_UNKNOWN:
        break;
    case SIGNET_TOKEN_STATE_READY:
        signet_log(LOG_INFO, fields, "token '%s' is ready: %s (protection: %s)", name,
                   info.description ? info.description : "?",
                   info.protection ? info.protection : "?");
        break;
    case SIGNET_TOKEN_STATE_LOCKED:
        signet_log(LOG_WARNING, fields, "%s", signet_token_get_problem(token));
        break;
    case SIGNET_TOKEN_STATE_ABSENT:
    case SIGNET_TOKEN_STATE_FAILED:
        signet_log(LOG_WARNING, fields, "token '%s' is %s: %s", name, state_name,
                   signet_token_get_problem(token) ? signet_token_get_problem(token) : "?");
        break;
    }
}

void
signet_report_problems(int priority, const char *what, const GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++)
        signet_log(priority, NULL, "%s: %s", what, (const char *)problems->pdata[i]);
}
