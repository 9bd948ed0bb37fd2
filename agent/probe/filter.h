/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Another process's filters of system calls (seccomp(2)), as the kernel has them: of systemd's
 * SystemCallFilter=, SystemCallArchitectures= and RestrictAddressFamilies=, or whoever else set
 * them. libc only. */

#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define SIGNET_FILTERS_MAX 64

struct signet_filters {
    struct sock_fprog programs[SIGNET_FILTERS_MAX]; /* (owned) the oldest first */
    size_t count;                                   /* 0: it has none */
};

/* Those of the process, whose main thread is stopped for a moment, as by a debugger. Needs
 * CAP_SYS_ADMIN. False: errno says why not. */
bool signet_filters_read(long pid, struct signet_filters *ret_filters);
/* For this process, for good; it must have PR_SET_NO_NEW_PRIVS. False: with errno; some may be
 * there. */
bool signet_filters_install(const struct signet_filters *filters);
void signet_filters_clear(struct signet_filters *filters);
