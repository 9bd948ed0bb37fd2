/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When something is due, and which old generations there are. */

#include "agent/rotate/rules.h"

#include <string.h>

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
signet_rules_renew_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    return signet_schedule_renew_at(input->rotation, machine->facts.not_before_s,
                                    machine->facts.not_after_s, input->seed, machine->current);
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
    if (machine->current == 0 || !input->is_key_kept)
        return TRUE;
    return !input->no_new_key &&
           signet_schedule_needs_new_key(input->rotation, machine->facts.key_created_s, now_s);
}

const char *
signet_rules_blocked(const SignetMachine *machine, const SignetMachineInput *input)
{
    gboolean has_key = (machine->pending && machine->resume != SIGNET_MACHINE_KEYGEN) ||
                       (machine->current && input->is_key_kept);

    if (input->blocked)
        return input->blocked;
    return has_key ? NULL : input->no_new_key;
}

/* What the token cannot do it may do when it is asked for something else, or by somebody. */
static gint64
unblocked_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    if (signet_rules_blocked(machine, input))
        return SIGNET_NEVER;
    if (!machine->is_key_refused || machine->is_requested ||
        signet_rules_is_wish_changed(input, machine->tried_wish))
        return 0;
    /* a key that was old enough then is so now */
    return signet_rules_needs_new_key(machine, input, machine->since_s) ? SIGNET_NEVER : 0;
}

gint64
signet_rules_begin_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    switch (machine->state) {
    case SIGNET_MACHINE_ABSENT:
        return 0;
    case SIGNET_MACHINE_ACTIVE:
        if (machine->is_requested || signet_rules_is_wish_changed(input, machine->current_wish))
            return 0;
        return signet_rules_renew_at(machine, input);
    case SIGNET_MACHINE_FAILED:
        if (input->blocked) /* why it failed has become known */
            return 0;
        G_GNUC_FALLTHROUGH;
    case SIGNET_MACHINE_WAITING_TOKEN:
    case SIGNET_MACHINE_PENDING_CA:
        if (machine->is_requested || signet_rules_is_wish_changed(input, machine->tried_wish))
            return 0;
        return machine->next_s;
    case SIGNET_MACHINE_WAITING_CA:
        return input->is_ca_ready || input->blocked ? 0 : SIGNET_NEVER;
    case SIGNET_MACHINE_BLOCKED:
        return unblocked_at(machine, input);
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_PROMOTING:
        break;
    }
    return SIGNET_NEVER;
}

gint64
signet_rules_alarm_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    if (machine->current == 0 || machine->alarmed == machine->current)
        return SIGNET_NEVER;
    return machine->facts.not_after_s - signet_schedule_critical(input->rotation,
                                                                 machine->facts.not_before_s,
                                                                 machine->facts.not_after_s);
}

SignetMachineDeadlines
signet_machine_deadlines(const SignetMachine *machine, const SignetMachineInput *input)
{
    SignetMachineDeadlines deadlines = {
        .begin_s = signet_rules_begin_at(machine, input),
        .tick_s = signet_rules_alarm_at(machine, input),
    };

    for (guint i = 0; machine->retiring == 0 && i < machine->n_retired; i++) {
        const SignetRetired *retired = &machine->retired[i];

        if (retired->retire_at_s >= deadlines.tick_s)
            continue;
        deadlines.tick_s = retired->retire_at_s;
        deadlines.retire_number = retired->number;
    }
    return deadlines;
}
