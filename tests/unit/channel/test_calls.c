/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Calls in one process: answers, failures, deadlines, threads, restarts of the agent. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/channel/common.h"

START_TEST(a_connection_is_used_again_and_says_hello_once)
{
    struct answer first = ask_well("wifi");
    struct answer second = ask_well("wifi");
    ck_assert_int_eq(first.kind, FAKE_BY_PATH);
    ck_assert_uint_eq(first.origin.pid, (uint32_t)getpid());
    ck_assert_uint_eq(second.origin.connection, first.origin.connection);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 1);
    ck_assert_uint_eq(atomic_load(&agent.counts->hellos), 1);
}
END_TEST

START_TEST(nothing_is_opened_before_the_first_call)
{
    size_t before = count_open_fds();
    struct signet_channel *idle = new_channel(agent.path, 0);
    ck_assert_uint_eq(count_open_fds(), before);
    signet_channel_free(idle);
}
END_TEST

START_TEST(everything_is_closed_at_the_end)
{
    size_t before = count_open_fds();
    struct signet_channel *own = new_channel(agent.path, 1000);
    struct signet_channel_failure failure;
    struct answer answer;
    ck_assert(signet_channel_prepare(own, &failure));
    ck_assert(ask(own, "wifi", "x", &answer, &failure));
    ck_assert_uint_eq(count_open_fds(), before + 2);
    signet_channel_free(own);
    ck_assert_uint_eq(count_open_fds(), before);
}
END_TEST

START_TEST(every_descriptor_is_closed_on_exec)
{
    struct signet_channel_failure failure;
    bool was_open[64];
    int n_new = 0;
    for (int fd = 0; fd < 64; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    ck_assert(signet_channel_prepare(channel, &failure));
    ask_well("wifi");
    for (int fd = 0; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        ck_assert(was_open[fd] || flags < 0 || (flags & FD_CLOEXEC) != 0);
        n_new += !was_open[fd] && flags >= 0;
    }
    ck_assert_int_eq(n_new, 2);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    struct signet_channel *lost = new_channel("/nonexistent/agent.sock", 50);
    struct signet_channel_failure failure;
    errno = EXDEV;
    ask_in_vain(lost, "wifi");
    ck_assert_int_eq(errno, EXDEV);
    ck_assert(!signet_channel_prepare(lost, &failure));
    ck_assert_int_eq(errno, EXDEV);
    signet_channel_free(lost);
}
END_TEST

START_TEST(a_refusal_is_handed_on_in_the_agents_words)
{
    struct signet_channel_failure failure = ask_in_vain(channel, FAKE_DENIED);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_REFUSED);
    ck_assert_int_eq(failure.status, SIGNET_WIRE_STATUS_DENIED);
    ck_assert_str_eq(failure.text, "'denied' is not for you");
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 1);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 1);
}
END_TEST

START_TEST(a_refused_hello_is_the_calls_failure)
{
    atomic_store(&agent.counts->forbid_hello, 1);
    struct signet_channel_failure failure = ask_in_vain(channel, "wifi");
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_REFUSED);
    ck_assert_int_eq(failure.status, SIGNET_WIRE_STATUS_UNSUPPORTED);
    ck_assert_str_eq(failure.text, "version 1 is too old");
    atomic_store(&agent.counts->forbid_hello, 0);
    ask_well("wifi");
}
END_TEST

START_TEST(any_program_name_is_said_in_a_valid_hello)
{
    struct signet_channel_settings settings = {
        .socket = agent.path,
        .program = "caf\xe9 \x01 0123456789012345678901234567890123456789012345678901234567890123"};
    struct signet_channel *own = signet_channel_new(&settings);
    struct signet_channel_failure failure;
    struct answer answer;
    ck_assert_msg(ask(own, "wifi", "x", &answer, &failure), "%s", failure.text);
    signet_channel_free(own);
}
END_TEST

START_TEST(a_request_that_cannot_be_encoded_is_not_sent)
{
    struct signet_wire_lookup_request request = {.identity =
                                                     signet_bytes_from_string("Not A Name")};
    struct signet_channel_call call = {.op = SIGNET_WIRE_OP_LOOKUP, .message = &request};
    struct signet_channel_reply reply;
    struct signet_channel_failure failure;
    ck_assert(!signet_channel_call(channel, &call, &reply, &failure));
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_PROTOCOL);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 1);
}
END_TEST

