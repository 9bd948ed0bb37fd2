/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Programs that signetctl runs: signet-probe, and those of the machine that are tried. */

#include "agent/ctl/child.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>

#include "agent/ctl/table.h"

#define OUTPUT_MAX      65536
#define PROBE_TIMEOUT_S 150
#define GRACE_S         1 /* for what is still in its pipes */

void
signet_child_clear(SignetChild *child)
{
    g_clear_pointer(&child->output, g_free);
    g_clear_pointer(&child->problems, g_free);
}

const char *
signet_child_probe_program(void)
{
    return SIGNET_PROBE_PROGRAM;
}

static char *
dup_first_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (*g_strstrip(*line))
            return signet_table_clean(*line);
    }
    return g_strdup("");
}

typedef struct Run Run;

/* One of its two outputs. */
typedef struct {
    Run *run;
    GInputStream *stream; /* (unowned) its process's */
    GString *text;        /* (owned) */
    char buffer[4096];
} Pipe;

struct Run {
    GMainLoop *loop;
    GSubprocess *process;
    GCancellable *given_up; /* on its outputs */
    GSource *grace;         /* (owned, nullable) */
    guint n_open;           /* the process, and its outputs */
    Pipe output, problems;
};

static void
leave(Run *run)
{
    if (--run->n_open == 0)
        g_main_loop_quit(run->loop);
}

/* What is too much is read all the same: it is not to wait for us. */
static void
on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    Pipe *pipe = data;
    gssize size = g_input_stream_read_finish(G_INPUT_STREAM(source), result, NULL);

    if (size <= 0) {
        leave(pipe->run);
        return;
    }
    g_string_append_len(pipe->text, pipe->buffer,
                        MIN(size, (gssize)(OUTPUT_MAX - pipe->text->len)));
    g_input_stream_read_async(pipe->stream, pipe->buffer, sizeof(pipe->buffer), G_PRIORITY_DEFAULT,
                              pipe->run->given_up, on_read, pipe);
}

static void
pipe_open(Pipe *pipe, Run *run, GInputStream *stream)
{
    pipe->run = run;
    pipe->stream = stream;
    pipe->text = g_string_new(NULL);
    run->n_open++;
    g_input_stream_read_async(stream, pipe->buffer, sizeof(pipe->buffer), G_PRIORITY_DEFAULT,
                              run->given_up, on_read, pipe);
}

static gboolean
on_late(gpointer data)
{
    Run *run = data;

    g_subprocess_force_exit(run->process);
    g_cancellable_cancel(run->given_up);
    return G_SOURCE_REMOVE;
}

static GSource *
start_timer(Run *run, guint seconds)
{
    GSource *timer = g_timeout_source_new_seconds(seconds);

    g_source_set_callback(timer, on_late, run, NULL);
    g_source_attach(timer, g_main_loop_get_context(run->loop));
    return timer;
}

static void
stop_timer(GSource *timer)
{
    g_source_destroy(timer);
    g_source_unref(timer);
}

/* What it has started may hold its outputs open for ever. */
static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    Run *run = data;

    (void)g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
    run->grace = start_timer(run, GRACE_S);
    leave(run);
}

/* Its own main context: commands are synchronous. */
static void
wait_for(Run *run, guint timeout_s)
{
    GMainContext *context = g_main_context_new();
    GSource *late;

    g_main_context_push_thread_default(context);
    run->loop = g_main_loop_new(context, FALSE);
    run->given_up = g_cancellable_new();
    late = start_timer(run, timeout_s);
    pipe_open(&run->output, run, g_subprocess_get_stdout_pipe(run->process));
    pipe_open(&run->problems, run, g_subprocess_get_stderr_pipe(run->process));
    run->n_open++;
    g_subprocess_wait_async(run->process, NULL, on_ended, run);
    g_main_loop_run(run->loop);
    stop_timer(late);
    g_clear_pointer(&run->grace, stop_timer);
    g_clear_object(&run->given_up);
    g_main_loop_unref(run->loop);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
}

gboolean
signet_child_run(const char *const *argv, const char *const *environment, guint timeout_s,
                 SignetChild *ret_child, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GSubprocess) process = NULL;
    Run run = {0};

    if (environment)
        g_subprocess_launcher_set_environ(launcher, (char **)environment);
    g_subprocess_launcher_set_cwd(launcher, "/");
    process = g_subprocess_launcher_spawnv(launcher, argv, error);
    if (!process)
        return FALSE;
    run.process = process;
    wait_for(&run, timeout_s);
    ret_child->output = g_string_free(run.output.text, FALSE);
    ret_child->problems = dup_first_line(run.problems.text->str);
    ret_child->status =
        g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
    ret_child->signal =
        g_subprocess_get_if_signaled(process) ? g_subprocess_get_term_sig(process) : 0;
    g_string_free(run.problems.text, TRUE);
    return TRUE;
}

SignetProbeReport *
signet_child_probe(const char *const *arguments, const char *const *environment, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_auto(SignetChild) child = {0};

    g_ptr_array_add(argv, (gpointer)SIGNET_PROBE_PROGRAM);
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, (gpointer)*arguments);
    g_ptr_array_add(argv, NULL);
    if (!signet_child_run((const char *const *)argv->pdata, environment, PROBE_TIMEOUT_S, &child,
                          error))
        return NULL;
    if (child.signal == SIGSYS) {
        g_autofree char *output =
            g_strconcat(child.output, "\n" SIGNET_CHILD_KILLED " yes\n", NULL);

        return signet_probe_report_new(output, strlen(output));
    }
    if (child.status > 1 || child.status < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s failed: %s", SIGNET_PROBE_PROGRAM,
                    *child.problems ? child.problems : "a signal ended it");
        return NULL;
    }
    return signet_probe_report_new(child.output, strlen(child.output));
}
