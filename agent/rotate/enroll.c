/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asks the CA: what the job needs from the disk, the enroller, and what came of it. */

#include <string.h>

#include "agent/base/log.h"
#include "agent/rotate/private.h"

/* Holds a generation's number in four bytes, most significant first, and what its enroller asked to
 * be given again. */
#define STATE_FILE "enrolment"
/* A person's answer comes by itself; what waits for it is looked at now and then all the same. */
#define PERSON_S 3600

/* Something for the disk thread; what a kind does not need is NULL. */
typedef struct {
    SignetEntry *entry;           /* (owned) */
    SignetPolicy *policy;         /* (owned, nullable): ca lives in it */
    const SignetCaProfile *ca;    /* (unowned, nullable) */
    SignetGeneration *generation; /* (owned, nullable) as it will be */
    SignetJob *job;               /* (owned, nullable) with its outcome */
    guint32 number;
    SignetSupplies supplies;           /* (owned) */
    SignetEngineRequestDone requested; /* (nullable) … */
    gpointer requested_data;           /* … of signet_engine_get_request() */
    GError *error;                     /* (owned, nullable) the outcome */
} Task;

static Task *
task_new(SignetEntry *entry)
{
    Task *task = g_new0(Task, 1);

    task->entry = signet_entry_ref(entry);
    task->number = entry->machine.pending;
    return task;
}

static void
task_free(gpointer data)
{
    Task *task = data;

    signet_entry_unref(task->entry);
    g_clear_pointer(&task->policy, signet_policy_unref);
    g_clear_pointer(&task->generation, signet_generation_unref);
    g_clear_pointer(&task->job, signet_job_unref);
    signet_material_clear(&task->supplies.read);
    g_clear_pointer(&task->supplies.state, g_bytes_unref);
    g_clear_pointer(&task->supplies.answer, g_bytes_unref);
    g_clear_error(&task->error);
    g_free(task);
}

static SignetStore *
store_of(const Task *task)
{
    return task->entry->engine->context.store;
}

static void
fail(SignetEntry *entry, const char *cause)
{
    signet_entry_advance(entry,
                         &(SignetMachineEvent) {.kind = SIGNET_EVENT_FAILED, .cause = cause});
}

static SignetGeneration *
pending_of(const SignetEntry *entry)
{
    return signet_inventory_get(entry->engine->context.inventory, entry->name,
                                entry->machine.pending);
}

/* --- what an enroller asked to be given again --- */

static void
put_state(const Task *task, GBytes *state, GError **error)
{
    gsize size = 0;
    gconstpointer data = state ? g_bytes_get_data(state, &size) : NULL;
    guint32 number = GUINT32_TO_BE(task->number);
    g_autoptr(GByteArray) content = g_byte_array_new();

    g_byte_array_append(content, (const guint8 *)&number, sizeof(number));
    if (size > 0)
        g_byte_array_append(content, data, (guint)size);
    g_autoptr(GBytes) bytes = g_bytes_new(content->data, content->len);
    signet_store_put_file(store_of(task), task->entry->name, STATE_FILE, bytes, error);
}

/* NULL: there is none, or it belongs to another generation. */
static GBytes *
get_state(const Task *task, GError **error)
{
    g_autoptr(GBytes) content =
        signet_store_get_file(store_of(task), task->entry->name, STATE_FILE, error);
    gsize size = 0;
    const guint8 *data = content ? g_bytes_get_data(content, &size) : NULL;
    guint32 number;

    if (size <= sizeof(number))
        return NULL;
    memcpy(&number, data, sizeof(number));
    if (GUINT32_FROM_BE(number) != task->number)
        return NULL;
    return g_bytes_new(data + sizeof(number), size - sizeof(number));
}

static gboolean
is_manual(SignetJob *job)
{
    return g_str_equal(signet_job_get_request(job)->protocol,
                       signet_ca_kind_name(SIGNET_CA_MANUAL));
}

/* --- a certificate --- */

static void
run_put_chain(gpointer data)
{
    Task *task = data;
    const SignetGeneration *generation = task->generation;

    if (!signet_store_put_chain(store_of(task), task->entry->name, generation->number,
                                generation->chain, generation->anchors, &task->error))
        return;
    /* If the answer is not what was asked for, the next request is a new one; but not where a
     * person may be on the way with it. */
    if (signet_job_get_request(task->job)->remote.state && !is_manual(task->job))
        put_state(task, NULL, &task->error);
}

static void
done_put_chain(gpointer data)
{
    Task *task = data;

    if (!task->entry->policy)
        return;
    if (task->error) {
        signet_entry_fail(task->entry, task->error);
        return;
    }
    signet_inventory_put(task->entry->engine->context.inventory, task->entry->name,
                         task->generation);
    signet_entry_advance(task->entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_ISSUED});
}

