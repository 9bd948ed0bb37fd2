/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of evidence: the structures of a TPM, and the files. The first byte says which. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence/structure.h"
#include "agent/evidence/verify.h"
#include "tests/fuzz/fuzz.h"

/* Somebody who is believed; the file need not hold a certificate. */
static const char nobody[] = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static void
read_public(GBytes *bytes)
{
    g_auto(SignetTpmPublic) public = {0};

    if (!signet_tpm_public_read(&public, bytes, NULL))
        return;
    require(public.spki && g_bytes_get_size(public.spki) > 0, "a key has a public half");
    require(public.name.size >= 2 + 32, "and a name");
}

static void
read_attestation(GBytes *bytes)
{
    g_auto(SignetTpmAttestation) attestation = {0};

    if (signet_tpm_attestation_read(&attestation, bytes, NULL))
        require(attestation.extra && attestation.name.size >= 2 + 32, "a key is certified");
}

static void
read_signature(GBytes *bytes)
{
    g_auto(SignetTpmSignature) signature = {0};

    if (signet_tpm_signature_read(&signature, bytes, NULL))
        require(signature.digest && signature.signature, "a signature is by something");
}

static void
judge(GBytes *bytes)
{
    g_auto(SignetEvidence) evidence = {0};
    g_auto(SignetEvidenceReport) report = {0};
    g_autoptr(GBytes) endorsers = g_bytes_new_static(nobody, sizeof nobody - 1);
    const SignetEvidenceDemand demand = {.endorsers = endorsers, .now_s = 1800000000};
    g_autoptr(GError) error = NULL;

    if (!signet_evidence_from_text(&evidence, bytes, NULL))
        return;
    g_autofree char *text = signet_evidence_to_text(&evidence);
    g_autoptr(GBytes) again = g_bytes_new(text, strlen(text));
    g_auto(SignetEvidence) second = {0};
    require(signet_evidence_from_text(&second, again, NULL), "what is written can be read");
    require(g_bytes_equal(second.attestation, evidence.attestation), "and is the same");
    require(!signet_evidence_verify(&evidence, &demand, &report, &error) && error,
            "nobody is believed");
}

static void
read_rest(GBytes *bytes)
{
    g_auto(SignetChallenge) challenge = {0};
    g_auto(SignetExpectation) expectation = {0};
    g_autoptr(GBytes) answer = NULL;

    answer = signet_answer_from_text(bytes, NULL);
    require(!answer || g_bytes_get_size(answer) <= 4096, "an answer is short");
    signet_challenge_from_text(&challenge, bytes, NULL);
    signet_expectation_from_text(&expectation, bytes, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(GBytes *) = {read_public, read_attestation, read_signature,
                                                judge, read_rest};

    if (size == 0)
        return 0;
    g_autoptr(GBytes) bytes = g_bytes_new(data + 1, size - 1);
    readers[(data[0] - '0') % G_N_ELEMENTS(readers)](bytes);
    return 0;
}
