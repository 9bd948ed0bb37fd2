/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A channel over a connection that the process was started with, as an enroller is. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/channel/common.h"

/* An agent with one more connection, and a channel on the other end. */
static struct signet_channel *
inherit(unsigned timeout_ms, int *ret_fd)
{
    int pair[2];
    char name[16];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    fake_agent_stop(&agent);
    agent.inherited = pair[1];
    fake_agent_start(&agent);
    close(pair[1]);
    agent.inherited = -1;
    snprintf(name, sizeof(name), "fd:%d", pair[0]);
    *ret_fd = pair[0];
    return new_channel(name, timeout_ms);
}

START_TEST(an_inherited_connection_serves_threads_in_turn)
{
    int fd;
    struct signet_channel *own = inherit(0, &fd);
    ck_assert_uint_eq(run_threads(own, "wifi", THREADS, 200), 0);
    struct answer answer;
    struct signet_channel_failure failure;
    ck_assert(signet_channel_prepare(own, &failure));
    ck_assert(ask(own, "wifi", "x", &answer, &failure));
    ck_assert_int_eq(answer.kind, FAKE_INHERITED);
    ck_assert_uint_eq(answer.origin.connection, 1);
    signet_channel_free(own);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
    close(fd);
}
END_TEST

START_TEST(an_inherited_connection_that_ends_is_not_replaced)
{
    int fd;
    struct signet_channel *own = inherit(0, &fd);
    struct answer answer;
    struct signet_channel_failure failure;
    ck_assert(ask(own, "wifi", "x", &answer, &failure));
    fake_agent_stop(&agent);
    int64_t start = now_ms();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ask_in_vain(own, "wifi").error, SIGNET_CHANNEL_UNREACHABLE);
    ck_assert_int_lt(now_ms() - start, 500);
    signet_channel_free(own);
    close(fd);
}
END_TEST

START_TEST(an_inherited_connection_drops_late_answers)
{
    int fd;
    struct signet_channel *own = inherit(200, &fd);
    struct answer answer;
    struct signet_channel_failure failure = ask_in_vain(own, FAKE_LATE);
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_TIMED_OUT);
    for (int i = 0; i < 15; i++) {
        ck_assert_msg(ask(own, "wifi", "new", &answer, &failure), "%s", failure.text);
        pause_ms(20);
    }
    signet_channel_free(own);
    close(fd);
}
END_TEST

START_TEST(waiting_for_an_inherited_connection_has_a_deadline)
{
    int fd;
    struct signet_channel *own = inherit(300, &fd);
    int64_t start = now_ms();
    ck_assert_uint_eq(run_threads(own, FAKE_SILENT, 3, 1), 3);
    ck_assert_int_lt(now_ms() - start, 1500);
    signet_channel_free(own);
    close(fd);
}
END_TEST

Suite *
inherited_suite(void)
{
    Suite *suite = suite_create("channel inherited");
    TCase *tc = tcase_create("inherited");
    tcase_add_checked_fixture(tc, common_setup, common_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, an_inherited_connection_serves_threads_in_turn);
    tcase_add_test(tc, an_inherited_connection_that_ends_is_not_replaced);
    tcase_add_test(tc, an_inherited_connection_drops_late_answers);
    tcase_add_test(tc, waiting_for_an_inherited_connection_has_a_deadline);
    suite_add_tcase(suite, tc);
    return suite;
}
