/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* tpm-proxy.py as a child process. */

#include "tests/support/tpm-proxy.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_US (20 * G_USEC_PER_SEC)

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void
wait_until_ready(const TpmProxy *proxy, const char *path)
{
    gint64 end_us = g_get_monotonic_time() + START_TIMEOUT_US;

    while (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (waitpid(proxy->pid, NULL, WNOHANG) != 0 || g_get_monotonic_time() > end_us)
            g_error("the proxy before swtpm does not come up");
        g_usleep(5000);
    }
}

TpmProxy *
tpm_proxy_new(const Swtpm *swtpm, const char *latency)
{
    TpmProxy *proxy = g_new0(TpmProxy, 1);
    g_autofree char *path = g_build_filename(swtpm->dir, "proxy", NULL);
    g_autofree char *tpm = g_build_filename(swtpm->dir, "tpm", NULL);
    g_autofree char *link = g_strconcat(path, ".ctrl", NULL);
    char *argv[] = {TPM_PROXY, "--latency", (char *)latency, path, tpm, NULL, NULL};
    g_autoptr(GError) error = NULL;

    proxy->log = g_build_filename(swtpm->dir, "commands", NULL);
    proxy->tcti = g_strdup_printf("swtpm:path=%s", path);
    argv[5] = proxy->log;
    unlink(path);
    unlink(link);
    if (symlink("tpm.ctrl", link) != 0 ||
        !g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                       &proxy->pid, &error))
        g_error("cannot start the proxy before swtpm: %s", error ? error->message : link);
    wait_until_ready(proxy, path);
    return proxy;
}

void
tpm_proxy_free(TpmProxy *proxy)
{
    kill(proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
    g_free(proxy->log);
    g_free(proxy->tcti);
    g_free(proxy);
}

static void
order(TpmProxy *proxy, const char *line)
{
    g_autofree char *path = g_strconcat(proxy->log, ".faults", NULL);
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);

    if (!g_file_set_contents(temporary, line, -1, NULL) || g_rename(temporary, path) != 0)
        g_error("cannot order a fault");
}

void
tpm_proxy_order(TpmProxy *proxy, guint nth, const char *fault)
{
    g_autofree char *line = g_strdup_printf("%u %s\n", nth, fault);

    order(proxy, line);
}

void
tpm_proxy_order_from(TpmProxy *proxy, guint nth, const char *fault)
{
    g_autofree char *line = g_strdup_printf("%u+ %s\n", nth, fault);

    order(proxy, line);
}

static guint
count(const TpmProxy *proxy, char what)
{
    g_autofree char *text = NULL;
    guint n = 0;

    if (!g_file_get_contents(proxy->log, &text, NULL, NULL))
        g_error("cannot read the log of the proxy");
    for (const char *p = text; *p; p++)
        n += *p == what;
    return n;
}

guint
tpm_proxy_count(const TpmProxy *proxy)
{
    return count(proxy, '\n');
}

guint
tpm_proxy_count_faults(const TpmProxy *proxy)
{
    return count(proxy, ' ');
}
