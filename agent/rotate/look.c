/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Looking at what others say of the current certificate, and what was learned. Pure. */

#include <string.h>

#include "agent/enroll/findings.h"
#include "agent/rotate/transition.h"

#define HOUR_S ((gint64)3600)

void
signet_transition_check(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;
    gint64 next_s;
    guint looks = 0;

    machine->is_check_asked = turn->event->kind == SIGNET_EVENT_CHECK_NOW;
    next_s = signet_watch_next_at(machine, turn->input, &looks, turn->now_s);
    machine->is_check_asked = FALSE;
    if (!signet_rules_is_clock_set(turn->input, turn->now_s) || next_s > turn->now_s)
        return;
    machine->checking = machine->current;
    machine->checking_looks = looks;
    turn->effects |= SIGNET_EFFECT_CHECK;
}

static gint64
period_of(const SignetTransition *turn)
{
    return signet_schedule_check_after(turn->input->rotation, signet_watch_lifetime(turn->machine),
                                       turn->input->seed);
}

/* Nothing was learned: sooner than usual, but no sooner each time. */
static void
fail_watch(SignetTransition *turn, guint looks)
{
    SignetWatch *watch = &turn->machine->watch;
    gint64 pause_s;

    watch->failures++;
    pause_s = signet_transition_retry_after(turn, watch->failures);
    if (looks & ~(guint)SIGNET_LOOK_WINDOW) {
        watch->last_s = turn->now_s;
        watch->next_s = turn->now_s + MIN(pause_s, period_of(turn));
    }
    if (looks & SIGNET_LOOK_WINDOW) {
        watch->window_last_s = turn->now_s;
        watch->window_next_s = turn->now_s + signet_schedule_window_after(
                                                 signet_watch_lifetime(turn->machine), pause_s);
    }
}

/* When 'auto' looks again: as soon as the answer is not good for anything any more, but not in
 * less than an hour. */
static gint64
next_after(const SignetTransition *turn, gint64 next_update_s)
{
    gint64 regular_s = turn->now_s + period_of(turn);

    if (next_update_s == 0 || turn->input->rotation->check_s != SIGNET_AUTO)
        return regular_s;
    return MIN(regular_s, MAX(next_update_s, turn->now_s + HOUR_S));
}

/* Revocation is for ever, also when a later answer does not know of it any more; being held is not.
 */
static void
take_revocation(SignetTransition *turn, const SignetFindings *now)
{
    SignetMachine *machine = turn->machine;
    SignetFindings *found = &machine->watch.found;
    gboolean was_held = found->standing == SIGNET_STANDING_HELD;

    found->standing = now->standing;
    found->reason = now->reason;
    found->revoked_s = now->revoked_s;
    found->this_update_s = now->this_update_s;
    found->next_update_s = now->next_update_s;
    if (now->standing == SIGNET_STANDING_HELD && !was_held)
        turn->effects |= SIGNET_EFFECT_TELL_REVOKED;
    if (now->standing != SIGNET_STANDING_REVOKED)
        return;
    machine->revoked = machine->current;
    if (signet_revocation_concerns_key(now->reason))
        machine->revoked_key = machine->current;
    turn->effects |= SIGNET_EFFECT_TELL_REVOKED;
    machine->is_requested |=
        signet_watch_wants_new(machine, turn->input) && !signet_machine_is_working(machine);
}

static void
take_window(SignetTransition *turn, const SignetFindings *now)
{
    SignetWatch *watch = &turn->machine->watch;

    watch->found.window_start_s = now->window_start_s;
    watch->found.window_end_s = now->window_end_s;
    watch->window_last_s = turn->now_s;
    watch->window_next_s =
        turn->now_s +
        signet_schedule_window_after(signet_watch_lifetime(turn->machine), now->retry_after_s);
}

static void
take_authorities(SignetTransition *turn, const SignetFindings *now)
{
    SignetMachine *machine = turn->machine;

    if (!now->is_leaving)
        machine->leaving_s = 0;
    else if (machine->leaving_s == 0)
        machine->leaving_s = turn->now_s;
    machine->watch.found.is_leaving = now->is_leaving;
}

/* Also why nothing was learned. What is said of a revoked certificate stays. */
static void
take_words(SignetMachine *machine, guint looks, const SignetFindings *now)
{
    SignetFindings *found = &machine->watch.found;

    if (looks & SIGNET_LOOK_WINDOW)
        memcpy(found->window_words, now->window_words, sizeof(now->window_words));
    if (looks & SIGNET_LOOK_AUTHORITIES)
        memcpy(found->issuer_words, now->issuer_words, sizeof(now->issuer_words));
    if (looks & SIGNET_LOOK_REVOCATION && machine->current > machine->revoked)
        memcpy(found->words, now->words, sizeof(now->words));
}

/* What was learned; the rest is tried again. */
static void
take_findings(SignetTransition *turn, guint looks, const SignetFindings *now)
{
    SignetWatch *watch = &turn->machine->watch;
    gboolean is_known = turn->machine->current <= turn->machine->revoked;
    guint learned = looks & now->looks;

    if (learned & SIGNET_LOOK_WINDOW)
        take_window(turn, now);
    if (learned & SIGNET_LOOK_AUTHORITIES)
        take_authorities(turn, now);
    take_words(turn->machine, looks, now);
    if (looks & SIGNET_LOOK_REVOCATION)
        watch->is_silent = now->standing == SIGNET_STANDING_UNKNOWN;
    if (now->standing == SIGNET_STANDING_UNKNOWN)
        learned &= ~(guint)SIGNET_LOOK_REVOCATION;
    if (learned & SIGNET_LOOK_REVOCATION && !is_known)
        take_revocation(turn, now);
    watch->found.looks |= learned;
    if (learned & ~(guint)SIGNET_LOOK_WINDOW) {
        watch->last_s = turn->now_s;
        watch->next_s = next_after(turn, watch->found.next_update_s);
    }
    if (learned == looks)
        watch->failures = 0;
    else
        fail_watch(turn, looks & ~learned);
}

static void
take_own_revocation(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (machine->current == 0 || machine->current <= machine->revoked)
        return;
    take_words(machine, SIGNET_LOOK_REVOCATION, turn->event->findings);
    machine->watch.found.looks |= SIGNET_LOOK_REVOCATION;
    machine->watch.is_silent = FALSE;
    take_revocation(turn, turn->event->findings);
}

void
signet_transition_end_check(SignetTransition *turn)
{
    SignetMachine *machine = turn->machine;

    if (turn->event->kind == SIGNET_EVENT_REVOKED) {
        take_own_revocation(turn);
        return;
    }
    gboolean is_stale = machine->checking != machine->current;
    guint looks = machine->checking_looks;

    machine->checking = 0;
    machine->checking_looks = 0;
    if (is_stale)
        return;
    if (turn->event->kind == SIGNET_EVENT_CHECKED && turn->event->findings) {
        take_findings(turn, looks, turn->event->findings);
        return;
    }
    if (looks & SIGNET_LOOK_REVOCATION)
        machine->watch.is_silent = TRUE;
    if (machine->current > machine->revoked)
        signet_findings_set_words(machine->watch.found.words, turn->event->cause);
    fail_watch(turn, looks);
}
