/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The PIN of a token, from a file, and the memory of the one that was refused. Private to
 * agent/token/pkcs11. */

#pragma once

#include "agent/base/secret.h"

typedef struct {
    char *path;        /* (owned, nullable) */
    SignetSecret *key; /* (owned) of the fingerprint below */
    GBytes *refused;   /* (owned, nullable) fingerprint of the PIN that the token refused */
} SignetPkcs11Pin;

void signet_pkcs11_pin_init(SignetPkcs11Pin *pin, const char *path);
void signet_pkcs11_pin_clear(SignetPkcs11Pin *pin);

/* Reads the file: without its last line end, at most 255 bytes, from a regular file that only root
 * or the agent's own user may read. PIN_NEEDED, naming token name, when there is none, when it must
 * not be trusted, and when it holds the PIN that was refused. */
SignetSecret *signet_pkcs11_pin_read(const SignetPkcs11Pin *pin, const char *name, GError **error);
/* The token did not take it: it is not given out again. */
void signet_pkcs11_pin_refused(SignetPkcs11Pin *pin, const SignetSecret *value);
void signet_pkcs11_pin_accepted(SignetPkcs11Pin *pin);
