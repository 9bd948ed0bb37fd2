/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Peers: units in the text of cgroup files, and this process and its children as peers. */

#include "agent/base/peer.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *text;
    const char *unit;
} cgroups[] = {
    {"0::/system.slice/nginx.service\n", "nginx.service"},
    {"0::/system.slice/nginx.service", "nginx.service"},
    {"0::/system.slice/system-openvpn.slice/openvpn@office.service\n", "openvpn@office.service"},
    {"0::/system.slice/dev-disk-by\\x2dlabel-a.swap\n", "dev-disk-by\\x2dlabel-a.swap"},
    {"0::/init.scope\n", "init.scope"},
    {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
    /* a delegated subtree belongs to its unit */
    {"0::/system.slice/docker.service/nginx.service\n", "docker.service"},
    {"0::/machine.slice/libpod-1f.scope/container/nginx.service\n", "libpod-1f.scope"},
    /* a user's own manager can make any name, and must not pass for the system's unit */
    {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service\n",
     "user@1000.service"},
    {"0::/user.slice/user-1000.slice/user@1000.service/system.slice/nginx.service\n",
     "user@1000.service"},
    /* systemd escapes names that clash with the kernel's */
    {"0::/system.slice/_cpu.service\n", "cpu.service"},
    /* version 1 and hybrid */
    {"12:pids:/system.slice/x.service\n1:name=systemd:/system.slice/nginx.service\n0::/\n",
     "nginx.service"},
    {"1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n", "b.service"},
    {"3:cpu:/system.slice/nginx.service\n", NULL},
    /* none */
    {"", NULL},
    {"0::/\n", NULL},
    {"0::/system.slice\n", NULL},
    {"0::/../other.service\n", NULL},
    {"0::/docker/8f1c\n", NULL},
    {"0::/docker/8f1c/system.slice/nginx.service\n", NULL},
    {"0::/system.slice/nginx.service (deleted)\n", NULL},
    {"0::/system.slice/.service\n", NULL},
    {"0::/system.slice/a b.service\n", NULL},
    {"0:/system.slice/nginx.service\n", NULL},
    {"garbage", NULL},
};

START_TEST(the_unit_is_the_system_managers)
{
    g_autofree char *unit = signet_peer_unit_from_cgroup(cgroups[_i].text);

    ck_assert_pstr_eq(unit, cgroups[_i].unit);
}
END_TEST

START_TEST(this_process_is_a_peer)
{
    g_autoptr(SignetPeer) peer = signet_peer_new(getpid(), getuid(), getgid(), -1);
    const SignetPolicyPeer *view = signet_peer_get_policy_peer(peer, TRUE);
    g_autofree char *gid = g_strdup_printf("%u", (guint)getgid());
    g_autofree char *text = NULL;
    g_autofree char *unit = NULL;

    ck_assert_int_eq(signet_peer_get_pid(peer), getpid());
    ck_assert_uint_eq(signet_peer_get_uid(peer), getuid());
    ck_assert_uint_eq(view->uid, getuid());
    ck_assert_str_eq(view->user, g_get_user_name());
    ck_assert(g_strv_contains(view->groups, gid));
    ck_assert_str_eq(signet_peer_get_program(peer), "test-base-peer");
    ck_assert(g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL));
    unit = signet_peer_unit_from_cgroup(text);
    ck_assert_pstr_eq(view->unit, unit);
}
END_TEST

START_TEST(groups_have_names_and_numbers)
{
    g_autoptr(SignetPeer) peer = signet_peer_new(getpid(), 0, 0, -1);
    const SignetPolicyPeer *view = signet_peer_get_policy_peer(peer, FALSE);

    ck_assert_str_eq(view->user, "root");
    ck_assert(g_strv_contains(view->groups, "root"));
    ck_assert(g_strv_contains(view->groups, "0"));
}
END_TEST

START_TEST(an_unknown_user_has_only_its_number)
{
    g_autoptr(SignetPeer) peer = signet_peer_new(getpid(), 3999999999u, 3999999998u, -1);
    const SignetPolicyPeer *view = signet_peer_get_policy_peer(peer, FALSE);

    ck_assert_ptr_null(view->user);
    ck_assert_str_eq(view->groups[0], "3999999998");
    ck_assert_ptr_null(view->groups[1]);
}
END_TEST

/* A child that waits to be killed. */
static pid_t
start_child(void)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void
end_child(pid_t child)
{
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_process_that_is_gone_has_neither_unit_nor_program)
{
    pid_t child = start_child();
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    g_autoptr(SignetPeer) with = signet_peer_new(child, getuid(), getgid(), pidfd);
    g_autoptr(SignetPeer) without = signet_peer_new(child, getuid(), getgid(), -1);

    ck_assert_int_ge(pidfd, 0);
    end_child(child);
    ck_assert_ptr_null(signet_peer_get_policy_peer(with, TRUE)->unit);
    ck_assert_ptr_null(signet_peer_get_policy_peer(without, TRUE)->unit);
    ck_assert_str_eq(signet_peer_get_program(with), "?");
    ck_assert_str_eq(signet_peer_get_program(without), "?");
    close(pidfd);
}
END_TEST

START_TEST(a_pidfd_of_another_process_proves_nothing)
{
    pid_t child = start_child();
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    g_autoptr(SignetPeer) right = signet_peer_new(child, getuid(), getgid(), pidfd);
    g_autoptr(SignetPeer) wrong = signet_peer_new(getpid(), getuid(), getgid(), pidfd);

    ck_assert_str_eq(signet_peer_get_program(right), "test-base-peer");
    ck_assert_str_eq(signet_peer_get_program(wrong), "?");
    end_child(child);
    close(pidfd);
}
END_TEST

START_TEST(no_process_at_all_is_survived)
{
    g_autoptr(SignetPeer) none = signet_peer_new(0, 0, 0, -1);

    ck_assert_ptr_null(signet_peer_get_policy_peer(none, TRUE)->unit);
    ck_assert_str_eq(signet_peer_get_program(none), "?");
}
END_TEST

static int
count_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    int count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

START_TEST(peers_leave_no_descriptors_behind)
{
    int before = count_fds();

    for (int i = 0; i < 100; i++) {
        int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        g_autoptr(SignetPeer) one = signet_peer_new(getpid(), 0, 0, pidfd);
        g_autoptr(SignetPeer) two = signet_peer_new(getpid(), 0, 0, -1);
        g_autoptr(SignetPeer) three = signet_peer_ref(two);

        signet_peer_get_policy_peer(one, TRUE);
        signet_peer_get_program(three);
        close(pidfd);
    }
    ck_assert_int_eq(count_fds(), before);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("base/peer");
    TCase *cases = tcase_create("peer");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(cases, the_unit_is_the_system_managers, 0, G_N_ELEMENTS(cgroups));
    tcase_add_test(cases, this_process_is_a_peer);
    tcase_add_test(cases, groups_have_names_and_numbers);
    tcase_add_test(cases, an_unknown_user_has_only_its_number);
    tcase_add_test(cases, a_process_that_is_gone_has_neither_unit_nor_program);
    tcase_add_test(cases, a_pidfd_of_another_process_proves_nothing);
    tcase_add_test(cases, no_process_at_all_is_survived);
    tcase_add_test(cases, peers_leave_no_descriptors_behind);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
