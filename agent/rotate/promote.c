/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The promotion: the files of a generation, then the link that makes it current. */

#include <grp.h>
#include <pwd.h>

#include "agent/base/log.h"
#include "agent/rotate/private.h"

#define NSS_BUFFER_SIZE 65536

typedef struct {
    SignetEntry *entry;           /* (owned) */
    SignetGeneration *generation; /* (owned) as it will be */
    char *owner;                  /* (owned, nullable) */
    char *group;                  /* (owned, nullable) */
    guint mode;
    SignetMachineEventKind outcome; /* PROMOTED, RESTORED */
    GError *error;                  /* (owned, nullable) the outcome */
    guint32 live_number;            /* what live/NAME points at after a failed promotion */
} Task;

static Task *
task_new(SignetEntry *entry, SignetGeneration *generation)
{
    Task *task = g_new0(Task, 1);

    task->entry = signet_entry_ref(entry);
    task->generation = signet_generation_ref(generation);
    return task;
}

static void
task_free(gpointer data)
{
    Task *task = data;

    signet_entry_unref(task->entry);
    signet_generation_unref(task->generation);
    g_free(task->owner);
    g_free(task->group);
    g_clear_error(&task->error);
    g_free(task);
}

static SignetStore *
store_of(const Task *task)
{
    return task->entry->engine->context.store;
}

static gboolean
find_user(const char *name, gint64 *ret_uid, GError **error)
{
    g_autofree char *buffer = g_malloc(NSS_BUFFER_SIZE);
    struct passwd entry, *found = NULL;

    if (getpwnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found) == 0 && found) {
        *ret_uid = found->pw_uid;
        return TRUE;
    }
    return g_ascii_string_to_signed(name, 10, 0, G_MAXUINT32 - 1, ret_uid, NULL) ||
           signet_error_set(
               error, SIGNET_ERROR_POLICY,
               "there is no user '%s' on this machine; make it, or change Owner=", name);
}

static gboolean
find_group(const char *name, gint64 *ret_gid, GError **error)
{
    g_autofree char *buffer = g_malloc(NSS_BUFFER_SIZE);
    struct group entry, *found = NULL;

    if (getgrnam_r(name, &entry, buffer, NSS_BUFFER_SIZE, &found) == 0 && found) {
        *ret_gid = found->gr_gid;
        return TRUE;
    }
    return g_ascii_string_to_signed(name, 10, 0, G_MAXUINT32 - 1, ret_gid, NULL) ||
           signet_error_set(
               error, SIGNET_ERROR_POLICY,
               "there is no group '%s' on this machine; make it, or change Group=", name);
}

static void
run_publish(gpointer data)
{
    Task *task = data;
    SignetDirOwner owner = {.mode = task->mode, .uid = -1, .gid = -1};

    if ((task->owner && !find_user(task->owner, &owner.uid, &task->error)) ||
        (task->group && !find_group(task->group, &owner.gid, &task->error)))
        return;
    signet_store_publish(store_of(task), task->entry->name, task->generation, &owner, &task->error);
}

static void
run_promote(gpointer data)
{
    Task *task = data;
    const char *name = task->entry->name;

    if (!signet_store_promote(store_of(task), name, task->generation->number, &task->error))
        task->live_number = signet_store_get_current(store_of(task), name);
}

static void
done_promote(gpointer data)
{
    Task *task = data;
    SignetEntry *entry = task->entry;
    const SignetGeneration *generation = task->generation;

    if (!entry->policy)
        return;
    if (task->error) {
        /* a link that could not be made durable is what programs see all the same */
        if (task->live_number != generation->number)
            signet_inventory_set_current(entry->engine->context.inventory, entry->name,
                                         entry->machine.current);
        signet_entry_fail(entry, task->error);
        return;
    }
    entry->engine->is_rescan_due |= entry->policy->is_ca;
    signet_entry_advance(entry, &(SignetMachineEvent) {
                                    .kind = task->outcome,
                                    .facts = signet_generation_facts(generation),
                                });
}

/* Who opens live/NAME in the very moment in which it changes must be served: the inventory goes
 * first. */
static void
done_publish(gpointer data)
{
    static const SignetDiskWork work = {run_promote, done_promote, task_free};
    Task *task = data;
    SignetEntry *entry = task->entry;

    if (!entry->policy)
        return;
    if (task->error) {
        signet_entry_fail(entry, task->error);
        return;
    }
    signet_inventory_set_current(entry->engine->context.inventory, entry->name,
                                 task->generation->number);
    /* and whoever waits for this CA begins with a fingerprint that knows it */
    entry->engine->is_rescan_due |= entry->policy->is_ca;
    Task *next = task_new(entry, task->generation);
    next->outcome = task->outcome;
    signet_disk_thread_give(entry->engine->disk, &work, next);
}

static void
promote(SignetEntry *entry, guint32 number, SignetMachineEventKind outcome)
{
    static const SignetDiskWork work = {run_publish, done_publish, task_free};
    SignetGeneration *generation =
        signet_inventory_get(entry->engine->context.inventory, entry->name, number);
    Task *task;

    if (!generation) {
        signet_entry_advance(entry, &(SignetMachineEvent) {
                                        .kind = SIGNET_EVENT_FAILED,
                                        .cause = "its certificate is not there any more",
                                    });
        return;
    }
    task = task_new(entry, generation);
    task->outcome = outcome;
    task->owner = g_strdup(entry->policy->owner);
    task->group = g_strdup(entry->policy->group);
    task->mode = entry->policy->mode;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

/* --- the same with other anchors --- */

static void
run_republish(gpointer data)
{
    Task *task = data;
    const SignetGeneration *generation = task->generation;

    if (signet_store_put_chain(store_of(task), task->entry->name, generation->number,
                               generation->chain, generation->anchors, &task->error))
        run_publish(data);
}

static void
done_republish(gpointer data)
{
    Task *task = data;
    SignetEntry *entry = task->entry;
    SignetInventory *inventory = entry->engine->context.inventory;
    const SignetGeneration *generation = task->generation;

    if (!entry->policy || !signet_inventory_get(inventory, entry->name, generation->number))
        return;
    if (task->error) {
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
                   "cannot add the new roots of CA '%s': %s; the next look tries again",
                   entry->policy->ca, task->error->message);
        return;
    }
    signet_inventory_put(inventory, entry->name, task->generation);
    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "CA '%s' has new roots: they are added to live/%s/ca.pem", entry->policy->ca,
               entry->name);
}

void
signet_entry_republish(SignetEntry *entry, GPtrArray *anchors)
{
    static const SignetDiskWork work = {run_republish, done_republish, task_free};
    const SignetGeneration *current =
        signet_inventory_get(entry->engine->context.inventory, entry->name, 0);
    g_autoptr(SignetGeneration) generation = signet_generation_new(
        current->number, current->token, current->key, current->created_s, current->chain, anchors);
    Task *task = task_new(entry, generation);

    task->owner = g_strdup(entry->policy->owner);
    task->group = g_strdup(entry->policy->group);
    task->mode = entry->policy->mode;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

void
signet_entry_promote(SignetEntry *entry)
{
    promote(entry, entry->machine.pending, SIGNET_EVENT_PROMOTED);
}

void
signet_entry_restore(SignetEntry *entry)
{
    promote(entry, entry->machine.restoring, SIGNET_EVENT_RESTORED);
}