static const char *const garbage[] = {FAKE_SHORT,  FAKE_LONG,   FAKE_VERSION,    FAKE_WRONG_OP,
                                      FAKE_FUTURE, FAKE_STATUS, FAKE_BAD_REFUSAL};

START_TEST(garbage_is_a_protocol_error_and_is_not_asked_for_again)
{
    struct signet_channel_failure failure = ask_in_vain(channel, garbage[_i]);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(failure.text, agent.path));
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 1);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 2);
}
END_TEST

START_TEST(a_silent_agent_is_given_up_at_the_deadline)
{
    struct signet_channel *hasty = new_channel(agent.path, 400);
    int64_t start = now_ms();
    struct signet_channel_failure failure = ask_in_vain(hasty, FAKE_SILENT);
    int64_t took = now_ms() - start;
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_TIMED_OUT);
    ck_assert_int_ge(took, 395);
    ck_assert_int_le(took, 1500);
    struct answer answer;
    ck_assert(ask(hasty, "wifi", "x", &answer, &failure));
    signet_channel_free(hasty);
}
END_TEST

START_TEST(a_late_answer_is_not_the_next_calls)
{
    struct signet_channel *hasty = new_channel(agent.path, 150);
    struct signet_channel_failure failure = ask_in_vain(hasty, FAKE_LATE);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_TIMED_OUT);
    for (int i = 0; i < 20; i++) {
        struct answer answer;
        ck_assert_msg(ask(hasty, "wifi", "another", &answer, &failure), "%s", failure.text);
        pause_ms(20);
    }
    /* nor does it wait behind it */
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 2);
    signet_channel_free(hasty);
}
END_TEST

START_TEST(busy_is_asked_again)
{
    atomic_store(&agent.counts->refusals_left, 3);
    ask_well(FAKE_BUSY);
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 4);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 1);
}
END_TEST

START_TEST(busy_until_the_deadline_is_a_refusal)
{
    struct signet_channel *hasty = new_channel(agent.path, 400);
    atomic_store(&agent.counts->refusals_left, 1000);
    int64_t start = now_ms();
    struct signet_channel_failure failure = ask_in_vain(hasty, FAKE_BUSY);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_REFUSED);
    ck_assert_int_eq(failure.status, SIGNET_WIRE_STATUS_BUSY);
    ck_assert_int_ge(now_ms() - start, 370);
    ck_assert_uint_lt(atomic_load(&agent.counts->requests), 15);
    signet_channel_free(hasty);
}
END_TEST

START_TEST(a_request_lost_with_its_connection_is_repeated)
{
    atomic_store(&agent.counts->refusals_left, 3);
    ask_well(FAKE_CLOSE);
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 4);
}
END_TEST

START_TEST(an_agent_that_dies_of_every_request_is_not_asked_all_the_time)
{
    struct signet_channel *hasty = new_channel(agent.path, 3000);
    atomic_store(&agent.counts->refusals_left, 1000);
    struct signet_channel_failure failure = ask_in_vain(hasty, FAKE_CLOSE);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_UNREACHABLE);
    ck_assert_uint_le(atomic_load(&agent.counts->requests), 14);
    signet_channel_free(hasty);
}
END_TEST

START_TEST(a_request_whose_agent_dies_is_answered_by_the_next)
{
    pthread_t thread;
    struct work work = {.channel = channel, .identity = FAKE_DIE, .repeats = 1};
    atomic_store(&agent.counts->refusals_left, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, work_on, &work), 0);
    ck_assert_int_eq(waitpid(agent.pid, NULL, 0), agent.pid);
    fake_agent_start_after(&agent, 200);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(work.n_failed, 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 2);
}
END_TEST

START_TEST(dead_idle_connections_cost_one_connect)
{
    ck_assert_uint_eq(run_threads(channel, FAKE_LATE, 4, 1), 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 4);
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 5);
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), 5);
}
END_TEST

