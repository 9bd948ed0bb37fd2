/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who wrote what. */

#include "policy/draft.h"

const SignetEntry *
signet_policy_draft_find(const SignetPolicyDraft *draft, const char *group, const char *key)
{
    g_autofree char *name = g_strconcat(group, "\n", key, NULL);

    return g_hash_table_lookup(draft->set_by, name);
}

SignetPlace
signet_policy_draft_place(const SignetScan *scan, const char *group, const char *key)
{
    const SignetEntry *entry = signet_scan_find(scan, group, key);

    return entry ? entry->place : (SignetPlace) {scan->path, 0, group, key};
}
