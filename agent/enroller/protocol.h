/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What every protocol's client is given. */

#pragma once

#include "agent/enroller/crypto.h"
#include "agent/enroller/http.h"
#include "agent/enroller/link.h"
#include "agent/enroller/outcome.h"
#include "agent/enroller/prover.h"
#include "agent/enroller/runner.h"

/* All borrowed. */
typedef struct {
    SignetCrypto *crypto;
    SignetHttp *http; /* NULL for a protocol without network */
    const SignetJobRequest *job;
    SignetProver *prover; /* NULL for every protocol but "acme" */
    SignetRunner *runner; /* NULL for every protocol but "exec" */
    SignetLink *link;
    gint64 now_s; /* seconds since 1970 */
} SignetProtocolContext;

/* Asks for what the job says. TRUE: the outcome is a chain, or a time to ask again. */
typedef gboolean (*SignetProtocolEnroll)(const SignetProtocolContext *context,
                                         SignetEnrollerOutcome *outcome, GError **error);
