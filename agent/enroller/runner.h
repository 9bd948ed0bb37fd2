/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs an administrator's program, from a process of its own that was forked before this one gave
 * up the right to run anything. The program gets neither the job's connection nor any other
 * descriptor, is a user without privileges (the one signet-enroll itself becomes), has a deadline
 * and is killed with its process group when it is over, or when whoever waits for it is gone. */

#pragma once

#include <glib.h>

typedef struct SignetRunner SignetRunner;

/* Forks. program: absolute; timeout_s: from signet_runner_run() on. */
SignetRunner *signet_runner_new(const char *program, guint timeout_s, GError **error);
/* Ends what may still run. */
void signet_runner_free(SignetRunner *runner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetRunner, signet_runner_free)

typedef struct {
    int code;        /* exit status */
    GString *output; /* (owned) standard output, at most SIGNET_SUPERVISE_OUTPUT_MAX bytes */
    char *words;     /* (owned) the beginning of standard error; never NULL */
} SignetRunnerEnd;

void signet_runner_end_clear(SignetRunnerEnd *end);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetRunnerEnd, signet_runner_end_clear)

/* Once for each runner; waits. input: for standard input; variables: "NAME=value", beside PATH and
 * LANG. FALSE: it could not be run (not root's own, or others may write it: DENIED), was killed,
 * did not end in time (TIMED_OUT) or said too much; the words name the program. */
gboolean signet_runner_run(SignetRunner *runner, const char *input, const char *const *variables,
                           SignetRunnerEnd *ret_end, GError **error);
