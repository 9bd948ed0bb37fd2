/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Evidence and what is passed to and fro about it, as files: JSON, each with its format's name and
 * a version. EVIDENCE.md is normative. Reading is bounded and strict; CORRUPT says which member is
 * wrong. */

#pragma once

#include <glib.h>

#define SIGNET_EVIDENCE_FILE_MAX (256u * 1024)

typedef struct {
    char *identity; /* (owned) */
    char *token;    /* (owned) its name on its machine */
    guint32 generation;
    GBytes *nonce;        /* (owned) what was asked to be signed along; may be empty */
    GBytes *attestation;  /* (owned) TPMS_ATTEST */
    GBytes *signature;    /* (owned) TPMT_SIGNATURE */
    GBytes *key;          /* (owned) TPMT_PUBLIC */
    GBytes *attester;     /* (owned) TPMT_PUBLIC */
    GPtrArray *attesters; /* (owned) of GBytes, here and below: the attester's certificate and those
                             above it, DER; may be empty */
    GPtrArray *endorsement; /* (owned) certificates of endorsement keys */
    GPtrArray *issuers;     /* (owned) … of those who signed them */
    GPtrArray *certificate; /* (owned) of the generation, leaf first */
} SignetEvidence;

/* Free with g_free(). */
char *signet_evidence_to_text(const SignetEvidence *evidence);
gboolean signet_evidence_from_text(SignetEvidence *evidence, GBytes *text, GError **error);
void signet_evidence_clear(SignetEvidence *evidence);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetEvidence, signet_evidence_clear)

/* For the machine that is to prove itself. */
typedef struct {
    char *token;         /* (owned) */
    GBytes *endorsement; /* (owned) SubjectPublicKeyInfo */
    GBytes *credential;  /* (owned) TPM2B_ID_OBJECT */
    GBytes *secret;      /* (owned) TPM2B_ENCRYPTED_SECRET */
} SignetChallenge;

char *signet_challenge_to_text(const SignetChallenge *challenge);
gboolean signet_challenge_from_text(SignetChallenge *challenge, GBytes *text, GError **error);
void signet_challenge_clear(SignetChallenge *challenge);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetChallenge, signet_challenge_clear)

/* What whoever made the challenge keeps to himself, and needs for the answer. */
typedef struct {
    GBytes *endorsement; /* (owned) SubjectPublicKeyInfo */
    GBytes *attester;    /* (owned) its name */
    GBytes *answer;      /* (owned) */
} SignetExpectation;

char *signet_expectation_to_text(const SignetExpectation *expectation);
gboolean signet_expectation_from_text(SignetExpectation *expectation, GBytes *text, GError **error);
void signet_expectation_clear(SignetExpectation *expectation);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetExpectation, signet_expectation_clear)

char *signet_answer_to_text(GBytes *answer);
/* NULL with error. */
GBytes *signet_answer_from_text(GBytes *text, GError **error);
