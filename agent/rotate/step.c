/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The life of one identity as a pure function: one step. */

#include "agent/rotate/rules.h"

#include <string.h>

#define DAY_S           86400
#define TOKEN_RETRY_MAX 300   /* looking whether a token is back costs little */
#define POLL_MAX        DAY_S /* whatever a CA says in Retry-After */
#define REFUSALS_MAX    5
#define RETIRED_SPARE   2 /* places an attempt may need: the pending and the current generation */

/* What every transition works on. */
typedef struct {
    SignetMachine *machine;
    const SignetMachineEvent *event;
    const SignetMachineInput *input;
    gint64 now_s;
    guint effects;
} Turn;

static void
set_cause(SignetMachine *machine, const char *cause)
{
    const char *end;

    g_strlcpy(machine->cause, cause ? cause : "", sizeof(machine->cause));
    if (!g_utf8_validate(machine->cause, -1, &end))
        machine->cause[end - machine->cause] = '\0';
}

static void
enter(Turn *turn, SignetMachineState state, const char *cause)
{
    if (turn->machine->state != state)
        turn->machine->since_s = turn->now_s;
    turn->machine->state = state;
    turn->machine->next_s = 0;
    set_cause(turn->machine, cause);
}

static gint64
lifetime_of(const SignetMachine *machine)
{
    return machine->current ? machine->facts.not_after_s - machine->facts.not_before_s : 0;
}

static gint64
retry_after(const Turn *turn, guint attempt)
{
    return signet_schedule_retry_after(turn->input->rotation, lifetime_of(turn->machine), attempt,
                                       turn->input->seed);
}

static void
fail(Turn *turn, const char *cause)
{
    enter(turn, SIGNET_MACHINE_FAILED, cause);
    turn->machine->attempt++;
    turn->machine->next_s = turn->now_s + retry_after(turn, turn->machine->attempt);
    turn->effects |= SIGNET_EFFECT_TELL_FAILED;
}

static void
wait_for_token(Turn *turn, const char *cause)
{
    enter(turn, SIGNET_MACHINE_WAITING_TOKEN, cause);
    turn->machine->attempt++;
    turn->machine->next_s =
        turn->now_s + MIN(retry_after(turn, turn->machine->attempt), TOKEN_RETRY_MAX);
}

/* The pending generation will not be needed: its key is destroyed as any old one is. */
static void
discard_pending(Turn *turn)
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
}

static void
take_number(SignetMachine *machine)
{
    machine->pending = ++machine->last_number;
    machine->origin = SIGNET_MACHINE_OURS;
    machine->resume = SIGNET_MACHINE_KEYGEN;
    machine->pending_since_s = 0;
}

/* --- beginning --- */

static void
start_keygen(Turn *turn)
{
    gboolean is_new = signet_rules_needs_new_key(turn->machine, turn->input, turn->now_s);

    if (is_new && turn->input->no_new_key) {
        enter(turn, SIGNET_MACHINE_BLOCKED, turn->input->no_new_key);
        return;
    }
    enter(turn, SIGNET_MACHINE_KEYGEN, NULL);
    turn->effects |= is_new ? SIGNET_EFFECT_GENERATE : SIGNET_EFFECT_COPY_KEY;
}

static void
start_enrolling(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_ENROLLING, NULL);
    turn->effects |= SIGNET_EFFECT_ENROLL;
}

static void
start_verifying(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_VERIFYING, NULL);
    turn->effects |= SIGNET_EFFECT_VERIFY;
}

static void
start_restoring(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_ROLLING_BACK, turn->machine->cause);
    turn->effects |= SIGNET_EFFECT_RESTORE;
}

static void
start_promoting(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_PROMOTING, NULL);
    turn->effects |= SIGNET_EFFECT_PROMOTE;
}

/* What nobody would miss need not prove itself: there is nothing else, or it has expired. */
static gboolean
is_canary_needed(const Turn *turn)
{
    const SignetMachine *machine = turn->machine;

    return turn->input->has_canary && machine->current != 0 &&
           turn->now_s < machine->facts.not_after_s;
}

