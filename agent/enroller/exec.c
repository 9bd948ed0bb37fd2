/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs the program, within its time and with bounded output. */

#include "agent/enroller/exec.h"

#include <errno.h>
#include <glib-unix.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroll/parse.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/request.h"
#include "provider/wire/limits.h"

#define OUTPUT_MAX    (256u * 1024)
#define COOKIE_MAX    1024u
#define WORDS_MAX     200
#define TIMEOUT_S     120
#define RETRY_AFTER_S 300

/* The exit codes of certmonger's helpers, so that one can be used for both. */
enum {
    EXIT_ISSUED = 0,
    EXIT_WAIT = 1,
    EXIT_REJECTED = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_UNDERCONFIGURED = 4,
    EXIT_WAIT_WITH_DELAY = 5,
};

/* What is asked again is what was asked: the state is the request's size in four bytes, most
 * significant first, the request, and what the program said when it asked to be called again. */
typedef struct {
    GBytes *csr;  /* (owned) DER */
    char *cookie; /* (owned, nullable) */
} Attempt;

static void
attempt_clear(Attempt *attempt)
{
    g_clear_pointer(&attempt->csr, g_bytes_unref);
    g_free(attempt->cookie);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attempt, attempt_clear)

static void
read_state(Attempt *attempt, GBytes *state)
{
    gsize size = 0;
    const guint8 *data = state ? g_bytes_get_data(state, &size) : NULL;
    guint32 csr_size;

    if (size < sizeof(csr_size))
        return;
    memcpy(&csr_size, data, sizeof(csr_size));
    csr_size = GUINT32_FROM_BE(csr_size);
    if (csr_size > size - sizeof(csr_size))
        return;
    attempt->csr = g_bytes_new(data + sizeof(csr_size), csr_size);
    attempt->cookie = g_strndup((const char *)data + sizeof(csr_size) + csr_size,
                                size - sizeof(csr_size) - csr_size);
}

static GBytes *
make_state(const Attempt *attempt, const char *cookie)
{
    GByteArray *state = g_byte_array_new();
    guint32 size = GUINT32_TO_BE((guint32)g_bytes_get_size(attempt->csr));

    g_byte_array_append(state, (const guint8 *)&size, sizeof(size));
    g_byte_array_append(state, g_bytes_get_data(attempt->csr, NULL),
                        (guint)g_bytes_get_size(attempt->csr));
    g_byte_array_append(state, (const guint8 *)cookie, (guint)strnlen(cookie, COOKIE_MAX));
    return g_byte_array_free_to_bytes(state);
}

static gboolean
make_request(const SignetProtocolContext *context, Attempt *attempt, GError **error)
{
    guint8 *der = NULL;

    read_state(attempt, context->job->remote.state);
    if (attempt->csr)
        return TRUE;
    g_autoptr(X509_REQ) csr = signet_request_new(context->crypto, context->job, error);
    if (!csr)
        return FALSE;
    int size = i2d_X509_REQ(csr, &der);
    if (size > 0)
        attempt->csr = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    return attempt->csr ? TRUE : signet_crypto_fail(error, "cannot write the request");
}

static char *
dup_pem(GBytes *der)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    g_autofree char *base64 = g_base64_encode(data, size);
    GString *pem = g_string_new("-----BEGIN CERTIFICATE REQUEST-----\n");

    for (const char *at = base64; *at; at += MIN(strlen(at), 64))
        g_string_append_printf(pem, "%.64s\n", at);
    g_string_append(pem, "-----END CERTIFICATE REQUEST-----\n");
    return g_string_free(pem, FALSE);
}

/* --- the program --- */

typedef struct {
    const char *path;
    GPid pid;
    int in_fd;  /* its standard input; -1: all is written */
    int out_fd; /* its standard output */
    const char *input;
    GString *output; /* (owned) */
    gint64 deadline_us;
} Program;

