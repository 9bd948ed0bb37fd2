/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TSS2 PRIVATE KEY: a TPM key as PEM, loadable only by the TPM that made it
 * (draft-bottomley-tpm2-keys; also read by tpm2-openssl and tpm2-tools). Private to
 * agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_tpm2_types.h>

#include "agent/token/tpm/pcr.h"

typedef struct {
    gboolean empty_auth;
    TPM2_HANDLE parent; /* a persistent handle, or TPM2_RH_OWNER for the standard primary */
    TPM2B_PUBLIC public;
    TPM2B_PRIVATE private;
    SignetTpmPcrs pcrs; /* its policy; the values stand in lines before the PEM too */
    /* Who made it, in lines before the PEM that others skip; empty: not written down. */
    TPM2B_NAME parent_name; /* of the parent */
    TPM2B_NAME tpm_name;    /* of a primary of the endorsement hierarchy: signet_tpm_identify() */
} SignetTpmKeyFile;

GBytes *signet_tpm_key_file_encode(const SignetTpmKeyFile *file);
/* CORRUPT when it is not one, or uses parts of the format that we never write (other policies). */
gboolean signet_tpm_key_file_decode(GBytes *pem, SignetTpmKeyFile *ret_file, GError **error);