static void
start_canary(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_CANARY, NULL);
    turn->effects |= SIGNET_EFFECT_CANARY;
}

/* The peer may be as wrong as the certificate: asked a few times with the same one, then a person
 * or patience gets another. */
static gboolean
is_refused_for_good(const SignetMachine *machine)
{
    return machine->is_refused && (machine->is_requested || machine->attempt >= REFUSALS_MAX);
}

static void
go_on(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->pending == 0)
        take_number(machine);
    g_strlcpy(machine->pending_wish, turn->input->wish, sizeof(machine->pending_wish));
    machine->is_requested = FALSE;
    if (machine->resume == SIGNET_MACHINE_ENROLLING)
        start_enrolling(turn);
    else if (machine->resume == SIGNET_MACHINE_VERIFYING)
        start_verifying(turn);
    else
        start_keygen(turn);
}

/* A reason to rotate may have gone while it was waited for. */
static gboolean
is_needed(const Turn *turn)
{
    const SignetMachine *machine = turn->machine;

    return machine->current == 0 || machine->pending != 0 || machine->is_requested ||
           signet_rules_is_wish_changed(turn->input, machine->current_wish) ||
           signet_rules_is_not_valid_yet(machine, turn->now_s) ||
           turn->now_s >= signet_rules_due_at(machine, turn->input);
}

/* It was made for something else. A key that somebody named stays, and is certified for what is
 * wished now. */
static void
reconsider_pending(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->origin != SIGNET_MACHINE_ADOPTED_KEY) {
        discard_pending(turn);
        return;
    }
    machine->resume = SIGNET_MACHINE_ENROLLING;
    machine->pending_since_s = 0;
}

static void
begin(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (turn->now_s < signet_rules_begin_at(machine, turn->input, turn->now_s))
        return;
    if (machine->restoring) {
        start_restoring(turn);
        return;
    }
    if (signet_rules_blocked(machine, turn->input)) {
        enter(turn, SIGNET_MACHINE_BLOCKED, signet_rules_blocked(machine, turn->input));
        return;
    }
    machine->is_key_refused = FALSE;
    g_strlcpy(machine->tried_wish, turn->input->wish, sizeof(machine->tried_wish));
    if (!signet_retired_has_place(machine, RETIRED_SPARE)) {
        machine->is_requested = FALSE;
        fail(turn, "too many old generations could not be destroyed yet");
        return;
    }
    if (machine->pending && is_refused_for_good(machine))
        discard_pending(turn);
    if (machine->pending && signet_rules_is_wish_changed(turn->input, machine->pending_wish))
        reconsider_pending(turn);
    if (!is_needed(turn)) {
        machine->attempt = 0;
        enter(turn, SIGNET_MACHINE_ACTIVE, NULL);
    } else if (!turn->input->is_ca_ready) {
        enter(turn, SIGNET_MACHINE_WAITING_CA, "the CA's own certificate is not there yet");
    } else {
        go_on(turn);
    }
}

/* --- time --- */

/* Times that were set while the clock was wrong must not last for years. */
static void
bound_times(Turn *turn)
{
    SignetMachine *machine = turn->machine;
    const SignetRotationProfile *rotation = turn->input->rotation;
    gint64 overlap_s = rotation->overlap_s == SIGNET_AUTO ? DAY_S : rotation->overlap_s;
    gint64 retry_s = retry_after(turn, G_MAXUINT16);
    gint64 longest_s = machine->state == SIGNET_MACHINE_FAILED ? retry_s + retry_s / 4 : POLL_MAX;

    machine->next_s = MIN(machine->next_s, turn->now_s + longest_s);
    for (guint i = 0; i < machine->n_retired; i++) {
        SignetRetired *retired = &machine->retired[i];

        retired->retire_at_s = MIN(retired->retire_at_s, turn->now_s + MAX(overlap_s, DAY_S));
    }
}

