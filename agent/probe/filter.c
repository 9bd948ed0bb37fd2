/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Filters of system calls: read from one process, set for another. */

#include "agent/probe/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#define STOP_TRIES 200 /* of 10 ms each */

static bool
is_filtered(long pid)
{
    char path[64], line[256];
    int mode = SECCOMP_MODE_DISABLED;
    snprintf(path, sizeof(path), "/proc/%ld/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "Seccomp: %d", &mode);
    if (file != NULL)
        fclose(file);
    return mode == SECCOMP_MODE_FILTER;
}

/* *ret_signal: what it is to get when it goes on, because that is what has stopped it. False: it
 * does not stop in time, or is traced by another. */
static bool
stop(long pid, int *ret_signal)
{
    int status = 0;
    if (ptrace(PTRACE_SEIZE, (pid_t)pid, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, (pid_t)pid, NULL, NULL) != 0)
        return false;
    for (int i = 0; i < STOP_TRIES; i++) {
        if (waitpid((pid_t)pid, &status, __WALL | WNOHANG) != 0)
            break;
        nanosleep(&(struct timespec) {0, 10000000}, NULL);
    }
    errno = ETIMEDOUT;
    *ret_signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
    return WIFSTOPPED(status);
}

/* False: there is no filter of that number, or (errno is not ENOENT) it cannot be had. */
static bool
read_one(long pid, size_t number, struct sock_fprog *ret_program)
{
    long size = ptrace(PTRACE_SECCOMP_GET_FILTER, (pid_t)pid, (void *)number, NULL);
    if (size <= 0 || size > BPF_MAXINSNS)
        return false;
    struct sock_filter *code = calloc((size_t)size, sizeof(*code));
    if (code == NULL ||
        ptrace(PTRACE_SECCOMP_GET_FILTER, (pid_t)pid, (void *)number, code) != size) {
        free(code);
        return false;
    }
    *ret_program = (struct sock_fprog) {.len = (unsigned short)size, .filter = code};
    return true;
}

bool
signet_filters_read(long pid, struct signet_filters *ret_filters)
{
    int signal = 0;
    *ret_filters = (struct signet_filters) {.count = 0};
    if (!is_filtered(pid))
        return true;
    if (!stop(pid, &signal))
        return false;
    while (ret_filters->count < SIGNET_FILTERS_MAX &&
           read_one(pid, ret_filters->count, &ret_filters->programs[ret_filters->count]))
        ret_filters->count++;
    /* all of them, or it would be another filter */
    bool is_whole = ret_filters->count > 0 && errno == ENOENT;
    int error = errno;
    ptrace(PTRACE_DETACH, (pid_t)pid, NULL, (void *)(long)signal);
    if (!is_whole)
        signet_filters_clear(ret_filters);
    errno = error;
    return is_whole;
}

bool
signet_filters_install(const struct signet_filters *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filters->programs[i], 0, 0) != 0)
            return false;
    return true;
}

void
signet_filters_clear(struct signet_filters *filters)
{
    while (filters->count > 0)
        free(filters->programs[--filters->count].filter);
}
