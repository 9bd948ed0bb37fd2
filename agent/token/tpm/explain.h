/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Why a TPM does not do what we want, for people. Private to agent/token/tpm. */

#pragma once

#include <tss2/tss2_esys.h>

#include "agent/token/tpm/keyfile.h"

/* conf: a TCTI string. What the file or socket behind it says, and what to do (free with
 * g_free()): tpm2-tss says only "IO failure". */
char *signet_tpm_explain_unreachable(const char *conf);
/* How long a locked TPM stays locked (free with g_free()); NULL when it does not say. TCG TPM 2.0
 * part 1, 19.8. */
char *signet_tpm_explain_lockout(ESYS_CONTEXT *esys);
/* Why the TPM refuses the key: it is damaged, or another TPM's, or the TPM was cleared. parent,
 * tpm: the names of what is now where the file's were; empty or NULL: not known. */
const char *signet_tpm_explain_strange_key(const SignetTpmKeyFile *file, const TPM2B_NAME *parent,
                                           const TPM2B_NAME *tpm);
