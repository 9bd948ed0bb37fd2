/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs one program and watches over it. */

#include "agent/enroller/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroller/harden.h"

#define VARIABLES_MAX 16
#define FD            3

typedef struct {
    pid_t pid;
    int pid_fd; /* readable when it has ended */
    int input;  /* -1: all written */
    int output;
    int words;
    const char *pending; /* what is to be written yet */
    GString *out;
    GString *err;
    gint64 deadline_us;
} Child;

/* --- may it be run? --- */

/* Whoever may write a directory may put another file into it, unless it is sticky. */
static gboolean
is_safe(const struct stat *st, uid_t own)
{
    gboolean is_closed =
        !(st->st_mode & (S_IWGRP | S_IWOTH)) || (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX);

    return (st->st_uid == 0 || st->st_uid == own) && is_closed;
}

static gboolean
check_directories(const char *program, uid_t own, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(program);
    struct stat st;

    while (stat(directory, &st) == 0 && is_safe(&st, own)) {
        if (g_str_equal(directory, "/"))
            return TRUE;
        g_autofree char *lower = g_steal_pointer(&directory);
        directory = g_path_get_dirname(lower);
    }
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "its directory '%s' is not there, not root's own or may be written by "
                            "others",
                            directory);
}

static gboolean
check_program(const char *program, uid_t own, GError **error)
{
    struct stat st;

    if (stat(program, &st) < 0)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "%s", g_strerror(errno));
    if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
        return signet_error_set(error, SIGNET_ERROR_DENIED, "it is not an executable file");
    if (!is_safe(&st, own))
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it must belong to root and others must not be able to write it: "
                                "chown root '%s'; chmod go-w '%s'",
                                program, program);
    return check_directories(program, own, error);
}

/* --- answers --- */

static void
answer(int fd, const SignetSupervised *head, const GString *out, const char *words)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();

    g_byte_array_append(packet, (const guint8 *)head, sizeof(*head));
    if (out)
        g_byte_array_append(packet, (const guint8 *)out->str, (guint)out->len);
    g_byte_array_append(packet, (const guint8 *)words,
                        (guint)MIN(strlen(words), SIGNET_SUPERVISE_WORDS_MAX));
    (void)!send(fd, packet->data, packet->len, MSG_NOSIGNAL);
}

_Noreturn static void
refuse(int fd, const char *why)
{
    const SignetSupervised head = {.kind = SIGNET_SUPERVISED_REFUSED};

    answer(fd, &head, NULL, why);
    _exit(1);
}

/* --- the child --- */

_Noreturn static void
become(const char *program, char **variables, const int fds[3])
{
    const char *const argv[] = {program, NULL};

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        dup2(fds[i], i);
    closefrom(FD);
    signal(SIGPIPE, SIG_DFL);
    execve(program, (char *const *)argv, variables);
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", program, g_strerror(errno));
    _exit(127);
}

/* FALSE with errno. Our ends do not block. */
static gboolean
start(Child *child, const char *program, char **variables)
{
    int in[2], out[2], err[2];

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return FALSE;
    child->pid = fork();
    if (child->pid == 0)
        become(program, variables, (const int[]) {in[0], out[1], err[1]});
    close(in[0]);
    close(out[1]);
    close(err[1]);
    child->input = in[1];
    child->output = out[0];
    child->words = err[0];
    for (const int *fd = (const int[]) {in[1], out[0], err[0], -1}; *fd >= 0; fd++)
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    child->pid_fd = child->pid > 0 ? (int)syscall(SYS_pidfd_open, child->pid, 0) : -1;
    return child->pid_fd >= 0;
}

static void
shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
feed(Child *child)
{
    ssize_t n = write(child->input, child->pending, strlen(child->pending));

    if (n > 0)
        child->pending += n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || !*child->pending)
        shut(&child->input);
}

/* Keeps what fits and one byte more; FALSE when there is no more for now. */
static gboolean
drain(int *fd, GString *into, gsize max)
{
    char buffer[4096];
    ssize_t n = read(*fd, buffer, sizeof(buffer));

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        shut(fd);
    if (n <= 0)
        return FALSE;
    g_string_append_len(into, buffer, MIN(n, (ssize_t)(max + 1 - into->len)));
    return TRUE;
}