static void
tick(Turn *turn)
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

/* --- outcomes --- */

static void
on_ca_pending(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->pending_since_s == 0 || machine->pending_since_s > turn->now_s)
        machine->pending_since_s = turn->now_s;
    if (turn->now_s - machine->pending_since_s > turn->input->rotation->pending_timeout_s) {
        machine->pending_since_s = 0;
        fail(turn, "the CA has not decided within PendingTimeout=");
        return;
    }
    enter(turn, SIGNET_MACHINE_PENDING_CA, turn->event->cause);
    machine->next_s = turn->now_s + CLAMP(turn->event->after_s, 1, POLL_MAX);
}

/* What was waited for gives way to what somebody has named. */
static void
adopt(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (!signet_retired_has_place(machine, RETIRED_SPARE)) {
        fail(turn, "too many old generations could not be destroyed yet");
        return;
    }
    discard_pending(turn);
    take_number(machine);
    machine->origin = turn->event->origin;
    machine->is_requested = FALSE;
    machine->is_key_refused = FALSE;
    g_strlcpy(machine->pending_wish, turn->input->wish, sizeof(machine->pending_wish));
    g_strlcpy(machine->tried_wish, turn->input->wish, sizeof(machine->tried_wish));
    enter(turn, SIGNET_MACHINE_KEYGEN, NULL);
    turn->effects |= SIGNET_EFFECT_ADOPT;
}

/* An adoption that could not be carried out is over, as if nobody had asked: what the next attempt
 * does is the policy's choice again. A key that the CA is to certify stays pending. */
static void
end_adoption(Turn *turn)
{
    const SignetMachine *machine = turn->machine;

    if (machine->origin == SIGNET_MACHINE_ADOPTED ||
        (machine->origin == SIGNET_MACHINE_ADOPTED_KEY && machine->state == SIGNET_MACHINE_KEYGEN))
        discard_pending(turn);
}

static void
on_key_refused(Turn *turn)
{
    enter(turn, SIGNET_MACHINE_BLOCKED, turn->event->cause);
    turn->machine->is_key_refused = TRUE;
    turn->machine->is_asked = FALSE;
    turn->effects |= SIGNET_EFFECT_TELL_FAILED;
}

static void
on_promoted(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->current)
        signet_retired_add(machine, machine->current, 0,
                           turn->now_s + signet_schedule_overlap(turn->input->rotation,
                                                                 machine->facts.not_after_s,
                                                                 turn->now_s));
    machine->current = machine->pending;
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
    enter(turn, SIGNET_MACHINE_ACTIVE, NULL);
    turn->effects |= SIGNET_EFFECT_TELL_ROTATED;
}

static void
on_canary_refused(Turn *turn)
{
    end_adoption(turn);
    turn->machine->is_refused = turn->machine->pending != 0;
    fail(turn, turn->event->cause);
}

static void
on_rollback(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    machine->restoring = signet_machine_find_fallback(machine, turn->now_s);
    if (machine->restoring == 0)
        return;
    set_cause(machine, turn->event->cause);
    start_restoring(turn);
}

/* What does not work stays usable for those who have loaded it, as any old generation does. The
 * next attempt is a new one. */
static void
on_restored(Turn *turn)
{
    SignetMachine *machine = turn->machine;
    SignetRetired *restored = signet_retired_find(machine, machine->restoring);
    char cause[SIGNET_MACHINE_CAUSE_SIZE];

    if (restored)
        signet_retired_drop(machine, (guint)(restored - machine->retired));
    signet_retired_add(machine, machine->current, 0,
                       turn->now_s + signet_schedule_overlap(turn->input->rotation,
                                                             machine->facts.not_after_s,
                                                             turn->now_s));
    memcpy(cause, machine->cause, sizeof(cause));
    machine->current = machine->restoring;
    machine->restoring = 0;
    machine->facts = turn->event->facts;
    machine->announced = machine->current;
    turn->effects |= SIGNET_EFFECT_TELL_ROTATED;
    fail(turn, cause);
}

