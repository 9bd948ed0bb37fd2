/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Carries identities through enrolment and rotation: when what happens, and in which order. */

#include "agent/rotate/engine.h"

#include <string.h>

#include "agent/base/log.h"
#include "agent/rotate/private.h"
#include "agent/rotate/rules.h"

#define USAGE_PERIOD_S 30

static gboolean
on_usage_timer(gpointer data)
{
    signet_engine_save_usage(data);
    return G_SOURCE_CONTINUE;
}

/* --- the policy --- */

static gint
compare_order(gconstpointer a, gconstpointer b)
{
    const SignetEntry *x = *(SignetEntry *const *)a, *y = *(SignetEntry *const *)b;

    if (x->policy->is_ca != y->policy->is_ca)
        return x->policy->is_ca ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void
drop_generations(SignetEngine *engine, const char *identity)
{
    g_autoptr(GPtrArray) list = signet_inventory_list(engine->context.inventory, identity);

    for (guint i = 0; i < list->len; i++)
        signet_inventory_remove(engine->context.inventory, identity,
                                ((const SignetGeneration *)list->pdata[i])->number);
}

static void
leave(SignetEngine *engine, SignetEntry *entry)
{
    g_autoptr(GError) error =
        signet_error_new(SIGNET_ERROR_NOT_FOUND, "'%s' is not in the policy any more", entry->name);

    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "'%s' is not in the policy any more: nobody may use it; its key and files stay "
               "until it is removed",
               entry->name);
    signet_entry_leave(entry);
    entry->policy = NULL;
    signet_entry_end_adopting(entry, error);
    signet_entry_answer(entry, error);
    signet_entry_answer_check(entry, error);
    signet_entry_end_revoking(entry, error);
    drop_generations(engine, entry->name);
    g_ptr_array_add(engine->leaving, signet_entry_ref(entry));
}

/* Those that stay get their new policy; a name is left out of the table when its identity has gone.
 */
static void
update_entries(SignetEngine *engine)
{
    GHashTableIter iter;
    gpointer value;

    g_ptr_array_set_size(engine->order, 0);
    g_hash_table_iter_init(&iter, engine->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SignetEntry *entry = value;

        entry->policy = signet_policy_get_identity(engine->policy, entry->name);
        if (entry->policy)
            continue;
        leave(engine, entry);
        g_hash_table_iter_remove(&iter);
    }
}

/* Returns the new ones, in order. */
static GPtrArray *
add_entries(SignetEngine *engine)
{
    const GPtrArray *identities = signet_policy_get_identities(engine->policy);
    GPtrArray *added = g_ptr_array_new();

    for (guint i = 0; i < identities->len; i++) {
        const SignetIdentityPolicy *policy = identities->pdata[i];
        SignetEntry *entry = g_hash_table_lookup(engine->entries, policy->name);

        if (!entry) {
            entry = signet_entry_new(engine, policy);
            g_hash_table_insert(engine->entries, entry->name, entry);
            g_ptr_array_add(added, entry);
        }
        g_ptr_array_add(engine->order, entry);
    }
    g_ptr_array_sort(engine->order, compare_order);
    g_ptr_array_sort(added, compare_order);
    return added;
}

static void
apply_policy(SignetEngine *engine, SignetPolicy *policy, GPtrArray *problems)
{
    g_autoptr(SignetPolicy) old G_GNUC_UNUSED = engine->policy;
    g_autoptr(GPtrArray) added = NULL;

    engine->policy = signet_policy_ref(policy);
    signet_engine_save_usage(engine);
    update_entries(engine);
    added = add_entries(engine);
    /* one that went a moment ago and is back may still be written to */
    if (added->len > 0)
        signet_disk_thread_flush(engine->disk);
    for (guint i = 0; i < added->len; i++)
        signet_entry_load(added->pdata[i], problems);
    signet_engine_refresh(engine);
    signet_engine_schedule(engine);
}

void
signet_engine_set_policy(SignetEngine *engine, SignetPolicy *policy)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    apply_policy(engine, policy, problems);
    for (guint i = 0; i < problems->len; i++)
        signet_log(LOG_ERR, NULL, "%s", (const char *)problems->pdata[i]);
}

/* --- the engine --- */

