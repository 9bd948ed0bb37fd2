/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps in the store what became of PINs that were sent. */

#include "agent/pin-record.h"

#define NAME "pins"

static GBytes *
load(gpointer data, GError **error)
{
    return signet_store_get_note(data, NAME, error);
}

static gboolean
save(GBytes *content, gpointer data, GError **error)
{
    return signet_store_put_note(data, NAME, content, error);
}

SignetPinAttempts *
signet_pin_record_open(SignetStore *store, GError **error)
{
    const SignetPinRecord record = {.load = load, .save = save, .data = store};

    return signet_pin_attempts_new(&record, error);
}
