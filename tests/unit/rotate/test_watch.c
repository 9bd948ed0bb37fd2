/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What others say of a certificate, and what the machine does about it. */

#include "tests/unit/rotate/machines.h"

#define DAY_S ((gint64)86400)

static SignetRotationProfile
watched_profile(void)
{
    SignetRotationProfile watched = profile;

    watched.renew_kind = SIGNET_RENEW_AUTO;
    watched.check_s = SIGNET_AUTO;
    return watched;
}

/* Certificates of ten days; who looks sees everything. */
static SignetMachineInput
watched_input(const SignetRotationProfile *watched)
{
    SignetMachineInput input = good_input();

    input.rotation = watched;
    input.looks = SIGNET_LOOK_REVOCATION | SIGNET_LOOK_WINDOW | SIGNET_LOOK_AUTHORITIES;
    return input;
}

static SignetMachine
watched_machine(void)
{
    SignetMachine machine = active_machine();

    machine.facts.not_after_s = NOW_S + 10 * DAY_S;
    machine.watch = (SignetWatch) {
        .number = 3,
        .last_s = NOW_S,
        .next_s = NOW_S + 3600,
        .window_last_s = NOW_S,
        .window_next_s = NOW_S + 600,
    };
    return machine;
}

static SignetMachineStep
feed(const SignetMachine *machine, SignetMachineEventKind kind, const SignetFindings *findings,
     const SignetMachineInput *input, gint64 now_s)
{
    const SignetMachineEvent event = {.kind = kind,
                                      .cause = "nobody answers",
                                      .findings = findings,
                                      .facts = {now_s, now_s + 10 * DAY_S, now_s}};

    return signet_machine_step(machine, &event, input, now_s);
}

/* Looks now, and learns this. */
static SignetMachineStep
learn(const SignetMachine *machine, const SignetFindings *findings, const SignetMachineInput *input)
{
    SignetMachineStep asked = feed(machine, SIGNET_EVENT_CHECK_NOW, NULL, input, NOW_S);

    ck_assert_uint_eq(asked.effects, SIGNET_EFFECT_CHECK);
    return feed(&asked.machine, SIGNET_EVENT_CHECKED, findings, input, NOW_S);
}

static SignetFindings
revoked_for(guint reason)
{
    return (SignetFindings) {.looks = SIGNET_LOOK_REVOCATION,
                             .standing = SIGNET_STANDING_REVOKED,
                             .reason = reason,
                             .revoked_s = NOW_S - 5};
}

START_TEST(a_look_begins_when_it_is_time_and_only_one)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetMachineStep result;

    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).check_s, NOW_S + 600);
    ck_assert_uint_eq(feed(&machine, SIGNET_EVENT_CHECK, NULL, &input, NOW_S + 599).effects, 0);
    result = feed(&machine, SIGNET_EVENT_CHECK, NULL, &input, NOW_S + 600);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_CHECK);
    ck_assert_uint_eq(result.machine.checking_looks, SIGNET_LOOK_WINDOW);
    ck_assert_int_eq(signet_machine_deadlines(&result.machine, &input, NOW_S + 600).check_s,
                     SIGNET_NEVER);
    ck_assert_uint_eq(feed(&result.machine, SIGNET_EVENT_CHECK_NOW, NULL, &input, NOW_S).effects,
                      0);
}
END_TEST

START_TEST(a_policy_may_not_want_to_know)
{
    SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetMachineStep result;

    watched.check_s = SIGNET_CHECK_NEVER;
    watched.renew_kind = SIGNET_RENEW_PERCENT;
    result = feed(&machine, SIGNET_EVENT_CHECK, NULL, &input, NOW_S + 2 * DAY_S);
    ck_assert_uint_eq(result.machine.checking_looks, SIGNET_LOOK_AUTHORITIES);
    machine.facts.not_after_s = NOW_S + DAY_S - 1; /* renews soon anyway */
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S).check_s, SIGNET_NEVER);
    watched.check_s = 100; /* counts at once, whatever was planned */
    ck_assert_int_le(signet_machine_deadlines(&machine, &input, NOW_S).check_s, NOW_S + 100);
}
END_TEST

