/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key as the agent holds it. */

#include "agent/base/key.h"

SignetKey *
signet_key_new(guint32 type, GBytes *blob, SignetSecret *auth, GBytes *spki)
{
    SignetKey *key = g_atomic_rc_box_new0(SignetKey);
    key->type = type;
    key->blob = g_bytes_ref(blob);
    key->auth = auth ? signet_secret_ref(auth) : NULL;
    key->spki = g_bytes_ref(spki);
    return key;
}

SignetKey *
signet_key_new_adopted(guint32 type, GBytes *blob, SignetSecret *auth, GBytes *spki)
{
    SignetKey *key = signet_key_new(type, blob, auth, spki);

    key->is_adopted = TRUE;
    return key;
}

SignetKey *
signet_key_ref(SignetKey *key)
{
    return g_atomic_rc_box_acquire(key);
}

static void
key_clear(gpointer data)
{
    SignetKey *key = data;
    g_bytes_unref(key->blob);
    g_clear_pointer(&key->auth, signet_secret_unref);
    g_bytes_unref(key->spki);
}

void
signet_key_unref(SignetKey *key)
{
    g_atomic_rc_box_release_full(key, key_clear);
}
