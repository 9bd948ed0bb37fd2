/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Where the PIN of a token comes from. Private to agent/token/pkcs11. */

#pragma once

#include "agent/base/error.h"
#include "agent/base/secret.h"

#define SIGNET_PKCS11_PIN_MAX 255

/* All nullable. Neither file nor credential: the PIN is asked for. */
typedef struct {
    const char *file;            /* path */
    const char *credential;      /* name of a systemd credential */
    const char *credentials_dir; /* where these are: $CREDENTIALS_DIRECTORY */
} SignetPkcs11PinSource;

gboolean signet_pkcs11_pin_is_configured(const SignetPkcs11PinSource *source);
/* "the PIN in '/etc/signet/card.pin'" (owned by the caller) */
char *signet_pkcs11_pin_describe(const SignetPkcs11PinSource *source);
/* Without its last line end, at most 255 bytes, from a regular file that only root or the agent's
 * own user may read. PIN_NEEDED, naming token name, when it is absent or must not be trusted. */
SignetSecret *
signet_pkcs11_pin_read(const SignetPkcs11PinSource *source, const char *name, GError **error);
