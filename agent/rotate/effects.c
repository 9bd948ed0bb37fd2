/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The effects of the main line: a key, a certificate, its check. */

#include <string.h>

#include "agent/enroll/certificate.h"
#include "agent/rotate/private.h"

/* Something for the disk thread; what a kind does not need is NULL. */
typedef struct {
    SignetEntry *entry;           /* (owned) */
    SignetGeneration *generation; /* (owned) as it will be */
    SignetToken *token;           /* (owned, nullable) it has just made the key */
    GError *error;                /* (owned, nullable) the outcome */
    guint32 live_number;          /* what live/NAME points at after a failed promotion */
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
    g_clear_pointer(&task->token, signet_token_unref);
    g_clear_error(&task->error);
    g_free(task);
}

static SignetStore *
store_of(const Task *task)
{
    return task->entry->engine->context.store;
}

static void
advance(SignetEntry *entry, SignetMachineEventKind kind)
{
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = kind});
}

static void
refuse(SignetEntry *entry, SignetMachineEventKind kind, const char *cause)
{
    signet_entry_advance(entry, &(SignetMachineEvent) {.kind = kind, .cause = cause});
}

/* The generation that the machine works at; NULL when it was lost from memory, which only a mistake
 * of ours can do. */
static SignetGeneration *
pending_of(const SignetEntry *entry)
{
    return signet_inventory_get(entry->engine->context.inventory, entry->name,
                                entry->machine.pending);
}

/* --- GENERATE, COPY_KEY --- */

void
signet_entry_destroy_key(SignetToken *token, SignetKey *key)
{
    signet_token_destroy(token, &(SignetTokenWait) {0}, key, NULL, NULL);
}

static void
run_put_key(gpointer data)
{
    Task *task = data;
    const SignetGeneration *generation = task->generation;

    if (signet_store_put_key(store_of(task), task->entry->name, generation->number,
                             generation->token, generation->key, generation->created_s,
                             &task->error))
        return;
    /* what cannot be removed either is overwritten by the next attempt */
    signet_store_remove_generation(store_of(task), task->entry->name, generation->number, NULL);
}

static void
done_put_key(gpointer data)
{
    Task *task = data;

    if (task->error && task->token)
        signet_entry_destroy_key(task->token, task->generation->key);
    if (!task->entry->policy)
        return;
    if (task->error) {
        signet_entry_fail(task->entry, task->error);
        return;
    }
    signet_inventory_put(task->entry->engine->context.inventory, task->entry->name,
                         task->generation);
    advance(task->entry, SIGNET_EVENT_KEY_MADE);
}

static void
put_key(SignetEntry *entry, SignetGeneration *generation, SignetToken *token)
{
    static const SignetDiskWork work = {run_put_key, done_put_key, task_free};
    Task *task = task_new(entry, generation);

    task->token = token ? signet_token_ref(token) : NULL;
    signet_disk_thread_give(entry->engine->disk, &work, task);
}

static void
sign_test(SignetEntry *entry, SignetToken *token, SignetKey *key, SignetTokenDone done)
{
    SignetKeyScheme scheme = signet_verify_scheme(key);

    entry->token = signet_token_ref(token);
    entry->digest = signet_verify_make_digest();
    entry->token_id =
        signet_token_sign(token, &(SignetTokenWait) {0}, key, &scheme, entry->digest, done, entry);
}

/* What the token cannot do today it cannot do in a minute. */
static void
fail_keygen(SignetEntry *entry, const GError *error)
{
    g_autofree char *cause = g_strdup_printf(
        "%s; %sgive it a key that is there: signetctl adopt %s", error->message,
        entry->machine.current ? "NewKey=never would keep the current key, or " : "", entry->name);

    if (signet_error_is(error, SIGNET_ERROR_UNSUPPORTED))
        refuse(entry, SIGNET_EVENT_KEY_REFUSED, cause);
    else
        signet_entry_fail(entry, error);
}