static gboolean
has_said_too_much(const Child *child)
{
    return child->out->len > SIGNET_SUPERVISE_OUTPUT_MAX;
}

/* Until it ends, or must. TRUE: it has ended by itself. */
static gboolean
attend(Child *child, int fd, SignetSupervisedKind *ret_kind)
{
    for (;;) {
        struct pollfd fds[] = {
            {child->pid_fd, POLLIN, 0},
            {child->output, POLLIN, 0},
            {child->words, POLLIN, 0},
            {child->input, POLLOUT, 0},
            {fd, POLLIN, 0},
        };
        gint64 left_ms = (child->deadline_us - g_get_monotonic_time()) / 1000;

        *ret_kind = left_ms <= 0 ? SIGNET_SUPERVISED_LATE : SIGNET_SUPERVISED_TOO_MUCH;
        if (left_ms <= 0 || has_said_too_much(child))
            return FALSE;
        if (poll(fds, G_N_ELEMENTS(fds), (int)MIN(left_ms, 60000)) < 0)
            continue;
        if (fds[4].revents) /* nobody waits any more */
            return FALSE;
        if (fds[3].revents)
            feed(child);
        if (fds[1].revents)
            drain(&child->output, child->out, SIGNET_SUPERVISE_OUTPUT_MAX);
        if (fds[2].revents)
            drain(&child->words, child->err, SIGNET_SUPERVISE_WORDS_MAX);
        if (fds[0].revents)
            return TRUE;
    }
}

/* What it left behind goes with it. */
static SignetSupervised
end(Child *child, int fd)
{
    SignetSupervised head = {0};
    gboolean is_ended = attend(child, fd, &head.kind);
    int status = 0;

    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!is_ended)
        return head;
    while (child->output >= 0 && !has_said_too_much(child) &&
           drain(&child->output, child->out, SIGNET_SUPERVISE_OUTPUT_MAX))
        ;
    while (child->words >= 0 && child->err->len < SIGNET_SUPERVISE_WORDS_MAX &&
           drain(&child->words, child->err, SIGNET_SUPERVISE_WORDS_MAX))
        ;
    if (has_said_too_much(child))
        head.kind = SIGNET_SUPERVISED_TOO_MUCH;
    else
        head.kind = WIFEXITED(status) ? SIGNET_SUPERVISED_ENDED : SIGNET_SUPERVISED_KILLED;
    head.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    head.output_size = child->out->len;
    return head;
}

static void
run(int fd, const char *program, guint timeout_s, char *question, gsize size)
{
    char *variables[VARIABLES_MAX + 1] = {
        (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        (char *)"LANG=C.UTF-8"};
    guint n = 2;
    Child child = {
        .pending = question,
        .out = g_string_new(NULL),
        .err = g_string_new(NULL),
        .deadline_us = g_get_monotonic_time() + (gint64)timeout_s * G_USEC_PER_SEC,
    };

    for (char *at = question + strlen(question) + 1; at < question + size && n < VARIABLES_MAX;
         at += strlen(at) + 1)
        variables[n++] = at;
    if (!start(&child, program, variables))
        refuse(fd, g_strerror(errno));
    SignetSupervised head = end(&child, fd);
    answer(fd, &head, head.kind == SIGNET_SUPERVISED_ENDED ? child.out : NULL, child.err->str);
}

/* Nothing that was open before but the way back: least of all the job's connection. */
static int
keep_only(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, FD + 1);

    for (int i = 0; i < FD; i++)
        dup2(null, i);
    if (own < 0 || null < 0 || dup3(own, FD, O_CLOEXEC) < 0)
        _exit(1);
    closefrom(FD + 1);
    return FD;
}

_Noreturn void
signet_supervise(int fd, const char *program, guint timeout_s)
{
    uid_t own = geteuid();
    g_autofree char *question = g_malloc0(SIGNET_SUPERVISE_QUESTION_MAX + 1);
    g_autoptr(GError) error = NULL;

    fd = keep_only(fd);
    setsid();
    ssize_t size = recv(fd, question, SIGNET_SUPERVISE_QUESTION_MAX, 0);
    if (size <= 0)
        _exit(0); /* it is not needed */
    if (!check_program(program, own, &error) || !signet_harden_user(&error))
        refuse(fd, error->message);
    run(fd, program, timeout_s, question, (gsize)size);
    _exit(0);
}
