/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The response to device-attest-01 (draft-ietf-acme-device-attest): evidence in CBOR, in WebAuthn's
 * format "tpm" (WebAuthn level 2, 8.3). */

#pragma once

#include "agent/enroll/json.h"
#include "agent/enroller/link.h"

#define SIGNET_ATTESTATION_CHALLENGE "device-attest-01"

/* {"attObj": …}; NULL with error. token: of the challenge. */
json_t *signet_attestation_make_response(SignetLink *link, const char *token, GError **error);
/* The attestation object. CORRUPT when the chain or the signature is not what it should be, POLICY
 * without a certificate of the attestation key. */
GBytes *signet_attestation_encode(const SignetLinkEvidence *evidence, GError **error);
