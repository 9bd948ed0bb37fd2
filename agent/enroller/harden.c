/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Limits the process sets itself. */

#include "agent/enroller/harden.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/error.h"

static gboolean
limit(int resource, rlim_t most, GError **error)
{
    struct rlimit value;

    if (getrlimit(resource, &value) == 0) {
        value.rlim_max = MIN(value.rlim_max, most);
        value.rlim_cur = MIN(value.rlim_cur, most);
        if (setrlimit(resource, &value) == 0)
            return TRUE;
    }
    return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot set resource limit %d: %s",
                            resource, g_strerror(errno));
}

gboolean
signet_harden_limit(GError **error)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_NOFILE, 64},
        {RLIMIT_CPU, 60},
#ifndef __SANITIZE_ADDRESS__ /* its shadow memory alone is terabytes of address space */
        {RLIMIT_AS, (rlim_t)1 << 30},
#endif
    };

    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
        if (!limit(limits[i].resource, limits[i].most, error))
            return FALSE;
    return TRUE;
}

gboolean
signet_harden(int last_fd, guint deadline_s, GError **error)
{
    sigset_t none;

    closefrom(last_fd + 1);
    umask(0077);
    /* The agent may have blocked signals for itself; a blocked SIGALRM would be no deadline. */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGALRM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    alarm(deadline_s);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot give up privileges: %s",
                                g_strerror(errno));
    return TRUE;
}

void
signet_harden_drop_network(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        return;
}
