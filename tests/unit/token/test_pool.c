/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token with several sessions, over a backend that does what the test says: how many there are at
 * once, sessions that others take, operations that hang. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/token.h"

#define MANY        24
#define PATIENCE_MS 100

/* All atomic; outlives the token. */
static struct {
    int sessions; /* that the token promises */
    int allowed;  /* … and that it gives */
    int delay_us;
    int hanging;       /* so many operations hang, from when they begin */
    int released;      /* … until then */
    int can_interrupt; /* … or they are interrupted */
    int lost;          /* sessions opened before this count are gone */
    int open;          /* now */
    int opened;        /* ever */
    int running;       /* now */
    int running_at_most;
    int freed;
} control;

static SignetToken *token;

/* --- the backend --- */

typedef struct {
    int number; /* of the session; 0: closed */
    int interrupted;
} Session;

static gpointer
backend_attach(gpointer backend)
{
    return g_new0(Session, 1);
}

static void
close_session(Session *session)
{
    if (session->number)
        g_atomic_int_add(&control.open, -1);
    session->number = 0;
}

static gboolean
backend_open(gpointer backend, SignetTokenInfo *ret_info, GError **error)
{
    Session *session = backend;

    close_session(session);
    if (g_atomic_int_add(&control.open, 1) >= g_atomic_int_get(&control.allowed)) {
        g_atomic_int_add(&control.open, -1);
        return signet_error_set(error, SIGNET_ERROR_BUSY, "others use all of its sessions");
    }
    session->number = g_atomic_int_add(&control.opened, 1) + 1;
    *ret_info = (SignetTokenInfo) {.kind = "test",
                                   .protection = "software",
                                   .description = "",
                                   .sessions = (guint)g_atomic_int_get(&control.sessions)};
    return TRUE;
}

static gboolean
is_hung(Session *session)
{
    return !g_atomic_int_get(&control.released) && !g_atomic_int_get(&session->interrupted);
}

static GBytes *
backend_sign(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
             GError **error)
{
    Session *session = backend;
    int running = g_atomic_int_add(&control.running, 1) + 1;
    int most;

    while (running > (most = g_atomic_int_get(&control.running_at_most)) &&
           !g_atomic_int_compare_and_exchange(&control.running_at_most, most, running))
        ;
    g_usleep((gulong)g_atomic_int_get(&control.delay_us));
    if (g_atomic_int_get(&control.hanging) > 0 && g_atomic_int_add(&control.hanging, -1) > 0) {
        while (is_hung(session))
            g_usleep(1000);
    }
    g_atomic_int_add(&control.running, -1);
    if (g_atomic_int_get(&session->interrupted) ||
        session->number <= g_atomic_int_get(&control.lost)) {
        g_atomic_int_set(&session->interrupted, 0);
        signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT, "the session is gone");
        return NULL;
    }
    return g_bytes_ref(digest);
}

static gboolean
backend_interrupt(gpointer backend)
{
    if (!g_atomic_int_get(&control.can_interrupt))
        return FALSE;
    g_atomic_int_set(&((Session *)backend)->interrupted, 1);
    return TRUE;
}

static void
backend_free(gpointer backend)
{
    close_session(backend);
    g_free(backend);
    g_atomic_int_inc(&control.freed);
}

/* --- fixtures --- */

static SignetToken *
make(guint patience_ms)
{
    static const SignetTokenBackend vtable = {
        .attach = backend_attach,
        .interrupt = backend_interrupt,
        .hang_advice = "kick it",
        .open = backend_open,
        .sign = backend_sign,
        .free = backend_free,
    };
    const SignetTokenSettings settings = {.name = "pool", .patience_ms = patience_ms};

    return signet_token_new(&settings, &vtable, g_new0(Session, 1));
}

static void
setup(void)
{
    memset(&control, 0, sizeof control);
    control.sessions = control.allowed = 3;
    token = make(PATIENCE_MS);
}

static void
teardown(void)
{
    g_atomic_int_set(&control.released, 1);
    g_clear_pointer(&token, signet_token_unref);
    ck_assert(signet_token_wait_left(10000));
    ck_assert_int_eq(control.open, 0);
}

typedef struct {
    guint answers;
    guint errors;
    SignetErrorKind kind; /* of the last error */
    char message[256];
} Answers;

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answers *answers = data;

    answers->answers++;
    if (!error)
        return;
    answers->errors++;
    answers->kind = signet_error_kind(error);
    g_strlcpy(answers->message, error->message, sizeof answers->message);
}

