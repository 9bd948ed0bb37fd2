/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The process that has the program run, and the way to it. */

#include "agent/enroller/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroller/runner.h"

#define MESSAGE_MAX 4096
#define PARTS       4
#define RUN_MAX_S   60
#define ADDED_MAX   128
#define FD          3 /* of the process */

struct SignetHook {
    int fd; /* (owned) */
};

/* --- in the process --- */

/* "" when all is well, else what is not; owned by the caller. */
static char *
run_program(const char *program, const char *operation, char **parts)
{
    g_autofree char *first = g_strconcat("SIGNET_OPERATION=", operation, NULL);
    g_autofree char *type = g_strconcat("SIGNET_CHALLENGE=", parts[0], NULL);
    g_autofree char *name = g_strconcat("SIGNET_NAME=", parts[1], NULL);
    g_autofree char *key = g_strconcat("SIGNET_KEY=", parts[2], NULL);
    g_autofree char *value = g_strconcat("SIGNET_VALUE=", parts[3], NULL);
    const char *const variables[] = {first, type, name, key, value, NULL};
    g_auto(SignetRunnerEnd) end = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetRunner) runner = signet_runner_new(program, RUN_MAX_S, &error);

    if (!runner || !signet_runner_run(runner, "", variables, &end, &error))
        return g_strdup(error->message);
    if (end.code == 0)
        return g_strdup("");
    g_strchomp(end.words);
    return g_strdup_printf("'%s' ended with status %d%s%s", program, end.code,
                           *end.words ? ": " : "", end.words);
}

/* Four texts, each with its zero. NULL: it is something else. */
static char **
split(const char *message, gsize size)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *end = message + size;

    for (guint i = 0; i < PARTS; i++) {
        const char *zero = memchr(message, '\0', (gsize)(end - message));

        if (!zero)
            return NULL;
        g_strv_builder_add(builder, message);
        message = zero + 1;
    }
    return message == end ? g_strv_builder_end(builder) : NULL;
}

/* Also what failed is taken away: it may have been half done. */
static void
run_all(const char *program)
{
    char message[MESSAGE_MAX];
    g_autoptr(GPtrArray) added = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    gssize size;

    while ((size = recv(FD, message, sizeof(message), 0)) > 0) {
        char **parts = split(message, (gsize)size);

        if (!parts || added->len >= ADDED_MAX)
            break;
        g_ptr_array_add(added, parts);
        g_autofree char *answer = run_program(program, "add", parts);
        if (send(FD, answer, MIN(strlen(answer), MESSAGE_MAX - 1) + 1, MSG_NOSIGNAL) < 0)
            break;
    }
    for (guint i = 0; i < added->len; i++) {
        g_autofree char *answer = run_program(program, "remove", added->pdata[i]);

        if (*answer)
            fprintf(stderr, "signet-enroll: a proof was not taken away: %s\n", answer);
    }
}

/* It outlives signet-enroll by what it has to take away, and nothing else. */
_Noreturn static void
live(const char *program, int fd)
{
    if (dup2(fd, FD) != FD)
        _exit(1);
    closefrom(FD + 1);
    fcntl(FD, F_SETFD, FD_CLOEXEC);
    setsid();
    run_all(program);
    _exit(0);
}

/* --- the way to it --- */

SignetHook *
signet_hook_new(const char *program, GError **error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        signet_error_set(error, SIGNET_ERROR_FAILED, "cannot make a socket: %s", g_strerror(errno));
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0)
        live(program, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        signet_error_set(error, SIGNET_ERROR_FAILED, "cannot make a process");
        return NULL;
    }
    SignetHook *hook = g_new0(SignetHook, 1);
    hook->fd = ends[0];
    return hook;
}

void
signet_hook_free(SignetHook *hook)
{
    char end;

    /* It closes its end when all is taken away; who is not waited for becomes nobody's. */
    shutdown(hook->fd, SHUT_WR);
    while (recv(hook->fd, &end, sizeof(end), 0) > 0)
        ;
    close(hook->fd);
    g_free(hook);
}

static GByteArray *
join(const SignetHookCall *call)
{
    const char *const parts[PARTS] = {call->type, call->name, call->key, call->value};
    GByteArray *message = g_byte_array_new();

    for (guint i = 0; i < PARTS; i++)
        g_byte_array_append(message, (const guint8 *)parts[i], (guint)strlen(parts[i]) + 1);
    return message;
}

gboolean
signet_hook_add(SignetHook *hook, const SignetHookCall *call, GError **error)
{
    g_autoptr(GByteArray) message = join(call);
    char answer[MESSAGE_MAX] = "";
    gssize size = -1;

    if (message->len <= MESSAGE_MAX &&
        send(hook->fd, message->data, message->len, MSG_NOSIGNAL) == (gssize)message->len)
        size = recv(hook->fd, answer, sizeof(answer) - 1, 0);
    if (size <= 0)
        return signet_error_set(error, SIGNET_ERROR_FAILED,
                                "the process that runs Program= is gone");
    return !*answer ||
           signet_error_set(error, SIGNET_ERROR_FAILED,
                            "cannot put the proof of '%s' in its place: %s", call->name, answer);
}
