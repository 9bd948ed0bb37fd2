/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One identity as the engine holds it. */

#include "agent/rotate/private.h"

SignetEntry *
signet_entry_new(SignetEngine *engine, const SignetIdentityPolicy *policy)
{
    SignetEntry *entry = g_rc_box_new0(SignetEntry);

    entry->engine = engine;
    entry->name = g_strdup(policy->name);
    entry->policy = policy;
    entry->machine = signet_machine_new(signet_clock_now(engine->context.clock));
    entry->seed = signet_schedule_seed(engine->machine_id, policy->name);
    entry->waiters = g_array_new(FALSE, FALSE, sizeof(SignetWaiter));
    entry->check_waiters = g_array_new(FALSE, FALSE, sizeof(SignetWaiter));
    entry->wish = g_strdup("");
    return entry;
}

SignetCertificateFacts
signet_generation_facts(const SignetGeneration *generation)
{
    SignetCertificateFacts facts = {
        .not_before_s = generation->not_before_s,
        .not_after_s = generation->not_after_s,
        .key_created_s = generation->created_s,
    };

    if (generation->issuer_after_s && generation->issuer_after_s < generation->not_after_s) {
        facts.own_end_s = generation->not_after_s;
        facts.not_after_s = generation->issuer_after_s;
    }
    return facts;
}

SignetEntry *
signet_entry_ref(SignetEntry *entry)
{
    return g_rc_box_acquire(entry);
}

static void
entry_clear(gpointer data)
{
    SignetEntry *entry = data;

    g_free(entry->name);
    g_free(entry->wish);
    g_free(entry->blocked);
    g_clear_pointer(&entry->answer, g_bytes_unref);
    g_free(entry->no_new_key);
    g_free(entry->problem);
    g_free(entry->revocation_text);
    g_array_unref(entry->waiters);
    g_array_unref(entry->check_waiters);
}

void
signet_entry_unref(SignetEntry *entry)
{
    g_rc_box_release_full(entry, entry_clear);
}

const char *
signet_entry_get_device_code(SignetEntry *entry)
{
    const SignetMachine *machine = &entry->machine;
    const SignetGeneration *pending =
        machine->pending && machine->pending_since_s
            ? signet_inventory_get(entry->engine->context.inventory, entry->name, machine->pending)
            : NULL;
    gsize size = 0;
    gconstpointer spki = pending ? g_bytes_get_data(pending->key->spki, &size) : NULL;
    g_autofree char *code = spki ? signet_device_code(spki, size) : NULL;

    g_strlcpy(entry->device_code, code ? code : "", sizeof(entry->device_code));
    return entry->device_code;
}

void
signet_entry_bar(const SignetEntry *entry)
{
    const SignetRotationProfile *rotation = entry->policy ? entry->policy->rotation : NULL;
    gboolean is_barred = rotation && rotation->on_revoked == SIGNET_ON_REVOKED_DISABLE;

    signet_inventory_bar(entry->engine->context.inventory, entry->name,
                         is_barred ? signet_machine_revoked_until(&entry->machine) : 0);
}
