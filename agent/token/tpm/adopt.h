/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that others made with this TPM. Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"

/* name: a TSS2 PRIVATE KEY; it is loaded once, and written down anew with who made it. See
 * SignetTokenBackend.adopt. Refuses keys that may leave the TPM, that came from elsewhere, or that
 * cannot sign as ours do. Whether auth is right only a signature tells. */
SignetKey *signet_tpm_adopt(SignetTpm *tpm, GBytes *name, SignetSecret *auth, GError **error);
