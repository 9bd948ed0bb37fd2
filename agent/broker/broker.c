/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The one place that decides whether a peer may use a key, and uses it. */

#include "agent/broker/broker.h"

#include <openssl/evp.h>
#include <string.h>

#include "agent/broker/denials.h"
#include "agent/broker/fit.h"
#include "agent/broker/guard.h"
#include "agent/broker/purpose.h"
#include "agent/enroll/jwk.h"
#include "provider/wire/limits.h"

/* Less than a client waits (provider/wire/PROTOCOL.md 1.5): it shall hear why. */
#define TOKEN_TIMEOUT_MS 18000

/* One use of a key, from the call to its done. */
typedef struct {
    SignetBroker *broker;
    guint64 id;
    SignetToken *token; /* (unowned): kept alive by the pending request */
    guint64 token_id;   /* 0: refused */
    GSource *refusal;   /* (owned, nullable): tells of the error from the main loop */
    GError *error;      /* (owned, nullable) */
    SignetTokenDone done;
    gpointer data;
    /* for the record of who used what; uid is not set for a job */
    gboolean is_peer;
    guint32 uid;
    guint32 number;
    char program[16];
    char identity[SIGNET_WIRE_NAME_MAX + 1];
} Use;

struct SignetBroker {
    SignetBrokerContext context;
    SignetPolicy *policy;       /* (owned, nullable) */
    GMainContext *main_context; /* (owned) */
    GHashTable *uses;           /* (owned) of Use by id */
    guint64 last_id;
    SignetDenials *denials; /* (owned) */
    SignetBrokerDenied denied;
    gpointer denied_data;
    /* Fetched once: it costs more than hashing a handshake. */
    EVP_MD_CTX *md_ctx;                      /* (owned) */
    EVP_MD *digests[SIGNET_HASH_SHA512 + 1]; /* (owned, nullable) */
};

/* --- uses --- */

static void
use_free(gpointer data)
{
    Use *use = data;

    if (use->refusal) {
        g_source_destroy(use->refusal);
        g_source_unref(use->refusal);
    }
    g_clear_error(&use->error);
    g_free(use);
}

/* Takes it out of the table first: done may cancel, ask again or free the broker. */
static void
finish(Use *use, GBytes *result, const GError *error)
{
    SignetBroker *broker = use->broker;

    g_hash_table_steal(broker->uses, &use->id);
    if (result && use->is_peer)
        signet_inventory_note_use(broker->context.inventory, use->identity, use->number, use->uid,
                                  use->program, signet_clock_now(broker->context.clock));
    use->done(result, error, use->data);
    use_free(use);
}

static void
on_token_done(GBytes *result, const GError *error, gpointer data)
{
    finish(data, result, error);
}

static gboolean
on_refusal(gpointer data)
{
    Use *use = data;

    finish(use, NULL, use->error);
    return G_SOURCE_REMOVE;
}

static Use *
use_new(SignetBroker *broker, SignetTokenDone done, gpointer data)
{
    Use *use = g_new0(Use, 1);

    use->broker = broker;
    use->id = ++broker->last_id;
    use->done = done;
    use->data = data;
    g_hash_table_insert(broker->uses, &use->id, use);
    return use;
}

/* Takes the error. */
static guint64
use_refuse(Use *use, GError *error)
{
    use->error = error;
    use->refusal = g_idle_source_new();
    g_source_set_priority(use->refusal, G_PRIORITY_DEFAULT);
    g_source_set_callback(use->refusal, on_refusal, use, NULL);
    g_source_attach(use->refusal, use->broker->main_context);
    return use->id;
}

static void
use_note(Use *use, const SignetRequester *requester, const char *identity, guint32 number)
{
    g_strlcpy(use->identity, identity, sizeof use->identity);
    use->number = number;
    use->is_peer = requester->job == NULL;
    if (!use->is_peer)
        return;
    use->uid = signet_peer_get_uid(requester->sender);
    g_strlcpy(use->program, signet_peer_get_program(requester->sender), sizeof use->program);
}

/* --- what both lookups and uses need --- */

