/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The canary: a peer is shown the pending certificate before programs get it. */

#include "agent/base/log.h"
#include "agent/rotate/private.h"

static void
tell(SignetEntry *entry, SignetMachineEventKind kind, const char *cause)
{
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = kind, .cause = cause});
}

/* The machine promotes what could not be tried when little is left: that is said. */
static void
tell_failure(SignetEntry *entry, const char *message)
{
    g_autofree char *cause =
        g_strdup_printf("%s", message ? message : "the canary: signet-enroll gave no answer");

    tell(entry, SIGNET_EVENT_FAILED, cause);
    if (entry->machine.state == SIGNET_MACHINE_PROMOTING)
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
                   "generation %u of '%s' becomes current untried, because the old one expires "
                   "soon: %s",
                   entry->machine.pending, entry->name, cause);
}

static void
on_tried(SignetJob *job, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetJob) owned G_GNUC_UNUSED = g_steal_pointer(&entry->job);

    switch (signet_job_get_outcome(job)) {
    case SIGNET_OUTCOME_ISSUED:
        tell(entry, SIGNET_EVENT_CANARY_PASSED, NULL);
        break;
    case SIGNET_OUTCOME_REFUSED:
        tell(entry, SIGNET_EVENT_CANARY_REFUSED, signet_job_get_message(job));
        break;
    case SIGNET_OUTCOME_NONE:
    case SIGNET_OUTCOME_PENDING:
    case SIGNET_OUTCOME_FAILED:
        tell_failure(entry, signet_job_get_message(job));
        break;
    }
}

/* --- what it needs from the disk --- */

typedef struct {
    SignetEntry *entry;                    /* (owned) */
    SignetPolicy *policy;                  /* (owned): rotation lives in it */
    const SignetRotationProfile *rotation; /* (unowned) */
    SignetMaterial read;                   /* (owned) */
    GError *error;                         /* (owned, nullable) the outcome */
} Task;

static void
task_free(gpointer data)
{
    Task *task = data;

    signet_entry_unref(task->entry);
    signet_policy_unref(task->policy);
    signet_material_clear(&task->read);
    g_clear_error(&task->error);
    g_free(task);
}

static void
run_read(gpointer data)
{
    Task *task = data;

    signet_material_read_canary(&task->read, task->rotation, &task->error);
}

static void
start(SignetEntry *entry, const char *peer, const SignetMaterial *read)
{
    const SignetGeneration *pending =
        signet_inventory_get(entry->engine->context.inventory, entry->name, entry->machine.pending);
    g_autofree char *user = signet_entry_dup_canary_user(entry);
    g_autofree char *option = g_strconcat("User=", user, NULL);
    const char *const options[] = {option, NULL};

    if (!pending) {
        tell(entry, SIGNET_EVENT_FAILED, "its certificate is not there any more");
        return;
    }
    entry->job = signet_job_new(&(SignetJobRequest) {
        .identity = entry->name,
        .new_generation = pending->number,
        .protocol = SIGNET_JOB_CANARY,
        .subject = entry->policy->subject,
        .purposes = entry->policy->purposes,
        .spki = pending->key->spki,
        .remote = {.url = peer,
                   .timeout_s = SIGNET_ENTRY_CANARY_S,
                   .anchors = read->anchors,
                   .secret = read->secret,
                   .options = options},
    });
    signet_enroll_start(entry->engine->context.enroll, entry->job, on_tried, entry);
}

static void
done_read(gpointer data)
{
    Task *task = data;
    SignetEntry *entry = task->entry;

    if (!entry->policy)
        return;
    if (task->error)
        tell_failure(entry, task->error->message);
    else if (task->policy != entry->engine->policy)
        signet_entry_canary(entry); /* it may name another peer now */
    else
        start(entry, task->rotation->canary, &task->read);
}

void
signet_entry_canary(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_read, done_read, task_free};
    Task *task;

    if (!entry->policy->rotation || !entry->policy->rotation->canary) {
        tell(entry, SIGNET_EVENT_FAILED, "its canary is not there any more");
        return;
    }
    task = g_new0(Task, 1);
    task->entry = signet_entry_ref(entry);
    task->policy = signet_policy_ref(entry->engine->policy);
    task->rotation = entry->policy->rotation;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}
