/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The life of one identity as a pure function: what each event leads to. */

#include "agent/rotate/transition.h"

#include <string.h>

#define POLL_MAX 86400 /* seconds, whatever a CA says in Retry-After */

static void
on_ca_pending(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->pending_since_s == 0 || machine->pending_since_s > turn->now_s)
        machine->pending_since_s = turn->now_s;
    if (turn->now_s - machine->pending_since_s > turn->input->rotation->pending_timeout_s) {
        machine->pending_since_s = 0;
        signet_transition_fail(turn, "the CA has not decided within PendingTimeout=");
        return;
    }
    signet_transition_enter(turn, SIGNET_MACHINE_PENDING_CA, turn->event->cause);
    machine->next_s = turn->now_s + CLAMP(turn->event->after_s, 1, POLL_MAX);
}

/* What was waited for gives way to what somebody has named. */
static void
adopt(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (!signet_retired_has_place(machine, SIGNET_TRANSITION_SPARE)) {
        signet_transition_fail(turn, "too many old generations could not be destroyed yet");
        return;
    }
    signet_transition_discard_pending(turn);
    signet_transition_take_number(machine);
    machine->origin = turn->event->origin;
    machine->is_requested = FALSE;
    machine->is_key_refused = FALSE;
    g_strlcpy(machine->pending_wish, turn->input->wish, sizeof(machine->pending_wish));
    g_strlcpy(machine->tried_wish, turn->input->wish, sizeof(machine->tried_wish));
    signet_transition_enter(turn, SIGNET_MACHINE_KEYGEN, NULL);
    turn->effects |= SIGNET_EFFECT_ADOPT;
}

/* An adoption that could not be carried out is over, as if nobody had asked: what the next attempt
 * does is the policy's choice again. A key that the CA is to certify stays pending. */
static void
end_adoption(SignetTransition *turn)
{
    const SignetMachine *machine = turn->machine;

    if (machine->origin == SIGNET_MACHINE_ADOPTED ||
        (machine->origin == SIGNET_MACHINE_ADOPTED_KEY && machine->state == SIGNET_MACHINE_KEYGEN))
        signet_transition_discard_pending(turn);
}

static void
on_key_made(SignetTransition *turn)
{
    if (signet_transition_has_revoked_key(turn->machine)) {
        signet_transition_discard_pending(turn);
        signet_transition_fail(turn, "the key that was to be kept has become known as revoked");
        return;
    }
    turn->machine->resume = SIGNET_MACHINE_ENROLLING;
    signet_transition_start_enrolling(turn);
}

static void
on_key_refused(SignetTransition *turn)
{
    signet_transition_enter(turn, SIGNET_MACHINE_BLOCKED, turn->event->cause);
    turn->machine->is_key_refused = TRUE;
    turn->machine->is_asked = FALSE;
    turn->effects |= SIGNET_EFFECT_TELL_FAILED;
}

/* The end of the overlap of what is current until now. */
static gint64
overlap_end_s(const SignetTransition *turn)
{
    const SignetRotationProfile *rotation = turn->input->rotation;
    gint64 overlap_s =
        signet_schedule_overlap(rotation, turn->machine->facts.not_after_s, turn->now_s);

    if (signet_machine_is_revoked(turn->machine))
        overlap_s = signet_schedule_revoked_overlap(rotation, overlap_s);
    return turn->now_s + overlap_s;
}

static void
on_promoted(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->current)
        signet_retired_add(machine, machine->current, 0, overlap_end_s(turn));
    if (signet_machine_is_revoked(machine))
        machine->revoked = machine->current; /* a copy of its key counts as it does */
    machine->current = machine->pending;
    machine->current_key = machine->pending_key;
    machine->pending_key = 0;
    machine->facts = turn->event->facts;
    memcpy(machine->current_wish, machine->pending_wish, sizeof(machine->current_wish));
    machine->pending = 0;
    machine->pending_wish[0] = '\0';
    machine->pending_since_s = 0;
    machine->is_refused = FALSE;
    machine->resume = SIGNET_MACHINE_KEYGEN;
    machine->origin = SIGNET_MACHINE_OURS;
    machine->is_asked = FALSE;
    machine->attempt = 0;
    machine->announced = machine->current;
    signet_watch_reset(machine, turn->input, turn->now_s);
    signet_transition_enter(turn, SIGNET_MACHINE_ACTIVE, NULL);
    turn->effects |= SIGNET_EFFECT_TELL_ROTATED;
}

