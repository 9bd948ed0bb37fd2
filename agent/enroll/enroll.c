/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs signet-enroll: one process per job, one connected fd, a deadline. */

#include "agent/enroll/enroll.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/log.h"

#define TIMEOUT_DEFAULT_MS (SIGNET_ENROLL_TIMEOUT_S * 1000u)
#define TIMEOUT_GRACE_MS   (SIGNET_ENROLL_GRACE_S * 1000u)
/* What a process says is kept up to here, and read but forgotten beyond. */
#define OUTPUT_MAX 1024u

struct SignetEnroll {
    char *program;  /* (owned) */
    char *socket;   /* (owned, nullable) */
    char *provider; /* (owned, nullable) */
    guint timeout_ms;
    SignetEnrollAttach attach;
    gpointer attach_data;
    GPtrArray *runs; /* (owned) of Run (owned) */
};

/* One job's process. Freed when done, cancelled, or with the SignetEnroll. */
typedef struct {
    SignetEnroll *enroll; /* (unowned): it owns us */
    SignetJob *job;       /* (owned) */
    SignetEnrollDone done;
    gpointer data;
    GSubprocess *process; /* (owned, nullable): NULL for one that somebody else started */
    int watch_fd;         /* our end of that one's connection once more; -1: none */
    guint watch_source;
    GCancellable *cancellable; /* (owned) of waiting for the process */
    GString *output;           /* (owned) */
    int output_fd;             /* -1: none */
    guint output_source;
    guint deadline_source;
    guint idle_source;
    guint timeout_ms;
    gboolean is_late;
} Run;

static void
clear_source(guint *source)
{
    if (*source)
        g_source_remove(*source);
    *source = 0;
}

static void
run_free(gpointer data)
{
    Run *run = data;

    clear_source(&run->output_source);
    clear_source(&run->watch_source);
    clear_source(&run->deadline_source);
    clear_source(&run->idle_source);
    g_cancellable_cancel(run->cancellable);
    g_clear_object(&run->cancellable);
    if (run->process)
        g_subprocess_force_exit(run->process);
    g_clear_object(&run->process);
    if (run->output_fd >= 0)
        close(run->output_fd);
    /* For whoever is at the other end, this is the end. */
    if (run->watch_fd >= 0) {
        shutdown(run->watch_fd, SHUT_RDWR);
        close(run->watch_fd);
    }
    g_string_free(run->output, TRUE);
    signet_job_unref(run->job);
    g_free(run);
}

/* FALSE at the end of the output. */
static gboolean
read_output(Run *run)
{
    char buffer[OUTPUT_MAX];
    ssize_t size = read(run->output_fd, buffer, sizeof(buffer));

    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    g_string_append_len(run->output, buffer, MIN(size, (ssize_t)(OUTPUT_MAX - run->output->len)));
    return size > 0;
}

static gboolean
on_output(gint fd, GIOCondition condition, gpointer data)
{
    Run *run = data;

    if (read_output(run))
        return G_SOURCE_CONTINUE;
    run->output_source = 0;
    return G_SOURCE_REMOVE;
}

static gboolean
on_deadline(gpointer data)
{
    Run *run = data;

    run->deadline_source = 0;
    run->is_late = TRUE;
    if (run->process)
        g_subprocess_force_exit(run->process);
    else
        shutdown(run->watch_fd, SHUT_RDWR);
    return G_SOURCE_REMOVE;
}

/* How it ended, where it did not answer. */
static char *
describe_end(Run *run)
{
    const char *program = run->enroll->program;

    if (run->is_late)
        return g_strdup_printf("'%s' did not answer within %u s and was %s",
                               run->process ? program : run->enroll->socket,
                               (run->timeout_ms + 999) / 1000, run->process ? "killed" : "cut off");
    if (!run->process)
        return g_strdup_printf("the process behind '%s' ended without an answer; see the journal "
                               "of signet-enroll@.service",
                               run->enroll->socket);
    if (g_subprocess_get_if_signaled(run->process))
        return g_strdup_printf("'%s' was killed by signal %d (%s)", program,
                               g_subprocess_get_term_sig(run->process),
                               g_strsignal(g_subprocess_get_term_sig(run->process)));
    return g_strdup_printf("'%s' ended with status %d and without an answer", program,
                           g_subprocess_get_exit_status(run->process));
}

