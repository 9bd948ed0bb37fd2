/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The pure machine: a table of transitions, single rules. */

#include "tests/unit/rotate/machines.h"

/* --- the table --- */

static const struct {
    SignetMachineState from;
    SignetMachineEventKind event;
    SignetMachineState to;
    guint effects;
} rows[] = {
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_KEY_MADE, SIGNET_MACHINE_ENROLLING, SIGNET_EFFECT_ENROLL},
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_FAILED, SIGNET_MACHINE_FAILED, SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_TOKEN_MISSING, SIGNET_MACHINE_WAITING_TOKEN, 0},
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_ISSUED, SIGNET_MACHINE_KEYGEN, 0},
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_BEGIN, SIGNET_MACHINE_KEYGEN, 0},
    {SIGNET_MACHINE_KEYGEN, SIGNET_EVENT_ROTATE, SIGNET_MACHINE_KEYGEN, 0},
    {SIGNET_MACHINE_ENROLLING, SIGNET_EVENT_ISSUED, SIGNET_MACHINE_VERIFYING, SIGNET_EFFECT_VERIFY},
    {SIGNET_MACHINE_ENROLLING, SIGNET_EVENT_CA_PENDING, SIGNET_MACHINE_PENDING_CA, 0},
    {SIGNET_MACHINE_ENROLLING, SIGNET_EVENT_FAILED, SIGNET_MACHINE_FAILED,
     SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_ENROLLING, SIGNET_EVENT_TOKEN_MISSING, SIGNET_MACHINE_WAITING_TOKEN, 0},
    {SIGNET_MACHINE_ENROLLING, SIGNET_EVENT_KEY_MADE, SIGNET_MACHINE_ENROLLING, 0},
    {SIGNET_MACHINE_VERIFYING, SIGNET_EVENT_VERIFIED, SIGNET_MACHINE_PROMOTING,
     SIGNET_EFFECT_PROMOTE},
    {SIGNET_MACHINE_VERIFYING, SIGNET_EVENT_REJECTED, SIGNET_MACHINE_FAILED,
     SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_VERIFYING, SIGNET_EVENT_KEY_BAD, SIGNET_MACHINE_FAILED,
     SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_VERIFYING, SIGNET_EVENT_PROMOTED, SIGNET_MACHINE_VERIFYING, 0},
    {SIGNET_MACHINE_CANARY, SIGNET_EVENT_CANARY_PASSED, SIGNET_MACHINE_PROMOTING,
     SIGNET_EFFECT_PROMOTE},
    {SIGNET_MACHINE_CANARY, SIGNET_EVENT_CANARY_REFUSED, SIGNET_MACHINE_FAILED,
     SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_CANARY, SIGNET_EVENT_FAILED, SIGNET_MACHINE_FAILED, SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_CANARY, SIGNET_EVENT_TOKEN_MISSING, SIGNET_MACHINE_WAITING_TOKEN, 0},
    {SIGNET_MACHINE_CANARY, SIGNET_EVENT_ROLLBACK, SIGNET_MACHINE_CANARY, 0},
    {SIGNET_MACHINE_ACTIVE, SIGNET_EVENT_ROLLBACK, SIGNET_MACHINE_ROLLING_BACK,
     SIGNET_EFFECT_RESTORE},
    {SIGNET_MACHINE_ACTIVE, SIGNET_EVENT_CANARY_PASSED, SIGNET_MACHINE_ACTIVE, 0},
    {SIGNET_MACHINE_PROMOTING, SIGNET_EVENT_PROMOTED, SIGNET_MACHINE_ACTIVE,
     SIGNET_EFFECT_TELL_ROTATED},
    {SIGNET_MACHINE_PROMOTING, SIGNET_EVENT_FAILED, SIGNET_MACHINE_FAILED,
     SIGNET_EFFECT_TELL_FAILED},
    {SIGNET_MACHINE_PROMOTING, SIGNET_EVENT_VERIFIED, SIGNET_MACHINE_PROMOTING, 0},
    {SIGNET_MACHINE_FAILED, SIGNET_EVENT_KEY_MADE, SIGNET_MACHINE_FAILED, 0},
    {SIGNET_MACHINE_FAILED, SIGNET_EVENT_RETIRED, SIGNET_MACHINE_FAILED, 0},
    {SIGNET_MACHINE_ACTIVE, SIGNET_EVENT_TOKEN_BACK, SIGNET_MACHINE_ACTIVE, 0},
};

