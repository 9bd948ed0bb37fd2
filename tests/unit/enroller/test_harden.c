/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the process has given up is really gone. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/enroller/harden.h"

/* In a child: Check itself could not write its results any more. */
static int
run_hardened(gboolean (*check)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        signal(SIGALRM, SIG_IGN);
        _exit(signet_harden(100, 1, NULL) && signet_harden_limit(NULL) && check() ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static gboolean
has_given_up_privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

START_TEST(privileges_cannot_come_back_and_nobody_may_look_in)
{
    ck_assert(!has_given_up_privileges());
    ck_assert_int_eq(run_hardened(has_given_up_privileges), 0);
}
END_TEST

static gboolean
is_limited(int resource, rlim_t most)
{
    struct rlimit limit;

    return getrlimit(resource, &limit) == 0 && limit.rlim_cur <= most && limit.rlim_max <= most;
}

static gboolean
is_bounded(void)
{
#ifndef __SANITIZE_ADDRESS__
    if (!is_limited(RLIMIT_AS, (rlim_t)1 << 30))
        return FALSE;
#endif
    return is_limited(RLIMIT_CORE, 0) && is_limited(RLIMIT_FSIZE, 0) &&
           is_limited(RLIMIT_NOFILE, 64) && is_limited(RLIMIT_CPU, 60);
}

START_TEST(resources_are_bounded)
{
    ck_assert(!is_bounded());
    ck_assert_int_eq(run_hardened(is_bounded), 0);
}
END_TEST

static gboolean
has_one_of_two(void)
{
    return fcntl(100, F_GETFD) >= 0 && fcntl(101, F_GETFD) == -1;
}

START_TEST(other_descriptors_are_closed)
{
    ck_assert_int_eq(fcntl(0, F_DUPFD, 100), 100);
    ck_assert_int_eq(fcntl(0, F_DUPFD, 101), 101);
    ck_assert_int_eq(run_hardened(has_one_of_two), 0);
}
END_TEST

static gboolean
hang(void)
{
    pause();
    return FALSE;
}

START_TEST(the_deadline_ends_the_process_although_the_signal_was_blocked)
{
    int status = run_hardened(hang);

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGALRM);
}
END_TEST

START_TEST(the_network_is_gone_where_we_may_leave_it)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(9),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    gboolean is_root = geteuid() == 0;

    signet_harden_drop_network();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    /* In a namespace of its own even loopback is down. */
    int connected = connect(fd, (struct sockaddr *)&address, sizeof(address));
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
    tcase_add_test(tcase, the_deadline_ends_the_process_although_the_signal_was_blocked);
    tcase_add_test(tcase, the_network_is_gone_where_we_may_leave_it);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
