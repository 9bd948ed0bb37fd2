/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The end of an old generation: nobody may use it any more, the token destroys the key, its files
 * go. */

#include "agent/base/log.h"
#include "agent/rotate/private.h"

typedef struct {
    SignetEntry *entry; /* (owned) */
    guint32 number;
    SignetGeneration *generation; /* (owned, nullable) NULL: its key cannot be read any more */
    gboolean is_shared;           /* another generation has the same key */
    GError *error;                /* (owned, nullable) */
} Task;

static Task *
task_new(SignetEntry *entry)
{
    Task *task = g_new0(Task, 1);

    task->entry = signet_entry_ref(entry);
    task->number = entry->machine.retiring;
    return task;
}

static void
task_free(gpointer data)
{
    Task *task = data;

    signet_entry_unref(task->entry);
    g_clear_pointer(&task->generation, signet_generation_unref);
    g_clear_error(&task->error);
    g_free(task);
}

static void
fail(SignetEntry *entry, const char *cause)
{
    signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "cannot destroy generation %u of '%s': %s; it is not usable any more, and will be "
               "tried again",
               entry->machine.retiring, entry->name, cause);
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_RETIRE_FAILED});
}

/* --- its files --- */

static void
run_remove(gpointer data)
{
    Task *task = data;

    signet_store_remove_generation(task->entry->engine->context.store, task->entry->name,
                                   task->number, &task->error);
}

static void
done_remove(gpointer data)
{
    Task *task = data;

    if (!task->entry->policy)
        return;
    if (task->error)
        fail(task->entry, task->error->message);
    else
        signet_entry_advance(task->entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_RETIRED});
}

static void
remove_files(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_remove, done_remove, task_free};

    signet_disk_thread_give(entry->engine->disk, &work, task_new(entry));
}

/* --- its key --- */

/* A key that the token cannot make out any more is as good as destroyed. */
static gboolean
is_worth_a_retry(const GError *error)
{
    return !signet_error_is(error, SIGNET_ERROR_CORRUPT) &&
           !signet_error_is(error, SIGNET_ERROR_NOT_FOUND) &&
           !signet_error_is(error, SIGNET_ERROR_UNSUPPORTED);
}

static void
on_destroyed(GBytes *result, const GError *error, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetToken) token G_GNUC_UNUSED = g_steal_pointer(&entry->retire_token);

    entry->retire_token_id = 0;
    if (!entry->policy)
        return;
    if (error && is_worth_a_retry(error))
        fail(entry, error->message);
    else
        remove_files(entry);
}

static void
destroy_key(SignetEntry *entry, const SignetGeneration *generation)
{
    SignetToken *token = signet_tokens_get(entry->engine->context.tokens, generation->token);

    if (!token) {
        g_autofree char *cause =
            g_strdup_printf("there is no token '%s' in the policy", generation->token);

        fail(entry, cause);
        return;
    }
    entry->retire_token = signet_token_ref(token);
    entry->retire_token_id =
        signet_token_destroy(token, &(SignetTokenWait) {0}, generation->key, on_destroyed, entry);
}

/* --- what is known of it --- */

static gboolean
has_same_key(const SignetGeneration *a, const SignetGeneration *b)
{
    return g_str_equal(a->token, b->token) && g_bytes_equal(a->key->spki, b->key->spki);
}

static void
look_for_same_key(Task *task)
{
    SignetStore *store = task->entry->engine->context.store;
    g_autoptr(GArray) numbers =
        signet_store_list_generations(store, task->entry->name, &task->error);

    for (guint i = 0; numbers && i < numbers->len; i++) {
        guint32 number = g_array_index(numbers, guint32, i);

        if (number == task->number)
            continue;
        g_autoptr(SignetGeneration) other =
            signet_store_load_generation(store, task->entry->name, number, NULL);
        task->is_shared |= other && has_same_key(task->generation, other);
    }
}

static void
run_look(gpointer data)
{
    Task *task = data;
    SignetStore *store = task->entry->engine->context.store;
    const char *name = task->entry->name;

    /* a promotion whose durability could not be made sure of: programs see it, so it stays */
    if (signet_store_get_current(store, name) == task->number) {
        signet_error_set(&task->error, SIGNET_ERROR_BUSY, "live/%s points at it", name);
        return;
    }
    task->generation = signet_store_load_generation(store, name, task->number, &task->error);
    if (task->generation)
        look_for_same_key(task);
    else if (signet_error_is(task->error, SIGNET_ERROR_NOT_FOUND) ||
             signet_error_is(task->error, SIGNET_ERROR_CORRUPT))
        g_clear_error(&task->error);
}

static void
done_look(gpointer data)
{
    Task *task = data;

    if (!task->entry->policy)
        return;
    if (task->error)
        fail(task->entry, task->error->message);
    else if (task->generation && !task->is_shared && !task->generation->key->is_adopted)
        destroy_key(task->entry, task->generation);
    else
        remove_files(task->entry);
}

void
signet_entry_retire(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_look, done_look, task_free};

    signet_inventory_remove(entry->engine->context.inventory, entry->name, entry->machine.retiring);
    signet_disk_thread_give(entry->engine->disk, &work, task_new(entry));
}
