/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Hash table and list of loaded keys. */

#include "agent/token/tpm/loaded.h"

typedef struct {
    GBytes *blob; /* (owned) */
    ESYS_TR object;
    GList age; /* place in SignetTpmLoaded.ages */
} Entry;

struct SignetTpmLoaded {
    GHashTable *entries; /* (owned) of Entry by blob */
    GQueue ages;         /* of Entry, most recently used first */
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_bytes_unref(entry->blob);
    g_free(entry);
}

SignetTpmLoaded *
signet_tpm_loaded_new(void)
{
    SignetTpmLoaded *loaded = g_new0(SignetTpmLoaded, 1);

    loaded->entries = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, NULL, entry_free);
    g_queue_init(&loaded->ages);
    return loaded;
}

void
signet_tpm_loaded_free(SignetTpmLoaded *loaded)
{
    g_hash_table_unref(loaded->entries);
    g_free(loaded);
}

ESYS_TR
signet_tpm_loaded_find(SignetTpmLoaded *loaded, GBytes *blob)
{
    Entry *entry = g_queue_peek_head(&loaded->ages);

    /* Most often it is the same one again, and hashing a blob takes as long as a system call. */
    if (!entry || entry->blob != blob)
        entry = g_hash_table_lookup(loaded->entries, blob);
    if (!entry)
        return ESYS_TR_NONE;
    g_queue_unlink(&loaded->ages, &entry->age);
    g_queue_push_head_link(&loaded->ages, &entry->age);
    return entry->object;
}

void
signet_tpm_loaded_add(SignetTpmLoaded *loaded, GBytes *blob, ESYS_TR object)
{
    Entry *entry = g_new0(Entry, 1);

    entry->blob = g_bytes_ref(blob);
    entry->object = object;
    entry->age.data = entry;
    g_hash_table_insert(loaded->entries, entry->blob, entry);
    g_queue_push_head_link(&loaded->ages, &entry->age);
}

static ESYS_TR
take(SignetTpmLoaded *loaded, Entry *entry)
{
    ESYS_TR object;

    if (!entry)
        return ESYS_TR_NONE;
    object = entry->object;
    g_queue_unlink(&loaded->ages, &entry->age);
    g_hash_table_remove(loaded->entries, entry->blob);
    return object;
}

ESYS_TR
signet_tpm_loaded_take(SignetTpmLoaded *loaded, GBytes *blob)
{
    return take(loaded, g_hash_table_lookup(loaded->entries, blob));
}

ESYS_TR
signet_tpm_loaded_take_oldest(SignetTpmLoaded *loaded)
{
    return take(loaded, g_queue_peek_tail(&loaded->ages));
}

guint
signet_tpm_loaded_get_length(const SignetTpmLoaded *loaded)
{
    return g_queue_get_length((GQueue *)&loaded->ages);
}

void
signet_tpm_loaded_clear(SignetTpmLoaded *loaded)
{
    while (signet_tpm_loaded_take_oldest(loaded) != ESYS_TR_NONE)
        ;
}
