/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key as the agent holds it: enough for its token to find it again, and its public half. */

#pragma once

#include "agent/base/secret.h"
#include "provider/wire/catalogue.h"

/* How to find a key again: what the store keeps of it. */
typedef struct {
    guint32 type; /* enum signet_key_type */
    GBytes *blob; /* (owned) TPM: TSS2 PRIVATE KEY (PEM, as tpm2-openssl reads); PKCS#11: its URI */
    SignetSecret *auth;  /* (owned, nullable) TPM: the key's auth value */
    GBytes *spki;        /* (owned) DER SubjectPublicKeyInfo, RFC 5280 4.1.2.7 */
    gboolean is_adopted; /* others made it: it is not ours to be destroyed */
} SignetKey;

SignetKey *signet_key_new(guint32 type, GBytes *blob, SignetSecret *auth, GBytes *spki);
/* The same, of a key that others made. */
SignetKey *signet_key_new_adopted(guint32 type, GBytes *blob, SignetSecret *auth, GBytes *spki);
SignetKey *signet_key_ref(SignetKey *key);
void signet_key_unref(SignetKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetKey, signet_key_unref)
