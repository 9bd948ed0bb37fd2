/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Becoming another: user and groups, and the surroundings of a process that runs. libc only. */

#pragma once

#include <stdbool.h>

struct signet_role {
    long pid;           /* 0: nobody's surroundings */
    long uid, gid;      /* -1: stay who we are */
    const char *groups; /* (unowned, nullable): "1,2,3": the supplementary ones */
};

/* Leaves the terminal, enters the control group, mount namespace and root of role->pid, then takes
 * the ids, keeps no capability that role->pid has not in our user namespace (none, when it is in
 * another), gives up every way back, and sets itself the filters of system calls that role->pid
 * has. Says entered.cgroup, entered.mounts, entered.root, entered.filter with "yes", "same" or
 * "no". False: a reason was said as role.error; then nothing must be tried. */
bool signet_enter(const struct signet_role *role);
