/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who used what: from the inventory to the disk, not at every use. */

#include "agent/base/log.h"
#include "agent/rotate/private.h"

typedef struct {
    SignetStore *store; /* (unowned): outlives the engine */
    char *identity;     /* (owned) */
    GBytes *users;      /* (owned) */
} Task;

static void
task_free(gpointer data)
{
    Task *task = data;

    g_free(task->identity);
    g_bytes_unref(task->users);
    g_free(task);
}

static void
run_save(gpointer data)
{
    Task *task = data;
    g_autoptr(GError) error = NULL;

    if (!signet_store_put_file(task->store, task->identity, "usage", task->users, &error))
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", task->identity),
                   "%s; who used it will be forgotten if the agent stops before the next use",
                   error->message);
}

static Task *
task_new(const SignetEngine *engine, const char *identity)
{
    Task *task = g_new0(Task, 1);

    task->store = engine->context.store;
    task->identity = g_strdup(identity);
    task->users = signet_inventory_save_users(engine->context.inventory, identity);
    return task;
}

void
signet_engine_save_usage(SignetEngine *engine)
{
    static const SignetDiskWork work = {run_save, NULL, task_free};
    g_auto(GStrv) names = signet_inventory_steal_changed_users(engine->context.inventory);

    for (guint i = 0; names[i]; i++)
        signet_disk_thread_give(engine->disk, &work, task_new(engine, names[i]));
}

void
signet_engine_save_usage_now(SignetEngine *engine)
{
    g_auto(GStrv) names = signet_inventory_steal_changed_users(engine->context.inventory);

    for (guint i = 0; names[i]; i++) {
        Task *task = task_new(engine, names[i]);

        run_save(task);
        task_free(task);
    }
}
