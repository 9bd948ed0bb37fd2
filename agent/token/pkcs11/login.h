/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Logging in to a token: which PIN, whether it may be sent, and what is remembered of it. One for
 * all that have sessions on the token, from whatever thread. Private to agent/token/pkcs11. */

#pragma once

#include <p11-kit/p11-kit.h>

#include "agent/token/attempts.h"
#include "agent/token/backend.h"
#include "agent/token/pkcs11/pin.h"

typedef struct SignetPkcs11Login SignetPkcs11Login;

/* name: of the token. All copied; attempts (nullable: its own) is kept. */
SignetPkcs11Login *signet_pkcs11_login_new(const char *name, const SignetPkcs11PinSource *source,
                                           SignetPinAttempts *attempts);
void signet_pkcs11_login_free(SignetPkcs11Login *login);

/* A session that is to be logged in. */
typedef struct {
    CK_FUNCTION_LIST *functions; /* (unowned) */
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    SignetTokenLock lock; /* filled in, also with an error */
} SignetPkcs11Session;

/* Logs in, unless the token asks for no login, or is logged in already. unlock (nullable): a person
 * does so. PIN_NEEDED with what to do.
 *
 * A PIN that a person gave and the token accepted is kept in secret memory for that very device,
 * so that the login can be repeated when the device comes back, until signet_pkcs11_login_forget().
 */
gboolean signet_pkcs11_log_in(SignetPkcs11Login *login, SignetPkcs11Session *session,
                              const SignetTokenUnlock *unlock, GError **error);
/* Sends the PIN for the operation that has just been initialised in the session, with a key that
 * wants it each time (CKA_ALWAYS_AUTHENTICATE). */
gboolean signet_pkcs11_login_for_operation(SignetPkcs11Login *login, SignetPkcs11Session *session,
                                           GError **error);
/* From now on only a person logs in. The caller ends the login on the token. */
void signet_pkcs11_login_forget(SignetPkcs11Login *login);
