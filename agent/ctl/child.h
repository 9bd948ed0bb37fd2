/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Programs that signetctl runs: signet-probe, and those of the machine that are tried. */

#pragma once

#include "agent/ctl/probe-report.h"

/* Where programs of the machine are looked for, whatever the caller's PATH says. */
#define SIGNET_CHILD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct {
    char *output;   /* (owned) at most 64 KiB; of a NUL in it, what stands before */
    char *problems; /* (owned) the first line of its standard error that is not empty, cleaned */
    int status;     /* exit code; -1: a signal ended it */
    int signal;     /* which; 0: none */
} SignetChild;
void signet_child_clear(SignetChild *child);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetChild, signet_child_clear)

/* Runs it to its end, for at most timeout_s, and does not wait for what it has left behind;
 * standard input is empty. argv[0]: found in SIGNET_CHILD_PATH; environment: NULL is the caller's.
 * FALSE: it could not be started. */
gboolean signet_child_run(const char *const *argv, const char *const *environment, guint timeout_s,
                          SignetChild *ret_child, GError **error);

/* signet-probe; NULL when it could not be run. What it was not able to do is among the findings,
 * and when a filter of system calls has ended it, SIGNET_CHILD_KILLED is. */
#define SIGNET_CHILD_KILLED "filter.killed"
SignetProbeReport *
signet_child_probe(const char *const *arguments, const char *const *environment, GError **error);
/* Where it is installed. */
const char *signet_child_probe_program(void);
