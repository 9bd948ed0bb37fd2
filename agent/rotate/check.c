/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Looks what others say of the current certificate: a process of its own asks, the machine decides.
 */

#include "agent/base/log.h"
#include "agent/enroll/findings.h"
#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

#define TIMEOUT_S   60
#define SUSPICION_S 600 /* a CA that refuses is no reason to look more often than that */

/* --- the end of a look --- */

void
signet_entry_answer_check(SignetEntry *entry, const GError *error)
{
    g_autoptr(GArray) waiters = entry->check_waiters;

    entry->check_waiters = g_array_new(FALSE, FALSE, sizeof(SignetWaiter));
    for (guint i = 0; i < waiters->len; i++) {
        const SignetWaiter *waiter = &g_array_index(waiters, SignetWaiter, i);

        if (waiter->done)
            waiter->done(entry->name, entry->machine.current, error, waiter->data);
    }
}

/* Whoever asked meanwhile hears of a look at everything. */
static void
end_look(SignetEntry *entry, const GError *error)
{
    gboolean is_short = entry->is_look_short;

    entry->is_look_short = FALSE;
    if (is_short)
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECK_NOW});
    if (!is_short || entry->machine.checking == 0)
        signet_entry_answer_check(entry, error);
}

void
signet_entry_fail_check(SignetEntry *entry, const char *cause)
{
    g_autoptr(GError) error =
        signet_error_new(SIGNET_ERROR_FAILED, "cannot check '%s': %s", entry->name, cause);

    signet_entry_advance(entry,
                         &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECK_FAILED, .cause = cause});
    end_look(entry, error);
}

static gboolean
take_findings(SignetJob *job, SignetFindings *ret_findings, GError **error)
{
    GBytes *state = signet_job_get_state(job);
    const char *message = signet_job_get_message(job);

    if (signet_job_get_outcome(job) == SIGNET_OUTCOME_PENDING && state)
        return signet_findings_from_text(state, ret_findings, error);
    return signet_error_set(error, SIGNET_ERROR_FAILED, "%s",
                            message ? message : "signet-enroll gave no answer");
}

/* What the CA shows of itself, where it was believed to be the CA. */
static void
take_anchors(SignetEntry *entry, SignetJob *job, guint32 number, const SignetFindings *findings)
{
    const SignetGeneration *current =
        signet_inventory_get(entry->engine->context.inventory, entry->name, 0);
    g_autoptr(GPtrArray) anchors = NULL;

    if (!(findings->looks & SIGNET_LOOK_AUTHORITIES) || !current || current->number != number)
        return;
    anchors = signet_anchors_for_current(current, signet_job_get_anchors(job));
    if (anchors)
        signet_entry_republish(entry, anchors);
}

static void
on_checked(SignetJob *job, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetJob) owned G_GNUC_UNUSED = g_steal_pointer(&entry->check_job);
    SignetFindings findings = {0};
    g_autoptr(GError) error = NULL;

    if (!take_findings(job, &findings, &error)) {
        signet_entry_fail_check(entry, error->message);
        return;
    }
    take_anchors(entry, job, signet_job_get_request(job)->new_generation, &findings);
    signet_entry_advance(
        entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECKED, .findings = &findings});
    end_look(entry, NULL);
}

/* --- looking --- */

static void
append(GByteArray *all, GPtrArray *certificates)
{
    for (guint i = 0; certificates && i < certificates->len; i++) {
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(certificates->pdata[i], &size);

        g_byte_array_append(all, data, (guint)size);
    }
}

