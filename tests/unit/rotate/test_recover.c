/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The pure machine after a start: recovery, the journal. */

#include "tests/unit/rotate/machines.h"

static SignetMachine
recover(const SignetMachine *journal, guint32 current, const guint32 *numbers, gsize n,
        gboolean has_chain)
{
    SignetMachineInput input = good_input();
    SignetMachineDisk disk = {
        .current = current,
        .facts = {NOW_S, NOW_S + LIFETIME_S, NOW_S},
        .numbers = numbers,
        .n_numbers = n,
        .has_chain = has_chain,
    };

    return signet_machine_recover(journal, &disk, &input, NOW_S);
}

START_TEST(a_crash_before_the_key_is_stored_makes_it_again_under_its_number)
{
    SignetMachine journal = working_machine(SIGNET_MACHINE_KEYGEN);
    SignetMachine machine = recover(&journal, 3, (const guint32[]) {2, 3}, 2, FALSE);

    ck_assert_int_eq(machine.state, SIGNET_MACHINE_ACTIVE);
    SignetMachineStep result = step(&machine, SIGNET_EVENT_BEGIN);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_GENERATE);
    ck_assert_uint_eq(result.machine.pending, 4);
}
END_TEST

START_TEST(a_crash_after_the_key_is_stored_uses_it)
{
    SignetMachine journal = working_machine(SIGNET_MACHINE_KEYGEN);
    SignetMachine machine = recover(&journal, 3, (const guint32[]) {2, 3, 4}, 3, FALSE);

    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_ENROLL);
}
END_TEST

START_TEST(a_crash_after_the_certificate_is_stored_verifies_it)
{
    SignetMachine journal = working_machine(SIGNET_MACHINE_ENROLLING);
    SignetMachine machine = recover(&journal, 3, (const guint32[]) {2, 3, 4}, 3, TRUE);

    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_VERIFY);
}
END_TEST

START_TEST(a_crash_after_the_promotion_counts_as_promoted)
{
    SignetMachine journal = working_machine(SIGNET_MACHINE_PROMOTING);
    SignetMachine machine = recover(&journal, 4, (const guint32[]) {2, 3, 4}, 3, TRUE);

    ck_assert_int_eq(machine.state, SIGNET_MACHINE_ACTIVE);
    ck_assert_uint_eq(machine.current, 4);
    ck_assert_uint_eq(machine.pending, 0);
    ck_assert(!machine.is_requested);
    ck_assert(signet_machine_is_usable(&machine, 3));
    ck_assert_uint_eq(machine.n_retired, 2);
}
END_TEST

/* Generation 3 has the key that was made for 2. */
START_TEST(a_copy_of_a_revoked_key_is_not_gone_back_to_after_a_crash)
{
    SignetMachine journal = working_machine(SIGNET_MACHINE_PROMOTING);

    journal.watch.number = 3;
    journal.current_key = 2;
    SignetMachine machine = recover(&journal, 4, (const guint32[]) {3, 4}, 2, TRUE);
    ck_assert_uint_eq(signet_machine_find_fallback(&machine, NOW_S), 3);

    journal.revoked = journal.revoked_key = 2;
    machine = recover(&journal, 4, (const guint32[]) {3, 4}, 2, TRUE);
    ck_assert_uint_eq(signet_machine_find_fallback(&machine, NOW_S), 0);
}
END_TEST

START_TEST(what_nobody_names_is_retired)
{
    SignetMachine journal = active_machine();
    SignetMachine machine = recover(&journal, 3, (const guint32[]) {3, 9}, 2, FALSE);

    ck_assert_uint_eq(machine.n_retired, 1);
    ck_assert_uint_eq(machine.retired[0].number, 9);
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_TICK).machine.retiring, 9);
    ck_assert_uint_eq(machine.last_number, 9);
}
END_TEST