static const struct {
    SignetOnRevoked on_revoked;
    SignetNewKey new_key;
    guint reason;
    guint effects; /* of the BEGIN that follows */
    gint64 overlap_s;
} revocations[] = {
    {SIGNET_ON_REVOKED_ROTATE, SIGNET_NEW_KEY_ALWAYS, 4, SIGNET_EFFECT_GENERATE, 60},
    {SIGNET_ON_REVOKED_ROTATE, SIGNET_NEW_KEY_NEVER, 4, SIGNET_EFFECT_COPY_KEY, 60},
    {SIGNET_ON_REVOKED_ROTATE, SIGNET_NEW_KEY_NEVER, 1, SIGNET_EFFECT_GENERATE, 60},
    {SIGNET_ON_REVOKED_ROTATE, SIGNET_NEW_KEY_NEVER, 0, SIGNET_EFFECT_GENERATE, 60},
    {SIGNET_ON_REVOKED_DISABLE, SIGNET_NEW_KEY_ALWAYS, 1, SIGNET_EFFECT_GENERATE, 0},
    {SIGNET_ON_REVOKED_NOTIFY, SIGNET_NEW_KEY_ALWAYS, 1, 0, 60},
};

START_TEST(a_revoked_certificate_is_replaced_as_the_policy_says)
{
    SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = revoked_for(revocations[_i].reason);
    SignetMachineStep result;

    watched.on_revoked = revocations[_i].on_revoked;
    watched.new_key = revocations[_i].new_key;
    result = learn(&machine, &findings, &input);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_TELL_REVOKED);
    ck_assert(signet_machine_is_revoked(&result.machine));
    ck_assert_uint_eq(signet_machine_find_fallback(&result.machine, NOW_S), 0);
    result = feed(&result.machine, SIGNET_EVENT_BEGIN, NULL, &input, NOW_S);
    ck_assert_uint_eq(result.effects, revocations[_i].effects);
    if (result.effects == 0)
        return;
    result.machine.state = SIGNET_MACHINE_PROMOTING;
    result = feed(&result.machine, SIGNET_EVENT_PROMOTED, NULL, &input, NOW_S);
    ck_assert(!signet_machine_is_revoked(&result.machine));
    ck_assert_int_eq(result.machine.retired[1].retire_at_s, NOW_S + revocations[_i].overlap_s);
    ck_assert_uint_eq(feed(&result.machine, SIGNET_EVENT_BEGIN, NULL, &input, NOW_S).effects, 0);
}
END_TEST

START_TEST(a_copy_of_a_key_that_became_known_is_replaced_too)
{
    SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = revoked_for(1);
    SignetMachineStep result;

    /* while the CA certifies generation 4 with the key of 3 */
    machine.state = machine.resume = SIGNET_MACHINE_ENROLLING;
    machine.pending = machine.last_number = 4;
    machine.pending_key = 3;
    result = learn(&machine, &findings, &input);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_ENROLLING);
    result.machine.state = SIGNET_MACHINE_PROMOTING;
    result = feed(&result.machine, SIGNET_EVENT_PROMOTED, NULL, &input, NOW_S);
    ck_assert_uint_eq(result.machine.current, 4);
    ck_assert(signet_machine_is_revoked(&result.machine));
    ck_assert_uint_eq(signet_machine_revoked_until(&result.machine), 4);
    ck_assert_uint_eq(feed(&result.machine, SIGNET_EVENT_BEGIN, NULL, &input, NOW_S).effects,
                      SIGNET_EFFECT_GENERATE);
}
END_TEST

START_TEST(a_revoked_key_that_cannot_be_replaced_is_told)
{
    SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = revoked_for(1);
    SignetMachineStep result;

    input.no_new_key = "it can make none";
    result = learn(&machine, &findings, &input);
    result = feed(&result.machine, SIGNET_EVENT_BEGIN, NULL, &input, NOW_S);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_BLOCKED);
    ck_assert_str_eq(result.machine.cause, "it can make none");
    ck_assert_int_eq(signet_machine_deadlines(&result.machine, &input, NOW_S).begin_s,
                     SIGNET_NEVER);
}
END_TEST

START_TEST(a_revocation_that_was_asked_for_is_known_without_a_look)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = revoked_for(1);
    SignetMachineStep result;

    result = feed(&machine, SIGNET_EVENT_REVOKED, &findings, &input, NOW_S);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_TELL_REVOKED);
    ck_assert(signet_machine_is_key_revoked(&result.machine));
    ck_assert_uint_eq(feed(&result.machine, SIGNET_EVENT_REVOKED, &findings, &input, NOW_S).effects,
                      0);
    machine = signet_machine_new(NOW_S);
    ck_assert_uint_eq(feed(&machine, SIGNET_EVENT_REVOKED, &findings, &input, NOW_S).effects, 0);
}
END_TEST