static void
on_canary_refused(SignetTransition *turn)
{
    end_adoption(turn);
    turn->machine->is_refused = turn->machine->pending != 0;
    signet_transition_fail(turn, turn->event->cause);
}

static void
on_rollback(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    machine->restoring = signet_machine_find_fallback(machine, turn->now_s);
    if (machine->restoring == 0)
        return;
    signet_transition_set_cause(machine, turn->event->cause);
    signet_transition_start_restoring(turn);
}

/* What does not work stays usable for those who have loaded it, as any old generation does. The
 * next attempt is a new one. */
static void
on_restored(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;
    SignetRetired *restored = signet_retired_find(machine, machine->restoring);
    char cause[SIGNET_MACHINE_CAUSE_SIZE];

    if (restored)
        signet_retired_drop(machine, (guint)(restored - machine->retired));
    signet_retired_add(machine, machine->current, 0, overlap_end_s(turn));
    memcpy(cause, machine->cause, sizeof(cause));
    machine->current = machine->restoring;
    machine->current_key = 0;
    machine->restoring = 0;
    machine->facts = turn->event->facts;
    machine->announced = machine->current;
    signet_watch_reset(machine, turn->input, turn->now_s);
    turn->effects |= SIGNET_EFFECT_TELL_ROTATED;
    signet_transition_fail(turn, cause);
}

static void
on_failed(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    /* a peer that cannot be asked must not let the identity expire */
    if (machine->state == SIGNET_MACHINE_CANARY &&
        turn->now_s >= signet_rules_critical_at(machine, turn->input)) {
        signet_transition_start_promoting(turn);
        return;
    }
    end_adoption(turn);
    if (machine->state == SIGNET_MACHINE_ROLLING_BACK)
        machine->restoring = 0;
    signet_transition_fail(turn, turn->event->cause);
}

static void
on_retired(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;
    SignetRetired *retired = signet_retired_find(machine, machine->retiring);

    if (!retired)
        return;
    signet_retired_drop(machine, (guint)(retired - machine->retired));
    machine->retiring = 0;
    turn->effects |= SIGNET_EFFECT_TELL_RETIRED;
}

static void
on_retire_failed(SignetTransition *turn)
{
    SignetRetired *retired = signet_retired_find(turn->machine, turn->machine->retiring);

    if (!retired)
        return;
    retired->retire_at_s = turn->now_s + signet_transition_retry_after(turn, retired->tries);
    turn->machine->retiring = 0;
}

/* The key that does not sign goes, and the next attempt has a new one. */
static void
on_key_bad(SignetTransition *turn)
{
    char wish[SIGNET_MACHINE_WISH_SIZE];

    if (turn->machine->origin != SIGNET_MACHINE_OURS) {
        signet_transition_discard_pending(turn);
        signet_transition_fail(turn, turn->event->cause);
        return;
    }
    memcpy(wish, turn->machine->pending_wish, sizeof(wish));
    signet_transition_discard_pending(turn);
    signet_transition_take_number(turn->machine);
    memcpy(turn->machine->pending_wish, wish, sizeof(wish));
    signet_transition_fail(turn, turn->event->cause);
}

static void
on_verified(SignetTransition *turn)
{
    if (signet_transition_is_canary_needed(turn))
        signet_transition_start_canary(turn);
    else
        signet_transition_start_promoting(turn);
}

static void
on_rejected(SignetTransition *turn)
{
    turn->machine->resume = SIGNET_MACHINE_ENROLLING;
    end_adoption(turn);
    signet_transition_fail(turn, turn->event->cause);
}

