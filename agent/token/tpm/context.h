/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The loop that runs commands through all that can be repaired, and the keys they use. Private to
 * agent/token/tpm. */

#pragma once

#include "agent/token/tpm/connection.h"
#include "agent/token/tpm/keyfile.h"

/* A key in use by one call; file is read when the key must be loaded. */
typedef struct {
    SignetKey *key;            /* (unowned) */
    SignetTpmKeyFile *file;    /* (owned, nullable) */
    const SignetTpmPcrs *pcrs; /* (unowned, nullable): tpm->bound's; what the key is bound to */
    ESYS_TR session;           /* of a bound key; ESYS_TR_NONE */
    GError *error; /* (owned, nullable): of an attempt that failed for a reason of ours */
} SignetTpmUse;

/* One attempt: commands to the TPM, all repeatable. */
typedef TSS2_RC (*SignetTpmAttempt)(SignetTpm *tpm, gpointer call);

/* Runs attempt until it succeeds or nothing more can be done: makes room, pauses, connects
 * and sets everything up again. what: for the message, "sign". use: nullable; empty again
 * afterwards. */
gboolean signet_tpm_run(SignetTpm *tpm, const char *what, SignetTpmAttempt attempt, gpointer call,
                        SignetTpmUse *use, GError **error);

/* For attempts. What the caller cleanses. */
void signet_tpm_copy_auth(const SignetSecret *auth, TPM2B_AUTH *ret_auth);
/* The key, loaded. */
TSS2_RC signet_tpm_use_key(SignetTpm *tpm, SignetTpmUse *use, ESYS_TR *ret_object);
/* The session that authorises one command with the key; begin and end enclose it. */
TSS2_RC
signet_tpm_begin_use(SignetTpm *tpm, SignetTpmUse *use, TPMA_SESSION flags, ESYS_TR *ret_session);
/* rc: the command's; returned. */
TSS2_RC signet_tpm_end_use(SignetTpm *tpm, SignetTpmUse *use, TSS2_RC rc);
/* Flushes the key if it is loaded. */
void signet_tpm_forget_key(SignetTpm *tpm, SignetKey *key);
