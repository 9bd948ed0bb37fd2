/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Public areas: the templates of our keys and of their parent, and a public key as the rest of the
 * world writes it. Private to agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_tpm2_types.h>

#include "agent/token/backend.h"

/* FALSE: no such key type. */
gboolean signet_tpm_template(const SignetKeyTemplate *key, TPM2B_PUBLIC *ret_template);
/* The primary that the TSS2 key format means by parent 0x40000001: a restricted P-256 storage key,
 * empty unique. */
TPM2B_PUBLIC signet_tpm_primary_template(void);
/* A storage key that others made, under which ours can live: restricted, decrypt, fixed, used by
 * its auth value, P-256 or RSA; and not subject to lockout, into which others' wrong passwords and
 * a few power cuts would bring it. */
gboolean signet_tpm_is_storage_key(const TPMT_PUBLIC *public);
/* DER SubjectPublicKeyInfo; NULL when libcrypto cannot. */
GBytes *signet_tpm_spki(const TPMT_PUBLIC *public);
/* Bytes of a coordinate, 0 for an unknown curve. */
gsize signet_tpm_curve_bytes(TPMI_ECC_CURVE curve);
