/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Whose turn it is: looks at all deadlines, begins what is due and has a place, sleeps until the
 * next. */

#include "agent/rotate/private.h"

#define WORKING_MAX  4 /* rotations at once: each has a process of its own */
#define RETIRING_MAX 8
#define CHECKING_MAX 2    /* looks at once: they have time */
#define SLEEP_MAX_S  3600 /* the clock may be wrong about how long we slept */

typedef struct {
    gint64 now_s;
    gint64 next_s; /* the nearest deadline */
    guint n_working;
    guint n_retiring;
    guint n_checking;
    SignetEntry *first; /* (nullable) the one that begins next */
    gint64 first_rank;
} Scan;

void
signet_engine_refresh(SignetEngine *engine)
{
    engine->is_rescan_due = FALSE;
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem) {
            signet_entry_refresh(entry);
            signet_entry_bar(entry);
        }
    }
}

/* CAs before those that need them, a person before a machine, then who has waited longest. */
static gint64
rank_of(const SignetEntry *entry, gint64 begin_s)
{
    if (entry->policy->is_ca)
        return -2;
    return entry->waiters->len > 0 ? -1 : MAX(begin_s, 0);
}

static void
scan_time(Scan *scan, SignetEntry *entry, SignetMachineDeadlines *deadlines)
{
    gboolean is_free = deadlines->retire_number == 0 || scan->n_retiring < RETIRING_MAX;

    if (deadlines->tick_s <= scan->now_s && is_free) {
        SignetMachineInput input = signet_entry_input(entry);

        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TICK});
        *deadlines = signet_machine_deadlines(&entry->machine, &input, scan->now_s);
    }
    /* what is due and has no place is looked at again when a place becomes free */
    if (deadlines->tick_s > scan->now_s)
        scan->next_s = MIN(scan->next_s, deadlines->tick_s);
    scan->n_retiring += entry->machine.retiring != 0;
    if (entry->journal_retry_s != 0 && entry->journal_retry_s <= scan->now_s) {
        signet_entry_rewrite(entry);
    }
    if (entry->journal_retry_s != 0)
        scan->next_s = MIN(scan->next_s, entry->journal_retry_s);
}

static void
scan_check(Scan *scan, SignetEntry *entry, gint64 check_s)
{
    if (check_s <= scan->now_s && scan->n_checking < CHECKING_MAX)
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECK});
    else if (check_s > scan->now_s)
        scan->next_s = MIN(scan->next_s, check_s);
    scan->n_checking += entry->machine.checking != 0;
}

static void
scan_entry(Scan *scan, SignetEntry *entry)
{
    SignetMachineInput input = signet_entry_input(entry);
    SignetMachineDeadlines deadlines =
        signet_machine_deadlines(&entry->machine, &input, scan->now_s);

    scan_time(scan, entry, &deadlines);
    scan_check(scan, entry, deadlines.check_s);
    scan->n_working += signet_machine_is_working(&entry->machine);
    if (deadlines.begin_s > scan->now_s) {
        scan->next_s = MIN(scan->next_s, deadlines.begin_s);
    } else if (input.blocked || !input.is_ca_ready) {
        /* it will only say what it waits for: that needs no place */
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_BEGIN});
    } else if (!scan->first || rank_of(entry, deadlines.begin_s) < scan->first_rank) {
        scan->first = entry;
        scan->first_rank = rank_of(entry, deadlines.begin_s);
    }
}

static Scan
scan_all(SignetEngine *engine)
{
    Scan scan = {.now_s = signet_clock_now(engine->context.clock), .next_s = SIGNET_NEVER};

    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem)
            scan_entry(&scan, entry);
    }
    return scan;
}

static void
forget_left(SignetEngine *engine)
{
    for (guint i = engine->leaving->len; i > 0; i--) {
        const SignetEntry *entry = engine->leaving->pdata[i - 1];

        if (entry->token_id == 0 && entry->retire_token_id == 0)
            g_ptr_array_remove_index(engine->leaving, i - 1);
    }
}

static void
sleep_until(SignetEngine *engine, const Scan *scan)
{
    gint64 pause_s = MIN(scan->next_s - scan->now_s, SLEEP_MAX_S);

    g_source_set_ready_time(engine->timer, g_get_monotonic_time() + pause_s * G_USEC_PER_SEC);
}

gboolean
signet_engine_turn(gpointer data)
{
    SignetEngine *engine = data;

    if (engine->is_rescan_due)
        signet_engine_refresh(engine);
    forget_left(engine);
    Scan scan = scan_all(engine);
    sleep_until(engine, &scan);
    if (scan.first && scan.n_working < WORKING_MAX)
        signet_entry_advance(scan.first, &(SignetMachineEvent) {.kind = SIGNET_EVENT_BEGIN});
    return G_SOURCE_CONTINUE;
}
