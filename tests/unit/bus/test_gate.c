/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The gate: nothing but a clear yes opens it. */

#include "agent/bus/gate.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define TIMEOUT_MS 300

static Fixture fixture;
static FakePolkit polkit;
static SignetGate *gate;

typedef struct {
    gboolean is_done;
    guint n_done;
    gint64 id;
    GError *denied;
} Verdict;
static Verdict verdict;

static void
on_judged(const GError *denied, gint64 id, gpointer data)
{
    verdict.is_done = TRUE;
    verdict.n_done++;
    verdict.id = id;
    g_clear_error(&verdict.denied);
    verdict.denied = denied ? g_error_copy(denied) : NULL;
    ck_assert_ptr_eq(data, &fixture);
}

static void
setup(void)
{
    fixture_up(&fixture);
    gate = signet_gate_new(fixture.server, TIMEOUT_MS, on_judged, &fixture);
}

static void
teardown(void)
{
    g_clear_pointer(&gate, signet_gate_free);
    if (polkit.connection)
        fake_polkit_down(&polkit);
    fixture_down(&fixture);
    g_clear_error(&verdict.denied);
}

static void
ask(uid_t uid, gboolean is_interactive, gint64 id)
{
    SignetGateQuestion question = {
        .action = "org.signet.rotate",
        .sender = ":1.42",
        .uid = uid,
        .identity = "wifi",
        .is_interactive = is_interactive,
    };

    signet_gate_check(gate, &question, id);
}

/* TRUE: allowed */
static gboolean
judge(uid_t uid, PolkitMood mood)
{
    fake_polkit_up(&polkit, &fixture);
    polkit.mood = mood;
    ask(uid, FALSE, 7);
    ck_assert(!verdict.is_done);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_int_eq(verdict.id, 7);
    ck_assert_uint_eq(verdict.n_done, 1);
    return verdict.denied == NULL;
}

START_TEST(a_yes_opens)
{
    ck_assert(judge(1000, POLKIT_YES));
    ck_assert_str_eq(polkit.action, "org.signet.rotate");
    ck_assert_str_eq(polkit.subject, ":1.42");
    ck_assert_str_eq(polkit.identity, "wifi");
    ck_assert_uint_eq(polkit.flags, 0);
}
END_TEST

static const struct {
    PolkitMood mood;
    const char *words;
} refusals[] = {
    {POLKIT_NO, "does not allow 'org.signet.rotate' to uid"},
    {POLKIT_CHALLENGE, "needs an administrator"},
    {POLKIT_SILENT, "did not answer"},
    {POLKIT_GARBAGE, "could not decide"},
    {POLKIT_ERROR, "not registered"},
};

START_TEST(anything_else_keeps_it_shut)
{
    ck_assert(!judge(1000, refusals[_i].mood));
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_DENIED));
    ck_assert_msg(strstr(verdict.denied->message, refusals[_i].words) != NULL, "said '%s'",
                  verdict.denied->message);
}
END_TEST

START_TEST(root_is_refused_like_anybody_by_a_polkit_that_is_there)
{
    ck_assert(!judge(0, refusals[_i].mood));
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_DENIED));
}
END_TEST

START_TEST(without_polkit_root_alone_is_allowed)
{
    ask(0, FALSE, 1);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_ptr_null(verdict.denied);
    verdict.is_done = FALSE;
    ask(1000, FALSE, 2);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_DENIED));
    ck_assert_ptr_nonnull(strstr(verdict.denied->message, "polkit is not running"));
}
END_TEST

START_TEST(a_polkit_that_dies_while_asked_means_no)
{
    fake_polkit_up(&polkit, &fixture);
    polkit.mood = POLKIT_SILENT;
    ask(0, FALSE, 1);
    while (polkit.n_asked == 0)
        g_main_context_iteration(NULL, TRUE);
    fake_polkit_down(&polkit);
    polkit.connection = NULL;
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_DENIED));
}
END_TEST

START_TEST(a_person_is_asked_only_if_one_is_needed)
{
    fake_polkit_up(&polkit, &fixture);
    ask(1000, TRUE, 1);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_ptr_null(verdict.denied);
    ck_assert_uint_eq(polkit.n_asked, 1);
    ck_assert_uint_eq(polkit.flags, 0);
}
END_TEST

START_TEST(a_person_is_asked_if_the_caller_lets_them)
{
    fake_polkit_up(&polkit, &fixture);
    polkit.mood = POLKIT_CHALLENGE;
    ask(1000, TRUE, 1);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_DENIED));
    ck_assert_uint_eq(polkit.n_asked, 2);
    ck_assert_uint_eq(polkit.flags, 1);
}
END_TEST

START_TEST(nobody_is_asked_unless_the_caller_lets_them)
{
    fake_polkit_up(&polkit, &fixture);
    polkit.mood = POLKIT_CHALLENGE;
    ask(1000, FALSE, 1);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_uint_eq(polkit.n_asked, 1);
    ck_assert_uint_eq(polkit.flags, 0);
}
END_TEST

/* Answers a challenge, then lets the dialogue stand. */
static void
open_dialogue(gint64 id)
{
    guint before = polkit.n_asked;

    polkit.mood = POLKIT_CHALLENGE;
    ask(1000, TRUE, id);
    while (polkit.n_asked == before)
        g_main_context_iteration(NULL, TRUE);
    polkit.mood = POLKIT_SILENT;
    while (polkit.n_asked == before + 1)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(a_freed_gate_calls_nobody_and_takes_dialogues_back)
{
    fake_polkit_up(&polkit, &fixture);
    open_dialogue(1);
    ask(1000, FALSE, 2);
    while (polkit.n_asked < 3)
        g_main_context_iteration(NULL, TRUE);
    g_clear_pointer(&gate, signet_gate_free);
    fixture_run(2 * TIMEOUT_MS);
    ck_assert_uint_eq(verdict.n_done, 0);
    ck_assert_uint_eq(polkit.n_cancelled, 1);
}
END_TEST

START_TEST(one_user_cannot_take_all_places)
{
    fake_polkit_up(&polkit, &fixture);
    for (gint64 id = 1; id <= 32; id++)
        open_dialogue(id);
    ask(1000, TRUE, 33);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_int_eq(verdict.id, 33);
    ck_assert(signet_error_is(verdict.denied, SIGNET_ERROR_BUSY));
    polkit.mood = POLKIT_YES;
    verdict.is_done = FALSE;
    ask(1001, FALSE, 34);
    ck_assert(fixture_wait(&verdict.is_done));
    ck_assert_int_eq(verdict.id, 34);
    ck_assert_ptr_null(verdict.denied);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("gate");
    TCase *tests = tcase_create("gate");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_yes_opens);
    tcase_add_loop_test(tests, anything_else_keeps_it_shut, 0, G_N_ELEMENTS(refusals));
    tcase_add_loop_test(tests, root_is_refused_like_anybody_by_a_polkit_that_is_there, 0,
                        G_N_ELEMENTS(refusals));
    tcase_add_test(tests, without_polkit_root_alone_is_allowed);
    tcase_add_test(tests, a_polkit_that_dies_while_asked_means_no);
    tcase_add_test(tests, a_person_is_asked_only_if_one_is_needed);
    tcase_add_test(tests, a_person_is_asked_if_the_caller_lets_them);
    tcase_add_test(tests, nobody_is_asked_unless_the_caller_lets_them);
    tcase_add_test(tests, a_freed_gate_calls_nobody_and_takes_dialogues_back);
    tcase_add_test(tests, one_user_cannot_take_all_places);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