START_TEST(what_is_held_is_told_and_may_be_good_again)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = revoked_for(6);
    SignetMachineStep result;

    findings.standing = SIGNET_STANDING_HELD;
    result = learn(&machine, &findings, &input);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_TELL_REVOKED);
    ck_assert(!signet_machine_is_revoked(&result.machine));
    result = learn(&result.machine, &findings, &input);
    ck_assert_uint_eq(result.effects, 0);
    findings.standing = SIGNET_STANDING_GOOD;
    result = learn(&result.machine, &findings, &input);
    ck_assert_int_eq(result.machine.watch.found.standing, SIGNET_STANDING_GOOD);
    /* being revoked is for ever */
    findings = revoked_for(1);
    result = learn(&result.machine, &findings, &input);
    findings.standing = SIGNET_STANDING_GOOD;
    result = learn(&result.machine, &findings, &input);
    ck_assert_int_eq(result.machine.watch.found.standing, SIGNET_STANDING_REVOKED);
}
END_TEST

START_TEST(silence_is_no_revocation_and_is_asked_again)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings good = {.looks = SIGNET_LOOK_REVOCATION,
                           .standing = SIGNET_STANDING_GOOD,
                           .next_update_s = NOW_S + DAY_S};
    SignetMachineStep result = learn(&machine, &good, &input);
    gint64 before_s = 0;

    for (guint i = 0; i < 3; i++) {
        gint64 pause_s;

        result = feed(&result.machine, SIGNET_EVENT_CHECK_NOW, NULL, &input, NOW_S);
        result = feed(&result.machine, SIGNET_EVENT_CHECK_FAILED, NULL, &input, NOW_S);
        pause_s = result.machine.watch.next_s - NOW_S;
        ck_assert_int_gt(pause_s, before_s);
        before_s = pause_s;
    }
    ck_assert_int_eq(result.machine.watch.found.standing, SIGNET_STANDING_GOOD);
    ck_assert(result.machine.watch.is_silent);
    ck_assert_str_eq(result.machine.watch.found.words, "nobody answers");
}
END_TEST

START_TEST(what_is_said_of_an_old_generation_is_not_said_of_the_new_one)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = working_machine(SIGNET_MACHINE_PROMOTING);
    SignetFindings findings = revoked_for(1);
    SignetMachineStep result = feed(&machine, SIGNET_EVENT_CHECK_NOW, NULL, &input, NOW_S);

    result = feed(&result.machine, SIGNET_EVENT_PROMOTED, NULL, &input, NOW_S);
    result = feed(&result.machine, SIGNET_EVENT_CHECKED, &findings, &input, NOW_S);
    ck_assert_uint_eq(result.effects, 0);
    ck_assert_uint_eq(result.machine.checking, 0);
    ck_assert(!signet_machine_is_revoked(&result.machine));
    ck_assert_uint_eq(result.machine.watch.number, 4);
    ck_assert_int_gt(result.machine.watch.next_s, NOW_S + 1000);
}
END_TEST

/* Seconds after NOW_S; the certificate lives for ten days. */
static const struct {
    gint64 start_s;
    gint64 end_s;
    gint64 earliest_s;
    gint64 latest_s;
} windows[] = {
    {DAY_S, 2 * DAY_S, DAY_S, 2 * DAY_S},
    {-7200, -3600, -7200, -3600},
    {100 * DAY_S, 101 * DAY_S, 9 * DAY_S, 9 * DAY_S}, /* critical */
};

START_TEST(the_window_of_the_ca_is_obeyed_within_reason)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = {.looks = SIGNET_LOOK_WINDOW,
                               .window_start_s = NOW_S + windows[_i].start_s,
                               .window_end_s = NOW_S + windows[_i].end_s,
                               .retry_after_s = G_MAXINT32};
    SignetMachineStep result = learn(&machine, &findings, &input);
    gint64 begin_s = signet_machine_deadlines(&result.machine, &input, NOW_S).begin_s;

    ck_assert_int_ge(begin_s, NOW_S + windows[_i].earliest_s);
    ck_assert_int_le(begin_s, NOW_S + windows[_i].latest_s);
    ck_assert_int_eq(result.machine.watch.window_next_s, NOW_S + DAY_S);
    result = learn(&result.machine, &findings, &input);
    ck_assert_int_eq(signet_machine_deadlines(&result.machine, &input, NOW_S).begin_s, begin_s);
}
END_TEST