START_TEST(every_outcome_leads_where_the_table_says)
{
    SignetMachine machine = working_machine(rows[_i].from);
    SignetMachineStep result = step(&machine, rows[_i].event);

    ck_assert_str_eq(signet_machine_state_name(result.machine.state),
                     signet_machine_state_name(rows[_i].to));
    ck_assert_uint_eq(result.effects, rows[_i].effects);
}
END_TEST

/* --- single rules --- */

START_TEST(nothing_begins_before_it_is_due)
{
    SignetMachine machine = active_machine();
    SignetMachineStep result = step(&machine, SIGNET_EVENT_BEGIN);
    SignetMachineInput input = good_input();

    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_ACTIVE);
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s,
                     NOW_S + LIFETIME_S / 2);
}
END_TEST

START_TEST(a_renewal_that_is_due_begins)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};
    SignetMachineStep result =
        signet_machine_step(&machine, &event, &input, NOW_S + LIFETIME_S / 2);

    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_KEYGEN);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_GENERATE);
    ck_assert_uint_eq(result.machine.pending, 4);
    ck_assert_uint_eq(result.machine.current, 3);
}
END_TEST

/* NOW_S + 30 min to NOW_S + 31 min: after the certificate is due, before little is left. */
START_TEST(a_canary_flies_only_for_what_would_be_missed)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_VERIFYING);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_VERIFIED};

    input.has_canary = TRUE;
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, NOW_S).effects,
                      SIGNET_EFFECT_CANARY);
    /* the old certificate has expired */
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, NOW_S + LIFETIME_S).effects,
                      SIGNET_EFFECT_PROMOTE);
    /* there is no old one */
    machine.current = machine.announced = 0;
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, NOW_S).effects,
                      SIGNET_EFFECT_PROMOTE);
}
END_TEST

START_TEST(a_canary_that_cannot_be_asked_does_not_let_the_identity_expire)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_CANARY);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_FAILED, .cause = "unreachable"};
    gint64 critical_s = NOW_S + LIFETIME_S - LIFETIME_S / 4;

    ck_assert_int_eq(signet_machine_step(&machine, &event, &input, critical_s - 1).machine.state,
                     SIGNET_MACHINE_FAILED);
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, critical_s).effects,
                      SIGNET_EFFECT_PROMOTE);
    /* a refusal is believed to the end */
    event.kind = SIGNET_EVENT_CANARY_REFUSED;
    ck_assert_int_eq(signet_machine_step(&machine, &event, &input, critical_s).machine.state,
                     SIGNET_MACHINE_FAILED);
}
END_TEST

START_TEST(a_refused_certificate_is_tried_again_and_then_replaced)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_CANARY);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};
    SignetMachineStep again;

    machine.resume = SIGNET_MACHINE_VERIFYING;
    machine = step(&machine, SIGNET_EVENT_CANARY_REFUSED).machine;
    ck_assert(machine.is_refused);
    again = signet_machine_step(&machine, &event, &input, machine.next_s);
    ck_assert_uint_eq(again.effects, SIGNET_EFFECT_VERIFY);
    /* a person wants a new one */
    machine = step(&machine, SIGNET_EVENT_ROTATE).machine;
    again = signet_machine_step(&machine, &event, &input, NOW_S);
    ck_assert_uint_eq(again.effects, SIGNET_EFFECT_GENERATE);
    ck_assert_uint_eq(again.machine.pending, 5);
    ck_assert(!again.machine.is_refused);
}
END_TEST

START_TEST(a_rollback_makes_the_old_generation_current_and_keeps_the_other_for_a_while)
{
    SignetMachine machine = active_machine();

    machine = step(&machine, SIGNET_EVENT_ROLLBACK).machine;
    ck_assert_uint_eq(machine.restoring, 2);
    /* it must not go while it comes back */
    machine = step(&machine, SIGNET_EVENT_TICK).machine;
    machine.retired[0].retire_at_s = NOW_S;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_TICK).effects, 0);
    SignetMachineStep result = step(&machine, SIGNET_EVENT_RESTORED);
    ck_assert_uint_eq(result.machine.current, 2);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_FAILED);
    ck_assert_str_eq(result.machine.cause, "because");
    ck_assert_int_gt(result.machine.next_s, NOW_S);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_TELL_ROTATED | SIGNET_EFFECT_TELL_FAILED);
    ck_assert_uint_eq(result.machine.n_retired, 1);
    ck_assert_uint_eq(result.machine.retired[0].number, 3);
    ck_assert(signet_machine_is_usable(&result.machine, 3));
}
END_TEST

