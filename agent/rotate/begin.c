/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What time brings: a rotation that is due, an alarm, the end of an old generation. */

#include "agent/rotate/transition.h"

#define DAY_S        86400
#define REFUSALS_MAX 5

/* The peer may be as wrong as the certificate: asked a few times with the same one, then a person
 * or patience gets another. */
static gboolean
is_refused_for_good(const SignetMachine *machine)
{
    return machine->is_refused && (machine->is_requested || machine->attempt >= REFUSALS_MAX);
}

static void
go_on(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->pending == 0)
        signet_transition_take_number(machine);
    g_strlcpy(machine->pending_wish, turn->input->wish, sizeof(machine->pending_wish));
    machine->is_requested = FALSE;
    if (machine->resume == SIGNET_MACHINE_ENROLLING)
        signet_transition_start_enrolling(turn);
    else if (machine->resume == SIGNET_MACHINE_VERIFYING)
        signet_transition_start_verifying(turn);
    else
        signet_transition_start_keygen(turn);
}

/* A reason to rotate may have gone while it was waited for. */
static gboolean
is_needed(const SignetTransition *turn)
{
    const SignetMachine *machine = turn->machine;

    return machine->current == 0 || machine->pending != 0 || machine->is_requested ||
           signet_rules_is_wish_changed(turn->input, machine->current_wish) ||
           signet_rules_is_not_valid_yet(machine, turn->now_s) ||
           signet_watch_wants_new(machine, turn->input) ||
           turn->now_s >= signet_rules_due_at(machine, turn->input);
}

/* It was made for something else. A key that somebody named stays, and is certified for what is
 * wished now. Where no key was stored there is nothing to be thrown away; its number stays, and
 * with it the name under which the token finds what an interrupted attempt left there. */
static void
reconsider_pending(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->origin == SIGNET_MACHINE_OURS && machine->resume == SIGNET_MACHINE_KEYGEN)
        return;
    if (machine->origin != SIGNET_MACHINE_ADOPTED_KEY) {
        signet_transition_discard_pending(turn);
        return;
    }
    machine->resume = SIGNET_MACHINE_ENROLLING;
    machine->pending_since_s = 0;
}

void
signet_transition_begin(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (turn->now_s < signet_rules_begin_at(machine, turn->input, turn->now_s))
        return;
    if (machine->restoring) {
        signet_transition_start_restoring(turn);
        return;
    }
    if (signet_rules_blocked(machine, turn->input)) {
        signet_transition_enter(turn, SIGNET_MACHINE_BLOCKED,
                                signet_rules_blocked(machine, turn->input));
        return;
    }
    machine->is_key_refused = FALSE;
    g_strlcpy(machine->tried_wish, turn->input->wish, sizeof(machine->tried_wish));
    if (!signet_retired_has_place(machine, SIGNET_TRANSITION_SPARE)) {
        machine->is_requested = FALSE;
        signet_transition_fail(turn, "too many old generations could not be destroyed yet");
        return;
    }
    if (machine->pending &&
        (is_refused_for_good(machine) || signet_transition_has_revoked_key(machine)))
        signet_transition_discard_pending(turn);
    if (machine->pending && signet_rules_is_wish_changed(turn->input, machine->pending_wish))
        reconsider_pending(turn);
    if (!is_needed(turn)) {
        machine->attempt = 0;
        signet_transition_enter(turn, SIGNET_MACHINE_ACTIVE, NULL);
    } else if (!turn->input->is_ca_ready) {
        signet_transition_enter(turn, SIGNET_MACHINE_WAITING_CA,
                                "the key of the CA, or of the account at it, is not there yet");
    } else {
        go_on(turn);
    }
}

/* --- time --- */

/* Times that were set while the clock was wrong must not last for years. */
static void
bound_times(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;
    const SignetRotationProfile *rotation = turn->input->rotation;
    gint64 overlap_s = rotation->overlap_s == SIGNET_AUTO ? DAY_S : rotation->overlap_s;
    gint64 retry_s = signet_transition_retry_after(turn, G_MAXUINT16);
    gint64 longest_s = machine->state == SIGNET_MACHINE_FAILED ? retry_s + retry_s / 4 : DAY_S;

    machine->next_s = MIN(machine->next_s, turn->now_s + longest_s);
    for (guint i = 0; i < machine->n_retired; i++) {
        SignetRetired *retired = &machine->retired[i];

        retired->retire_at_s = MIN(retired->retire_at_s, turn->now_s + MAX(overlap_s, DAY_S));
    }
}

void
signet_transition_tick(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->announced != machine->current) {
        machine->announced = machine->current;
        turn->effects |= SIGNET_EFFECT_TELL_ROTATED;
    }
    if (!signet_rules_is_clock_set(turn->input, turn->now_s))
        return;
    bound_times(turn);
    if (turn->now_s >= signet_rules_alarm_at(machine, turn->input)) {
        machine->alarmed = machine->current;
        turn->effects |= SIGNET_EFFECT_TELL_EXPIRING;
    }
    for (guint i = 0; machine->retiring == 0 && i < machine->n_retired; i++) {
        SignetRetired *retired = &machine->retired[i];

        if (turn->now_s < retired->retire_at_s || retired->number == machine->restoring)
            continue;
        retired->tries++;
        machine->retiring = retired->number;
        turn->effects |= SIGNET_EFFECT_RETIRE;
    }
}
