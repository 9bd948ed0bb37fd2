/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a TPM says of itself. Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/context.h"

/* Fills description, protection, capacity and hashes. */
TSS2_RC signet_tpm_read_facts(SignetTpm *tpm);
