/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the sessions of one PKCS#11 token share: its module and slot, and the login.
 * A token that went away may be visible again only when its module is started anew, which ends all
 * sessions: so operations run inside the device, and a restart waits until all are outside. Private
 * to agent/token/pkcs11. */

#pragma once

#include <pthread.h>

#include "agent/token/pkcs11/login.h"
#include "agent/token/pkcs11/slot.h"

typedef struct {
    char *name;     /* (owned) of the token */
    char *uri_text; /* (owned) */

    pthread_rwlock_t lock; /* guards slot and epoch: inside they are read, alone written */
    SignetPkcs11Slot slot; /* functions: NULL: not found */
    guint epoch;           /* counts starts: sessions and handles of earlier ones are void */

    SignetPkcs11Login *login;     /* (owned) */
    SignetPkcs11Isolate *isolate; /* (owned, nullable) */
    gint64 settled_us;            /* atomic, monotonic: there is no use in a restart before */
    int destroyed;                /* atomic: counts keys that the agent destroyed */
} SignetPkcs11Device;

/* Takes login. program: of signet-module; nullable: the module runs in this process. */
SignetPkcs11Device *signet_pkcs11_device_new(const char *name, const char *uri,
                                             SignetPkcs11Login *login, const char *program);
/* When nobody is inside. */
void signet_pkcs11_device_free(SignetPkcs11Device *device);

void signet_pkcs11_device_enter(SignetPkcs11Device *device);
void signet_pkcs11_device_leave(SignetPkcs11Device *device);
/* By one who is inside, and is so again afterwards: shuts the module down, starts it and finds the
 * slot, unless another did after this epoch. Waits a few seconds for others to leave, else BUSY.
 * TOKEN_ABSENT: also while the device settles. */
gboolean signet_pkcs11_device_restart(SignetPkcs11Device *device, guint epoch, GError **error);
/* The token was probably removed, but its reader's software has not noticed yet, and whoever asks
 * for it now would wait until that has: restarts fail at once for a while. Any thread. */
void signet_pkcs11_device_let_settle(SignetPkcs11Device *device);
/* Is the token still the one that was found? Inside. */
gboolean signet_pkcs11_device_is_same(const SignetPkcs11Device *device);
