/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent's end of one job: keys in software, the job's real grants, on a thread of its own. */

#pragma once

#include "agent/enroll/job.h"
#include "agent/enroll/openssl.h"

typedef struct {
    const char *identity;
    guint32 generation;
    gboolean is_current;
    EVP_PKEY *key; /* (unowned) */
} AgentKey;

typedef struct {
    const AgentKey *keys;
    gsize n_keys;
    SignetJob *job;
    const char *job_text; /* (nullable) instead of the job's own */
    const char
        *sign_error; /* (nullable) every signature is refused in these words: token removed */

    /* filled in; read them after agent_stop() */
    guint n_jobs;
    guint n_signed;
    guint n_denied;
    gboolean is_transient;

    int fd;          /* (owned) */
    GThread *thread; /* (owned) */
} Agent;

/* Takes fd and serves it until the other end closes. */
void agent_serve(Agent *agent, int fd);
/* Waits for that end. */
void agent_stop(Agent *agent);

GBytes *agent_dup_spki(EVP_PKEY *key);
