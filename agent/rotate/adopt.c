/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Adoption: looks for a key that others made, and judges it before anything changes; from then on
 * it is a generation like any other. */

#include "agent/enroll/bundle.h"
#include "agent/enroll/certificate.h"
#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

struct SignetAdopting {
    GPtrArray *given; /* (owned) of GBytes: certificates */
    gboolean is_enrolled;
    gboolean is_ours;
    SignetWaiter waiter;
    /* while it is looked for, and tried */
    SignetToken *token; /* (owned) */
    GBytes *digest;     /* (owned, nullable) of the test signature */
    guint64 token_id;   /* 0: it is over */
    /* what was found */
    SignetKey *key;     /* (owned, nullable) */
    GPtrArray *chain;   /* (owned, nullable) NULL: the CA is asked */
    GPtrArray *anchors; /* (owned, nullable) */
};

static void
adopting_free(SignetAdopting *adopting)
{
    g_ptr_array_unref(adopting->given);
    signet_token_unref(adopting->token);
    g_clear_pointer(&adopting->digest, g_bytes_unref);
    g_clear_pointer(&adopting->key, signet_key_unref);
    g_clear_pointer(&adopting->chain, g_ptr_array_unref);
    g_clear_pointer(&adopting->anchors, g_ptr_array_unref);
    g_free(adopting);
}

void
signet_entry_end_adopting(SignetEntry *entry, const GError *error)
{
    SignetAdopting *adopting = g_steal_pointer(&entry->adopting);

    if (!adopting)
        return;
    if (adopting->token_id)
        signet_token_cancel(adopting->token, adopting->token_id);
    if (error && adopting->waiter.done)
        adopting->waiter.done(entry->name, entry->machine.current, error, adopting->waiter.data);
    adopting_free(adopting);
}

/* --- may it be adopted --- */

static gboolean
check_type(const SignetEntry *entry, const SignetKey *key, GError **error)
{
    if (key->type == signet_key_type_from_name(entry->policy->key))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_POLICY,
                            "the key is of type '%s', and Key= of '%s' asks for '%s'",
                            signet_key_type_name(key->type), entry->name, entry->policy->key);
}

/* Two identities with one key: the end of one would be the end of the other. */
static gboolean
check_owner(const SignetEntry *entry, const SignetKey *key, GError **error)
{
    const SignetInventory *inventory = entry->engine->context.inventory;
    g_auto(GStrv) names = signet_inventory_list_identities(inventory);
    gsize size;
    const guint8 *spki = g_bytes_get_data(key->spki, &size);

    for (guint i = 0; names[i]; i++) {
        if (!g_str_equal(names[i], entry->name) &&
            signet_inventory_find_spki(inventory, names[i], spki, size))
            return signet_error_set(error, SIGNET_ERROR_POLICY,
                                    "the key is the one of identity '%s'", names[i]);
    }
    return TRUE;
}

/* What was given counts more than what lies on the token, which may be older. */
static GPtrArray *
gather(const SignetAdopting *adopting, GBytes *certificate)
{
    GPtrArray *all =
        g_ptr_array_copy(adopting->given, (GCopyFunc)(void (*)(void))g_bytes_ref, NULL);

    g_ptr_array_set_free_func(all, (GDestroyNotify)g_bytes_unref);
    if (certificate)
        g_ptr_array_add(all, g_bytes_ref(certificate));
    return all;
}

static gboolean
check_chain(const SignetEntry *entry, const SignetAdopting *adopting, GError **error)
{
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    g_autoptr(SignetGeneration) generation =
        signet_generation_new(1, signet_token_get_name(adopting->token), adopting->key, now_s,
                              adopting->chain, adopting->anchors);
    g_autoptr(SignetJob) job = signet_entry_make_job(entry, generation, NULL);

    return job && signet_certificate_check_adopted(signet_job_get_request(job), adopting->chain,
                                                   adopting->anchors, now_s, error);
}

static gboolean
take_certificates(const SignetEntry *entry, SignetAdopting *adopting, GBytes *certificate,
                  GError **error)
{
    g_autoptr(GPtrArray) all = gather(adopting, certificate);

    if (adopting->is_enrolled || all->len == 0)
        return TRUE;
    if (signet_bundle_sort(all, adopting->key->spki, &adopting->chain, &adopting->anchors, error) &&
        check_chain(entry, adopting, error))
        return TRUE;
    g_prefix_error(
        error, "the certificate cannot be used (the key could be enrolled at CA '%s' instead): ",
        entry->policy->ca);
    return FALSE;
}

static gboolean
judge(const SignetEntry *entry, SignetAdopting *adopting, GBytes *certificate, GError **error)
{
    return check_type(entry, adopting->key, error) && check_owner(entry, adopting->key, error) &&
           take_certificates(entry, adopting, certificate, error);
}

/* The search took its time. */
static gboolean
check_free(const SignetEntry *entry, GError **error)
{
    SignetMachineInput input = signet_entry_input(entry);

    if (signet_machine_is_working(&entry->machine) || entry->waiters->len > 0)
        return signet_error_set(error, SIGNET_ERROR_BUSY,
                                "a rotation has begun meanwhile; try again when it is over");
    if (!input.is_ca_ready)
        return signet_error_set(error, SIGNET_ERROR_CA_PENDING,
                                "CA '%s' has no certificate of its own yet", entry->policy->ca);
    return TRUE;
}

/* --- looking for it --- */

static SignetKey *
take_key(SignetKey *key, gboolean is_ours)
{
    return is_ours ? signet_key_new(key->type, key->blob, key->auth, key->spki)
                   : signet_key_ref(key);
}

