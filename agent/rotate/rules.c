/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When something is due, and which old generations there are. */

#include "agent/rotate/rules.h"

#include <string.h>

#define CLOCK_SKEW_S 86400

gboolean
signet_retired_has_place(const SignetMachine *machine, guint spare)
{
    return machine->n_retired + spare <= SIGNET_MACHINE_RETIRED_MAX;
}

void
signet_retired_add(SignetMachine *machine, guint32 number, guint tries, gint64 retire_at_s)
{
    if (signet_retired_has_place(machine, 1))
        machine->retired[machine->n_retired++] =
            (SignetRetired) {.number = number, .tries = tries, .retire_at_s = retire_at_s};
}

void
signet_retired_drop(SignetMachine *machine, guint index)
{
    machine->n_retired--;
    for (guint i = index; i < machine->n_retired; i++)
        machine->retired[i] = machine->retired[i + 1];
    memset(&machine->retired[machine->n_retired], 0, sizeof(machine->retired[0]));
}

SignetRetired *
signet_retired_find(SignetMachine *machine, guint32 number)
{
    for (guint i = 0; number != 0 && i < machine->n_retired; i++) {
        if (machine->retired[i].number == number)
            return &machine->retired[i];
    }
    return NULL;
}

gint64
signet_rules_due_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    SignetCertificateFacts facts = machine->facts;
    gint64 renew_s = signet_watch_renew_at(machine, input);
    gint64 due_s;

    /* a key that must stay has no age */
    if (input->no_new_key)
        facts.key_created_s = facts.not_after_s;
    if (renew_s == SIGNET_NEVER)
        due_s = signet_schedule_due_at(input->rotation, &facts, input->seed, machine->current);
    else /* what the CA wants, as far as it leaves time */
        due_s = MIN(MIN(renew_s, signet_rules_critical_at(machine, input)),
                    signet_schedule_key_at(input->rotation, &facts, input->seed));
    return MIN(due_s, signet_watch_leave_at(machine, input));
}

gint64
signet_rules_critical_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    return signet_schedule_critical_at(input->rotation, &machine->facts);
}

/* What waits may have waited through its window: from now on counts. */
static gint64
in_window(const SignetMachine *machine, const SignetMachineInput *input, gint64 at_s, gint64 now_s)
{
    gint64 from_s = MAX(at_s, now_s);
    gint64 window_s;

    if (machine->current == 0 || signet_watch_wants_new(machine, input) ||
        signet_watch_is_overdue(machine, input, now_s))
        return at_s;
    window_s = signet_schedule_window_at(input->rotation, from_s, input->utc_offset_s);
    return window_s == from_s ? at_s
                              : MIN(window_s, MAX(at_s, signet_rules_critical_at(machine, input)));
}

gboolean
signet_rules_is_wish_changed(const SignetMachineInput *input, const char *wish)
{
    return input->is_ca_ready && !g_str_equal(input->wish, wish);
}

gboolean
signet_rules_needs_new_key(const SignetMachine *machine, const SignetMachineInput *input,
                           gint64 now_s)
{
    if (machine->current == 0 || !input->is_key_kept || signet_machine_is_key_revoked(machine))
        return TRUE;
    return !input->no_new_key &&
           signet_schedule_needs_new_key(input->rotation, machine->facts.key_created_s, now_s);
}

const char *
signet_rules_blocked(const SignetMachine *machine, const SignetMachineInput *input)
{
    gboolean has_key =
        (machine->pending && machine->resume != SIGNET_MACHINE_KEYGEN) ||
        (machine->current && input->is_key_kept && !signet_machine_is_key_revoked(machine));

    if (input->blocked)
        return input->blocked;
    return has_key ? NULL : input->no_new_key;
}

/* What the token cannot do it may do when it is asked for something else, or by somebody. */
static gint64
unblocked_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    const char *blocked = signet_rules_blocked(machine, input);

    /* more may have become known, which is to be told; a cause that is long was cut */
    if (blocked)
        return g_str_has_prefix(blocked, machine->cause) ? SIGNET_NEVER : 0;
    if (!machine->is_key_refused || machine->is_requested ||
        signet_rules_is_wish_changed(input, machine->tried_wish))
        return 0;
    /* a key that was old enough then is so now */
    return signet_rules_needs_new_key(machine, input, machine->since_s) ? SIGNET_NEVER : 0;
}

gboolean
signet_rules_is_clock_set(const SignetMachineInput *input, gint64 now_s)
{
    return now_s >= input->clock_floor_s;
}

gboolean
signet_rules_is_not_valid_yet(const SignetMachine *machine, gint64 now_s)
{
    return machine->current != 0 && machine->facts.not_before_s > now_s + CLOCK_SKEW_S;
}

gint64
signet_rules_begin_at(const SignetMachine *machine, const SignetMachineInput *input, gint64 now_s)
{
    if (!signet_rules_is_clock_set(input, now_s))
        return SIGNET_NEVER;
    switch (machine->state) {
    case SIGNET_MACHINE_ABSENT:
        return 0;
    case SIGNET_MACHINE_ACTIVE:
        if (signet_rules_is_not_valid_yet(machine, now_s) || machine->is_requested ||
            machine->restoring || signet_watch_wants_new(machine, input) ||
            signet_rules_is_wish_changed(input, machine->current_wish))
            return 0;
        return MIN(in_window(machine, input, signet_rules_due_at(machine, input), now_s),
                   signet_schedule_recall_at(input->rotation, &machine->facts, input->seed));
    case SIGNET_MACHINE_FAILED:
        if (signet_rules_blocked(machine, input)) /* why it failed has become known */
            return 0;
        G_GNUC_FALLTHROUGH;
    case SIGNET_MACHINE_WAITING_TOKEN:
    case SIGNET_MACHINE_PENDING_CA:
        if (machine->is_requested || signet_rules_is_wish_changed(input, machine->tried_wish))
            return 0;
        return in_window(machine, input, machine->next_s, now_s);
    case SIGNET_MACHINE_WAITING_CA:
        return input->is_ca_ready || input->blocked ? 0 : SIGNET_NEVER;
    case SIGNET_MACHINE_BLOCKED:
        return unblocked_at(machine, input);
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_CANARY:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
        break;
    }
    return SIGNET_NEVER;
}

gint64
signet_rules_alarm_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    if (machine->current == 0 || machine->alarmed == machine->current)
        return SIGNET_NEVER;
    return signet_rules_critical_at(machine, input);
}

SignetMachineDeadlines
signet_machine_deadlines(const SignetMachine *machine, const SignetMachineInput *input,
                         gint64 now_s)
{
    SignetMachineDeadlines deadlines = {
        .begin_s = signet_rules_begin_at(machine, input, now_s),
        .tick_s = SIGNET_NEVER,
        .check_s = SIGNET_NEVER,
    };
    guint looks;

    if (signet_rules_is_clock_set(input, now_s))
        deadlines.check_s = signet_watch_next_at(machine, input, &looks, now_s);
    if (machine->announced != machine->current)
        deadlines.tick_s = 0;
    else if (signet_rules_is_clock_set(input, now_s))
        deadlines.tick_s = signet_rules_alarm_at(machine, input);
    else
        return deadlines;
    for (guint i = 0; machine->retiring == 0 && i < machine->n_retired; i++) {
        const SignetRetired *retired = &machine->retired[i];

        if (retired->retire_at_s >= deadlines.tick_s || retired->number == machine->restoring)
            continue;
        deadlines.tick_s = retired->retire_at_s;
        deadlines.retire_number = retired->number;
    }
    return deadlines;
}
