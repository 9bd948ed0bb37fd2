/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Runs signet-enroll for one job: its own process, one connected fd, a deadline after which it is
 * killed. */

#pragma once

#include "agent/enroll/job.h"

typedef struct SignetEnroll SignetEnroll;

/* How long a job without a conversation has, and others beyond the time of theirs. */
#define SIGNET_ENROLL_TIMEOUT_S 120
#define SIGNET_ENROLL_GRACE_S   15

typedef struct {
    const char *program;  /* path of signet-enroll; copied */
    const char *socket;   /* (nullable) where jobs for the network are handed over instead, to a
                             signet-enroll that the service manager starts for each connection, since
                             the agent itself has no network; where there is no such socket the
                             program   is started all the same; copied */
    const char *provider; /* path of signet.so, or NULL where OpenSSL finds it by itself; copied */
    guint timeout_ms;     /* of a job without a conversation (remote.timeout_s); 0: 120,000 */
} SignetEnrollSettings;

/* Gives the agent's end of the job's connection to whoever serves it (the door). Takes the fd. */
typedef void (*SignetEnrollAttach)(int fd, SignetJob *job, gpointer data);
/* The process is gone; the job has its outcome (FAILED with words if it crashed or ran out of
 * time). */
typedef void (*SignetEnrollDone)(SignetJob *job, gpointer data);

SignetEnroll *
signet_enroll_new(const SignetEnrollSettings *settings, SignetEnrollAttach attach, gpointer data);
/* Kills what still runs; their done functions are not called. */
void signet_enroll_free(SignetEnroll *enroll);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetEnroll, signet_enroll_free)

/* Never blocks; calls done exactly once, from the main context, also when the process cannot be
 * started. */
void
signet_enroll_start(SignetEnroll *enroll, SignetJob *job, SignetEnrollDone done, gpointer data);
/* Kills the job's process; done is not called. */
void signet_enroll_cancel(SignetEnroll *enroll, SignetJob *job);
