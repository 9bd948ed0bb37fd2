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

static void
run_read(gpointer data)
{
    SignetReading *reading = data;

    signet_material_read_canary(&reading->read, reading->rotation, &reading->error);
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
    SignetReading *reading = data;
    SignetEntry *entry = reading->entry;

    if (!entry->policy)
        return;
    if (reading->error)
        tell_failure(entry, reading->error->message);
    else if (reading->policy != entry->engine->policy)
        signet_entry_canary(entry); /* it may name another peer now */
    else
        start(entry, reading->rotation->canary, &reading->read);
}

void
signet_entry_canary(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_read, done_read, signet_reading_free};

    if (entry->policy->rotation && entry->policy->rotation->canary)
        signet_disk_thread_give(entry->engine->disk, &work,
                                signet_reading_new(entry, entry->machine.pending));
    else
        tell(entry, SIGNET_EVENT_FAILED, "its canary is not there any more");
}
