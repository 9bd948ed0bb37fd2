/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The sandbox holds: each row tries what must not work, in a child that closed it behind itself,
 * and what a client needs still works. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_packet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/enroller/harden.h"

/* Under sanitizers, which need more than the program, there is none. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_FILTER FALSE
#else
#define HAS_FILTER TRUE
#endif

static char *path; /* of a file that everybody may write */
static int listener = -1;
static struct sockaddr_in listener_address;

static void
set_up(void)
{
    socklen_t size = sizeof(listener_address);
    int fd = g_file_open_tmp("signet-sandbox-XXXXXX", &path, NULL);

    ck_assert_int_ge(fd, 0);
    fchmod(fd, 0666);
    close(fd);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&listener_address, &size);
    listener_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void
tear_down(void)
{
    unlink(path);
    g_free(path);
    close(listener);
}

/* 0: what the try returned TRUE for. */
static int
run_inside(SignetSandbox sandbox, gboolean (*try)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        g_autoptr(GError) error = NULL;

        alarm(10);
        if (!signet_harden_sandbox(sandbox, &error)) {
            fprintf(stderr, "%s\n", error->message);
            _exit(3);
        }
        _exit(try() ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* --- what must not work: TRUE when it did --- */

static gboolean
writes_a_file(void)
{
    return open(path, O_WRONLY | O_CLOEXEC) >= 0;
}

static gboolean
reads_and_writes_a_file(void)
{
    return open(path, O_RDWR | O_CLOEXEC) >= 0;
}

static gboolean
makes_a_file(void)
{
    return open("/tmp/signet-sandbox-made", O_RDONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

static gboolean
empties_a_file(void)
{
    return open(path, O_RDONLY | O_TRUNC | O_CLOEXEC) >= 0 || truncate(path, 0) == 0;
}

static gboolean
makes_a_directory(void)
{
    return mkdir("/tmp/signet-sandbox-directory", 0700) == 0 || rmdir("/tmp/x") == 0 ||
           errno != EPERM;
}

static gboolean
renames_or_removes(void)
{
    return rename(path, path) == 0 || unlink(path) == 0 || symlink(path, "/tmp/signet-s") == 0;
}

static gboolean
changes_modes(void)
{
    return chmod(path, 0777) == 0 || chown(path, getuid(), getgid()) == 0;
}

static gboolean
runs_a_program(void)
{
    char *const argv[] = {(char *)"true", NULL};

    execve("/bin/true", argv, NULL);
    return FALSE;
}

static gboolean
has_a_child(void)
{
    return fork() >= 0 || vfork() >= 0 || syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static gboolean
looks_into_its_parent(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 || errno != EPERM;
}

static gboolean
sends_signals(void)
{
    return kill(getppid(), 0) == 0;
}

static gboolean
becomes_root(void)
{
    return setuid(0) == 0 || geteuid() == 0;
}

static gboolean
makes_namespaces(void)
{
    return unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0;
}

static gboolean
opens_a_packet_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 ||
           socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 || errno != EPERM;
}

static gboolean
listens(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 || listen(fd, 1) == 0;
}

static const struct {
    const char *what;
    gboolean (*try)(void);
} forbidden[] = {
    {"write a file", writes_a_file},
    {"read and write a file", reads_and_writes_a_file},
    {"make a file", makes_a_file},
    {"empty a file", empties_a_file},
    {"make or remove a directory", makes_a_directory},
    {"rename, remove or link", renames_or_removes},
    {"change modes and owners", changes_modes},
    {"run a program", runs_a_program},
    {"have a child", has_a_child},
    {"look into its parent", looks_into_its_parent},
    {"send signals", sends_signals},
    {"become root", becomes_root},
    {"make namespaces", makes_namespaces},
    {"open other sockets", opens_a_packet_socket},
    {"listen", listens},
};

START_TEST(it_cannot)
{
    /* A program that runs ends with 0 just as a try that worked. */
    int status = run_inside(SIGNET_SANDBOX_NETWORK, forbidden[_i].try);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "%s: status %x",
                  forbidden[_i].what, (unsigned)status);
}
END_TEST

/* --- what has to work --- */

static gboolean
resolves_names(void)
{
    struct addrinfo *found = NULL;
    gboolean is_found = getaddrinfo("localhost", "443", NULL, &found) == 0 && found;

    if (found)
        freeaddrinfo(found);
    return is_found;
}

static gpointer
nothing(gpointer data)
{
    return data;
}

static gboolean
has_threads(void)
{
    return g_thread_join(g_thread_new("thread", nothing, path)) == path;
}

static gboolean
reads_a_file(void)
{
    int fd = open("/etc/nsswitch.conf", O_RDONLY | O_CLOEXEC);
    char byte;

    return fd >= 0 && read(fd, &byte, 1) == 1;
}

static gboolean
connects(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, (struct sockaddr *)&listener_address, sizeof(listener_address)) == 0;
}

static const struct {
    const char *what;
    gboolean (*try)(void);
} allowed[] = {
    {"resolve names", resolves_names},
    {"have threads", has_threads},
    {"read a file", reads_a_file},
    {"connect", connects},
};

START_TEST(it_can)
{
    ck_assert_msg(run_inside(SIGNET_SANDBOX_NETWORK, allowed[_i].try) == 0, "it cannot %s",
                  allowed[_i].what);
}
END_TEST

static gboolean
has_no_network(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 && errno == EPERM;
}

START_TEST(without_network_there_are_no_sockets)
{
    ck_assert_int_eq(run_inside(SIGNET_SANDBOX_ALONE, has_no_network), 0);
}
END_TEST

static gboolean
is_nobody(void)
{
    gid_t groups[1];

    return getuid() != 0 && geteuid() != 0 && getgid() != 0 && getgroups(1, groups) == 0;
}

START_TEST(root_becomes_somebody_else)
{
    if (geteuid() == 0)
        ck_assert_int_eq(run_inside(SIGNET_SANDBOX_NETWORK, is_nobody), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/sandbox");
    TCase *tcase = tcase_create("sandbox");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    if (HAS_FILTER) {
        tcase_add_loop_test(tcase, it_cannot, 0, G_N_ELEMENTS(forbidden));
        tcase_add_test(tcase, without_network_there_are_no_sockets);
    }
    tcase_add_loop_test(tcase, it_can, 0, G_N_ELEMENTS(allowed));
    tcase_add_test(tcase, root_becomes_somebody_else);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
