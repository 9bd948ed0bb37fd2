/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Platform configuration registers, and the policy that binds a key to them: TPM2_PolicyPCR, then
 * TPM2_PolicyAuthValue (TCG TPM 2.0 part 3, 23.7 and 23.17). Private to agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_esys.h>

/* What a key is bound to. */
typedef struct {
    TPML_PCR_SELECTION selection; /* of one bank; count 0: the key is not bound */
    TPM2B_DIGEST digest;          /* SHA-256 over the values: pcrDigest of TPM2_PolicyPCR */
    TPML_DIGEST values;           /* one by one, for words; count 0: not known */
} SignetTpmPcrs;

/* bank: bits of its digests; pcrs: mask. FALSE: no such bank. */
gboolean signet_tpm_pcrs_select(guint bank, guint32 pcrs, SignetTpmPcrs *ret_pcrs);
/* Fills digest and values with the present ones. *ret_is_absent: the TPM has no such bank. */
TSS2_RC signet_tpm_pcrs_read(ESYS_CONTEXT *esys, SignetTpmPcrs *pcrs, gboolean *ret_is_absent);
/* authPolicy of a key that is bound so. */
TPM2B_DIGEST signet_tpm_pcrs_policy(const SignetTpmPcrs *pcrs);
/* The numbers, ascending; at most as many as values can hold. */
guint signet_tpm_pcrs_list(const SignetTpmPcrs *pcrs, guint *ret_numbers, guint max);
/* "PCR 7" or "PCR 0, 7": those that are not as they were (free with g_free()). */
char *signet_tpm_pcrs_describe_change(const SignetTpmPcrs *before, const SignetTpmPcrs *now);