static void
on_failed(Turn *turn)
{
    SignetMachine *machine = turn->machine;

    /* a peer that cannot be asked must not let the identity expire */
    if (machine->state == SIGNET_MACHINE_CANARY &&
        turn->now_s >= signet_rules_critical_at(machine, turn->input)) {
        start_promoting(turn);
        return;
    }
    end_adoption(turn);
    if (machine->state == SIGNET_MACHINE_ROLLING_BACK)
        machine->restoring = 0;
    fail(turn, turn->event->cause);
}

static void
on_retired(Turn *turn)
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
on_retire_failed(Turn *turn)
{
    SignetRetired *retired = signet_retired_find(turn->machine, turn->machine->retiring);

    if (!retired)
        return;
    retired->retire_at_s = turn->now_s + retry_after(turn, retired->tries);
    turn->machine->retiring = 0;
}

/* The key that does not sign goes, and the next attempt has a new one. */
static void
on_key_bad(Turn *turn)
{
    char wish[SIGNET_MACHINE_WISH_SIZE];

    if (turn->machine->origin != SIGNET_MACHINE_OURS) {
        discard_pending(turn);
        fail(turn, turn->event->cause);
        return;
    }
    memcpy(wish, turn->machine->pending_wish, sizeof(wish));
    discard_pending(turn);
    take_number(turn->machine);
    memcpy(turn->machine->pending_wish, wish, sizeof(wish));
    fail(turn, turn->event->cause);
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
    case SIGNET_EVENT_TICK:
        return TRUE;
    }
    return FALSE;
}

static void
turn_once(Turn *turn)
{
    switch (turn->event->kind) {
    case SIGNET_EVENT_BEGIN:
        begin(turn);
        break;
    case SIGNET_EVENT_TICK:
        tick(turn);
        break;
    case SIGNET_EVENT_ROTATE:
        turn->machine->is_requested = TRUE;
        turn->machine->is_asked = TRUE;
        break;
    case SIGNET_EVENT_ADOPT:
        adopt(turn);
        break;
    case SIGNET_EVENT_TOKEN_BACK:
        turn->machine->next_s = turn->now_s;
        break;
    case SIGNET_EVENT_KEY_MADE:
        turn->machine->resume = SIGNET_MACHINE_ENROLLING;
        start_enrolling(turn);
        break;
    case SIGNET_EVENT_KEY_REFUSED:
        on_key_refused(turn);
        break;
    case SIGNET_EVENT_ISSUED:
        turn->machine->resume = SIGNET_MACHINE_VERIFYING;
        turn->machine->pending_since_s = 0;
        start_verifying(turn);
        break;
    case SIGNET_EVENT_CA_PENDING:
        on_ca_pending(turn);
        break;
    case SIGNET_EVENT_VERIFIED:
        if (is_canary_needed(turn))
            start_canary(turn);
        else
            start_promoting(turn);
        break;
    case SIGNET_EVENT_CANARY_PASSED:
        start_promoting(turn);
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
        turn->machine->resume = SIGNET_MACHINE_ENROLLING;
        end_adoption(turn);
        fail(turn, turn->event->cause);
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
        wait_for_token(turn, turn->event->cause);
        break;
    case SIGNET_EVENT_RETIRED:
        on_retired(turn);
        break;
    case SIGNET_EVENT_RETIRE_FAILED:
        on_retire_failed(turn);
        break;
    }
}

SignetMachineStep
signet_machine_step(const SignetMachine *machine, const SignetMachineEvent *event,
                    const SignetMachineInput *input, gint64 now_s)
{
    SignetMachineStep step = {.machine = *machine};
    Turn turn = {.machine = &step.machine, .event = event, .input = input, .now_s = now_s};

    if (is_awaited(machine, event->kind))
        turn_once(&turn);
    step.effects = turn.effects;
    return step;
}