static SignetGuard
guard_now(SignetBroker *broker)
{
    return (SignetGuard) {
        .policy = broker->policy,
        .inventory = broker->context.inventory,
        .now_s = signet_clock_now(broker->context.clock),
    };
}

static void
report(SignetBroker *broker, const SignetRequester *requester, const char *identity,
       const SignetRefusal *refusal)
{
    g_autofree char *with_count = NULL;
    guint32 uid = requester->sender ? signet_peer_get_uid(requester->sender) : G_MAXUINT32;
    guint suppressed;

    if (!refusal->reason || !broker->denied ||
        !signet_denials_admit(broker->denials, uid, refusal->is_known ? identity : NULL,
                              g_get_monotonic_time(), &suppressed))
        return;
    if (suppressed > 0)
        with_count = g_strdup_printf("%s (and %u refusals before)", refusal->reason, suppressed);
    broker->denied(requester, identity, with_count ? with_count : refusal->reason,
                   broker->denied_data);
}

/* --- using --- */

static GBytes *
hash_message(SignetBroker *broker, const SignetUse *use, GError **error)
{
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    gsize length;
    const guint8 *message = g_bytes_get_data(use->data, &length);
    EVP_MD *md = broker->digests[use->scheme.hash];

    if (md && EVP_DigestInit_ex2(broker->md_ctx, md, NULL) > 0 &&
        EVP_DigestUpdate(broker->md_ctx, message, length) > 0 &&
        EVP_DigestFinal_ex(broker->md_ctx, digest, &size) > 0)
        return g_bytes_new(digest, size);
    signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                     "cannot sign with '%s': libcrypto does not offer %s here", use->identity,
                     signet_hash_name(use->scheme.hash));
    return NULL;
}

static GBytes *
make_digest(SignetBroker *broker, const SignetUse *use, const SignetKey *key, GError **error)
{
    if (!signet_fit_signature(use, key, error))
        return NULL;
    return use->is_digest || use->scheme.scheme == SIGNET_SCHEME_EDDSA
               ? g_bytes_ref(use->data)
               : hash_message(broker, use, error);
}

typedef enum {
    OPERATION_SIGN,
    OPERATION_DECRYPT,
    OPERATION_DERIVE,
} Operation;

static SignetIntent
make_intent(Operation operation, const SignetUse *use)
{
    const guint8 *data;
    gsize size;

    switch (operation) {
    case OPERATION_DECRYPT:
        return (SignetIntent) {.what = "decrypt", .purpose = SIGNET_PURPOSE_DECRYPT};
    case OPERATION_DERIVE:
        return (SignetIntent) {.what = "derive", .purpose = SIGNET_PURPOSE_DERIVE};
    case OPERATION_SIGN:
        break;
    }
    if (use->is_digest)
        return (SignetIntent) {.what = "sign"};
    data = g_bytes_get_data(use->data, &size);
    return (SignetIntent) {.what = "sign",
                           .purpose = signet_purpose_recognise(data, size),
                           .hash = use->scheme.hash,
                           .message = use->data};
}

/* What the token gets: the digest or message, ciphertext or point. NULL with error. */
static GBytes *
make_input(SignetBroker *broker, Operation operation, const SignetUse *use, const SignetKey *key,
           GError **error)
{
    switch (operation) {
    case OPERATION_SIGN:
        return make_digest(broker, use, key, error);
    case OPERATION_DECRYPT:
        return signet_fit_decryption(use, key, error) ? g_bytes_ref(use->data) : NULL;
    case OPERATION_DERIVE:
        return signet_fit_derivation(use, key, error) ? g_bytes_ref(use->data) : NULL;
    }
    return NULL;
}

static guint64
start(Use *entry, Operation operation, const SignetTokenWait *wait, SignetKey *key,
      const SignetUse *use, GBytes *input)
{
    switch (operation) {
    case OPERATION_SIGN:
        return signet_token_sign(entry->token, wait, key, &use->scheme, input, on_token_done,
                                 entry);
    case OPERATION_DECRYPT:
        return signet_token_decrypt(entry->token, wait, key, &use->scheme, input, on_token_done,
                                    entry);
    case OPERATION_DERIVE:
        return signet_token_derive(entry->token, wait, key, input, on_token_done, entry);
    }
    return 0;
}

