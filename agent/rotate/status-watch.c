/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What others say of the current certificate, in words. */

#include "agent/rotate/status-watch.h"

/* "2026-12-01 10:00 UTC": what is told here is told in logs, too. */
static char *
dup_moment(gint64 at_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_s);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("?");
}

/* What was good once is not worse because nobody answers now; but it is told how old that is. */
static char *
describe_good(const SignetMachine *machine, gint64 now_s)
{
    const SignetFindings *found = &machine->watch.found;
    g_autofree char *as_of = dup_moment(found->this_update_s);
    g_autofree char *until = found->next_update_s ? dup_moment(found->next_update_s) : NULL;
    gboolean is_old = found->next_update_s != 0 && found->next_update_s < now_s;
    const char *why = machine->watch.is_silent ? "; nothing newer: " : " by ";

    if (is_old)
        return g_strdup_printf("not known: it was good as of %s, which counted until %s%s%s", as_of,
                               until, why, found->words);
    return g_strdup_printf("good as of %s%s%s%s%s", as_of, until ? ", which counts until " : "",
                           until ? until : "", why, found->words);
}

/* (nullable) Owned by the caller. */
static char *
describe_revocation(const SignetMachine *machine, gint64 now_s)
{
    const SignetFindings *found = &machine->watch.found;
    const char *reason = signet_revocation_reason_words(found->reason);
    g_autofree char *since = dup_moment(found->revoked_s);

    if (signet_machine_is_revoked(machine) && found->standing != SIGNET_STANDING_REVOKED)
        return g_strdup("has the key of a revoked one");
    switch (found->standing) {
    case SIGNET_STANDING_UNKNOWN:
        return found->words[0] ? g_strdup_printf("not known: %s", found->words) : NULL;
    case SIGNET_STANDING_NOWHERE:
        return g_strdup_printf("not known: %s", found->words);
    case SIGNET_STANDING_GOOD:
        return describe_good(machine, now_s);
    case SIGNET_STANDING_HELD:
        return g_strdup_printf("on hold since %s, by %s", since, found->words);
    case SIGNET_STANDING_REVOKED:
        return g_strdup_printf("revoked since %s (%s), by %s", since, reason, found->words);
    }
    return NULL;
}

void
signet_entry_describe_watch(SignetEntry *entry, SignetIdentityStatus *status)
{
    const SignetMachine *machine = &entry->machine;
    const SignetFindings *found = &machine->watch.found;
    SignetMachineInput input = signet_entry_input(entry);
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &input, now_s);

    g_free(entry->revocation_text);
    entry->revocation_text = describe_revocation(machine, now_s);
    status->revocation = entry->revocation_text;
    status->is_revoked = signet_machine_is_revoked(machine);
    status->next_check_s = deadlines.check_s == SIGNET_NEVER ? 0 : deadlines.check_s;
    status->last_check_s = found->looks || machine->watch.failures
                               ? MAX(machine->watch.last_s, machine->watch.window_last_s)
                               : 0;
    status->window_start_s = found->window_start_s;
    status->window_end_s = found->window_end_s;
    status->window = found->window_words[0] ? found->window_words : NULL;
    status->issuer = found->issuer_words[0] ? found->issuer_words : NULL;
}