static void
begin(SignetEntry *entry)
{
    SignetAdopting *adopting = entry->adopting;

    g_array_append_val(entry->waiters, adopting->waiter);
    adopting->waiter = (SignetWaiter) {0};
    signet_entry_advance(
        entry, &(SignetMachineEvent) {
                   .kind = SIGNET_EVENT_ADOPT,
                   .origin = adopting->chain ? SIGNET_MACHINE_ADOPTED : SIGNET_MACHINE_ADOPTED_KEY,
               });
    /* it found no place */
    if (!signet_machine_is_working(&entry->machine))
        signet_entry_end_adopting(entry, NULL);
}

static void
on_tried(GBytes *signature, const GError *problem, gpointer data)
{
    SignetEntry *entry = data;
    SignetAdopting *adopting = entry->adopting;
    g_autoptr(GError) error = problem ? g_error_copy(problem) : NULL;

    adopting->token_id = 0;
    if (!error && !signet_verify_signature(adopting->key, adopting->digest, signature))
        signet_error_set(&error, SIGNET_ERROR_TOKEN_FAILED,
                         "the key's test signature is wrong: it does not belong to the public key "
                         "that the token or the file has");
    if (!error)
        check_free(entry, &error);
    if (error)
        signet_entry_end_adopting(entry, error);
    else
        begin(entry);
}

static void
try_key(SignetEntry *entry)
{
    SignetAdopting *adopting = entry->adopting;
    SignetKeyScheme scheme = signet_verify_scheme(adopting->key);

    adopting->digest = signet_verify_make_digest();
    adopting->token_id = signet_token_sign(adopting->token, &(SignetTokenWait) {0}, adopting->key,
                                           &scheme, adopting->digest, on_tried, entry);
}

static void
on_found(SignetKey *key, GBytes *certificate, const GError *problem, gpointer data)
{
    SignetEntry *entry = data;
    SignetAdopting *adopting = entry->adopting;
    g_autoptr(GError) error = problem ? g_error_copy(problem) : NULL;

    adopting->token_id = 0;
    if (key) {
        adopting->key = take_key(key, adopting->is_ours);
        judge(entry, adopting, certificate, &error);
    }
    if (error)
        signet_entry_end_adopting(entry, error);
    else
        try_key(entry);
}

void
signet_engine_adopt(SignetEngine *engine, const char *identity, const SignetAdoption *adoption,
                    SignetEngineDone done, gpointer data)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    SignetWaiter waiter = {done, data};
    GError *error = signet_engine_find_refusal(engine, identity, "adopt a key for");

    if (!error && entry->policy->is_ca)
        error = signet_error_new(SIGNET_ERROR_POLICY,
                                 "cannot adopt a key for '%s': the agent makes its CA's key itself",
                                 identity);
    if (error) {
        signet_engine_refuse(engine, identity, &waiter, error);
        return;
    }
    entry->adopting = g_new0(SignetAdopting, 1);
    entry->adopting->given = adoption->certificates
                                 ? g_ptr_array_ref(adoption->certificates)
                                 : g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    entry->adopting->is_enrolled = adoption->is_enrolled;
    entry->adopting->is_ours = adoption->is_ours;
    entry->adopting->waiter = waiter;
    entry->adopting->token =
        signet_token_ref(signet_tokens_get(engine->context.tokens, entry->policy->token));
    entry->adopting->token_id = signet_token_adopt(entry->adopting->token, &(SignetTokenWait) {0},
                                                   adoption->name, adoption->auth, on_found, entry);
}

/* --- the effect --- */

typedef struct {
    SignetEntry *entry;           /* (owned) */
    SignetGeneration *generation; /* (owned) */
    GError *error;                /* (owned, nullable) */
} Task;

static void
task_free(gpointer data)
{
    Task *task = data;

    signet_entry_unref(task->entry);
    signet_generation_unref(task->generation);
    g_clear_error(&task->error);
    g_free(task);
}

static void
run_store(gpointer data)
{
    Task *task = data;
    SignetStore *store = task->entry->engine->context.store;
    const SignetGeneration *generation = task->generation;
    const char *name = task->entry->name;

    if (!signet_store_put_key(store, name, generation->number, generation->token, generation->key,
                              generation->created_s, &task->error))
        return;
    if (generation->chain->len > 0)
        signet_store_put_chain(store, name, generation->number, generation->chain,
                               generation->anchors, &task->error);
}

static void
done_store(gpointer data)
{
    Task *task = data;
    SignetEntry *entry = task->entry;
    SignetMachineEvent event = {.kind = task->generation->chain->len > 0 ? SIGNET_EVENT_ISSUED
                                                                         : SIGNET_EVENT_KEY_MADE};

    if (!entry->policy)
        return;
    if (task->error) {
        signet_entry_fail(entry, task->error);
        return;
    }
    signet_inventory_put(entry->engine->context.inventory, entry->name, task->generation);
    signet_entry_advance(entry, &event);
}

void
signet_entry_adopt(SignetEntry *entry)
{
    static const SignetDiskWork work = {run_store, done_store, task_free};
    const SignetAdopting *adopting = entry->adopting;
    Task *task;

    if (!adopting) {
        signet_entry_advance(entry,
                             &(SignetMachineEvent) {.kind = SIGNET_EVENT_FAILED,
                                                    .cause = "the key is not known any more"});
        return;
    }
    task = g_new0(Task, 1);
    task->entry = signet_entry_ref(entry);
    task->generation = signet_generation_new(
        entry->machine.pending, signet_token_get_name(adopting->token), adopting->key,
        signet_clock_now(entry->engine->context.clock), adopting->chain, adopting->anchors);
    signet_entry_end_adopting(entry, NULL);
    signet_disk_thread_give(entry->engine->disk, &work, task);
}
