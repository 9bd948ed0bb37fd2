/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Judges evidence: without a TPM, without a network, without the agent. Pure; the time is an
 * argument. */

#pragma once

#include "agent/evidence/bundle.h"

/* What the judge knows, and demands. */
typedef struct {
    GBytes *endorsers;       /* PEM: certificates that are believed of those who make TPMs */
    GBytes *attestation_cas; /* (nullable) PEM: … of those who certify attestation keys */
    GBytes *nonce;           /* (nullable) that must be signed along */
    const SignetExpectation *expectation; /* (nullable, both or none) of an earlier challenge … */
    GBytes *answer;                       /* … and what the machine said */
    gint64 now_s;                         /* seconds since 1970 */
} SignetEvidenceDemand;

/* What it comes to. Sentences are static. */
typedef struct {
    GPtrArray *proven;   /* (owned) of const char * */
    GPtrArray *unproven; /* (owned) likewise */
    gboolean is_bound;   /* attestation key and endorsement key are known to be of one TPM */
    GBytes *endorsement; /* (owned) SubjectPublicKeyInfo of the endorsement key that counts */
    char *maker;         /* (owned) subject and issuer of its certificate, for people */
} SignetEvidenceReport;

/* FALSE: the evidence is wrong, and *error is the sentence that says in what: POLICY; CORRUPT when
 * it cannot be read. */
gboolean signet_evidence_verify(const SignetEvidence *evidence, const SignetEvidenceDemand *demand,
                                SignetEvidenceReport *report, GError **error);
void signet_evidence_report_clear(SignetEvidenceReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetEvidenceReport, signet_evidence_report_clear)

/* A challenge that only a machine with this attestation key and the endorsement key of the report
 * can answer, and what it must say. */
gboolean signet_evidence_challenge(const SignetEvidence *evidence,
                                   const SignetEvidenceReport *report, SignetChallenge *challenge,
                                   SignetExpectation *expectation, GError **error);
/* The attestation key, PEM; NULL with error. Free with g_free(). */
char *signet_evidence_dup_attester(const SignetEvidence *evidence, GError **error);
