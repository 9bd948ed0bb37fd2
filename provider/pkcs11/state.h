/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The module's memory: whether it is initialised, its channel, sessions and objects. One lock
 * guards all of it and is never held while the agent is asked. A forked child has a copy of
 * everything and may go on with it, or call C_Initialize and start without sessions. */

#pragma once

#include <p11-kit/pkcs11.h>

#include "provider/pkcs11/agent.h"
#include "provider/pkcs11/mechanism.h"
#include "provider/pkcs11/object.h"

#define SIGNET_SESSIONS_MAX    1024u
#define SIGNET_SECRETS_MAX     1024u
#define SIGNET_IDENTITIES_MAX  8192u /* generations remembered; the oldest are forgotten */
#define SIGNET_GENERATIONS_MAX 4u    /* of one identity, the current one included */
#define SIGNET_RECENT_MS       1000  /* how long searches belong together */

/* A signature or decryption under way. */
struct signet_operation {
    struct signet_identity *identity; /* (owned) (nullable): none is under way */
    struct signet_method method;
    uint8_t *data; /* (owned) (nullable): what C_SignUpdate has brought */
    size_t size;
    bool has_parts; /* C_SignUpdate was called */
};
/* Releases what it holds; nothing is under way then. */
void signet_operation_clear(struct signet_operation *operation);

struct signet_search {
    bool is_active;
    CK_OBJECT_HANDLE *found; /* (owned) (nullable) */
    size_t count;
    size_t next;
};
void signet_search_clear(struct signet_search *search);

struct signet_session {
    CK_SESSION_HANDLE handle;
    CK_FLAGS flags;
    struct signet_operation sign;
    struct signet_operation decrypt;
    struct signet_search search;
};

/* C_Initialize and C_Finalize. */
CK_RV signet_state_start(void);
CK_RV signet_state_stop(void);

/* CKR_OK: the lock is held, till signet_state_unlock(). CKR_CRYPTOKI_NOT_INITIALIZED: it is not. */
CK_RV signet_state_lock(void);
void signet_state_unlock(void);
/* The same with a session, which must not be touched after the unlock. */
CK_RV signet_session_lock(CK_SESSION_HANDLE handle, struct signet_session **ret_session);

/* For who waits: C_Finalize in another thread ends the wait, and waits itself until it is over.
 * Each of these asks for the lock itself; CKR_CRYPTOKI_NOT_INITIALIZED when the wait is to end. */
CK_RV signet_wait_begin(struct signet_channel **ret_channel);
CK_RV signet_wait_pause(unsigned duration_ms);
CK_RV signet_wait_end(void);

/* For requests; stays until C_Finalize. Asks for the lock itself. NULL: not initialised. */
struct signet_channel *signet_state_channel(void);

/* Takes the secret over, also when it fails. Asks for the lock itself. */
CK_RV signet_secret_add(CK_SESSION_HANDLE session, struct signet_secret *secret,
                        CK_OBJECT_HANDLE *ret_handle);

/* What follows needs the lock. */

CK_RV signet_session_open(CK_FLAGS flags, CK_SESSION_HANDLE *ret_handle);
/* Also destroys the secrets made in it. */
void signet_session_close(struct signet_session *session);
void signet_session_close_all(void);
CK_ULONG signet_session_count(void);

/* A search for objects of this class begins. What a program searches for one after the other, a
 * key and its certificate in either order, is to be of one generation over a rotation. So a search
 * sees what the one saw that it belongs to: one of another class in the last second, by this thread
 * or else by any; one of the same only if a certificate was among them: who has that from a file
 * wants the new key. In a child's first second: what its parent had. Returns what to recall. */
CK_ULONG signet_search_begin(CK_OBJECT_CLASS class);
/* Remembers an identity, or finds it known. Returns the as_of that recalls it. */
CK_ULONG signet_state_remember(struct signet_identity *identity);
/* What was known of that name then; but whose certificate the attributes describe, if that is an
 * earlier one. A reference, and the handle that its parts are added to; NULL: nothing was. */
struct signet_identity *
signet_state_recall(const char *name, CK_ULONG as_of, const CK_ATTRIBUTE *attributes,
                    CK_ULONG count, CK_OBJECT_HANDLE *ret_base);
/* A reference or copy in *ret_object, for signet_object_release(); false: no such object. */
bool signet_state_find(CK_OBJECT_HANDLE handle, struct signet_object *ret_object);
void signet_object_release(struct signet_object *object);

CK_RV signet_secret_destroy(CK_OBJECT_HANDLE handle);
/* Handles of secrets from 'after' on, in ascending order; 0: no more. */
CK_OBJECT_HANDLE signet_secret_next(CK_OBJECT_HANDLE after);

/* The last view that was told. */
struct signet_view signet_state_view(void);
/* Whether this is another view than the last one; the first one is only remembered. */
bool signet_state_has_changed(const struct signet_view *view);
