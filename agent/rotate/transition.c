/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What transitions of the machine have in common: entering a state, failing, starting an effect. */

#include "agent/rotate/transition.h"

#define TOKEN_RETRY_MAX 300 /* looking whether a token is back costs little */

void
signet_transition_set_cause(SignetMachine *machine, const char *cause)
{
    const char *end;

    g_strlcpy(machine->cause, cause ? cause : "", sizeof(machine->cause));
    if (!g_utf8_validate(machine->cause, -1, &end))
        machine->cause[end - machine->cause] = '\0';
}

void
signet_transition_enter(SignetTransition *turn, SignetMachineState state, const char *cause)
{
    if (turn->machine->state != state)
        turn->machine->since_s = turn->now_s;
    turn->machine->state = state;
    turn->machine->next_s = 0;
    signet_transition_set_cause(turn->machine, cause);
}

static gint64
lifetime_of(const SignetMachine *machine)
{
    return machine->current ? signet_watch_lifetime(machine) : 0;
}

gint64
signet_transition_retry_after(const SignetTransition *turn, guint attempt)
{
    return signet_schedule_retry_after(turn->input->rotation, lifetime_of(turn->machine), attempt,
                                       turn->input->seed);
}

void
signet_transition_fail(SignetTransition *turn, const char *cause)
{
    signet_transition_enter(turn, SIGNET_MACHINE_FAILED, cause);
    turn->machine->attempt++;
    turn->machine->next_s =
        turn->now_s + signet_transition_retry_after(turn, turn->machine->attempt);
    turn->effects |= SIGNET_EFFECT_TELL_FAILED;
}

void
signet_transition_wait_for_token(SignetTransition *turn, const char *cause)
{
    signet_transition_enter(turn, SIGNET_MACHINE_WAITING_TOKEN, cause);
    turn->machine->attempt++;
    turn->machine->next_s =
        turn->now_s +
        MIN(signet_transition_retry_after(turn, turn->machine->attempt), TOKEN_RETRY_MAX);
}

/* The pending generation will not be needed: its key is destroyed as any old one is. */
void
signet_transition_discard_pending(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->pending)
        signet_retired_add(machine, machine->pending, 1, turn->now_s);
    machine->pending = 0;
    machine->pending_since_s = 0;
    machine->is_refused = FALSE;
    machine->pending_wish[0] = '\0';
    machine->resume = SIGNET_MACHINE_KEYGEN;
    machine->origin = SIGNET_MACHINE_OURS;
    machine->pending_key = 0;
}

gboolean
signet_transition_has_revoked_key(const SignetMachine *machine)
{
    return machine->pending_key != 0 && machine->pending_key <= machine->revoked_key;
}

void
signet_transition_take_number(SignetMachine *machine)
{
    machine->pending = ++machine->last_number;
    machine->origin = SIGNET_MACHINE_OURS;
    machine->resume = SIGNET_MACHINE_KEYGEN;
    machine->pending_since_s = 0;
    machine->pending_key = 0;
}

void
signet_transition_start_keygen(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;
    gboolean is_new = signet_rules_needs_new_key(machine, turn->input, turn->now_s);

    if (is_new && turn->input->no_new_key) {
        signet_transition_enter(turn, SIGNET_MACHINE_BLOCKED, turn->input->no_new_key);
        return;
    }
    signet_transition_enter(turn, SIGNET_MACHINE_KEYGEN, NULL);
    machine->pending_key = 0;
    if (!is_new)
        machine->pending_key = machine->current_key ? machine->current_key : machine->current;
    turn->effects |= is_new ? SIGNET_EFFECT_GENERATE : SIGNET_EFFECT_COPY_KEY;
}

void
signet_transition_start_enrolling(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_ENROLLING, NULL);
    turn->effects |= SIGNET_EFFECT_ENROLL;
}

void
signet_transition_start_verifying(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_VERIFYING, NULL);
    turn->effects |= SIGNET_EFFECT_VERIFY;
}

void
signet_transition_start_restoring(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_ROLLING_BACK, turn->machine->cause);
    turn->effects |= SIGNET_EFFECT_RESTORE;
}

void
signet_transition_start_promoting(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_PROMOTING, NULL);
    turn->effects |= SIGNET_EFFECT_PROMOTE;
}

/* What nobody would miss need not prove itself: there is nothing else, or it has expired. */
gboolean
signet_transition_is_canary_needed(const SignetTransition *turn)
{
    const SignetMachine *machine = turn->machine;

    return turn->input->has_canary && machine->current != 0 &&
           turn->now_s < machine->facts.not_after_s;
}

void
signet_transition_start_canary(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_CANARY, NULL);
    turn->effects |= SIGNET_EFFECT_CANARY;
}