static void
on_generated(SignetKey *key, const GError *error, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetToken) token = g_steal_pointer(&entry->token);

    entry->token_id = 0;
    if (!entry->policy) {
        if (key)
            signet_entry_destroy_key(token, key);
        return;
    }
    if (!key) {
        fail_keygen(entry, error);
        return;
    }
    /* A token may have been opened for this key: only now it is known what it is. */
    g_autofree char *weakness = signet_entry_find_weakness(entry);
    if (weakness) {
        signet_entry_destroy_key(token, key);
        refuse(entry, SIGNET_EVENT_KEY_REFUSED, weakness);
        return;
    }
    g_autoptr(SignetGeneration) generation =
        signet_generation_new(entry->machine.pending, signet_token_get_name(token), key,
                              signet_clock_now(entry->engine->context.clock), NULL, NULL);
    put_key(entry, generation, token);
}

static SignetToken *
find_token(SignetEntry *entry, const char *name)
{
    SignetToken *token = signet_tokens_get(entry->engine->context.tokens, name);

    if (!token) {
        g_autofree char *cause = g_strdup_printf("there is no token '%s'", name);

        refuse(entry, SIGNET_EVENT_FAILED, cause);
    }
    return token;
}

/* SCEP encrypts what it issues to the key that asked. */
static gboolean
is_answer_encrypted(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    return ca && ca->kind == SIGNET_CA_SCEP;
}

static void
make_key(SignetEntry *entry)
{
    const guint decrypting = SIGNET_PURPOSE_DECRYPT | SIGNET_PURPOSE_DERIVE | SIGNET_PURPOSE_ANY;
    const SignetKeyTemplate template = {
        .type = signet_key_type_from_name(entry->policy->key),
        .can_decrypt = (entry->policy->purposes & decrypting) != 0 || is_answer_encrypted(entry),
        .pcr_bank = entry->policy->pcrs.bank,
        .pcrs = entry->policy->pcrs.mask,
        .name =
            strchr(entry->machine.key_name, ':') ? strchr(entry->machine.key_name, ':') + 1 : NULL,
    };
    SignetToken *token = find_token(entry, entry->policy->token);

    if (!token)
        return;
    entry->token = signet_token_ref(token);
    entry->token_id = signet_token_generate(
        token, &(SignetTokenWait) {.timeout_ms = SIGNET_ENTRY_KEYGEN_S * 1000u}, &template,
        on_generated, entry);
}

/* Only a person may bind an identity to another state of the machine than the one that its key was
 * made in. */
static void
on_current_signed(GBytes *signature, const GError *error, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetToken) token G_GNUC_UNUSED = g_steal_pointer(&entry->token);
    g_autofree char *cause = NULL;

    g_clear_pointer(&entry->digest, g_bytes_unref);
    entry->token_id = 0;
    if (!entry->policy)
        return;
    if (!signet_error_is(error, SIGNET_ERROR_POLICY)) {
        make_key(entry);
        return;
    }
    cause = g_strdup_printf("%s; signetctl rotate %s binds it to the present state", error->message,
                            entry->name);
    refuse(entry, SIGNET_EVENT_KEY_REFUSED, cause);
}

static void
generate(SignetEntry *entry)
{
    const SignetGeneration *current =
        signet_inventory_get(entry->engine->context.inventory, entry->name, 0);
    SignetToken *token =
        current ? signet_tokens_get(entry->engine->context.tokens, current->token) : NULL;

    if (token && entry->policy->pcrs.mask && !entry->machine.is_asked)
        sign_test(entry, token, current->key, on_current_signed);
    else
        make_key(entry);
}

static void
copy_key(SignetEntry *entry)
{
    const SignetGeneration *current =
        signet_inventory_get(entry->engine->context.inventory, entry->name, 0);

    if (!current) {
        refuse(entry, SIGNET_EVENT_FAILED, "there is no current key to be kept");
        return;
    }
    g_autoptr(SignetGeneration) generation = signet_generation_new(
        entry->machine.pending, current->token, current->key, current->created_s, NULL, NULL);
    put_key(entry, generation, NULL);
}

/* --- VERIFY --- */

