/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What jobs carry that is read from the disk first. */

#include "agent/rotate/private.h"

SignetReading *
signet_reading_new(SignetEntry *entry, guint32 number)
{
    SignetReading *reading = g_new0(SignetReading, 1);

    reading->entry = signet_entry_ref(entry);
    reading->policy = signet_policy_ref(entry->engine->policy);
    reading->ca = signet_entry_get_ca(entry);
    reading->rotation = entry->policy->rotation;
    reading->number = number;
    return reading;
}

void
signet_reading_free(gpointer data)
{
    SignetReading *reading = data;

    signet_entry_unref(reading->entry);
    signet_policy_unref(reading->policy);
    signet_material_clear(&reading->read);
    g_clear_error(&reading->error);
    g_free(reading);
}
