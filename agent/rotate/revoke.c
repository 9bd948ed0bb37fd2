/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An administrator wants the CA to revoke a certificate of an identity's own: beside the machine,
 * and once. */

#include "agent/base/log.h"
#include "agent/enroll/grant.h"
#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

#define REASON_HOLD 6 /* certificateHold, RFC 5280 5.3.1 */

/* --- the end --- */

static void
finish(SignetEntry *entry, guint32 number, const GError *error)
{
    SignetWaiter waiter = entry->revoke_waiter;

    entry->is_revoking = FALSE;
    entry->revoke_waiter = (SignetWaiter) {0};
    if (error)
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name), "%s",
                   error->message);
    if (waiter.done)
        waiter.done(entry->name, number, error, waiter.data);
}

static void
fail(SignetEntry *entry, guint32 number, const char *why)
{
    g_autoptr(GError) error = signet_error_new(
        SIGNET_ERROR_FAILED, "generation %u of '%s' is not revoked: %s", number, entry->name, why);

    finish(entry, number, error);
}

void
signet_entry_end_revoking(SignetEntry *entry, const GError *error)
{
    if (entry->is_revoking)
        finish(entry, entry->machine.current, error);
}

/* Peers will not take it much longer, and it vouches for nothing any more. */
static void
replace_current(SignetEntry *entry, guint reason)
{
    const SignetFindings findings = {
        .looks = SIGNET_LOOK_REVOCATION,
        .standing = reason == REASON_HOLD ? SIGNET_STANDING_HELD : SIGNET_STANDING_REVOKED,
        .reason = reason,
        .revoked_s = signet_clock_now(entry->engine->context.clock),
        .words = "the CA itself, which was asked to (signetctl revoke)",
    };

    signet_entry_advance(
        entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_REVOKED, .findings = &findings});
    if (!signet_machine_is_working(&entry->machine))
        signet_entry_advance(entry, &(SignetMachineEvent) {.kind = SIGNET_EVENT_ROTATE});
}

static void
on_revoked(SignetJob *job, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetJob) owned = g_steal_pointer(&entry->revoke_job);
    const SignetJobRequest *request = signet_job_get_request(owned);
    const char *message = signet_job_get_message(job);
    guint32 number = request->new_generation;

    if (signet_job_get_outcome(job) != SIGNET_OUTCOME_ISSUED) {
        fail(entry, number, message ? message : "signet-enroll gave no answer");
        return;
    }
    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", entry->name),
               "CA '%s' has revoked the certificate of generation %u of '%s' (%s)",
               entry->policy->ca, number, entry->name,
               signet_revocation_reason_words(request->reason));
    finish(entry, number, NULL);
    if (number == entry->machine.current)
        replace_current(entry, request->reason);
}

/* --- asking --- */

static void
run_supply(gpointer data)
{
    SignetReading *reading = data;

    signet_material_read(&reading->read, reading->ca, &reading->error);
}

static void
done_supply(gpointer data)
{
    SignetReading *reading = data;
    SignetEntry *entry = reading->entry;
    const SignetSupplies supplies = {.read = reading->read}; /* borrowed */
    const SignetGeneration *generation;

    if (!entry->is_revoking)
        return;
    if (reading->policy != entry->engine->policy) {
        fail(entry, reading->number, "the policy has changed meanwhile; ask again");
        return;
    }
    generation =
        signet_inventory_get(entry->engine->context.inventory, entry->name, reading->number);
    if (reading->error || !generation || generation->chain->len == 0) {
        fail(entry, reading->number,
             reading->error ? reading->error->message : "its certificate is not there any more");
        return;
    }
    entry->revoke_job = signet_entry_make_revocation(entry, generation, &supplies, reading->reason);
    signet_enroll_start(entry->engine->context.enroll, entry->revoke_job, on_revoked, entry);
}

static GError *
find_unsupported(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    if (ca && (ca->kind == SIGNET_CA_CMP || ca->kind == SIGNET_CA_ACME) && !entry->policy->is_ca)
        return NULL;
    return signet_error_new(
        SIGNET_ERROR_POLICY,
        "CA '%s' cannot be asked to revoke a certificate of '%s': Protocol=%s has no way to say "
        "it; "
        "ask whoever runs the CA, and tell the serial number (signetctl show %s --json)",
        entry->policy->ca, entry->name, ca ? signet_ca_kind_name(ca->kind) : "?", entry->name);
}

static GError *
find_refusal(SignetEngine *engine, const char *identity, guint32 number)
{
    const SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    const SignetGeneration *generation =
        entry ? signet_inventory_get(engine->context.inventory, identity, number) : NULL;

    if (!entry)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no identity '%s'", identity);
    if (entry->problem)
        return signet_error_new(SIGNET_ERROR_CORRUPT, "cannot revoke '%s': %s", identity,
                                entry->problem);
    if (!generation || generation->chain->len == 0)
        return signet_error_new(SIGNET_ERROR_NOT_FOUND,
                                "there is no certificate of generation %u of '%s' any more",
                                number ? number : entry->machine.current, identity);
    if (entry->is_revoking)
        return signet_error_new(SIGNET_ERROR_BUSY,
                                "the CA is being asked already to revoke a certificate of '%s'",
                                identity);
    return find_unsupported(entry);
}

void
signet_engine_revoke(SignetEngine *engine, const char *identity, guint32 generation, guint reason,
                     SignetEngineDone done, gpointer data)
{
    static const SignetDiskWork work = {run_supply, done_supply, signet_reading_free};
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    GError *error = find_refusal(engine, identity, generation);
    SignetReading *reading;

    if (error) {
        signet_engine_refuse(engine, identity, &(SignetWaiter) {done, data}, error);
        return;
    }
    entry->is_revoking = TRUE;
    entry->revoke_waiter = (SignetWaiter) {done, data};
    reading = signet_reading_new(entry, generation ? generation : entry->machine.current);
    reading->reason = MIN(reason, SIGNET_GRANT_REASON_MAX);
    signet_disk_thread_give(engine->disk, &work, reading);
}
