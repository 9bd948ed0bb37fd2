/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The way back: a current generation that does not work, by a person's word or by programs'
 * reports. */

#include "agent/base/log.h"
#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

#define REPORTS_MAX 3 /* of failures of one generation: then it is believed */
#define REASON_MAX  200

/* What people and programs say is cut, and put on one line. */
static char *
dup_reason(const char *reason)
{
    g_autofree char *valid = g_utf8_make_valid(reason, -1);
    g_autofree char *cut = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), REASON_MAX));

    for (char *p = cut; *p; p++) {
        if (g_ascii_iscntrl(*p))
            *p = ' ';
    }
    return g_strdup(*cut ? cut : "no reason was given");
}

static void
roll_back(SignetEntry *entry, const char *why)
{
    g_autofree char *cause =
        g_strdup_printf("rolled back from generation %u: %s", entry->machine.current, why);

    signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "generation %u of '%s' is taken back: %s", entry->machine.current, entry->name, why);
    signet_entry_advance(entry,
                         &(SignetMachineEvent) {.kind = SIGNET_EVENT_ROLLBACK, .cause = cause});
}

static guint32
find_fallback(const SignetEntry *entry)
{
    return signet_machine_find_fallback(&entry->machine,
                                        signet_clock_now(entry->engine->context.clock));
}

void
signet_engine_rollback(SignetEngine *engine, const char *identity, const char *reason,
                       SignetEngineDone done, gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    SignetWaiter waiter = {done, data};
    GError *error = signet_engine_find_refusal(engine, identity, "roll back");
    g_autofree char *why = dup_reason(reason);

    /* a policy that cannot be served keeps nobody from what worked */
    if (signet_error_is(error, SIGNET_ERROR_POLICY))
        g_clear_error(&error);
    if (!error && find_fallback(entry) == 0)
        error = signet_error_new(SIGNET_ERROR_NOT_FOUND,
                                 "cannot roll back '%s': no earlier generation of it is still "
                                 "usable; rotate it instead",
                                 identity);
    if (error) {
        signet_engine_refuse(engine, identity, &waiter, error);
        return;
    }
    g_array_append_val(entry->waiters, waiter);
    roll_back(entry, why);
}

void
signet_engine_report(SignetEngine *engine, const char *identity, guint32 generation,
                     const char *program, const char *reason)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    g_autofree char *why = dup_reason(reason);
    g_autofree char *all = NULL;

    if (!entry || generation == 0 || generation != entry->machine.current)
        return;
    if (entry->reported != generation)
        entry->n_reports = 0;
    entry->reported = generation;
    entry->n_reports++;
    signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", identity),
               "%s reports a failure with generation %u of '%s': %s", program, generation, identity,
               why);
    if (entry->n_reports < REPORTS_MAX || find_fallback(entry) == 0 ||
        signet_machine_is_working(&entry->machine))
        return;
    entry->n_reports = 0;
    all = g_strdup_printf("programs report failures, the last: %s", why);
    roll_back(entry, all);
}
