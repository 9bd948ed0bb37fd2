/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA that a person carries requests to: the request goes out, the answer comes in. */

#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

static gboolean
is_manual(const SignetEntry *entry)
{
    const SignetCaProfile *ca = entry->policy ? signet_entry_get_ca(entry) : NULL;

    return ca && ca->kind == SIGNET_CA_MANUAL;
}

static gboolean
is_request_waiting(const SignetEntry *entry)
{
    return entry->machine.pending != 0 && entry->machine.resume == SIGNET_MACHINE_ENROLLING;
}

static GError *
find_hindrance(const SignetEntry *entry)
{
    if (!is_manual(entry))
        return signet_error_new(SIGNET_ERROR_POLICY,
                                "nobody carries requests of '%s' to its CA '%s': its Protocol= is "
                                "not manual",
                                entry->name, entry->policy->ca);
    if (!is_request_waiting(entry))
        return signet_error_new(SIGNET_ERROR_NOT_FOUND,
                                "no request of '%s' waits for an answer; make one: signetctl "
                                "rotate %s",
                                entry->name, entry->name);
    return NULL;
}

void
signet_engine_import(SignetEngine *engine, const char *identity, GBytes *answer,
                     SignetEngineDone done, gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    GError *error = signet_engine_find_refusal(engine, identity, "import certificates for");

    if (!error)
        error = find_hindrance(entry);
    if (!error && g_bytes_get_size(answer) > SIGNET_ENGINE_IMPORT_MAX)
        error = signet_error_new(SIGNET_ERROR_BAD_REQUEST,
                                 "the certificates for '%s' are more than %u bytes; leave out what "
                                 "is not part of its chain",
                                 identity, SIGNET_ENGINE_IMPORT_MAX);
    if (error) {
        signet_engine_refuse(engine, identity, &(SignetWaiter) {done, data}, error);
        return;
    }
    g_clear_pointer(&entry->answer, g_bytes_unref);
    entry->answer = g_bytes_ref(answer);
    signet_engine_rotate(engine, identity, done, data);
    if (!entry->machine.is_requested && !signet_machine_is_working(&entry->machine))
        g_clear_pointer(&entry->answer, g_bytes_unref); /* it was refused */
}

void
signet_engine_get_request(SignetEngine *engine, const char *identity, SignetEngineRequestDone done,
                          gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    g_autoptr(GError) error = NULL;

    if (!entry || entry->problem)
        error = signet_engine_find_refusal(engine, identity, "show the request of");
    else
        error = find_hindrance(entry);
    if (error)
        done(NULL, error, data);
    else
        signet_entry_get_request(entry, done, data);
}
