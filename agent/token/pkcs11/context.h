/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An open PKCS#11 token: its slot, the session, the login, and the keys that have been looked up.
 * Private to agent/token/pkcs11. */

#pragma once

#include "agent/token/pkcs11/login.h"
#include "agent/token/pkcs11/slot.h"

typedef struct {
    char *name;     /* (owned) of the token */
    char *uri_text; /* (owned) */
    gboolean allow_extractable;
    SignetPkcs11Login *login; /* (owned) */

    /* while it is open */
    SignetPkcs11Slot slot;
    CK_FUNCTION_LIST *functions; /* (unowned): slot's; NULL: not open */
    CK_SESSION_HANDLE session;
    gboolean has_pss;
    gboolean has_oaep;
    gboolean has_raw_rsa;
    const char *protection; /* static */
    char *description;      /* (owned) */
    SignetTokenLock lock;
    GHashTable *keys;    /* (owned) blob (GBytes) → private key's handle, checked */
    GHashTable *careful; /* (owned) set of the handles among them that want the PIN each time */
    GHashTable *missing; /* (owned) set of blobs that made the token be opened again */
} SignetPkcs11;

/* Takes login. */
SignetPkcs11 *signet_pkcs11_new(const char *name, const char *uri, SignetPkcs11Login *login,
                                gboolean allow_extractable);
void signet_pkcs11_free(SignetPkcs11 *p11);

/* Closes what is open, finds the token, opens a session and logs in. Description, protection and
 * lock are there also with PIN_NEEDED. */
gboolean signet_pkcs11_open(SignetPkcs11 *p11, GError **error);
/* The same for a person. unlock: nullable. */
gboolean signet_pkcs11_unlock(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error);
/* Logs out and closes what is open; opens again by unlock only. */
void signet_pkcs11_lock(SignetPkcs11 *p11);
/* Before every operation: opens what an operation before could not open again. */
gboolean signet_pkcs11_begin(SignetPkcs11 *p11, GError **error);
/* Sends the PIN for the operation that has just been initialised, with a key that wants it each
 * time (CKA_ALWAYS_AUTHENTICATE). */
gboolean signet_pkcs11_log_in_for_operation(SignetPkcs11 *p11, GError **error);
/* A token that was pulled may look like an empty one: only a freshly opened one is believed when it
 * does not show an object. TRUE when the token was opened again and should be asked again. Once for
 * each blob, lest a key that is gone for good makes the token be opened again and again. An error
 * of opening sets error and gives FALSE. */
gboolean signet_pkcs11_doubt(SignetPkcs11 *p11, GBytes *blob, GError **error);
