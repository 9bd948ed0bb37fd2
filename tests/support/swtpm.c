/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* swtpm over Unix sockets. */

#include "tests/support/swtpm.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define POLL_US          5000

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static char *
socket_path(const Swtpm *swtpm)
{
    return g_build_filename(swtpm->dir, "tpm", NULL);
}

/* swtpm makes its sockets before it answers, and its pid file after. */
static void
wait_until_ready(const Swtpm *swtpm)
{
    g_autofree char *pid_file = g_build_filename(swtpm->dir, "pid", NULL);
    gint64 end_us = g_get_monotonic_time() + START_TIMEOUT_US;

    while (!g_file_test(pid_file, G_FILE_TEST_EXISTS)) {
        if (waitpid(swtpm->pid, NULL, WNOHANG) != 0)
            g_error("swtpm ended at once; see %s/log", swtpm->dir);
        if (g_get_monotonic_time() > end_us)
            g_error("swtpm does not come up; see %s/log", swtpm->dir);
        g_usleep(POLL_US);
    }
}

void
swtpm_start(Swtpm *swtpm)
{
    g_autofree char *path = socket_path(swtpm);
    g_autofree char *state = g_strdup_printf("dir=%s/state", swtpm->dir);
    g_autofree char *server = g_strdup_printf("type=unixio,path=%s", path);
    g_autofree char *ctrl = g_strdup_printf("type=unixio,path=%s.ctrl", path);
    g_autofree char *log = g_strdup_printf("file=%s/log", swtpm->dir);
    g_autofree char *pid_path = g_build_filename(swtpm->dir, "pid", NULL);
    g_autofree char *pid_file = g_strdup_printf("file=%s", pid_path);
    char *argv[] = {"swtpm",
                    "socket",
                    "--tpm2",
                    "--tpmstate",
                    state,
                    "--server",
                    server,
                    "--ctrl",
                    ctrl,
                    "--flags",
                    "not-need-init,startup-clear",
                    "--log",
                    log,
                    "--pid",
                    pid_file,
                    NULL};
    g_auto(GStrv) env = g_environ_unsetenv(g_get_environ(), "OPENSSL_CONF");
    g_autoptr(GError) error = NULL;

    g_unlink(pid_path);
    if (!g_spawn_async(NULL, argv, env,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                           G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                       die_with_parent, NULL, &swtpm->pid, &error))
        g_error("cannot start swtpm: %s", error->message);
    wait_until_ready(swtpm);
}

void
swtpm_kill(Swtpm *swtpm)
{
    if (swtpm->pid == 0)
        return;
    kill(swtpm->pid, SIGKILL);
    waitpid(swtpm->pid, NULL, 0);
    swtpm->pid = 0;
}

char *
swtpm_shell(const Swtpm *swtpm, const char *command)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    g_auto(GStrv) env = g_environ_unsetenv(g_get_environ(), "OPENSSL_CONF");
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    int status;

    env = g_environ_setenv(env, "dir", swtpm->dir, TRUE);
    env = g_environ_setenv(env, "TPM2TOOLS_TCTI", swtpm->tcti, TRUE);
    env = g_environ_setenv(env, "TPM2OPENSSL_TCTI", swtpm->tcti, TRUE);
    if (!g_spawn_sync(NULL, argv, env, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                      &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        g_printerr("# %s: %s\n# %s\n", command, error->message, err ? err : "");
        return NULL;
    }
    return g_steal_pointer(&out);
}

void
swtpm_reset(Swtpm *swtpm)
{
    g_autofree char *out = swtpm_shell(swtpm, "swtpm_ioctl --unix \"$dir/tpm.ctrl\" -i");

    if (!out)
        g_error("cannot reset swtpm");
}

void
swtpm_replace(Swtpm *swtpm)
{
    g_autofree char *out = NULL;

    swtpm_kill(swtpm);
    out = swtpm_shell(swtpm, "rm -rf \"$dir/state\" && mkdir \"$dir/state\"");
    if (!out)
        g_error("cannot throw swtpm's state away");
    swtpm_start(swtpm);
}

Swtpm *
swtpm_new(void)
{
    Swtpm *swtpm = g_new0(Swtpm, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *state = NULL;

    swtpm->dir = g_dir_make_tmp("signet-swtpm-XXXXXX", &error);
    if (!swtpm->dir)
        g_error("cannot make a directory for swtpm: %s", error->message);
    state = g_build_filename(swtpm->dir, "state", NULL);
    swtpm->tcti = g_strdup_printf("swtpm:path=%s/tpm", swtpm->dir);
    g_mkdir(state, 0700);
    swtpm_start(swtpm);
    return swtpm;
}

void
swtpm_free(Swtpm *swtpm)
{
    g_autofree char *out = NULL;

    swtpm_kill(swtpm);
    out = swtpm_shell(swtpm, "rm -rf \"$dir\"");
    g_free(swtpm->tcti);
    g_free(swtpm->dir);
    g_free(swtpm);
}