START_TEST(without_an_old_generation_there_is_no_rollback)
{
    SignetMachine machine = active_machine();

    machine.retired[0].retire_at_s = NOW_S;
    ck_assert_int_eq(step(&machine, SIGNET_EVENT_ROLLBACK).machine.state, SIGNET_MACHINE_ACTIVE);
    machine.retired[0].retire_at_s = NOW_S + 300;
    machine.retired[0].tries = 1;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_ROLLBACK).effects, 0);
}
END_TEST

START_TEST(a_promotion_that_nobody_was_told_of_is_told_after_the_start)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();

    machine.announced = 2;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).tick_s, 0);
    SignetMachineStep result = step(&machine, SIGNET_EVENT_TICK);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_TELL_ROTATED);
    ck_assert_uint_eq(step(&result.machine, SIGNET_EVENT_TICK).effects, 0);
}
END_TEST

START_TEST(a_renewal_waits_for_its_window)
{
    const gint64 minute = NOW_S / 60 % 1440 + 30;
    const SignetWindow window = {0x7f, (guint16)(minute % 1440), (guint16)(minute % 1440 + 1)};
    g_autoptr(GArray) windows = g_array_new(FALSE, FALSE, sizeof(SignetWindow));
    SignetRotationProfile rotation = profile;
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    const gint64 opens_s = NOW_S - NOW_S % 60 + 30 * 60;

    g_array_append_val(windows, window);
    rotation.windows = windows;
    rotation.renew_percent = 10;
    input.rotation = &rotation;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S + 600).begin_s, opens_s);
    /* the window was slept through, and little will be left before the next one */
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, opens_s + 60).begin_s,
                     NOW_S + LIFETIME_S - LIFETIME_S / 4);
    machine.current = 0;
    machine.state = SIGNET_MACHINE_FAILED;
    machine.next_s = NOW_S + 5;
    g_strlcpy(machine.tried_wish, input.wish, sizeof(machine.tried_wish));
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, NOW_S + 5);
}
END_TEST

START_TEST(a_person_and_an_emergency_do_not_wait_for_a_window)
{
    const guint16 minute = (guint16)((NOW_S / 60 + 720) % 1440);
    const SignetWindow window = {0x7f, minute, minute + 1};
    g_autoptr(GArray) windows = g_array_new(FALSE, FALSE, sizeof(SignetWindow));
    SignetRotationProfile rotation = profile;
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();

    g_array_append_val(windows, window);
    rotation.windows = windows;
    input.rotation = &rotation;
    ck_assert_int_gt(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, NOW_S);
    rotation.issued_before_s = NOW_S + 1;
    rotation.within_s = 1;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, NOW_S + 1);
    rotation.issued_before_s = 0;
    machine = step(&machine, SIGNET_EVENT_ROTATE).machine;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, 0);
}
END_TEST

START_TEST(a_wish_begins_at_once)
{
    SignetMachine machine = active_machine();

    machine = step(&machine, SIGNET_EVENT_ROTATE).machine;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_GENERATE);
}
END_TEST

START_TEST(a_changed_policy_is_a_reason_to_rotate)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    input.wish = "another";
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, 0);
    SignetMachineStep result = signet_machine_step(&machine, &event, &input, NOW_S);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_KEYGEN);
    ck_assert_str_eq(result.machine.pending_wish, "another");
}
END_TEST

START_TEST(the_key_is_kept_where_the_policy_says_so)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    input.rotation = &same_key_profile;
    machine.is_requested = TRUE;
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, NOW_S).effects,
                      SIGNET_EFFECT_COPY_KEY);
    input.is_key_kept = FALSE;
    ck_assert_uint_eq(signet_machine_step(&machine, &event, &input, NOW_S).effects,
                      SIGNET_EFFECT_GENERATE);
}
END_TEST

