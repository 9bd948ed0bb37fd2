/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The states of an identity, and what they mean. */

#include "agent/rotate/machine.h"

#include <string.h>

#include "policy/words.h"

static const SignetWord states[] = {
#define S(symbol, name) {SIGNET_MACHINE_##symbol, name},
    SIGNET_MACHINE_STATES(S)
#undef S
};

static const SignetWord origins[] = {
#define O(symbol, name) {SIGNET_MACHINE_##symbol, name},
    SIGNET_MACHINE_ORIGINS(O)
#undef O
};

const char *
signet_machine_state_name(SignetMachineState state)
{
    return signet_words_name(states, G_N_ELEMENTS(states), state);
}

gboolean
signet_machine_state_from_name(const char *name, SignetMachineState *ret_state)
{
    guint value;

    if (!signet_words_find(states, G_N_ELEMENTS(states), name, &value))
        return FALSE;
    *ret_state = (SignetMachineState)value;
    return TRUE;
}

const char *
signet_machine_origin_name(SignetMachineOrigin origin)
{
    return signet_words_name(origins, G_N_ELEMENTS(origins), origin);
}

gboolean
signet_machine_origin_from_name(const char *name, SignetMachineOrigin *ret_origin)
{
    guint value;

    if (!signet_words_find(origins, G_N_ELEMENTS(origins), name, &value))
        return FALSE;
    *ret_origin = (SignetMachineOrigin)value;
    return TRUE;
}

SignetMachine
signet_machine_new(gint64 now_s)
{
    SignetMachine machine;

    memset(&machine, 0, sizeof(machine));
    machine.state = SIGNET_MACHINE_ABSENT;
    machine.resume = SIGNET_MACHINE_KEYGEN;
    machine.since_s = now_s;
    return machine;
}

gboolean
signet_machine_is_working(const SignetMachine *machine)
{
    switch (machine->state) {
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_CANARY:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
        return TRUE;
    case SIGNET_MACHINE_ABSENT:
    case SIGNET_MACHINE_WAITING_TOKEN:
    case SIGNET_MACHINE_WAITING_CA:
    case SIGNET_MACHINE_PENDING_CA:
    case SIGNET_MACHINE_ACTIVE:
    case SIGNET_MACHINE_FAILED:
    case SIGNET_MACHINE_BLOCKED:
        break;
    }
    return FALSE;
}

gboolean
signet_machine_is_usable(const SignetMachine *machine, guint32 number)
{
    if (number == 0)
        return FALSE;
    if (number == machine->current)
        return TRUE;
    if (number == machine->pending)
        return machine->resume != SIGNET_MACHINE_KEYGEN;
    for (guint i = 0; i < machine->n_retired; i++) {
        if (machine->retired[i].number == number)
            return machine->retired[i].tries == 0;
    }
    return FALSE;
}

guint32
signet_machine_find_fallback(const SignetMachine *machine, gint64 now_s)
{
    guint32 newest = 0;

    for (guint i = 0; i < machine->n_retired; i++) {
        const SignetRetired *retired = &machine->retired[i];

        if (retired->tries == 0 && retired->retire_at_s > now_s && retired->number > newest &&
            retired->number < machine->current && retired->number > machine->revoked)
            newest = retired->number;
    }
    return newest;
}