START_TEST(an_outage_is_waited_for)
{
    bool keeps_listening = _i == 0;
    ask_well("wifi");
    fake_agent_stop(&agent);
    if (!keeps_listening)
        fake_agent_unlisten(&agent);
    fake_agent_start_after(&agent, 400);
    int64_t start = now_ms();
    ask_well("wifi");
    ck_assert_int_ge(now_ms() - start, 350);
    ck_assert_int_le(now_ms() - start, 2500);
}
END_TEST

START_TEST(restarts_under_load_lose_nothing)
{
    pthread_t threads[THREADS];
    struct work work[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        work[i] =
            (struct work) {.channel = channel, .identity = "wifi", .repeats = 300, .number = i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work_on, &work[i]), 0);
    }
    for (int i = 0; i < 5; i++) {
        pause_ms(10);
        fake_agent_stop(&agent);
        fake_agent_start_after(&agent, 20);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(work[i].n_failed, 0);
    }
}
END_TEST

START_TEST(a_missing_agent_is_given_up_after_the_grace)
{
    struct signet_channel *lost = new_channel("/nonexistent/agent.sock", 0);
    struct signet_channel_failure failure;
    int64_t start = now_ms();
    if (_i == 0)
        failure = ask_in_vain(lost, "wifi");
    else
        ck_assert(!signet_channel_prepare(lost, &failure));
    int64_t took = now_ms() - start;
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(failure.text, "'/nonexistent/agent.sock'"));
    ck_assert_ptr_nonnull(strstr(failure.text, "No such file or directory"));
    ck_assert_int_ge(took, SIGNET_CHANNEL_GRACE_MS - 25);
    ck_assert_int_le(took, SIGNET_CHANNEL_GRACE_MS + 1500);
    signet_channel_free(lost);
}
END_TEST

START_TEST(an_agent_that_is_gone_for_good_slows_down_once)
{
    struct signet_channel *patient = new_channel(agent.path, 2500);
    struct answer answer;
    struct signet_channel_failure failure;
    ck_assert(ask(patient, "wifi", "x", &answer, &failure));
    fake_agent_stop(&agent);
    fake_agent_unlisten(&agent);
    int64_t start = now_ms();
    ask_in_vain(patient, "wifi");
    int64_t first = now_ms() - start;
    ask_in_vain(patient, "wifi");
    int64_t second = now_ms() - start - first;
    ck_assert_int_ge(first, 2450);
    ck_assert_int_lt(second, 2000);
    signet_channel_free(patient);
}
END_TEST

#define FIFTY_DIGITS "01234567890123456789012345678901234567890123456789"

static const char *const impossible[] = {"/dev/null", "fd:0x", "fd:9999",
                                         ("/tmp/" FIFTY_DIGITS FIFTY_DIGITS FIFTY_DIGITS)};

START_TEST(what_cannot_be_reached_fails_in_words)
{
    struct signet_channel *lost = new_channel(impossible[_i], 700);
    struct signet_channel_failure failure = ask_in_vain(lost, "wifi");
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(failure.text, impossible[_i]));
    signet_channel_free(lost);
}
END_TEST

START_TEST(threads_do_not_wait_for_one_another)
{
    int64_t start = now_ms();
    ck_assert_uint_eq(run_threads(channel, FAKE_LATE, THREADS, 1), 0);
    ck_assert_int_lt(now_ms() - start, THREADS * 300 / 2);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), THREADS);
}
END_TEST

START_TEST(threads_get_their_own_answers)
{
    ck_assert_uint_eq(run_threads(channel, "wifi", THREADS, 500), 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->requests), THREADS * 500);
    ck_assert_uint_le(atomic_load(&agent.counts->accepted), THREADS);
}
END_TEST

START_TEST(at_most_eight_idle_connections_are_kept)
{
    size_t before = count_open_fds();
    ck_assert_uint_eq(run_threads(channel, FAKE_LATE, 20, 1), 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 20);
    ck_assert_uint_eq(count_open_fds(), before + 8);
}
END_TEST

static void
ignore_signal(int number)
{
    (void)number;
}

START_TEST(signals_do_not_disturb_a_call)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    struct itimerval every = {.it_interval = {.tv_usec = 2000}, .it_value = {.tv_usec = 2000}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    ask_well(FAKE_LATE);
    struct signet_channel *hasty = new_channel(agent.path, 300);
    int64_t start = now_ms();
    struct signet_channel_failure failure = ask_in_vain(hasty, FAKE_SILENT);
    setitimer(ITIMER_REAL, &(struct itimerval) {0}, NULL);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_TIMED_OUT);
    ck_assert_int_ge(now_ms() - start, 295);
    ck_assert_int_le(now_ms() - start, 1500);
    signet_channel_free(hasty);
}
END_TEST

