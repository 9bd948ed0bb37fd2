/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Endorsement keys: made anew from the templates that their makers certified (TCG EK Credential
 * Profile 2.5, annex B). Private to agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"

/* The endorsement key with this public half, loaded; the caller flushes it. Takes a place for a
 * transient object, which the caller has seen to. ESYS_TR_NONE with success: the TPM has no such
 * one. */
TSS2_RC signet_tpm_endorsement_key(SignetTpm *tpm, GBytes *spki, ESYS_TR *ret_key);
/* What authorises its use: the password session, or a session of its own, which ends with the
 * command or by signet_tpm_flush(). */
TSS2_RC signet_tpm_endorsement_session(SignetTpm *tpm, ESYS_TR key, ESYS_TR *ret_session);