static SignetJob *
make_job(const SignetReading *reading, const SignetGeneration *current)
{
    const SignetEntry *entry = reading->entry;
    const SignetCaRemote *remote = &reading->ca->remote;
    g_autoptr(GByteArray) all = g_byte_array_new();
    /* CMP answers nobody who does not say who it is */
    gboolean is_asker =
        reading->ca->kind == SIGNET_CA_CMP && !signet_machine_is_revoked(&entry->machine);

    append(all, current->chain);
    append(all, current->anchors);
    g_autoptr(GBytes) certificates = g_bytes_new(all->data, all->len);
    return signet_job_new(&(SignetJobRequest) {
        .identity = entry->name,
        .new_generation = current->number,
        .current_generation = is_asker ? current->number : 0,
        .protocol = SIGNET_JOB_CHECK,
        .spki = current->key->spki,
        .looks = entry->machine.checking_looks,
        .ca_protocol = signet_ca_kind_name(reading->ca->kind),
        .certificates = certificates,
        .remote =
            {
                .url = remote->url,
                .anchors = reading->read.anchors,
                .is_system = g_strcmp0(remote->trust, "system") == 0,
                .pins = (const char *const *)remote->pins,
                .proxy = remote->proxy,
                .timeout_s = TIMEOUT_S,
                .rungs = is_asker ? SIGNET_RUNG_CURRENT : 0,
                .options = (const char *const *)remote->options,
            },
    });
}

static void
run_supply(gpointer data)
{
    SignetReading *reading = data;

    signet_material_read_anchors(&reading->read, reading->ca, &reading->error);
}

static void
done_supply(gpointer data)
{
    SignetReading *reading = data;
    SignetEntry *entry = reading->entry;
    const SignetGeneration *current;

    if (!entry->policy)
        return;
    current = signet_inventory_get(entry->engine->context.inventory, entry->name, reading->number);
    if (reading->error || !current || current->chain->len == 0) {
        signet_entry_fail_check(entry, reading->error ? reading->error->message
                                                      : "its certificate is not there any more");
        return;
    }
    entry->check_job = make_job(reading, current);
    signet_enroll_start(entry->engine->context.enroll, entry->check_job, on_checked, entry);
}

void
signet_entry_check(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_supply, done_supply, signet_reading_free};

    if (signet_entry_get_ca(entry))
        signet_disk_thread_give(entry->engine->disk, &work,
                                signet_reading_new(entry, entry->machine.checking));
    else
        signet_entry_fail_check(entry, "its CA is not in the policy any more");
}

/* --- before it is time --- */

void
signet_entry_suspect(SignetEntry *entry)
{
    const SignetRotationProfile *rotation = entry->policy->rotation;
    const SignetWatch *watch = &entry->machine.watch;
    gint64 now_s = signet_clock_now(entry->engine->context.clock);

    if (rotation && rotation->check_s != SIGNET_CHECK_NEVER && entry->machine.current != 0 &&
        now_s - watch->last_s >= SUSPICION_S)
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECK_NOW});
}

/* --- a person's wish --- */

static GError *
find_refusal(SignetEngine *engine, const char *identity)
{
    const SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);

    if (!entry)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no identity '%s'", identity);
    if (entry->problem)
        return signet_error_new(SIGNET_ERROR_CORRUPT, "cannot check '%s': %s", identity,
                                entry->problem);
    if (entry->machine.current == 0)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND,
                                "cannot check '%s': it has no certificate yet", identity);
    if (signet_entry_find_looks(entry) == 0)
        return signet_error_new(SIGNET_ERROR_POLICY,
                                "cannot check '%s': its CA is this machine's own, which revokes "
                                "nothing",
                                identity);
    if (signet_clock_now(engine->context.clock) < SIGNET_CLOCK_FLOOR_S)
        return signet_error_new(SIGNET_ERROR_FAILED,
                                "cannot check '%s': this machine's clock has not been set",
                                identity);
    return NULL;
}

void
signet_engine_check(SignetEngine *engine, const char *identity, SignetEngineDone done,
                    gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    SignetWaiter waiter = {done, data};
    GError *error = find_refusal(engine, identity);

    if (error) {
        signet_engine_refuse(engine, identity, &waiter, error);
        return;
    }
    g_array_append_val(entry->check_waiters, waiter);
    entry->is_look_short |= entry->machine.checking != 0 &&
                            entry->machine.checking_looks != signet_entry_find_looks(entry);
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_CHECK_NOW});
}
