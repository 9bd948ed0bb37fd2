/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One session of a PKCS#11 token: the login, and the keys that have been looked up. Each thread has
 * one, and uses it inside the device. Private to agent/token/pkcs11. */

#pragma once

#include "agent/token/pkcs11/device.h"

typedef struct {
    char *name; /* (owned) of the token */
    gboolean allow_extractable;
    guint max_sessions;
    SignetPkcs11Device *device; /* (owned) by the one that was made by signet_pkcs11_new(), which
                                   outlives the others */
    gboolean is_attached;       /* … it was not */

    /* while it is open */
    SignetPkcs11Slot slot;       /* a copy of the device's, which owns what it points to */
    CK_FUNCTION_LIST *functions; /* (unowned): slot's; NULL: not open */
    guint epoch;                 /* of the device, when it was opened */
    CK_SESSION_HANDLE session;
    gboolean has_pss;
    gboolean has_oaep;
    gboolean has_raw_rsa;
    const char *protection; /* static */
    char *description;      /* (owned) */
    SignetTokenLock lock;
    GHashTable *keys;    /* (owned) blob (GBytes) → private key's handle, checked */
    int keys_destroyed;  /* SignetPkcs11Device.destroyed when keys was empty: a handle may mean
                            another key after that of its own was destroyed */
    GHashTable *careful; /* (owned) set of the handles among them that want the PIN each time */
    GHashTable *missing; /* (owned) set of blobs that made the token be opened again */
} SignetPkcs11;

/* Takes login. max_sessions: 0: one for a token in a reader, else as many as there are processors,
 * four at most; never more than the token allows. */
SignetPkcs11 *
signet_pkcs11_new(const char *name, const char *uri, SignetPkcs11Login *login,
                  gboolean allow_extractable, guint max_sessions, const char *program);
/* One more, for another thread. */
SignetPkcs11 *signet_pkcs11_attach(SignetPkcs11 *p11);
/* Outside. */
void signet_pkcs11_free(SignetPkcs11 *p11);

/* Closes what is open, finds the token, opens a session and logs in. A session that was open is
 * taken for lost, and with it all others: the module is started anew, unless it was since.
 * Description, protection and lock are there also with PIN_NEEDED. */
gboolean signet_pkcs11_open(SignetPkcs11 *p11, GError **error);
/* The same for a person. unlock: nullable. */
gboolean signet_pkcs11_unlock(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error);
/* Logs out and closes what is open; opens again by unlock only. */
void signet_pkcs11_lock(SignetPkcs11 *p11);
/* How many sessions the open token may have. */
guint signet_pkcs11_count_sessions(const SignetPkcs11 *p11);
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
