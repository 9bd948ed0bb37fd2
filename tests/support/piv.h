/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A smartcard reader of a test's own, with emulated PIV cards: tests/support/piv/reader.py. */

#pragma once

#include <glib.h>

typedef struct {
    char *dir;      /* (owned) */
    char *pin_file; /* (owned) holds PIV_PIN */
    char *uri;      /* (owned) of any PIV card, with OpenSC's path */
    GPid pid;
} Piv;

#define PIV_PIN "123456"

/* The card 'card' is in the reader, with P-256 keys in 9A and 9E, RSA-2048 in 9C and 9D. Sets
 * PCSCLITE_CSOCK_NAME and OPENSC_CONF in this process. Aborts the test with a message when
 * something fails, as all of these do. */
Piv *piv_new(void);
void piv_free(Piv *piv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Piv, piv_free)

/* Orders of the reader, such as "remove"; its answer, free with g_free(). */
char *piv_ask(const Piv *piv, const char *order);
/* … whose answer is 'ok' or does not matter. */
void piv_tell(const Piv *piv, const char *order);
guint piv_ask_number(const Piv *piv, const char *order);
/* SubjectPublicKeyInfo of the key in a slot, such as "9a". */
GBytes *piv_read_spki(const Piv *piv, const char *slot);
void piv_write_pin(const Piv *piv, const char *pin);