START_TEST(a_failure_keeps_the_key_and_backs_off)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_ENROLLING);
    gint64 last_s = 0;

    for (guint i = 1; i < 6; i++) {
        SignetMachine failed = step(&machine, SIGNET_EVENT_FAILED).machine;

        ck_assert_uint_eq(failed.attempt, i);
        ck_assert_int_gt(failed.next_s, last_s);
        ck_assert_uint_eq(failed.pending, 4);
        ck_assert_str_eq(failed.cause, "because");
        last_s = failed.next_s > NOW_S + 100 ? NOW_S + 1 : failed.next_s;
        failed.is_requested = TRUE;
        SignetMachineStep again = step(&failed, SIGNET_EVENT_BEGIN);
        ck_assert_uint_eq(again.effects, SIGNET_EFFECT_ENROLL);
        machine = again.machine;
    }
}
END_TEST

START_TEST(a_promotion_that_failed_is_verified_again_first)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_PROMOTING);

    machine = step(&machine, SIGNET_EVENT_FAILED).machine;
    ck_assert_uint_eq(machine.current, 3);
    machine.is_requested = TRUE;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_VERIFY);
}
END_TEST

START_TEST(a_key_that_does_not_sign_is_replaced)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_VERIFYING);

    machine = step(&machine, SIGNET_EVENT_KEY_BAD).machine;
    ck_assert_uint_eq(machine.pending, 5);
    ck_assert(!signet_machine_is_usable(&machine, 4));
    ck_assert_uint_eq(machine.retired[1].number, 4);
    machine.is_requested = TRUE;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_GENERATE);
}
END_TEST

START_TEST(a_pending_key_of_another_policy_is_discarded)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_ENROLLING);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    machine = step(&machine, SIGNET_EVENT_CA_PENDING).machine;
    ck_assert_int_eq(machine.next_s, NOW_S + 100);
    input.wish = "another";
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, 0);
    SignetMachineStep result = signet_machine_step(&machine, &event, &input, NOW_S);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_GENERATE);
    ck_assert_uint_eq(result.machine.pending, 5);
    ck_assert(!signet_machine_is_usable(&result.machine, 4));
}
END_TEST

/* The token finds what was left there by the name of that number. */
START_TEST(a_key_that_was_never_stored_is_made_under_its_number)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_KEYGEN);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    machine = step(&machine, SIGNET_EVENT_FAILED).machine;
    input.wish = "another";
    SignetMachineStep result = signet_machine_step(&machine, &event, &input, NOW_S);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_GENERATE);
    ck_assert_uint_eq(result.machine.pending, 4);
    ck_assert_uint_eq(result.machine.n_retired, 1);
    ck_assert_str_eq(result.machine.pending_wish, "another");
}
END_TEST

START_TEST(a_policy_that_came_back_needs_no_rotation)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_FAILED);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    g_strlcpy(machine.pending_wish, "another", sizeof(machine.pending_wish));
    g_strlcpy(machine.tried_wish, "another", sizeof(machine.tried_wish));
    SignetMachineStep result = signet_machine_step(&machine, &event, &input, NOW_S);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_ACTIVE);
    ck_assert_uint_eq(result.machine.pending, 0);
    ck_assert_uint_eq(result.machine.n_retired, 2);
}
END_TEST

START_TEST(a_ca_that_never_decides_fails_after_the_timeout)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_ENROLLING);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_CA_PENDING, .after_s = 100};

    input.rotation = &same_key_profile;
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_PENDING_CA);
    machine.state = SIGNET_MACHINE_ENROLLING;
    machine = signet_machine_step(&machine, &event, &input, NOW_S + 601).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_FAILED);
    ck_assert_int_eq(machine.pending_since_s, 0);
}
END_TEST

START_TEST(a_blocked_policy_waits_for_its_correction)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    machine.is_requested = TRUE;
    input.blocked = "no such token";
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_BLOCKED);
    ck_assert_str_eq(machine.cause, "no such token");
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, SIGNET_NEVER);
    input.blocked = NULL;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, 0);
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_KEYGEN);
}
END_TEST

/* What a token can do may become known only after it has refused. */
START_TEST(a_better_reason_for_the_block_is_told_once)
{
    g_autofree char *longest = g_strnfill(2 * SIGNET_MACHINE_CAUSE_SIZE, 'x');
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    machine.state = SIGNET_MACHINE_BLOCKED;
    machine.is_requested = TRUE;
    g_strlcpy(machine.cause, "the token refused", sizeof(machine.cause));
    input.is_key_kept = FALSE;
    input.no_new_key = "token 'tpm' offers ec:P-256";
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, 0);
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_BLOCKED);
    ck_assert_str_eq(machine.cause, "token 'tpm' offers ec:P-256");
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, SIGNET_NEVER);
    input.no_new_key = longest;
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, SIGNET_NEVER);
}
END_TEST

