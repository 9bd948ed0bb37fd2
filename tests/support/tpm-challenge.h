/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Challenges as tpm2-tools make them, for the attestation key of a software TPM. */

#pragma once

#include "agent/token/backend.h"
#include "tests/support/swtpm.h"

/* What is hidden in all of them. */
#define TPM_CHALLENGE_ANSWER "0123456789abcdef"

/* attester: TPMT_PUBLIC; endorsement: "rsa", "ecc", "ecc384". Nobody else may use the TPM
 * meanwhile. */
void tpm_challenge_make(const Swtpm *swtpm, GBytes *attester, const char *endorsement,
                        SignetTokenChallenge *ret_challenge);
void tpm_challenge_clear(SignetTokenChallenge *challenge);