START_TEST(a_lost_journal_goes_on_by_what_is_there)
{
    SignetMachine journal = signet_machine_new(NOW_S);
    SignetMachine machine = recover(&journal, 3, (const guint32[]) {2, 3}, 2, FALSE);

    ck_assert_int_eq(machine.state, SIGNET_MACHINE_ACTIVE);
    ck_assert_str_eq(machine.current_wish, "wish");
    ck_assert(signet_machine_is_usable(&machine, 2));
    ck_assert_int_eq(step(&machine, SIGNET_EVENT_BEGIN).machine.state, SIGNET_MACHINE_ACTIVE);
}
END_TEST

START_TEST(the_journal_says_what_the_machine_was)
{
    SignetMachine machine = working_machine(SIGNET_MACHINE_ENROLLING), back;
    g_autoptr(GError) error = NULL;

    g_strlcpy(machine.cause, "line\nend \"ä\" ;=", sizeof(machine.cause));
    machine.alarmed = 3;
    machine.pending_since_s = -5;
    g_autoptr(GBytes) text = signet_journal_encode(&machine);
    ck_assert(signet_journal_decode(text, &back, &error));
    g_autoptr(GBytes) again = signet_journal_encode(&back);
    ck_assert(g_bytes_equal(text, again));
    ck_assert_str_eq(back.cause, machine.cause);
    ck_assert_uint_eq(back.retired[0].number, 2);
    ck_assert_int_eq(back.pending_since_s, -5);
}
END_TEST

/* A good journal, and one change each that makes it bad. */
static const struct {
    const char *from;
    const char *to;
    SignetErrorKind kind;
} damages[] = {
    {"Version=1", "Version=2", SIGNET_ERROR_UNSUPPORTED},
    {"Version=1", "Version=x", SIGNET_ERROR_CORRUPT},
    {"State=active", "State=retired", SIGNET_ERROR_CORRUPT},
    {"Pending=0", "Pending=4294967296", SIGNET_ERROR_CORRUPT},
    {"Pending=0", "Pending=-1", SIGNET_ERROR_CORRUPT},
    {"Retired=2:", "Retired=0:", SIGNET_ERROR_CORRUPT},
    {"Retired=2:", "Retired=2", SIGNET_ERROR_CORRUPT},
    {"Last=3", "Lost=3", SIGNET_ERROR_CORRUPT},
    {"[Journal]", "[Journal", SIGNET_ERROR_CORRUPT},
};

START_TEST(a_damaged_journal_is_refused)
{
    SignetMachine machine = active_machine(), back;
    g_autoptr(GBytes) good = signet_journal_encode(&machine);
    g_autofree char *text = g_strndup(g_bytes_get_data(good, NULL), g_bytes_get_size(good));
    g_autoptr(GString) bad = g_string_new(text);
    g_autoptr(GError) error = NULL;

    ck_assert_uint_eq(g_string_replace(bad, damages[_i].from, damages[_i].to, 1), 1);
    g_autoptr(GBytes) bytes = g_bytes_new(bad->str, bad->len);
    ck_assert(!signet_journal_decode(bytes, &back, &error));
    ck_assert_msg(signet_error_is(error, damages[_i].kind), "%s", error->message);
}
END_TEST

static TCase *
make_recovery(void)
{
    TCase *recovery = tcase_create("recovery");

    tcase_add_test(recovery, a_crash_before_the_key_is_stored_makes_it_again_under_its_number);
    tcase_add_test(recovery, a_crash_after_the_key_is_stored_uses_it);
    tcase_add_test(recovery, a_crash_after_the_certificate_is_stored_verifies_it);
    tcase_add_test(recovery, a_crash_after_the_promotion_counts_as_promoted);
    tcase_add_test(recovery, a_copy_of_a_revoked_key_is_not_gone_back_to_after_a_crash);
    tcase_add_test(recovery, what_nobody_names_is_retired);
    tcase_add_test(recovery, a_lost_journal_goes_on_by_what_is_there);
    tcase_add_test(recovery, the_journal_says_what_the_machine_was);
    tcase_add_loop_test(recovery, a_damaged_journal_is_refused, 0, G_N_ELEMENTS(damages));
    return recovery;
}

int
main(void)
{
    Suite *suite = suite_create("rotate/recover");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_recovery());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