/* Borrowed; NULL: ret_refusal. */
static SignetGeneration *
permit(SignetBroker *broker, Operation operation, const SignetRequester *requester,
       const SignetUse *use, SignetRefusal *ret_refusal)
{
    SignetGuard guard = guard_now(broker);
    SignetIntent intent = make_intent(operation, use);

    intent.identity = use->identity;
    intent.generation =
        signet_guard_find(&guard, requester, use->identity, use->generation, NULL, ret_refusal);
    if (!intent.generation || !signet_guard_check(&guard, requester, &intent, ret_refusal))
        return NULL;
    return intent.generation;
}

static guint64
use_key(SignetBroker *broker, Operation operation, const SignetRequester *requester,
        const SignetUse *use, Use *entry)
{
    g_auto(SignetRefusal) refusal = {0};
    g_autoptr(GBytes) input = NULL;
    SignetTokenWait wait = {.client = requester->client, .timeout_ms = TOKEN_TIMEOUT_MS};
    SignetGeneration *generation = permit(broker, operation, requester, use, &refusal);

    if (!generation) {
        report(broker, requester, use->identity, &refusal);
        return use_refuse(entry, g_steal_pointer(&refusal.error));
    }
    input = make_input(broker, operation, use, generation->key, &refusal.error);
    if (!input)
        return use_refuse(entry, g_steal_pointer(&refusal.error));
    entry->token = signet_tokens_get(broker->context.tokens, generation->token);
    if (!entry->token)
        return use_refuse(entry, signet_error_new(SIGNET_ERROR_TOKEN_ABSENT,
                                                  "cannot use '%s': its token '%s' is not "
                                                  "configured (any more)",
                                                  use->identity, generation->token));
    use_note(entry, requester, use->identity, generation->number);
    entry->token_id = start(entry, operation, &wait, generation->key, use, input);
    return entry->id;
}

guint64
signet_broker_sign(SignetBroker *broker, const SignetRequester *requester, const SignetUse *use,
                   SignetTokenDone done, gpointer data)
{
    return use_key(broker, OPERATION_SIGN, requester, use, use_new(broker, done, data));
}

guint64
signet_broker_decrypt(SignetBroker *broker, const SignetRequester *requester, const SignetUse *use,
                      SignetTokenDone done, gpointer data)
{
    return use_key(broker, OPERATION_DECRYPT, requester, use, use_new(broker, done, data));
}

guint64
signet_broker_derive(SignetBroker *broker, const SignetRequester *requester, const SignetUse *use,
                     SignetTokenDone done, gpointer data)
{
    return use_key(broker, OPERATION_DERIVE, requester, use, use_new(broker, done, data));
}

void
signet_broker_cancel(SignetBroker *broker, guint64 id)
{
    Use *use = g_hash_table_lookup(broker->uses, &id);

    if (!use)
        return;
    g_hash_table_steal(broker->uses, &id);
    if (use->token_id)
        signet_token_cancel(use->token, use->token_id);
    use_free(use);
}

/* --- evidence --- */

guint64
signet_broker_certify(SignetBroker *broker, SignetJob *job, const char *token,
                      SignetAttesterDone done, gpointer data, GError **error)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    SignetInventory *inventory = broker->context.inventory;
    const SignetGeneration *account = NULL, *generation = NULL;
    g_autoptr(GBytes) digest = NULL;

    if (!signet_job_allows_certification(job, error))
        return 0;
    account = signet_inventory_get(inventory, request->remote.account_identity, 0);
    generation = signet_inventory_get(inventory, request->identity, request->new_generation);
    if (!account || !generation || !broker->context.attester) {
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND,
                         "the key of '%s', or of its account, is not there any more",
                         request->identity);
        return 0;
    }
    digest = signet_jwk_digest_authorization(account->key->spki, token, error);
    if (!digest)
        return 0;
    return signet_attester_certify(broker->context.attester, generation->token, generation->key,
                                   digest, done, data);
}