static void
sign(guint64 client, guint timeout_ms, Answers *answers)
{
    static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA};
    const SignetTokenWait wait = {.client = client, .timeout_ms = timeout_ms};
    g_autoptr(GBytes) bytes = g_bytes_new_static("digest", 6);
    g_autoptr(SignetKey) key = signet_key_new(SIGNET_KEY_EC_P256, bytes, NULL, bytes);

    signet_token_sign(token, &wait, key, &ecdsa, bytes, on_done, answers);
}

static void
run_until(const Answers *answers, guint wanted)
{
    while (answers->answers < wanted)
        g_main_context_iteration(NULL, TRUE);
}

static Answers
sign_one(guint timeout_ms)
{
    Answers answers = {0};

    sign(1, timeout_ms, &answers);
    run_until(&answers, 1);
    return answers;
}

/* The first one opens the device and tells how many there may be. */
static Answers
sign_many(void)
{
    Answers answers = {0};

    ck_assert_uint_eq(sign_one(0).errors, 0);
    for (guint i = 0; i < MANY; i++)
        sign(i, 0, &answers);
    run_until(&answers, MANY);
    return answers;
}

static void
run_main_for(guint ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)ms * 1000;

    while (g_get_monotonic_time() < end_us) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
}

/* --- tests --- */

START_TEST(as_many_operations_run_at_once_as_the_token_has_sessions)
{
    Answers answers;

    control.delay_us = 20000;
    answers = sign_many();
    ck_assert_uint_eq(answers.errors, 0);
    ck_assert_int_eq(control.running_at_most, 3);
    ck_assert_int_eq(control.opened, 3);
}
END_TEST

START_TEST(who_is_alone_needs_one_session)
{
    for (guint i = 0; i < 20; i++) {
        ck_assert_uint_eq(sign_one(0).errors, 0);
        g_usleep(5000); /* until the thread sleeps */
    }
    ck_assert_int_eq(control.opened, 1);
}
END_TEST

START_TEST(sessions_that_others_have_are_done_without)
{
    Answers answers;

    control.allowed = 2;
    control.delay_us = 5000;
    answers = sign_many();
    ck_assert_uint_eq(answers.errors, 0);
    ck_assert_int_eq(control.running_at_most, 2);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_session_that_is_lost_to_another_program_costs_nothing)
{
    control.delay_us = 5000;
    ck_assert_uint_eq(sign_many().errors, 0);
    ck_assert_int_eq(control.open, 3);
    g_usleep(1100000);
    g_atomic_int_set(&control.lost, 3);
    g_atomic_int_set(&control.allowed, 1);
    ck_assert_uint_eq(sign_many().errors, 0);
    ck_assert_int_eq(control.open, 1);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(without_any_session_it_says_so)
{
    Answers answers;

    control.allowed = 0;
    answers = sign_one(0);
    ck_assert_uint_eq(answers.errors, 1);
    ck_assert_int_eq(answers.kind, SIGNET_ERROR_BUSY);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_FAILED);
}
END_TEST

START_TEST(what_hangs_does_not_stop_the_other_sessions)
{
    Answers hung = {0};

    ck_assert_uint_eq(sign_one(0).errors, 0);
    control.hanging = 1;
    sign(1, 50, &hung);
    run_until(&hung, 1);
    ck_assert_int_eq(hung.kind, SIGNET_ERROR_TIMED_OUT);
    run_main_for(200);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_FAILED);
    ck_assert_uint_eq(sign_many().errors, 0);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(where_no_other_session_is_to_be_had_what_hangs_is_told_at_once)
{
    control.allowed = 1;
    ck_assert_uint_eq(sign_one(0).errors, 0);
    control.hanging = 1;
    ck_assert_int_eq(sign_one(50).kind, SIGNET_ERROR_TIMED_OUT);
    run_main_for(200);
    ck_assert_int_eq(sign_one(5000).kind, SIGNET_ERROR_BUSY);
    ck_assert_int_eq(sign_one(5000).kind, SIGNET_ERROR_BUSY);
}
END_TEST