static void
program_clear(Program *program)
{
    if (program->in_fd >= 0)
        close(program->in_fd);
    if (program->out_fd >= 0)
        close(program->out_fd);
    if (program->output)
        g_string_free(program->output, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Program, program_clear)

/* In the child: its own children are killed with it. */
static void
lead_group(gpointer data)
{
    setpgid(0, 0);
}

static char **
make_environment(const SignetJobRequest *job, const Attempt *attempt)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autofree char *identity = g_strconcat("SIGNET_IDENTITY=", job->identity, NULL);
    g_autofree char *cookie =
        g_strconcat("SIGNET_COOKIE=", attempt->cookie ? attempt->cookie : "", NULL);

    g_strv_builder_add_many(builder, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                            attempt->cookie ? "SIGNET_OPERATION=poll" : "SIGNET_OPERATION=submit",
                            identity, cookie, NULL);
    return g_strv_builder_end(builder);
}

static gboolean
program_start(Program *program, const SignetJobRequest *job, const Attempt *attempt, GError **error)
{
    const char *argv[] = {program->path, NULL};
    g_auto(GStrv) environment = make_environment(job, attempt);
    g_autoptr(GError) failure = NULL;

    if (!g_spawn_async_with_pipes("/", (char **)argv, environment, G_SPAWN_DO_NOT_REAP_CHILD,
                                  lead_group, NULL, &program->pid, &program->in_fd,
                                  &program->out_fd, NULL, &failure))
        return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot run Program=%s: %s",
                                program->path, failure->message);
    g_unix_set_fd_nonblocking(program->in_fd, TRUE, NULL);
    g_unix_set_fd_nonblocking(program->out_fd, TRUE, NULL);
    program->output = g_string_new(NULL);
    return TRUE;
}

/* A program that does not read its input may be right. */
static void
feed(Program *program)
{
    gssize size = write(program->in_fd, program->input, strlen(program->input));

    if (size > 0)
        program->input += size;
    if ((size < 0 && errno != EAGAIN && errno != EINTR) || !*program->input) {
        close(program->in_fd);
        program->in_fd = -1;
    }
}

/* FALSE at the end. */
static gboolean
drain(Program *program)
{
    char buffer[4096];
    gssize size = read(program->out_fd, buffer, sizeof(buffer));

    if (size > 0)
        g_string_append_len(program->output, buffer, size);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until it closes its output, says too much, or has no time left. */
static gboolean
talk(Program *program, GError **error)
{
    for (;;) {
        gint64 left_us = program->deadline_us - g_get_monotonic_time();
        struct pollfd fds[] = {{program->out_fd, POLLIN, 0}, {program->in_fd, POLLOUT, 0}};

        if (left_us <= 0)
            return signet_error_set(error, SIGNET_ERROR_TIMED_OUT,
                                    "'%s' did not end in time and was killed", program->path);
        if (program->output->len > OUTPUT_MAX)
            return signet_error_set(error, SIGNET_ERROR_CORRUPT, "'%s' says more than %u bytes",
                                    program->path, OUTPUT_MAX);
        if (poll(fds, 2, (int)(left_us / 1000 + 1)) <= 0)
            continue;
        if (program->in_fd >= 0 && fds[1].revents)
            feed(program);
        if (fds[0].revents && !drain(program))
            return TRUE;
    }
}

/* Its exit code; it has closed its output, but may be slow to end. */
static gboolean
reap(Program *program, int *ret_code, GError **error)
{
    int status = 0;
    pid_t pid;

    while ((pid = waitpid(program->pid, &status, WNOHANG)) == 0 &&
           g_get_monotonic_time() < program->deadline_us)
        g_usleep(5000);
    if (pid == 0)
        return signet_error_set(error, SIGNET_ERROR_TIMED_OUT,
                                "'%s' did not end in time and was killed", program->path);
    if (pid < 0 || !WIFEXITED(status))
        return signet_error_set(error, SIGNET_ERROR_FAILED, "'%s' was killed by signal %d",
                                program->path, pid < 0 ? 0 : WTERMSIG(status));
    *ret_code = WEXITSTATUS(status);
    return TRUE;
}

static gboolean
run(Program *program, const SignetJobRequest *job, const Attempt *attempt, int *ret_code,
    GError **error)
{
    if (!program_start(program, job, attempt, error))
        return FALSE;
    gboolean is_done = talk(program, error) && reap(program, ret_code, error);
    /* it, and what it left behind */
    kill(-program->pid, SIGKILL);
    return is_done;
}

/* --- the answer --- */

static SignetX509Stack *
read_certificates(const GString *output, GError **error)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(output->str, (int)output->len);
    g_autoptr(SignetX509Stack) list = sk_X509_new_null();
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(list, certificate);
    ERR_clear_error();
    if (sk_X509_num(list) > 0 && sk_X509_num(list) <= SIGNET_ANSWER_CERTIFICATES_MAX)
        return g_steal_pointer(&list);
    signet_error_set(error, SIGNET_ERROR_CORRUPT,
                     "the program says %d certificates (PEM), 1 to %d are taken", sk_X509_num(list),
                     SIGNET_ANSWER_CERTIFICATES_MAX);
    return NULL;
}

