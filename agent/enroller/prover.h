/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Puts the proofs of ACME in their place (RFC 8555 section 8) and takes them away again: answers
 * http-01 itself, or lets the administrator's program do it. What that needs is made before the
 * sandbox closes: a socket, and a process that runs the program. */

#pragma once

#include "agent/enroll/request.h"

typedef struct SignetProver SignetProver;

/* By Http01=, Dns01= and Program= of the job; called first of all. */
SignetProver *signet_prover_new(const SignetJobRequest *job, GError **error);
/* Takes away what is there still, and waits for it. */
void signet_prover_free(SignetProver *prover);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetProver, signet_prover_free)

typedef struct {
    const char *type; /* of the challenge: "http-01", "dns-01" */
    const char *name; /* that is to be proven */
    const char *token;
    const char *proof; /* the key authorisation */
} SignetProof;

gboolean signet_prover_can(const SignetProver *prover, const char *type);
/* FAILED with what the program says, TIMED_OUT. */
gboolean signet_prover_add(SignetProver *prover, const SignetProof *proof, GError **error);
