/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps a copy of the last policy without mistakes. */

#include "agent/policy-record.h"

#include "agent/base/log.h"
#include "agent/config.h"

#define NAME "policy"

static void
keep(SignetStore *store, GBytes *copy)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) old = signet_store_get_note(store, NAME, NULL);

    if (old && g_bytes_equal(old, copy))
        return;
    if (!signet_store_put_note(store, NAME, copy, &error))
        signet_log(LOG_WARNING, NULL, "no copy of the policy is kept: %s", error->message);
}

SignetPolicy *
signet_policy_record_read(SignetStore *store, const char *root, const GArray *known,
                          GPtrArray *ret_problems)
{
    g_autoptr(GBytes) copy = NULL;
    SignetPolicy *policy = signet_config_read_for(root, known, &copy, ret_problems);

    if (policy)
        keep(store, copy);
    return policy;
}

SignetPolicy *
signet_policy_record_restore(SignetStore *store, GPtrArray *ret_problems)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) copy = signet_store_get_note(store, NAME, &error);

    if (copy)
        return signet_config_read_copy(copy, ret_problems);
    if (error)
        g_ptr_array_add(ret_problems, g_strdup(error->message));
    return NULL;
}