START_TEST(a_token_all_of_which_hangs_says_so_at_once_until_it_answers)
{
    Answers refused;
    gint64 began_us;

    control.sessions = 1;
    ck_assert_uint_eq(sign_one(0).errors, 0);
    control.hanging = 1;
    ck_assert_int_eq(sign_one(50).kind, SIGNET_ERROR_TIMED_OUT);
    run_main_for(200);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_FAILED);
    ck_assert_ptr_nonnull(strstr(signet_token_get_problem(token), "has not answered"));
    ck_assert_ptr_nonnull(strstr(signet_token_get_problem(token), "kick it"));
    began_us = g_get_monotonic_time();
    refused = sign_one(0);
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 100000);
    ck_assert_int_eq(refused.kind, SIGNET_ERROR_BUSY);
    ck_assert_ptr_nonnull(strstr(refused.message, "kick it"));

    g_atomic_int_set(&control.released, 1);
    run_main_for(100);
    ck_assert_uint_eq(sign_one(0).errors, 0);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(what_can_be_interrupted_is_and_works_again)
{
    control.sessions = 1;
    control.can_interrupt = 1;
    ck_assert_uint_eq(sign_one(0).errors, 0);
    control.hanging = 1;
    ck_assert_int_eq(sign_one(50).kind, SIGNET_ERROR_TIMED_OUT);
    run_main_for(200);
    ck_assert_ptr_nonnull(strstr(signet_token_get_problem(token), "was stopped"));
    g_usleep(1000000);
    ck_assert_uint_eq(sign_one(0).errors, 0);
    ck_assert_int_eq(control.opened, 2);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_short_deadline_alone_is_no_reason_to_interrupt)
{
    signet_token_unref(token);
    token = make(30000);
    control.sessions = 1;
    control.can_interrupt = 1;
    control.delay_us = 60000;
    ck_assert_uint_eq(sign_one(0).errors, 0);
    ck_assert_int_eq(sign_one(10).kind, SIGNET_ERROR_TIMED_OUT);
    run_main_for(200);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    ck_assert_int_eq(control.opened, 1);
}
END_TEST

START_TEST(a_token_that_hangs_is_left_behind_and_frees_itself)
{
    gint64 began_us = g_get_monotonic_time();

    control.hanging = 1;
    ck_assert_int_eq(sign_one(50).kind, SIGNET_ERROR_TIMED_OUT);
    g_clear_pointer(&token, signet_token_unref);
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 3000000);
    ck_assert(!signet_token_wait_left(10));
    g_atomic_int_set(&control.released, 1);
    ck_assert(signet_token_wait_left(10000));
    ck_assert_int_eq(control.freed, 2);
}
END_TEST

START_TEST(a_new_token_waits_for_the_one_of_its_name_that_was_left)
{
    Answers answers = {0};

    control.allowed = 1;
    control.hanging = 1;
    ck_assert_int_eq(sign_one(50).kind, SIGNET_ERROR_TIMED_OUT);
    signet_token_unref(token);
    token = make(PATIENCE_MS);
    sign(1, 0, &answers);
    run_main_for(300);
    ck_assert_uint_eq(answers.answers, 0);
    g_atomic_int_set(&control.released, 1);
    run_until(&answers, 1);
    ck_assert_uint_eq(answers.errors, 0);
}
END_TEST

START_TEST(tokens_come_and_go_while_they_work)
{
    control.delay_us = 100;
    for (guint round = 0; round < 50; round++) {
        Answers answers = {0};

        sign_one(0);
        for (guint i = 0; i < MANY; i++)
            sign(i, i % 3 == 0 ? 1 : 0, &answers);
        run_until(&answers, MANY);
        signet_token_unref(token);
        token = make(PATIENCE_MS);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tc = tcase_create("pool");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, as_many_operations_run_at_once_as_the_token_has_sessions);
    tcase_add_test(tc, who_is_alone_needs_one_session);
    tcase_add_test(tc, sessions_that_others_have_are_done_without);
    tcase_add_test(tc, a_session_that_is_lost_to_another_program_costs_nothing);
    tcase_add_test(tc, without_any_session_it_says_so);
    tcase_add_test(tc, what_hangs_does_not_stop_the_other_sessions);
    tcase_add_test(tc, where_no_other_session_is_to_be_had_what_hangs_is_told_at_once);
    tcase_add_test(tc, a_token_all_of_which_hangs_says_so_at_once_until_it_answers);
    tcase_add_test(tc, what_can_be_interrupted_is_and_works_again);
    tcase_add_test(tc, a_short_deadline_alone_is_no_reason_to_interrupt);
    tcase_add_test(tc, a_token_that_hangs_is_left_behind_and_frees_itself);
    tcase_add_test(tc, a_new_token_waits_for_the_one_of_its_name_that_was_left);
    tcase_add_test(tc, tokens_come_and_go_while_they_work);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