START_TEST(an_issuer_on_its_way_out_is_left_at_a_moment_of_ones_own)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine();
    SignetFindings findings = {.looks = SIGNET_LOOK_AUTHORITIES, .is_leaving = TRUE};
    SignetMachineStep result = learn(&machine, &findings, &input);
    gint64 first_s = G_MAXINT64, last_s = 0;

    for (input.seed = 0; input.seed < 2000; input.seed++) {
        gint64 begin_s = signet_machine_deadlines(&result.machine, &input, NOW_S).begin_s;

        first_s = MIN(first_s, begin_s);
        last_s = MAX(last_s, begin_s);
    }
    ck_assert_int_ge(first_s, NOW_S);
    ck_assert_int_lt(first_s, NOW_S + 3600);
    ck_assert_int_gt(last_s, NOW_S + 2 * DAY_S);
    ck_assert_int_le(last_s, NOW_S + 10 * DAY_S / 4);
    findings.is_leaving = FALSE; /* it stays after all */
    result = learn(&result.machine, &findings, &input);
    ck_assert_int_gt(signet_machine_deadlines(&result.machine, &input, NOW_S).begin_s, last_s);
}
END_TEST

START_TEST(what_is_known_survives_a_restart)
{
    const SignetRotationProfile watched = watched_profile();
    SignetMachineInput input = watched_input(&watched);
    SignetMachine machine = watched_machine(), back;
    SignetFindings findings = revoked_for(1);
    const guint32 numbers[] = {2, 3};
    const SignetMachineDisk disk = {
        .current = 3, .facts = machine.facts, .numbers = numbers, .n_numbers = 2};
    g_autoptr(GBytes) journal = NULL;

    machine = learn(&machine, &findings, &input).machine;
    journal = signet_journal_encode(&machine);
    ck_assert(signet_journal_decode(journal, &back, NULL));
    back = signet_machine_recover(&back, &disk, &input, NOW_S);
    ck_assert(signet_machine_is_revoked(&back));
    ck_assert(signet_machine_is_key_revoked(&back));
    ck_assert_int_eq(back.watch.found.revoked_s, NOW_S - 5);
    ck_assert_int_eq(signet_machine_deadlines(&back, &input, NOW_S).begin_s, 0);
}
END_TEST

START_TEST(a_journal_of_an_agent_that_looked_at_nothing_is_read)
{
    SignetMachine machine = watched_machine(), back;
    g_autoptr(GBytes) new = signet_journal_encode(&machine);
    g_autofree char *text = g_strndup(g_bytes_get_data(new, NULL), g_bytes_get_size(new));
    char *end = strstr(text, "Revoked=");

    ck_assert_ptr_nonnull(end);
    *end = '\0';
    g_autoptr(GBytes) old = g_bytes_new(text, strlen(text));
    ck_assert(signet_journal_decode(old, &back, NULL));
    ck_assert_uint_eq(back.revoked, 0);
    ck_assert_uint_eq(back.watch.number, 0);
}
END_TEST

START_TEST(a_damaged_finding_is_a_damaged_journal)
{
    SignetMachine machine = watched_machine(), back;
    g_autoptr(GBytes) good = signet_journal_encode(&machine);
    g_autofree char *text = g_strndup(g_bytes_get_data(good, NULL), g_bytes_get_size(good));
    g_autoptr(GString) bad = g_string_new(text);
    g_autoptr(GError) error = NULL;

    ck_assert_uint_eq(g_string_replace(bad, "Standing=unknown", "Standing=fine", 1), 1);
    g_autoptr(GBytes) bytes = g_bytes_new(bad->str, bad->len);
    ck_assert(!signet_journal_decode(bytes, &back, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/watch");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_look_begins_when_it_is_time_and_only_one);
    tcase_add_test(all, a_policy_may_not_want_to_know);
    tcase_add_loop_test(all, a_revoked_certificate_is_replaced_as_the_policy_says, 0,
                        G_N_ELEMENTS(revocations));
    tcase_add_test(all, a_copy_of_a_key_that_became_known_is_replaced_too);
    tcase_add_test(all, a_revoked_key_that_cannot_be_replaced_is_told);
    tcase_add_test(all, a_revocation_that_was_asked_for_is_known_without_a_look);
    tcase_add_test(all, what_is_held_is_told_and_may_be_good_again);
    tcase_add_test(all, silence_is_no_revocation_and_is_asked_again);
    tcase_add_test(all, what_is_said_of_an_old_generation_is_not_said_of_the_new_one);
    tcase_add_loop_test(all, the_window_of_the_ca_is_obeyed_within_reason, 0,
                        G_N_ELEMENTS(windows));
    tcase_add_test(all, an_issuer_on_its_way_out_is_left_at_a_moment_of_ones_own);
    tcase_add_test(all, what_is_known_survives_a_restart);
    tcase_add_test(all, a_journal_of_an_agent_that_looked_at_nothing_is_read);
    tcase_add_test(all, a_damaged_finding_is_a_damaged_journal);
    suite_add_tcase(suite, all);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
