/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The slot that a token's URI means (RFC 7512), found through p11-kit. Private to
 * agent/token/pkcs11. */

#pragma once

#include <glib.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "agent/token/pkcs11/isolate.h"

typedef struct {
    SignetPkcs11Isolate *isolate; /* (unowned, nullable) runs the module of "module-path" */
    CK_FUNCTION_LIST *
        *configured;         /* (owned, nullable) NULL-terminated: from p11-kit's configuration */
    CK_FUNCTION_LIST *alone; /* (owned, nullable) the module of "module-path" */
    GPtrArray *initialized;  /* (owned, nullable) of those above, which own them */

    CK_FUNCTION_LIST *functions; /* (unowned): one of those above; NULL: no slot found */
    CK_SLOT_ID id;
    CK_SLOT_INFO info;
    CK_TOKEN_INFO token;
} SignetPkcs11Slot;

/* Loads and initialises the modules that the URI allows (all functions of a module may be called
 * from any thread: CKF_OS_LOCKING_OK) and looks for the one initialised token that fits. slot:
 * zeros, but for isolate. After an error too it must be cleared. */
gboolean signet_pkcs11_slot_find(SignetPkcs11Slot *slot, const char *name, const char *uri_text,
                                 GError **error);
/* Is there a token in the slot? Asks the module about its slots only, which is cheap and does not
 * disturb the token: every second if need be. Devices that cannot be removed are not asked. */
gboolean signet_pkcs11_slot_check(const SignetPkcs11Slot *slot, const char *name, GError **error);
/* Shuts down the modules, unless another token uses them. Zeros again, but for isolate. */
void signet_pkcs11_slot_clear(SignetPkcs11Slot *slot);