static void
log_output(Run *run)
{
    const char *identity = signet_job_get_request(run->job)->identity;

    if (run->output->len > 0)
        signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", identity),
                   "signet-enroll of '%s' says: %s", identity, g_strchomp(run->output->str));
}

/* Everything is over: tell, then forget. done may start the next job or cancel others. */
static void
finish(Run *run)
{
    g_autoptr(SignetJob) job = signet_job_ref(run->job);
    SignetEnrollDone done = run->done;
    gpointer data = run->data;

    g_ptr_array_remove(run->enroll->runs, run);
    done(job, data);
}

static void
finish_unanswered(Run *run)
{
    if (signet_job_get_outcome(run->job) == SIGNET_OUTCOME_NONE) {
        g_autofree char *text = describe_end(run);
        signet_job_set_result(run->job, SIGNET_OUTCOME_FAILED, NULL, NULL, 0, text);
    }
    finish(run);
}

static void
on_process_end(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;

    g_subprocess_wait_finish(G_SUBPROCESS(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* the run is gone */

    Run *run = data;
    if (run->output_source)
        read_output(run); /* the last words before it ended; what a grandchild may still write is
                             not waited for */
    log_output(run);
    finish_unanswered(run);
}

/* The agent's end, and the process's. */
static gboolean
make_sockets(int ret_ends[2], GError **error)
{
    const int on = 1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
        return signet_error_set(error, SIGNET_ERROR_IO, "cannot make a socket pair: %s",
                                g_strerror(errno));
    /* Before the process can write: a packet sent earlier would arrive without credentials. */
    if (setsockopt(ret_ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0)
        return TRUE;
    int code = errno;
    close(ret_ends[0]);
    close(ret_ends[1]);
    return signet_error_set(error, SIGNET_ERROR_IO, "cannot ask for credentials on a socket: %s",
                            g_strerror(code));
}

/* Takes child_end. The output of the process comes by *ret_output_fd. */
static GSubprocess *
spawn(const SignetEnroll *enroll, int child_end, int *ret_output_fd, GError **error)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                                              "SIGNET_SOCKET=fd:3", NULL};
    const char *argv[] = {enroll->program, enroll->provider ? "--provider" : NULL, enroll->provider,
                          NULL};
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    int output[2];

    g_subprocess_launcher_take_fd(launcher, child_end, 3);
    if (!g_unix_open_pipe(output, FD_CLOEXEC, error))
        return NULL;
    g_unix_set_fd_nonblocking(output[0], TRUE, NULL);
    g_subprocess_launcher_set_environ(launcher, (char **)environment);
    g_subprocess_launcher_set_cwd(launcher, "/");
    g_subprocess_launcher_take_stdout_fd(launcher, fcntl(output[1], F_DUPFD_CLOEXEC, 3));
    g_subprocess_launcher_take_stderr_fd(launcher, output[1]);
    GSubprocess *process = g_subprocess_launcher_spawnv(launcher, argv, error);
    if (!process) {
        close(output[0]);
        return NULL;
    }
    *ret_output_fd = output[0];
    return process;
}

/* --- a process that somebody else starts --- */

static gboolean
on_hangup(gint fd, GIOCondition condition, gpointer data)
{
    Run *run = data;

    run->watch_source = 0;
    finish_unanswered(run);
    return G_SOURCE_REMOVE;
}

/* Who listens there decides who gets the keys' signatures. */
static gboolean
is_listener_trusted(int fd)
{
    struct ucred owner;
    socklen_t size = sizeof(owner);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &size) == 0 &&
           (owner.uid == 0 || owner.uid == geteuid());
}

/* -1 with errno. Credentials are asked for before anything can arrive. */
static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int on = 1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return -1;
}

