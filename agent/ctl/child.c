/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Programs that signetctl runs: signet-probe, and those of the machine that are tried. */

#include "agent/ctl/child.h"

#include <gio/gio.h>

#include "agent/ctl/table.h"

#define OUTPUT_MAX      65536
#define PROBE_TIMEOUT_S 150

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

typedef struct {
    GMainLoop *loop;
    GSubprocess *process;
    gboolean is_over;
    char *output, *problems;
    GError *error;
} Run;

static void
on_over(GObject *source, GAsyncResult *result, gpointer data)
{
    Run *run = data;
    g_autoptr(GBytes) output = NULL;
    g_autoptr(GBytes) problems = NULL;
    gsize size = 0;
    const char *bytes;

    (void)g_subprocess_communicate_finish(G_SUBPROCESS(source), result, &output, &problems,
                                          &run->error);
    bytes = output ? g_bytes_get_data(output, &size) : NULL;
    run->output = g_strndup(bytes ? bytes : "", MIN(size, OUTPUT_MAX));
    size = 0;
    bytes = problems ? g_bytes_get_data(problems, &size) : NULL;
    run->problems = g_strndup(bytes ? bytes : "", MIN(size, OUTPUT_MAX));
    run->is_over = TRUE;
    g_main_loop_quit(run->loop);
}

static gboolean
on_late(gpointer data)
{
    Run *run = data;

    g_subprocess_force_exit(run->process);
    return G_SOURCE_REMOVE;
}

/* Its own main context: commands are synchronous. */
static void
wait_for(Run *run, guint timeout_s)
{
    GMainContext *context = g_main_context_new();
    GSource *late = g_timeout_source_new_seconds(timeout_s);

    g_main_context_push_thread_default(context);
    run->loop = g_main_loop_new(context, FALSE);
    g_source_set_callback(late, on_late, run, NULL);
    g_source_attach(late, context);
    g_subprocess_communicate_async(run->process, NULL, NULL, on_over, run);
    while (!run->is_over)
        g_main_loop_run(run->loop);
    g_source_destroy(late);
    g_source_unref(late);
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
    ret_child->output = g_steal_pointer(&run.output);
    ret_child->problems = dup_first_line(run.problems);
    ret_child->status =
        g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process) : -1;
    g_free(run.problems);
    g_clear_error(&run.error);
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
    if (child.status > 1 || child.status < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s failed: %s", SIGNET_PROBE_PROGRAM,
                    *child.problems ? child.problems : "a signal ended it");
        return NULL;
    }
    return signet_probe_report_new(child.output, strlen(child.output));
}
