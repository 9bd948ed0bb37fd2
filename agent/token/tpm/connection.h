/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An open TPM: the connection, the parents of our keys, the session, what is loaded. Private to
 * agent/token/tpm. */

#pragma once

#include <tss2/tss2_esys.h>

#include "agent/token/backend.h"
#include "agent/token/tpm/facts.h"
#include "agent/token/tpm/loaded.h"
#include "agent/token/tpm/pcr.h"

#define SIGNET_TPM_MAX_PAUSES  25 /* about four seconds together */
#define SIGNET_TPM_MAX_REOPENS 3

typedef struct {
    char *name;      /* (owned) of the token */
    char *tcti_conf; /* (owned) */
    gboolean bus_encryption;

    TSS2_TCTI_CONTEXT *tcti;     /* (owned, nullable) */
    ESYS_CONTEXT *esys;          /* (owned, nullable): NULL while it is not open */
    ESYS_TR owner_primary;       /* transient; ESYS_TR_NONE until a key needs it */
    ESYS_TR endorsement_primary; /* the same in that hierarchy, for keys of others */
    ESYS_TR other;               /* the persistent parent that was used last, but the SRK; not ours
                                    to be flushed; ESYS_TR_NONE */
    TPM2_HANDLE other_handle;
    ESYS_TR srk;             /* 0x81000001; ESYS_TR_NONE when there is none that fits */
    ESYS_TR session;         /* ESYS_TR_NONE without bus encryption */
    SignetTpmLoaded *loaded; /* (owned) */
    GHashTable *bound;    /* (owned) blob → SignetTpmPcrs (owned) of keys that have been loaded */
    SignetTpmFacts facts; /* (owned) */
    gboolean is_identified;
    TPM2B_NAME identity; /* see signet_tpm_identify() */
} SignetTpm;

SignetTpm *signet_tpm_new(const char *name, const char *tcti_conf, gboolean bus_encryption);
void signet_tpm_free(SignetTpm *tpm);

/* Connects and sets up, again and over new connections while that may help. */
gboolean signet_tpm_open(SignetTpm *tpm, GError **error);
/* is_lost: nobody is there to flush for. */
void signet_tpm_close(SignetTpm *tpm, gboolean is_lost);

/* Before the nth try again: a short one first, since most of what TPMs wait for is over soon. */
void signet_tpm_pause(guint nth);
/* Makes it ESYS_TR_NONE whatever the TPM says. */
void signet_tpm_flush(SignetTpm *tpm, ESYS_TR *object);
/* Flushes the key that was not used for the longest time. FALSE: none of ours is loaded. */
gboolean signet_tpm_make_room(SignetTpm *tpm);
/* … when another object would not fit. */
void signet_tpm_make_room_for_one(SignetTpm *tpm);

/* The session to authorise a command with; the password session without bus encryption. Commands
 * and responses are authenticated always; flags say what is secret and so encrypted as well: the
 * command's first parameter (TPMA_SESSION_DECRYPT), the response's (TPMA_SESSION_ENCRYPT). */
ESYS_TR signet_tpm_auth(SignetTpm *tpm, TPMA_SESSION flags);
/* A session of its own for one use of a key that is bound to these: the registers are as they were
 * then, and the key's auth value is known. TPM2_RC_VALUE: they are not. Ends with the command that
 * it authorises, or by signet_tpm_flush(). */
TSS2_RC signet_tpm_pcr_session(SignetTpm *tpm, const SignetTpmPcrs *pcrs, TPMA_SESSION flags,
                               ESYS_TR *ret_session);
/* Another session for a command that needs two authorisations, the password session without bus
 * encryption; ends as the one above does. */
TSS2_RC signet_tpm_second_session(SignetTpm *tpm, ESYS_TR *ret_session);
/* Makes room that a primary of the endorsement hierarchy takes; it is made again when needed. */
void signet_tpm_drop_endorsement_primary(SignetTpm *tpm);
/* The parent new keys get, as the key file names it. */
TPM2_HANDLE signet_tpm_default_parent(const SignetTpm *tpm);
/* A persistent object, or the standard primary of the owner's or the endorsement hierarchy.
 * TPM2_RC_INTEGRITY: there is none (any more). */
TSS2_RC signet_tpm_parent(SignetTpm *tpm, TPM2_HANDLE handle, ESYS_TR *ret_parent);
TSS2_RC signet_tpm_name(SignetTpm *tpm, ESYS_TR object, TPM2B_NAME *ret_name);
/* Fills identity: the name of a primary of the endorsement hierarchy, whose seed stays when the TPM
 * is cleared; empty when its owner does not let us. Asked for once per connection. */
TSS2_RC signet_tpm_identify(SignetTpm *tpm);
