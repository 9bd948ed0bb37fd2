/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The runner as signet-enroll sees it: one question, one answer. */

#include "agent/enroller/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroller/supervise.h"

struct SignetRunner {
    char *program; /* (owned) */
    guint timeout_s;
    int fd;
};

SignetRunner *
signet_runner_new(const char *program, guint timeout_s, GError **error)
{
    g_autoptr(SignetRunner) runner = g_new0(SignetRunner, 1);
    int ends[2] = {-1, -1};

    runner->program = g_strdup(program);
    runner->timeout_s = timeout_s;
    runner->fd = -1;
    pid_t pid = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? fork() : -1;
    if (pid == 0)
        signet_supervise(ends[1], program, timeout_s);
    int code = errno;
    if (ends[1] >= 0)
        close(ends[1]);
    runner->fd = ends[0];
    if (pid < 0) {
        signet_error_set(error, SIGNET_ERROR_FAILED, "cannot prepare to run '%s': %s", program,
                         g_strerror(code));
        return NULL;
    }
    return g_steal_pointer(&runner);
}

void
signet_runner_free(SignetRunner *runner)
{
    if (runner->fd >= 0)
        close(runner->fd);
    g_free(runner->program);
    g_free(runner);
}

void
signet_runner_end_clear(SignetRunnerEnd *end)
{
    if (end->output)
        g_string_free(end->output, TRUE);
    g_free(end->words);
    *end = (SignetRunnerEnd) {0};
}

static gboolean
send_question(const SignetRunner *runner, const char *input, const char *const *variables)
{
    g_autoptr(GString) question = g_string_new(NULL);

    g_string_append_len(question, input, (gssize)strlen(input) + 1);
    for (const char *const *variable = variables; *variable; variable++)
        g_string_append_len(question, *variable, (gssize)strlen(*variable) + 1);
    return question->len <= SIGNET_SUPERVISE_QUESTION_MAX &&
           send(runner->fd, question->str, question->len, MSG_NOSIGNAL) == (ssize_t)question->len;
}

static gboolean
explain(const SignetRunner *runner, const SignetSupervised *head, const char *words, GError **error)
{
    const char *program = runner->program;

    switch (head->kind) {
    case SIGNET_SUPERVISED_REFUSED:
        return signet_error_set(error, SIGNET_ERROR_DENIED, "cannot run '%s': %s", program, words);
    case SIGNET_SUPERVISED_KILLED:
        return signet_error_set(error, SIGNET_ERROR_FAILED, "'%s' was killed by signal %d", program,
                                head->code);
    case SIGNET_SUPERVISED_LATE:
        return signet_error_set(error, SIGNET_ERROR_TIMED_OUT,
                                "'%s' did not end within %u s and was killed", program,
                                runner->timeout_s);
    case SIGNET_SUPERVISED_TOO_MUCH:
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "'%s' wrote more than %u bytes and was killed", program,
                                SIGNET_SUPERVISE_OUTPUT_MAX);
    case SIGNET_SUPERVISED_ENDED:
        break;
    }
    return TRUE;
}

gboolean
signet_runner_run(SignetRunner *runner, const char *input, const char *const *variables,
                  SignetRunnerEnd *ret_end, GError **error)
{
    g_autofree char *buffer = g_malloc(SIGNET_SUPERVISE_ANSWER_MAX);
    SignetSupervised head;
    ssize_t size = -1;

    if (send_question(runner, input, variables)) {
        do
            size = recv(runner->fd, buffer, SIGNET_SUPERVISE_ANSWER_MAX, 0);
        while (size < 0 && errno == EINTR);
    }
    if (size < (ssize_t)sizeof(head))
        return signet_error_set(error, SIGNET_ERROR_FAILED,
                                "cannot run '%s': the process that would has ended",
                                runner->program);
    memcpy(&head, buffer, sizeof(head));
    const char *at = buffer + sizeof(head);
    gsize rest = (gsize)size - sizeof(head);
    gsize n_output = MIN(head.output_size, rest);
    g_autofree char *words = g_strndup(at + n_output, rest - n_output);

    if (!explain(runner, &head, words, error))
        return FALSE;
    ret_end->code = head.code;
    ret_end->output = g_string_new_len(at, (gssize)n_output);
    ret_end->words = g_steal_pointer(&words);
    return TRUE;
}
