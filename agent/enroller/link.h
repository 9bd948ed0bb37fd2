/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The job's connection as the program itself uses it: job at the beginning, result at the end. In
 * between the provider uses the same socket through a channel of its own; each exchange is complete
 * before the next begins, so that they never meet. */

#pragma once

#include "agent/enroll/job.h"
#include "agent/enroller/outcome.h"

typedef struct SignetLink SignetLink;

/* fd: stays the caller's. */
SignetLink *signet_link_new(int fd, GError **error);
void signet_link_free(SignetLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetLink, signet_link_free)

SignetJob *signet_link_get_job(SignetLink *link, GError **error);
/* What the agent's token says of the new key (PROTOCOL.md 7.3). */
typedef struct {
    GBytes *attestation; /* (owned) TPMS_ATTEST */
    GBytes *signature;   /* (owned) TPMT_SIGNATURE */
    GBytes *key;         /* (owned) TPMT_PUBLIC */
    GBytes *chain;       /* (owned) certificates of the attestation key, DER, one after the other */
} SignetLinkEvidence;

/* token: of an ACME challenge. */
gboolean signet_link_certify(SignetLink *link, const char *token, SignetLinkEvidence *evidence,
                             GError **error);
void signet_link_evidence_clear(SignetLinkEvidence *evidence);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetLinkEvidence, signet_link_evidence_clear)

/* failure: nullable; with one, only the state of the outcome counts. */
gboolean signet_link_send_result(SignetLink *link, const SignetEnrollerOutcome *outcome,
                                 const GError *failure, GError **error);