static void
on_signed(GBytes *signature, const GError *error, gpointer data)
{
    SignetEntry *entry = data;
    g_autoptr(SignetToken) token G_GNUC_UNUSED = g_steal_pointer(&entry->token);
    g_autoptr(GBytes) digest = g_steal_pointer(&entry->digest);
    const SignetGeneration *pending = entry->policy ? pending_of(entry) : NULL;

    entry->token_id = 0;
    if (!entry->policy)
        return;
    if (signature && pending && signet_verify_signature(pending->key, digest, signature))
        advance(entry, SIGNET_EVENT_VERIFIED);
    else if (!error)
        refuse(entry, SIGNET_EVENT_KEY_BAD, "the new key's test signature is wrong");
    else if (signet_error_is(error, SIGNET_ERROR_CORRUPT) ||
             signet_error_is(error, SIGNET_ERROR_UNSUPPORTED))
        refuse(entry, SIGNET_EVENT_KEY_BAD, error->message);
    else
        signet_entry_fail(entry, error);
}

static void
test_key(SignetEntry *entry, const SignetGeneration *pending)
{
    SignetToken *token = find_token(entry, pending->token);

    if (token)
        sign_test(entry, token, pending->key, on_signed);
}

/* A certificate that came with its key was not asked for: it has the names that it has. */
static gboolean
check_certificate(const SignetEntry *entry, const SignetGeneration *pending, SignetJob *job,
                  GError **error)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    gint64 now_s = signet_clock_now(entry->engine->context.clock);

    if (entry->machine.origin == SIGNET_MACHINE_ADOPTED)
        return signet_certificate_check_adopted(request, pending->chain, pending->anchors, now_s,
                                                error);
    if (signet_certificate_check(request, pending->chain, pending->anchors, now_s, error))
        return TRUE;
    g_prefix_error(error, "the answer of CA '%s' is not what was asked for: ", entry->policy->ca);
    return FALSE;
}

static void
verify(SignetEntry *entry)
{
    const SignetGeneration *pending = pending_of(entry);
    g_autoptr(SignetJob) job = pending ? signet_entry_make_job(entry, pending, NULL) : NULL;
    g_autoptr(GError) error = NULL;

    if (!job) {
        refuse(entry, SIGNET_EVENT_FAILED, "its certificate or its CA is not there any more");
        return;
    }
    if (check_certificate(entry, pending, job, &error)) {
        test_key(entry, pending);
        return;
    }
    refuse(entry, SIGNET_EVENT_REJECTED, error->message);
}

/* --- all --- */

void
signet_entry_do(SignetEntry *entry, guint effects)
{
    if (effects & SIGNET_EFFECT_GENERATE)
        generate(entry);
    if (effects & SIGNET_EFFECT_COPY_KEY)
        copy_key(entry);
    if (effects & SIGNET_EFFECT_ADOPT)
        signet_entry_adopt(entry);
    if (effects & SIGNET_EFFECT_ENROLL)
        signet_entry_enroll(entry);
    if (effects & SIGNET_EFFECT_VERIFY)
        verify(entry);
    if (effects & SIGNET_EFFECT_CANARY)
        signet_entry_canary(entry);
    if (effects & SIGNET_EFFECT_PROMOTE)
        signet_entry_promote(entry);
    if (effects & SIGNET_EFFECT_RESTORE)
        signet_entry_restore(entry);
    if (effects & SIGNET_EFFECT_RETIRE)
        signet_entry_retire(entry);
    if (effects & SIGNET_EFFECT_CHECK)
        signet_entry_check(entry);
}

void
signet_entry_leave(SignetEntry *entry)
{
    if (entry->job)
        signet_enroll_cancel(entry->engine->context.enroll, entry->job);
    g_clear_pointer(&entry->job, signet_job_unref);
    if (entry->revoke_job)
        signet_enroll_cancel(entry->engine->context.enroll, entry->revoke_job);
    g_clear_pointer(&entry->revoke_job, signet_job_unref);
    if (entry->check_job)
        signet_enroll_cancel(entry->engine->context.enroll, entry->check_job);
    g_clear_pointer(&entry->check_job, signet_job_unref);
}

void
signet_entry_cancel(SignetEntry *entry)
{
    signet_entry_leave(entry);
    signet_entry_end_adopting(entry, NULL);
    if (entry->token_id)
        signet_token_cancel(entry->token, entry->token_id);
    if (entry->retire_token_id)
        signet_token_cancel(entry->retire_token, entry->retire_token_id);
    entry->token_id = entry->retire_token_id = 0;
    g_clear_pointer(&entry->token, signet_token_unref);
    g_clear_pointer(&entry->retire_token, signet_token_unref);
    g_clear_pointer(&entry->digest, g_bytes_unref);
}