SignetEngine *
signet_engine_new(const SignetEngineContext *context)
{
    SignetEngine *engine = g_new0(SignetEngine, 1);

    engine->context = *context;
    engine->host_name = g_strdup(context->host_name);
    engine->machine_id = g_strdup(context->machine_id);
    engine->entries =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)signet_entry_unref);
    engine->order = g_ptr_array_new();
    engine->leaving = g_ptr_array_new_with_free_func((GDestroyNotify)signet_entry_unref);
    engine->refusals = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
    engine->disk = signet_disk_thread_new();
    engine->timer = signet_timer_new();
    g_source_set_callback(engine->timer, signet_engine_turn, engine, NULL);
    engine->usage_timer = g_timeout_source_new_seconds(USAGE_PERIOD_S);
    g_source_set_callback(engine->usage_timer, on_usage_timer, engine, NULL);
    return engine;
}

void
signet_engine_free(SignetEngine *engine)
{
    GHashTableIter iter;
    gpointer entry;

    if (!engine)
        return;
    g_source_destroy(engine->timer);
    g_source_destroy(engine->usage_timer);
    g_hash_table_iter_init(&iter, engine->entries);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        signet_entry_cancel(entry);
    for (guint i = 0; i < engine->leaving->len; i++)
        signet_entry_cancel(engine->leaving->pdata[i]);
    for (guint i = 0; i < engine->refusals->len; i++)
        g_source_destroy(engine->refusals->pdata[i]);
    signet_disk_thread_free(engine->disk);
    signet_engine_save_usage_now(engine);
    g_source_unref(engine->timer);
    g_source_unref(engine->usage_timer);
    g_ptr_array_unref(engine->refusals);
    g_ptr_array_unref(engine->leaving);
    g_ptr_array_unref(engine->order);
    g_hash_table_unref(engine->entries);
    g_clear_pointer(&engine->policy, signet_policy_unref);
    g_free(engine->host_name);
    g_free(engine->machine_id);
    g_free(engine);
}

static void
report_unnamed(SignetEngine *engine, char **identities, GPtrArray *problems)
{
    for (guint i = 0; identities[i]; i++) {
        if (!g_hash_table_contains(engine->entries, identities[i]))
            g_ptr_array_add(problems,
                            g_strdup_printf("identity '%s': it is on disk, but no policy names it; "
                                            "nobody may use it, its key and files stay",
                                            identities[i]));
    }
}

gboolean
signet_engine_start(SignetEngine *engine, SignetPolicy *policy, GPtrArray *ret_problems,
                    GError **error)
{
    g_auto(GStrv) identities = signet_store_list_identities(engine->context.store, error);

    if (!identities)
        return FALSE;
    g_source_attach(engine->timer, g_main_context_get_thread_default());
    g_source_attach(engine->usage_timer, g_main_context_get_thread_default());
    apply_policy(engine, policy, ret_problems);
    report_unnamed(engine, identities, ret_problems);
    return TRUE;
}

/* --- wishes --- */

void
signet_engine_rotate(SignetEngine *engine, const char *identity, SignetEngineDone done,
                     gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    SignetWaiter waiter = {done, data};
    GError *error = signet_engine_find_refusal(engine, identity, "rotate");
    SignetMachineInput input = {0};

    if (!error) {
        input = signet_entry_input(entry);
        if (signet_rules_blocked(&entry->machine, &input))
            error = signet_error_new(SIGNET_ERROR_POLICY, "cannot rotate '%s': %s", identity,
                                     signet_rules_blocked(&entry->machine, &input));
        else if (!signet_rules_is_clock_set(&input, signet_clock_now(engine->context.clock)))
            error = signet_error_new(SIGNET_ERROR_FAILED,
                                     "cannot rotate '%s': this machine's clock has not been set; "
                                     "it goes on by itself when it is",
                                     identity);
    }
    if (error) {
        signet_engine_refuse(engine, identity, &waiter, error);
        return;
    }
    g_array_append_val(entry->waiters, waiter);
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_ROTATE});
}

void
signet_engine_wake(SignetEngine *engine)
{
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem)
            signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TICK});
    }
    signet_engine_schedule(engine);
}

void
signet_engine_on_token(SignetToken *token, gpointer data)
{
    SignetEngine *engine = data;

    if (signet_token_get_state(token) != SIGNET_TOKEN_STATE_READY)
        return;
    for (guint i = 0; i < engine->order->len; i++) {
        SignetEntry *entry = engine->order->pdata[i];

        if (!entry->problem && g_str_equal(entry->policy->token, signet_token_get_name(token)))
            signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_TOKEN_BACK});
    }
}

void
signet_engine_on_facts(SignetEngine *engine)
{
    engine->is_rescan_due = TRUE;
    signet_engine_schedule(engine);
}

void
signet_engine_set_listener(SignetEngine *engine, SignetEngineListener listener, gpointer data)
{
    engine->listener = listener;
    engine->listener_data = data;
}