/* Hands the job over; *ret_is_absent: there is nobody to hand it to. */
static gboolean
run_hand_over(Run *run, gboolean *ret_is_absent, GError **error)
{
    SignetEnroll *enroll = run->enroll;
    int fd = connect_to(enroll->socket);

    *ret_is_absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return signet_error_set(error, SIGNET_ERROR_IO,
                                "cannot connect to '%s': %s; is signet-enroll.socket running?",
                                enroll->socket, g_strerror(errno));
    if (!is_listener_trusted(fd)) {
        close(fd);
        return signet_error_set(error, SIGNET_ERROR_DENIED, "'%s' belongs to another user",
                                enroll->socket);
    }
    run->watch_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    run->watch_source =
        g_unix_fd_add_full(G_PRIORITY_LOW, run->watch_fd, G_IO_HUP, on_hangup, run, NULL);
    run->deadline_source = g_timeout_add(run->timeout_ms, on_deadline, run);
    enroll->attach(fd, run->job, enroll->attach_data);
    return TRUE;
}

/* --- one of our own --- */

static gboolean
run_spawn(Run *run, GError **error)
{
    SignetEnroll *enroll = run->enroll;
    int ends[2];

    if (!make_sockets(ends, error))
        return FALSE;
    run->process = spawn(enroll, ends[1], &run->output_fd, error);
    if (!run->process) {
        close(ends[0]);
        g_prefix_error(error, "cannot start '%s': ", enroll->program);
        return FALSE;
    }
    run->output_source = g_unix_fd_add(run->output_fd, G_IO_IN | G_IO_HUP, on_output, run);
    run->deadline_source = g_timeout_add(run->timeout_ms, on_deadline, run);
    g_subprocess_wait_async(run->process, run->cancellable, on_process_end, run);
    enroll->attach(ends[0], run->job, enroll->attach_data);
    return TRUE;
}

static gboolean
run_start(Run *run, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean is_absent = FALSE;

    if (!run->enroll->socket || !signet_job_get_request(run->job)->remote.timeout_s)
        return run_spawn(run, error);
    if (run_hand_over(run, &is_absent, &failure))
        return TRUE;
    if (is_absent)
        return run_spawn(run, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
on_not_started(gpointer data)
{
    Run *run = data;

    run->idle_source = 0;
    finish(run);
    return G_SOURCE_REMOVE;
}

SignetEnroll *
signet_enroll_new(const SignetEnrollSettings *settings, SignetEnrollAttach attach, gpointer data)
{
    SignetEnroll *enroll = g_new0(SignetEnroll, 1);

    enroll->program = g_strdup(settings->program);
    enroll->socket = g_strdup(settings->socket);
    enroll->provider = g_strdup(settings->provider);
    enroll->timeout_ms = settings->timeout_ms ? settings->timeout_ms : TIMEOUT_DEFAULT_MS;
    enroll->attach = attach;
    enroll->attach_data = data;
    enroll->runs = g_ptr_array_new_with_free_func(run_free);
    return enroll;
}

void
signet_enroll_free(SignetEnroll *enroll)
{
    g_ptr_array_unref(enroll->runs);
    g_free(enroll->program);
    g_free(enroll->socket);
    g_free(enroll->provider);
    g_free(enroll);
}

void
signet_enroll_start(SignetEnroll *enroll, SignetJob *job, SignetEnrollDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    const SignetJobRemote *remote = &signet_job_get_request(job)->remote;
    Run *run = g_new0(Run, 1);

    run->enroll = enroll;
    run->job = signet_job_ref(job);
    run->timeout_ms =
        remote->timeout_s ? remote->timeout_s * 1000 + TIMEOUT_GRACE_MS : enroll->timeout_ms;
    run->done = done;
    run->data = data;
    run->cancellable = g_cancellable_new();
    run->output = g_string_new(NULL);
    run->output_fd = -1;
    run->watch_fd = -1;
    g_ptr_array_add(enroll->runs, run);
    if (!run_start(run, &error)) {
        signet_job_set_result(job, SIGNET_OUTCOME_FAILED, NULL, NULL, 0, error->message);
        run->idle_source = g_idle_add(on_not_started, run);
    }
}

void
signet_enroll_cancel(SignetEnroll *enroll, SignetJob *job)
{
    for (guint i = 0; i < enroll->runs->len; i++) {
        Run *run = g_ptr_array_index(enroll->runs, i);

        if (run->job == job) {
            g_ptr_array_remove_index(enroll->runs, i);
            return;
        }
    }
}
