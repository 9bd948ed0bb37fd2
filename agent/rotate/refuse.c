/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Wishes that cannot be granted now. */

#include "agent/rotate/private.h"

typedef struct {
    SignetEngine *engine;
    GSource *source; /* (unowned): it owns us */
    char *identity;  /* (owned) */
    SignetWaiter waiter;
    GError *error; /* (owned) */
} Refusal;

static void
refusal_free(gpointer data)
{
    Refusal *refusal = data;

    g_free(refusal->identity);
    g_error_free(refusal->error);
    g_free(refusal);
}

static gboolean
on_refusal(gpointer data)
{
    Refusal *refusal = data;

    refusal->waiter.done(refusal->identity, 0, refusal->error, refusal->waiter.data);
    g_ptr_array_remove(refusal->engine->refusals, refusal->source);
    return G_SOURCE_REMOVE;
}

void
signet_engine_refuse(SignetEngine *engine, const char *identity, const SignetWaiter *waiter,
                     GError *error)
{
    Refusal *refusal;

    if (!waiter->done) {
        g_error_free(error);
        return;
    }
    refusal = g_new0(Refusal, 1);
    refusal->engine = engine;
    refusal->identity = g_strdup(identity);
    refusal->waiter = *waiter;
    refusal->error = error;
    refusal->source = g_idle_source_new();
    g_source_set_callback(refusal->source, on_refusal, refusal, refusal_free);
    g_source_attach(refusal->source, g_main_context_get_thread_default());
    g_ptr_array_add(engine->refusals, refusal->source);
}

GError *
signet_engine_find_refusal(SignetEngine *engine, const char *identity, const char *doing)
{
    const SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);

    if (!entry)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no identity '%s'", identity);
    if (entry->problem)
        return signet_error_new(SIGNET_ERROR_CORRUPT, "cannot %s '%s': %s", doing, identity,
                                entry->problem);
    if (signet_machine_is_working(&entry->machine) || entry->waiters->len > 0)
        return signet_error_new(SIGNET_ERROR_BUSY, "a rotation of '%s' is under way already",
                                identity);
    if (entry->adopting)
        return signet_error_new(SIGNET_ERROR_BUSY, "an adoption for '%s' is under way already",
                                identity);
    if (entry->blocked)
        return signet_error_new(SIGNET_ERROR_POLICY, "cannot %s '%s': %s", doing, identity,
                                entry->blocked);
    return NULL;
}