/* The anchors are those of Trust=, and what the program gives itself. */
static gboolean
add_anchors(SignetX509Stack *list, GBytes *der)
{
    gsize size = 0;
    const guint8 *at = der ? g_bytes_get_data(der, &size) : NULL;
    const guint8 *end = size ? at + size : at;

    while (at < end) {
        X509 *anchor = d2i_X509(NULL, &at, (long)(end - at));

        if (!anchor)
            return FALSE;
        sk_X509_push(list, anchor);
    }
    return TRUE;
}

static gboolean
take_certificates(const SignetJobRequest *job, const GString *output,
                  SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(SignetX509Stack) found = read_certificates(output, error);
    g_autoptr(SignetX509Stack) authorities = found ? X509_chain_up_ref(found) : NULL;

    if (!authorities)
        return FALSE;
    if (!add_anchors(authorities, job->remote.anchors))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the job's trust anchors cannot be read");
    return signet_chain_build(job, found, authorities, outcome, error);
}

/* "SECONDS\nCOOKIE" with a delay, else "COOKIE". */
static gboolean
take_wait(const Attempt *attempt, const GString *output, gboolean has_delay,
          SignetEnrollerOutcome *outcome)
{
    const char *cookie = output->str;
    guint64 delay_s = RETRY_AFTER_S;

    if (has_delay) {
        char *end = NULL;

        delay_s = g_ascii_strtoull(cookie, &end, 10);
        cookie = *end == '\n' ? end + 1 : end;
    }
    outcome->retry_after_s = (guint)CLAMP(delay_s, 1, G_MAXINT32);
    outcome->state = make_state(attempt, cookie);
    if (g_bytes_get_size(outcome->state) > SIGNET_WIRE_STATE_MAX)
        g_clear_pointer(&outcome->state, g_bytes_unref);
    return TRUE;
}

static gboolean
refuse(const Program *program, int code, GError **error)
{
    g_autofree char *words = g_strndup(program->output->str, WORDS_MAX);
    gboolean is_transient = code == EXIT_UNREACHABLE;
    const char *what = code == EXIT_REJECTED      ? "the CA rejected the request"
                       : code == EXIT_UNREACHABLE ? "the CA cannot be reached"
                       : code == EXIT_UNDERCONFIGURED
                           ? "the program's configuration lacks something"
                           : "the program failed";

    g_strstrip(words);
    return signet_error_set(error,
                            is_transient ? SIGNET_ERROR_CA_UNREACHABLE : SIGNET_ERROR_CA_REFUSED,
                            "'%s' ended with status %d: %s%s%s", program->path, code, what,
                            words[0] ? ": " : "", words);
}

gboolean
signet_exec_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                   GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    gint64 timeout_s = remote->timeout_s ? remote->timeout_s : TIMEOUT_S;
    g_auto(Attempt) attempt = {0};
    g_auto(Program) program = {.path = signet_remote_get_option(remote, "Program"),
                               .in_fd = -1,
                               .out_fd = -1,
                               .deadline_us = g_get_monotonic_time() + timeout_s * G_USEC_PER_SEC};
    int code = 0;

    if (!program.path)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Program= is missing");
    if (!make_request(context, &attempt, error))
        return FALSE;
    g_autofree char *pem = dup_pem(attempt.csr);
    program.input = pem;
    if (!run(&program, context->job, &attempt, &code, error))
        return FALSE;
    if (code == EXIT_ISSUED)
        return take_certificates(context->job, program.output, outcome, error);
    if (code == EXIT_WAIT || code == EXIT_WAIT_WITH_DELAY)
        return take_wait(&attempt, program.output, code == EXIT_WAIT_WITH_DELAY, outcome);
    return refuse(&program, code, error);
}