/* A CA that shows its roots may be on its way from one to the next. */
static GPtrArray *
find_anchors(const SignetEntry *entry, SignetJob *job)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);
    gboolean is_shown =
        ca && !entry->policy->is_ca &&
        (ca->kind == SIGNET_CA_EST || ca->kind == SIGNET_CA_CMP || ca->kind == SIGNET_CA_SCEP);

    return signet_anchors_for_next(
        is_shown ? signet_inventory_get(entry->engine->context.inventory, entry->name, 0) : NULL,
        signet_job_get_anchors(job), signet_clock_now(entry->engine->context.clock));
}

static void
on_issued(SignetEntry *entry, SignetJob *job)
{
    static const SignetDiskWork work = {run_put_chain, done_put_chain, task_free};
    const SignetGeneration *pending = pending_of(entry);
    GPtrArray *chain = signet_job_get_chain(job);

    if (!pending || !chain || chain->len == 0) {
        fail(entry, "the CA's answer holds no certificate");
        return;
    }
    Task *task = task_new(entry);
    g_autoptr(GPtrArray) anchors = find_anchors(entry, job);
    task->job = signet_job_ref(job);
    task->generation = signet_generation_new(pending->number, pending->token, pending->key,
                                             pending->created_s, chain, anchors);
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

/* --- anything else --- */

/* A CA that refuses may have revoked what it was shown: that is looked at. */
static void
tell_failure(SignetEntry *entry, SignetJob *job)
{
    const char *message = signet_job_get_message(job);
    gboolean is_refusal = signet_job_get_outcome(job) == SIGNET_OUTCOME_REFUSED;
    gboolean is_revoked = signet_machine_is_revoked(&entry->machine);
    const char *known = is_revoked ? "; the certificate in use is revoked and authenticates no "
                                     "more: another way of Bootstrap= is needed"
                                   : "";
    g_autofree char *cause =
        is_refusal ? g_strdup_printf("CA '%s' gives no certificate: %s%s", entry->policy->ca,
                                     message ? message : "it did not say why", known)
                   : g_strdup_printf("cannot enrol at CA '%s': %s%s", entry->policy->ca,
                                     message ? message : "signet-enroll gave no answer", known);

    fail(entry, cause);
    if (is_refusal && !is_revoked)
        signet_entry_suspect(entry);
}

/* Said once for each request: whoever decides compares the code with what was received. */
static void
tell_pending(SignetEntry *entry, const SignetMachineEvent *event)
{
    gboolean is_new = entry->machine.pending_since_s == 0;
    const char *code;

    signet_entry_advance(entry, event);
    code = signet_entry_get_device_code(entry);
    if (is_new && *code)
        signet_log(LOG_NOTICE,
                   SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name, "SIGNET_DEVICE_CODE", code),
                   "the request of '%s' waits for CA '%s'; its device code is %s", entry->name,
                   entry->policy->ca, code);
}

/* What was brought is wrong: that is no reason to make another request. */
static gboolean
is_waiting_on(SignetJob *job)
{
    return is_manual(job) && (signet_job_get_outcome(job) == SIGNET_OUTCOME_PENDING ||
                              signet_job_get_outcome(job) == SIGNET_OUTCOME_REFUSED);
}

static void
wait_for_person(SignetEntry *entry, SignetJob *job)
{
    gboolean is_refusal = signet_job_get_outcome(job) == SIGNET_OUTCOME_REFUSED;
    g_autofree char *cause = g_strdup_printf(
        "%s%s%sgive the request to CA '%s' (signetctl request %s), then: signetctl import %s "
        "CHAIN.pem",
        is_refusal ? "what was brought is not used: " : "",
        is_refusal ? signet_job_get_message(job) : "", is_refusal ? "; " : "", entry->policy->ca,
        entry->name, entry->name);

    tell_pending(entry, &(SignetMachineEvent) {
                            .kind = SIGNET_EVENT_CA_PENDING, .cause = cause, .after_s = PERSON_S});
}

static void
tell_outcome(SignetEntry *entry, SignetJob *job)
{
    const char *message = signet_job_get_message(job);

    if (is_waiting_on(job)) {
        wait_for_person(entry, job);
        return;
    }
    if (signet_job_get_outcome(job) != SIGNET_OUTCOME_PENDING) {
        tell_failure(entry, job);
        return;
    }
    tell_pending(entry, &(SignetMachineEvent) {
                            .kind = SIGNET_EVENT_CA_PENDING,
                            .cause = message ? message : "the CA has not decided yet",
                            .after_s = signet_job_get_retry_after(job),
                        });
}

