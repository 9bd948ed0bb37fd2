/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the process has given up is really gone. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/enroller/harden.h"

static void
harden(void)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(signet_harden(100, 10, &error), "%s", error ? error->message : "");
}

START_TEST(privileges_cannot_come_back_and_nobody_may_look_in)
{
    harden();
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}
END_TEST

static void
assert_limit(int resource, rlim_t most)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(resource, &limit), 0);
    ck_assert(limit.rlim_cur <= most);
    ck_assert(limit.rlim_max <= most);
}

START_TEST(resources_are_bounded)
{
    harden();
    assert_limit(RLIMIT_CORE, 0);
    assert_limit(RLIMIT_FSIZE, 0);
    assert_limit(RLIMIT_NOFILE, 64);
    assert_limit(RLIMIT_CPU, 60);
#ifndef __SANITIZE_ADDRESS__
    assert_limit(RLIMIT_AS, (rlim_t)1 << 30);
#endif
    ck_assert_uint_le(alarm(0), 10);
}
END_TEST

START_TEST(other_descriptors_are_closed)
{
    int kept = fcntl(0, F_DUPFD, 100);
    int other = fcntl(0, F_DUPFD, 101);

    ck_assert_int_eq(kept, 100);
    ck_assert_int_eq(other, 101);
    harden();
    ck_assert_int_ge(fcntl(kept, F_GETFD), 0);
    ck_assert_int_eq(fcntl(other, F_GETFD), -1);
}
END_TEST

START_TEST(the_deadline_ends_the_process_although_the_signal_was_blocked)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGALRM, SIG_IGN);
    ck_assert(signet_harden(100, 1, NULL));
    for (;;)
        pause();
}
END_TEST

START_TEST(the_network_is_gone_where_we_may_leave_it)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    gboolean is_root = geteuid() == 0;

    signet_harden_drop_network();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    /* In a namespace of its own even loopback is down. */
    ((guint8 *)&address)[4] = 127;
    ((guint8 *)&address)[7] = 1;
    ((guint8 *)&address)[3] = 9;
    int connected = connect(fd, (struct sockaddr *)&address, 16);
    ck_assert(!is_root || (connected == -1 && errno == ENETUNREACH));
    close(fd);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/harden");
    TCase *tcase = tcase_create("harden");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, privileges_cannot_come_back_and_nobody_may_look_in);
    tcase_add_test(tcase, resources_are_bounded);
    tcase_add_test(tcase, other_descriptors_are_closed);
    tcase_add_test_raise_signal(
        tcase, the_deadline_ends_the_process_although_the_signal_was_blocked, SIGALRM);
    tcase_add_test(tcase, the_network_is_gone_where_we_may_leave_it);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