START_TEST(a_failure_whose_reason_has_become_known_is_blocked_at_once)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    machine.state = SIGNET_MACHINE_FAILED;
    machine.next_s = NOW_S + 3600;
    input.is_key_kept = FALSE;
    input.no_new_key = "token 'tpm' offers ec:P-256";
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_BLOCKED);
}
END_TEST

START_TEST(an_identity_waits_for_its_ca)
{
    SignetMachine machine = signet_machine_new(NOW_S);
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_BEGIN};

    input.is_ca_ready = FALSE;
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_WAITING_CA);
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, SIGNET_NEVER);
    input.is_ca_ready = TRUE;
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_KEYGEN);
}
END_TEST

START_TEST(a_token_that_is_back_is_used_at_once)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_KEYGEN);
    SignetMachineInput input = good_input();

    machine = step(&machine, SIGNET_EVENT_TOKEN_MISSING).machine;
    ck_assert_int_gt(signet_machine_deadlines(&machine, &input, NOW_S).begin_s, NOW_S);
    machine = step(&machine, SIGNET_EVENT_TOKEN_BACK).machine;
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_GENERATE);
}
END_TEST

START_TEST(old_generations_go_one_at_a_time)
{
    SignetMachine machine = active_machine();

    machine.retired[0].retire_at_s = NOW_S;
    machine.retired[1] = (SignetRetired) {.number = 1, .retire_at_s = NOW_S - 1};
    machine.n_retired = 2;
    SignetMachineStep first = step(&machine, SIGNET_EVENT_TICK);
    ck_assert_uint_eq(first.effects, SIGNET_EFFECT_RETIRE);
    ck_assert_uint_eq(first.machine.retiring, 2);
    ck_assert(!signet_machine_is_usable(&first.machine, 2));
    ck_assert_uint_eq(step(&first.machine, SIGNET_EVENT_TICK).effects, 0);
    SignetMachineStep gone = step(&first.machine, SIGNET_EVENT_RETIRED);
    ck_assert_uint_eq(gone.effects, SIGNET_EFFECT_TELL_RETIRED);
    ck_assert_uint_eq(gone.machine.n_retired, 1);
    ck_assert_uint_eq(step(&gone.machine, SIGNET_EVENT_TICK).machine.retiring, 1);
}
END_TEST

START_TEST(a_destruction_that_failed_is_tried_again_later)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();

    machine.retired[0].retire_at_s = NOW_S;
    machine = step(&machine, SIGNET_EVENT_TICK).machine;
    machine = step(&machine, SIGNET_EVENT_RETIRE_FAILED).machine;
    ck_assert_uint_eq(machine.n_retired, 1);
    ck_assert(!signet_machine_is_usable(&machine, 2));
    SignetMachineDeadlines deadlines = signet_machine_deadlines(&machine, &input, NOW_S);
    ck_assert_int_gt(deadlines.tick_s, NOW_S);
    ck_assert_uint_eq(deadlines.retire_number, 2);
}
END_TEST

START_TEST(the_alarm_sounds_once_per_generation)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {.kind = SIGNET_EVENT_TICK};
    gint64 late_s = NOW_S + LIFETIME_S - 10;

    machine.n_retired = 0;
    SignetMachineStep first = signet_machine_step(&machine, &event, &input, late_s);
    ck_assert_uint_eq(first.effects, SIGNET_EFFECT_TELL_EXPIRING);
    ck_assert_uint_eq(signet_machine_step(&first.machine, &event, &input, late_s).effects, 0);
}
END_TEST

START_TEST(a_clock_that_was_wrong_does_not_bind_for_years)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_FAILED);

    machine.next_s = NOW_S + G_GINT64_CONSTANT(400000000);
    machine.retired[0].retire_at_s = NOW_S + G_GINT64_CONSTANT(400000000);
    machine = step(&machine, SIGNET_EVENT_TICK).machine;
    ck_assert_int_le(machine.next_s, NOW_S + 7 * 3600);
    ck_assert_int_le(machine.retired[0].retire_at_s, NOW_S + 86400);
}
END_TEST