START_TEST(a_cancelled_thread_finishes_its_call)
{
    pthread_t thread;
    struct work work = {.channel = channel, .identity = FAKE_LATE, .repeats = 1};
    ck_assert_int_eq(pthread_create(&thread, NULL, work_on, &work), 0);
    while (atomic_load(&agent.counts->requests) == 0)
        pause_ms(5);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 1);
}
END_TEST

START_TEST(a_dead_idle_connection_costs_no_pause)
{
    int64_t shortest = INT64_MAX;
    for (int i = 0; i < 10; i++) {
        struct signet_channel *other = new_channel(agent.path, 0);
        struct answer answer;
        struct signet_channel_failure failure;
        ask_well("wifi");
        fake_agent_stop(&agent);
        fake_agent_start(&agent);
        ck_assert(ask(other, "wifi", "are you there?", &answer, &failure));
        int64_t start = now_ms();
        ask_well("wifi");
        int64_t took = now_ms() - start;
        shortest = took < shortest ? took : shortest;
        signet_channel_free(other);
    }
    ck_assert_int_lt(shortest, 15);
}
END_TEST

static void
add_more_cases(TCase *tc)
{
    tcase_add_test(tc, a_dead_idle_connection_costs_no_pause);
    tcase_add_loop_test(tc, a_missing_agent_is_given_up_after_the_grace, 0, 2);
    tcase_add_test(tc, an_agent_that_is_gone_for_good_slows_down_once);
    tcase_add_loop_test(tc, what_cannot_be_reached_fails_in_words, 0,
                        sizeof(impossible) / sizeof(impossible[0]));
    tcase_add_test(tc, threads_do_not_wait_for_one_another);
    tcase_add_test(tc, threads_get_their_own_answers);
    tcase_add_test(tc, at_most_eight_idle_connections_are_kept);
    tcase_add_test(tc, signals_do_not_disturb_a_call);
    tcase_add_test(tc, a_cancelled_thread_finishes_its_call);
}

Suite *
calls_suite(void)
{
    Suite *suite = suite_create("channel calls");
    TCase *tc = tcase_create("calls");
    tcase_add_checked_fixture(tc, common_setup, common_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_connection_is_used_again_and_says_hello_once);
    tcase_add_test(tc, nothing_is_opened_before_the_first_call);
    tcase_add_test(tc, everything_is_closed_at_the_end);
    tcase_add_test(tc, every_descriptor_is_closed_on_exec);
    tcase_add_test(tc, errno_is_left_alone);
    tcase_add_test(tc, a_refusal_is_handed_on_in_the_agents_words);
    tcase_add_test(tc, a_refused_hello_is_the_calls_failure);
    tcase_add_test(tc, any_program_name_is_said_in_a_valid_hello);
    tcase_add_test(tc, a_request_that_cannot_be_encoded_is_not_sent);
    tcase_add_loop_test(tc, garbage_is_a_protocol_error_and_is_not_asked_for_again, 0,
                        sizeof(garbage) / sizeof(garbage[0]));
    tcase_add_test(tc, a_silent_agent_is_given_up_at_the_deadline);
    tcase_add_test(tc, a_late_answer_is_not_the_next_calls);
    tcase_add_test(tc, busy_is_asked_again);
    tcase_add_test(tc, busy_until_the_deadline_is_a_refusal);
    tcase_add_test(tc, a_request_lost_with_its_connection_is_repeated);
    tcase_add_test(tc, an_agent_that_dies_of_every_request_is_not_asked_all_the_time);
    tcase_add_test(tc, a_request_whose_agent_dies_is_answered_by_the_next);
    tcase_add_test(tc, dead_idle_connections_cost_one_connect);
    tcase_add_loop_test(tc, an_outage_is_waited_for, 0, 2);
    tcase_add_test(tc, restarts_under_load_lose_nothing);
    add_more_cases(tc);
    suite_add_tcase(suite, tc);
    return suite;
}
