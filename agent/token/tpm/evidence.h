/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a TPM says of its keys: TPM2_Certify by an attestation key under the storage primary, and
 * TPM2_ActivateCredential, which ties that one to an endorsement key (TCG TPM 2.0 Keys for Device
 * Identity and Attestation). Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"

/* As SignetTokenBackend.certify and .activate. */
gboolean signet_tpm_certify(SignetTpm *tpm, SignetKey *attester, SignetKey *key, GBytes *data,
                            GVariantDict *evidence, GError **error);
GBytes *signet_tpm_activate(SignetTpm *tpm, SignetKey *attester,
                            const SignetTokenChallenge *challenge, GError **error);