static void
run_put_state(gpointer data)
{
    Task *task = data;

    put_state(task, signet_job_get_state(task->job), &task->error);
}

static void
done_put_state(gpointer data)
{
    Task *task = data;

    if (!task->entry->policy)
        return;
    if (task->error)
        signet_entry_fail(task->entry, task->error);
    else
        tell_outcome(task->entry, task->job);
}

/* A refused request is not repeated as it was; one that was not heard is. */
static gboolean
is_state_changed(SignetJob *job)
{
    return signet_job_get_state(job) || (signet_job_get_outcome(job) == SIGNET_OUTCOME_REFUSED &&
                                         signet_job_get_request(job)->remote.state);
}

static void
on_enrolled(SignetJob *job, gpointer data)
{
    static const SignetDiskWork work = {run_put_state, done_put_state, task_free};
    SignetEntry *entry = data;
    g_autoptr(SignetJob) owned G_GNUC_UNUSED = g_steal_pointer(&entry->job);

    if (signet_job_get_outcome(job) == SIGNET_OUTCOME_ISSUED) {
        on_issued(entry, job);
    } else if (is_state_changed(job)) {
        Task *task = task_new(entry);

        task->job = signet_job_ref(job);
        signet_disk_thread_give(entry->engine->disk, &work, task);
    } else {
        tell_outcome(entry, job);
    }
}

/* --- asking --- */

/* It is not there, and there is no certificate to show in its place. What has been asked already is
 * only taken up again. */
static gboolean
is_secret_missed(const SignetJob *job, const SignetSupplies *supplies)
{
    const SignetJobRemote *remote = &signet_job_get_request(job)->remote;
    const guint others = SIGNET_RUNG_CURRENT | SIGNET_RUNG_EXPIRED | SIGNET_RUNG_IDENTITY;

    return supplies && supplies->read.absent && !(remote->rungs & others) && !remote->state;
}

static void
start(SignetEntry *entry, const SignetSupplies *supplies)
{
    const SignetGeneration *pending = pending_of(entry);

    entry->job = pending ? signet_entry_make_job(entry, pending, supplies) : NULL;
    if (entry->job && is_secret_missed(entry->job, supplies)) {
        g_autofree char *cause = g_strdup_printf("cannot ask CA '%s': %s", entry->policy->ca,
                                                 supplies->read.absent->message);

        g_clear_pointer(&entry->job, signet_job_unref);
        fail(entry, cause);
    } else if (entry->job) {
        signet_enroll_start(entry->engine->context.enroll, entry->job, on_enrolled, entry);
    } else {
        fail(entry, "its key or its CA is not there any more");
    }
}

static void
run_supply(gpointer data)
{
    Task *task = data;

    if (signet_material_read(&task->supplies.read, task->ca, &task->error))
        task->supplies.state = get_state(task, &task->error);
}

static void
done_supply(gpointer data)
{
    Task *task = data;
    SignetEntry *entry = task->entry;

    if (!entry->policy)
        return;
    if (task->error) {
        g_autofree char *cause =
            g_strdup_printf("cannot ask CA '%s': %s", entry->policy->ca, task->error->message);

        fail(entry, cause);
    } else if (task->policy != entry->engine->policy) {
        entry->answer = g_steal_pointer(&task->supplies.answer);
        signet_entry_enroll(entry); /* it may name other files now */
    } else {
        start(entry, &task->supplies);
    }
}

void
signet_entry_enroll(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_supply, done_supply, task_free};
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    if (!ca || ca->kind == SIGNET_CA_LOCAL || entry->policy->is_ca) {
        start(entry, NULL);
        return;
    }
    Task *task = task_new(entry);
    task->policy = signet_policy_ref(entry->engine->policy);
    task->ca = ca;
    task->supplies.answer = g_steal_pointer(&entry->answer);
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

/* --- what a person carries --- */

static void
run_get_request(gpointer data)
{
    Task *task = data;

    task->supplies.state = get_state(task, &task->error);
    if (!task->supplies.state && !task->error)
        task->error = signet_error_new(
            SIGNET_ERROR_BUSY, "the request of '%s' is being made; ask again", task->entry->name);
}

static void
done_get_request(gpointer data)
{
    Task *task = data;

    task->requested(task->error ? NULL : task->supplies.state, task->error, task->requested_data);
}

void
signet_entry_get_request(SignetEntry *entry, SignetEngineRequestDone done, gpointer data)
{
    static const SignetDiskWork work = {run_get_request, done_get_request, task_free};
    Task *task = task_new(entry);

    task->requested = done;
    task->requested_data = data;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}
