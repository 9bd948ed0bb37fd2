/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TPM 2.0 backend over tpm2-tss ESYS (TCG TSS 2.0 ESAPI); keys are TPM objects under the storage
 * primary, kept as TSS2 PRIVATE KEY files by the store. */

#pragma once

#include "agent/token/token.h"

/* tcti: a tpm2-tss TCTI string, e.g. "device:/dev/tpmrm0", "swtpm:path=/x/sock". bus_encryption:
 * salted HMAC session with parameter encryption instead of a password session. Opens nothing yet.
 * Sets TSS2_LOG=all+NONE where TSS2_LOG is not set, since tpm2-tss writes to stderr otherwise; a
 * program that minds setenv() beside threads does so itself, first. */
SignetToken *signet_tpm_token_new(const SignetTokenSettings *settings, const char *tcti,
                                  gboolean bus_encryption);
