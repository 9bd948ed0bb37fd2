/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The certificates of a TPM's endorsement keys, where its maker has left them (TCG EK Credential
 * Profile 2.5, 2.2.1.4 and 2.2.1.5). Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"

/* aa{ss}, floating: nv, key, subject, issuer, not_before, not_after, sha256 of each certificate
 * that is there and can be read. */
TSS2_RC signet_tpm_ek_certificates(SignetTpm *tpm, GVariant **ret_certificates);
/* Themselves, and those of whoever issued them as far as they are there (2.2.1.5.2): aay each,
 * floating. */
TSS2_RC
signet_tpm_ek_read(SignetTpm *tpm, GVariant **ret_certificates, GVariant **ret_issuers);