START_TEST(a_full_list_of_old_generations_holds_the_rotation_up)
{
    SignetMachine machine = active_machine();

    for (guint i = 0; i < SIGNET_MACHINE_RETIRED_MAX; i++)
        machine.retired[i] = (SignetRetired) {.number = 100 + i, .retire_at_s = NOW_S + 99};
    machine.n_retired = SIGNET_MACHINE_RETIRED_MAX;
    machine.is_requested = TRUE;
    machine = step(&machine, SIGNET_EVENT_BEGIN).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_FAILED);
    ck_assert_int_gt(machine.next_s, NOW_S);
    ck_assert_uint_eq(machine.current, 3);
}
END_TEST

START_TEST(a_long_cause_is_cut_between_characters)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_KEYGEN);
    SignetMachineInput input = good_input();
    g_autoptr(GString) cause = g_string_new("x");

    for (guint i = 0; i < SIGNET_MACHINE_CAUSE_SIZE; i++)
        g_string_append(cause, "ä");
    SignetMachineEvent event = {.kind = SIGNET_EVENT_FAILED, .cause = cause->str};
    machine = signet_machine_step(&machine, &event, &input, NOW_S).machine;
    ck_assert(g_utf8_validate(machine.cause, -1, NULL));
    ck_assert_uint_gt(strlen(machine.cause), SIGNET_MACHINE_CAUSE_SIZE - 4);
}
END_TEST

static TCase *
make_rules(void)
{
    TCase *rules = tcase_create("rules");

    tcase_add_loop_test(rules, every_outcome_leads_where_the_table_says, 0, G_N_ELEMENTS(rows));
    tcase_add_test(rules, nothing_begins_before_it_is_due);
    tcase_add_test(rules, a_renewal_that_is_due_begins);
    tcase_add_test(rules, a_canary_flies_only_for_what_would_be_missed);
    tcase_add_test(rules, a_canary_that_cannot_be_asked_does_not_let_the_identity_expire);
    tcase_add_test(rules, a_refused_certificate_is_tried_again_and_then_replaced);
    tcase_add_test(rules,
                   a_rollback_makes_the_old_generation_current_and_keeps_the_other_for_a_while);
    tcase_add_test(rules, without_an_old_generation_there_is_no_rollback);
    tcase_add_test(rules, a_promotion_that_nobody_was_told_of_is_told_after_the_start);
    tcase_add_test(rules, a_renewal_waits_for_its_window);
    tcase_add_test(rules, a_person_and_an_emergency_do_not_wait_for_a_window);
    tcase_add_test(rules, a_wish_begins_at_once);
    tcase_add_test(rules, a_changed_policy_is_a_reason_to_rotate);
    tcase_add_test(rules, the_key_is_kept_where_the_policy_says_so);
    tcase_add_test(rules, a_failure_keeps_the_key_and_backs_off);
    tcase_add_test(rules, a_promotion_that_failed_is_verified_again_first);
    tcase_add_test(rules, a_key_that_does_not_sign_is_replaced);
    tcase_add_test(rules, a_pending_key_of_another_policy_is_discarded);
    tcase_add_test(rules, a_key_that_was_never_stored_is_made_under_its_number);
    tcase_add_test(rules, a_policy_that_came_back_needs_no_rotation);
    tcase_add_test(rules, a_ca_that_never_decides_fails_after_the_timeout);
    tcase_add_test(rules, a_blocked_policy_waits_for_its_correction);
    tcase_add_test(rules, an_identity_waits_for_its_ca);
    tcase_add_test(rules, a_token_that_is_back_is_used_at_once);
    tcase_add_test(rules, old_generations_go_one_at_a_time);
    tcase_add_test(rules, a_destruction_that_failed_is_tried_again_later);
    tcase_add_test(rules, the_alarm_sounds_once_per_generation);
    tcase_add_test(rules, a_clock_that_was_wrong_does_not_bind_for_years);
    tcase_add_test(rules, a_full_list_of_old_generations_holds_the_rotation_up);
    tcase_add_test(rules, a_long_cause_is_cut_between_characters);
    tcase_add_test(rules, a_better_reason_for_the_block_is_told_once);
    tcase_add_test(rules, a_failure_whose_reason_has_become_known_is_blocked_at_once);
    return rules;
}

int
main(void)
{
    Suite *suite = suite_create("rotate/machine");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_rules());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