void
signet_broker_cancel_certification(SignetBroker *broker, guint64 id)
{
    signet_attester_cancel(broker->context.attester, id);
}

/* --- looking --- */

char **
signet_broker_list(SignetBroker *broker, const SignetRequester *requester)
{
    SignetGuard guard = guard_now(broker);
    g_auto(GStrv) all = signet_inventory_list_identities(broker->context.inventory);
    g_autoptr(GStrvBuilder) visible = g_strv_builder_new();

    for (char **name = all; *name; name++) {
        if (signet_guard_may_see(&guard, requester, *name) &&
            signet_inventory_get(broker->context.inventory, *name, 0))
            g_strv_builder_add(visible, *name);
    }
    return g_strv_builder_end(visible);
}

/* FNV-1a, 64 bits: nobody gains by making two sums equal. */
static guint64
add_to_sum(guint64 sum, gconstpointer data, gsize size)
{
    const guint8 *bytes = data;

    for (gsize i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * G_GUINT64_CONSTANT(0x100000001b3);
    return sum;
}

guint64
signet_broker_sum_up(SignetBroker *broker, const SignetRequester *requester)
{
    g_auto(GStrv) names = signet_broker_list(broker, requester);
    guint64 sum = G_GUINT64_CONSTANT(0xcbf29ce484222325);

    for (char **name = names; *name; name++) {
        const SignetGeneration *current = signet_inventory_get(broker->context.inventory, *name, 0);

        sum = add_to_sum(sum, *name, strlen(*name) + 1);
        sum = add_to_sum(sum, &current->number, sizeof current->number);
    }
    return sum;
}

SignetGeneration *
signet_broker_lookup(SignetBroker *broker, const SignetRequester *requester, const char *identity,
                     guint32 generation, GBytes *spki, GError **error)
{
    SignetGuard guard = guard_now(broker);
    g_auto(SignetRefusal) refusal = {0};
    SignetGeneration *found =
        signet_guard_find(&guard, requester, identity, generation, spki, &refusal);

    if (!found) {
        report(broker, requester, identity, &refusal);
        g_propagate_error(error, g_steal_pointer(&refusal.error));
    }
    return found;
}

/* --- life --- */

void
signet_broker_set_policy(SignetBroker *broker, SignetPolicy *policy)
{
    SignetPolicy *old = broker->policy;

    broker->policy = policy ? signet_policy_ref(policy) : NULL;
    g_clear_pointer(&old, signet_policy_unref);
}

void
signet_broker_set_denied_listener(SignetBroker *broker, SignetBrokerDenied denied, gpointer data)
{
    broker->denied = denied;
    broker->denied_data = data;
}

SignetBroker *
signet_broker_new(const SignetBrokerContext *context)
{
    SignetBroker *broker = g_new0(SignetBroker, 1);

    broker->context = *context;
    broker->main_context = g_main_context_ref_thread_default();
    broker->uses = g_hash_table_new(g_int64_hash, g_int64_equal);
    broker->denials = signet_denials_new();
    broker->md_ctx = EVP_MD_CTX_new();
    for (guint hash = SIGNET_HASH_SHA1; hash < G_N_ELEMENTS(broker->digests); hash++)
        broker->digests[hash] = EVP_MD_fetch(NULL, signet_hash_name(hash), NULL);
    return broker;
}

void
signet_broker_free(SignetBroker *broker)
{
    GHashTableIter iter;
    gpointer use;

    g_hash_table_iter_init(&iter, broker->uses);
    while (g_hash_table_iter_next(&iter, NULL, &use)) {
        if (((Use *)use)->token_id)
            signet_token_cancel(((Use *)use)->token, ((Use *)use)->token_id);
        g_hash_table_iter_steal(&iter);
        use_free(use);
    }
    g_hash_table_unref(broker->uses);
    signet_denials_free(broker->denials);
    for (guint hash = 0; hash < G_N_ELEMENTS(broker->digests); hash++)
        EVP_MD_free(broker->digests[hash]);
    EVP_MD_CTX_free(broker->md_ctx);
    g_clear_pointer(&broker->policy, signet_policy_unref);
    g_main_context_unref(broker->main_context);
    g_free(broker);
}