/* The state in which an outcome counts; FALSE: it is late, or belongs to no effect. */
static gboolean
is_awaited(const SignetMachine *machine, SignetMachineEventKind kind)
{
    switch (kind) {
    case SIGNET_EVENT_KEY_MADE:
    case SIGNET_EVENT_KEY_REFUSED:
        return machine->state == SIGNET_MACHINE_KEYGEN;
    case SIGNET_EVENT_ISSUED:
        return machine->state == SIGNET_MACHINE_ENROLLING ||
               (machine->state == SIGNET_MACHINE_KEYGEN &&
                machine->origin == SIGNET_MACHINE_ADOPTED);
    case SIGNET_EVENT_CA_PENDING:
        return machine->state == SIGNET_MACHINE_ENROLLING;
    case SIGNET_EVENT_VERIFIED:
    case SIGNET_EVENT_REJECTED:
    case SIGNET_EVENT_KEY_BAD:
        return machine->state == SIGNET_MACHINE_VERIFYING;
    case SIGNET_EVENT_CANARY_PASSED:
    case SIGNET_EVENT_CANARY_REFUSED:
        return machine->state == SIGNET_MACHINE_CANARY;
    case SIGNET_EVENT_PROMOTED:
        return machine->state == SIGNET_MACHINE_PROMOTING;
    case SIGNET_EVENT_RESTORED:
        return machine->state == SIGNET_MACHINE_ROLLING_BACK;
    case SIGNET_EVENT_FAILED:
    case SIGNET_EVENT_TOKEN_MISSING:
        return signet_machine_is_working(machine);
    case SIGNET_EVENT_RETIRED:
    case SIGNET_EVENT_RETIRE_FAILED:
        return machine->retiring != 0;
    case SIGNET_EVENT_BEGIN:
    case SIGNET_EVENT_ROLLBACK:
    case SIGNET_EVENT_ROTATE:
    case SIGNET_EVENT_ADOPT:
        return !signet_machine_is_working(machine);
    case SIGNET_EVENT_TOKEN_BACK:
        return machine->state == SIGNET_MACHINE_WAITING_TOKEN;
    case SIGNET_EVENT_CHECKED:
    case SIGNET_EVENT_CHECK_FAILED:
        return machine->checking != 0;
    case SIGNET_EVENT_CHECK:
    case SIGNET_EVENT_CHECK_NOW:
        return machine->checking == 0;
    case SIGNET_EVENT_REVOKED:
    case SIGNET_EVENT_TICK:
        return TRUE;
    }
    return FALSE;
}

static void
turn_once(SignetTransition *turn)
{
    switch (turn->event->kind) {
    case SIGNET_EVENT_BEGIN:
        signet_transition_begin(turn);
        break;
    case SIGNET_EVENT_TICK:
        signet_transition_tick(turn);
        break;
    case SIGNET_EVENT_ROTATE:
        turn->machine->is_requested = turn->machine->is_asked = TRUE;
        break;
    case SIGNET_EVENT_ADOPT:
        adopt(turn);
        break;
    case SIGNET_EVENT_TOKEN_BACK:
        turn->machine->next_s = turn->now_s;
        break;
    case SIGNET_EVENT_KEY_MADE:
        on_key_made(turn);
        break;
    case SIGNET_EVENT_KEY_REFUSED:
        on_key_refused(turn);
        break;
    case SIGNET_EVENT_ISSUED:
        turn->machine->resume = SIGNET_MACHINE_VERIFYING;
        turn->machine->pending_since_s = 0;
        signet_transition_start_verifying(turn);
        break;
    case SIGNET_EVENT_CA_PENDING:
        on_ca_pending(turn);
        break;
    case SIGNET_EVENT_VERIFIED:
        on_verified(turn);
        break;
    case SIGNET_EVENT_CANARY_PASSED:
        signet_transition_start_promoting(turn);
        break;
    case SIGNET_EVENT_CANARY_REFUSED:
        on_canary_refused(turn);
        break;
    case SIGNET_EVENT_ROLLBACK:
        on_rollback(turn);
        break;
    case SIGNET_EVENT_RESTORED:
        on_restored(turn);
        break;
    case SIGNET_EVENT_REJECTED:
        on_rejected(turn);
        break;
    case SIGNET_EVENT_KEY_BAD:
        on_key_bad(turn);
        break;
    case SIGNET_EVENT_PROMOTED:
        on_promoted(turn);
        break;
    case SIGNET_EVENT_FAILED:
        on_failed(turn);
        break;
    case SIGNET_EVENT_TOKEN_MISSING:
        signet_transition_wait_for_token(turn, turn->event->cause);
        break;
    case SIGNET_EVENT_RETIRED:
        on_retired(turn);
        break;
    case SIGNET_EVENT_RETIRE_FAILED:
        on_retire_failed(turn);
        break;
    case SIGNET_EVENT_CHECK:
    case SIGNET_EVENT_CHECK_NOW:
        signet_transition_check(turn);
        break;
    case SIGNET_EVENT_CHECKED:
    case SIGNET_EVENT_CHECK_FAILED:
    case SIGNET_EVENT_REVOKED:
        signet_transition_end_check(turn);
        break;
    }
}

SignetMachineStep
signet_machine_step(const SignetMachine *machine, const SignetMachineEvent *event,
                    const SignetMachineInput *input, gint64 now_s)
{
    SignetMachineStep step = {.machine = *machine};
    SignetTransition turn = {
        .machine = &step.machine, .event = event, .input = input, .now_s = now_s};

    if (is_awaited(machine, event->kind))
        turn_once(&turn);
    step.effects = turn.effects;
    return step;
}
