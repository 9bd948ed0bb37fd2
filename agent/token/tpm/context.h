/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An open TPM: the connection, the parents of our keys, the session, the loaded keys; and the loop
 * that runs commands through all that can be repaired. Private to agent/token/tpm. */

#pragma once

#include <tss2/tss2_esys.h>

#include "agent/token/backend.h"
#include "agent/token/tpm/facts.h"
#include "agent/token/tpm/keyfile.h"
#include "agent/token/tpm/loaded.h"

typedef struct {
    char *name;      /* (owned) of the token */
    char *tcti_conf; /* (owned) */
    gboolean bus_encryption;

    TSS2_TCTI_CONTEXT *tcti; /* (owned, nullable) */
    ESYS_CONTEXT *esys;      /* (owned, nullable): NULL while it is not open */
    ESYS_TR owner_primary;   /* transient; ESYS_TR_NONE until a key needs it */
    ESYS_TR srk;             /* 0x81000001; ESYS_TR_NONE when there is none that fits */
    ESYS_TR session;         /* ESYS_TR_NONE without bus encryption */
    SignetTpmLoaded *loaded; /* (owned) */
    SignetTpmFacts facts;    /* (owned) */
} SignetTpm;

SignetTpm *signet_tpm_new(const char *name, const char *tcti_conf, gboolean bus_encryption);
void signet_tpm_free(SignetTpm *tpm);

gboolean signet_tpm_open(SignetTpm *tpm, GError **error);

/* A key in use by one call; file is read when the key must be loaded. */
typedef struct {
    SignetKey *key;         /* (unowned) */
    SignetTpmKeyFile *file; /* (owned, nullable) */
    GError *error;          /* (owned, nullable): of an attempt that failed for a reason of ours */
} SignetTpmUse;

/* One attempt: commands to the TPM, all repeatable. */
typedef TSS2_RC (*SignetTpmAttempt)(SignetTpm *tpm, gpointer call);

/* Runs attempt until it succeeds or nothing more can be done: makes room, pauses, sets everything
 * up again after a reset of the TPM. what: for the message, "sign". use: nullable; empty again
 * afterwards. */
gboolean signet_tpm_run(SignetTpm *tpm, const char *what, SignetTpmAttempt attempt, gpointer call,
                        SignetTpmUse *use, GError **error);

/* For attempts. The session to authorise a command with; the password session without bus
 * encryption. Commands and responses are authenticated always; flags say what is secret and so
 * encrypted as well, since each costs 0.3 ms in tpm2-tss 3.2: the command's first parameter
 * (TPMA_SESSION_DECRYPT), the response's (TPMA_SESSION_ENCRYPT). */
ESYS_TR signet_tpm_auth(SignetTpm *tpm, TPMA_SESSION flags);
/* The parent new keys get, as the key file names it. */
TPM2_HANDLE signet_tpm_default_parent(const SignetTpm *tpm);
TSS2_RC signet_tpm_parent(SignetTpm *tpm, TPM2_HANDLE handle, ESYS_TR *ret_parent);
/* What the caller cleanses. */
void signet_tpm_copy_auth(const SignetSecret *auth, TPM2B_AUTH *ret_auth);
/* The key, loaded. */
TSS2_RC signet_tpm_use_key(SignetTpm *tpm, SignetTpmUse *use, ESYS_TR *ret_object);
/* Flushes the key if it is loaded. */
void signet_tpm_forget_key(SignetTpm *tpm, SignetKey *key);
