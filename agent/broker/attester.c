/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Those who want evidence, and the tokens' attestation keys that they wait for. */

#include "agent/broker/attester.h"

#include "agent/base/log.h"
#include "agent/broker/attester-key.h"
#include "agent/enroll/bundle.h"

#define TIMEOUT_MS 60000 /* an RSA endorsement key takes a slow TPM half of that */

/* What somebody waits for. Exactly one of the done functions is there. */
typedef struct {
    SignetAttester *attester; /* (unowned): owns us */
    SignetAttesterKey *place; /* (unowned): stays as long as the attester */
    guint64 id;
    SignetKey *key;                 /* (owned, nullable) to be certified */
    GBytes *data;                   /* (owned, nullable) */
    SignetTokenChallenge challenge; /* (owned) */
    GPtrArray *certificates;        /* (owned, nullable) to be imported; NULL: they are written */
    SignetAttesterDone certified;
    SignetTokenDone activated;
    SignetAttesterImported imported;
    gpointer done_data;
    SignetToken *token;  /* (owned, nullable) works on it … */
    guint64 token_id;    /* … under this number; 0: it does not */
    SignetKey *used;     /* (owned, nullable) the attestation key then */
    gboolean is_renewed; /* which was not known any more */
    GError *outcome;     /* (owned, nullable) what it is told from the main loop */
    GSource *source;     /* (owned, nullable) … by this */
} Wish;

struct SignetAttester {
    SignetStore *store;    /* (unowned) */
    SignetTokens *tokens;  /* (unowned) */
    GMainContext *context; /* (owned) */
    GHashTable *places;    /* (owned) name → SignetAttesterKey (owned) */
    GQueue wishes;         /* of Wish (owned) */
    guint64 last_id;
};

/* --- wishes --- */

static void
challenge_clear(SignetTokenChallenge *challenge)
{
    g_clear_pointer(&challenge->endorsement, g_bytes_unref);
    g_clear_pointer(&challenge->credential, g_bytes_unref);
    g_clear_pointer(&challenge->secret, g_bytes_unref);
}

static void
wish_free(gpointer data)
{
    Wish *wish = data;

    if (wish->token_id)
        signet_token_cancel(wish->token, wish->token_id);
    if (wish->source) {
        g_source_destroy(wish->source);
        g_source_unref(wish->source);
    }
    g_clear_pointer(&wish->token, signet_token_unref);
    g_clear_pointer(&wish->key, signet_key_unref);
    g_clear_pointer(&wish->used, signet_key_unref);
    g_clear_pointer(&wish->data, g_bytes_unref);
    challenge_clear(&wish->challenge);
    g_clear_pointer(&wish->certificates, g_ptr_array_unref);
    g_clear_error(&wish->outcome);
    g_free(wish);
}

/* Takes it out first: done may cancel, ask again or free the attester. */
static void
finish(Wish *wish, GVariant *evidence, GBytes *answer, const GError *error)
{
    g_queue_remove(&wish->attester->wishes, wish);
    if (wish->certified)
        wish->certified(evidence, error, wish->done_data);
    else if (wish->activated)
        wish->activated(answer, error, wish->done_data);
    else
        wish->imported(error, wish->done_data);
    wish_free(wish);
}

static gboolean
on_settled(gpointer data)
{
    Wish *wish = data;

    finish(wish, NULL, NULL, wish->outcome);
    return G_SOURCE_REMOVE;
}

/* From the main loop; error: taken, NULL: it has gone well. */
static void
settle(Wish *wish, GError *error)
{
    wish->outcome = error;
    wish->source = g_idle_source_new();
    g_source_set_priority(wish->source, G_PRIORITY_DEFAULT);
    g_source_set_callback(wish->source, on_settled, wish, NULL);
    g_source_attach(wish->source, wish->attester->context);
}

/* --- using the key --- */

static GVariant *
list_to_variant(const GPtrArray *list)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aay"));
    for (guint i = 0; list && i < list->len; i++)
        g_variant_builder_add_value(
            &builder, g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, list->pdata[i], TRUE));
    return g_variant_builder_end(&builder);
}

/* The device was cleared, or is another one. Another key is made, once for each wish. */
static gboolean
is_lost(Wish *wish, const GError *error)
{
    if (!signet_error_is(error, SIGNET_ERROR_NOT_FOUND) || wish->is_renewed)
        return FALSE;
    signet_log(LOG_NOTICE,
               SIGNET_LOG_FIELDS("SIGNET_TOKEN", signet_attester_key_get_token(wish->place)),
               "%s; another one is made", error->message);
    wish->is_renewed = TRUE;
    signet_attester_key_forget(wish->place, wish->used);
    return TRUE;
}

static void
on_used(GBytes *result, const GError *error, gpointer data)
{
    Wish *wish = data;
    const SignetAttesterFile *file = signet_attester_key_get(wish->place);

    wish->token_id = 0;
    g_clear_pointer(&wish->token, signet_token_unref);
    if (error && is_lost(wish, error))
        return;
    if (error || wish->activated) {
        finish(wish, NULL, result, error);
        return;
    }
    g_autoptr(GVariant) said = signet_token_facts_from_bytes(result);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(said);
    gboolean is_same = file && file->key == wish->used;
    g_variant_dict_insert_value(&dict, SIGNET_EVIDENCE_ATTESTERS,
                                list_to_variant(is_same ? file->certificates : NULL));
    g_autoptr(GVariant) evidence = g_variant_ref_sink(g_variant_dict_end(&dict));
    finish(wish, evidence, NULL, NULL);
}

static void
import(Wish *wish, const SignetAttesterFile *file)
{
    g_autoptr(GPtrArray) chain = NULL;
    g_autoptr(GPtrArray) anchors = NULL;
    g_autoptr(GPtrArray) certificates = g_steal_pointer(&wish->certificates);
    GError *error = NULL;

    if (!certificates ||
        !signet_bundle_sort(certificates, file->key->spki, &chain, &anchors, &error))
        settle(wish, error);
    else
        signet_attester_key_set_certificates(wish->place, chain);
}

static void
use(Wish *wish, const SignetAttesterFile *file)
{
    const SignetTokenWait wait = {.timeout_ms = TIMEOUT_MS, .is_trial = TRUE};
    const char *name = signet_attester_key_get_token(wish->place);
    SignetToken *token = signet_tokens_get(wish->attester->tokens, name);

    if (!token) {
        settle(wish, signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no token '%s'", name));
        return;
    }
    g_clear_pointer(&wish->used, signet_key_unref);
    wish->used = signet_key_ref(file->key);
    wish->token = signet_token_ref(token);
    wish->token_id =
        wish->certified
            ? signet_token_certify(token, &wait, file->key, wish->key, wish->data, on_used, wish)
            : signet_token_activate(token, &wait, file->key, &wish->challenge, on_used, wish);
}

/* Whatever can be done now for those who wait for this key. */
static void
go_on(SignetAttester *attester, SignetAttesterKey *place)
{
    for (GList *l = attester->wishes.head; l; l = l->next) {
        Wish *wish = l->data;
        const SignetAttesterFile *file = signet_attester_key_get(place);

        if (wish->place != place || wish->token_id || wish->source)
            continue;
        if (!file)
            signet_attester_key_make(place);
        else if (wish->imported)
            import(wish, file);
        else
            use(wish, file);
    }
}

static void
on_key(SignetAttesterKey *place, const GError *error, gpointer data)
{
    SignetAttester *attester = data;

    for (GList *l = error ? attester->wishes.head : NULL; l; l = l->next) {
        Wish *wish = l->data;

        if (wish->place == place && !wish->token_id && !wish->source)
            settle(wish, g_error_copy(error));
    }
    go_on(attester, place);
}

/* --- asking --- */

static SignetAttesterKey *
find_place(SignetAttester *attester, const char *token)
{
    SignetAttesterKey *place = g_hash_table_lookup(attester->places, token);

    if (place)
        return place;
    place = signet_attester_key_new(attester->store, attester->tokens, token, on_key, attester);
    g_hash_table_insert(attester->places, (gpointer)signet_attester_key_get_token(place), place);
    return place;
}

/* Takes the wish. */
static guint64
submit(SignetAttester *attester, const char *token, Wish *wish)
{
    wish->attester = attester;
    wish->id = ++attester->last_id;
    g_queue_push_tail(&attester->wishes, wish);
    wish->place = find_place(attester, token);
    go_on(attester, wish->place);
    return attester->last_id;
}

guint64
signet_attester_certify(SignetAttester *attester, const char *token, SignetKey *key, GBytes *data,
                        SignetAttesterDone done, gpointer done_data)
{
    Wish *wish = g_new0(Wish, 1);

    wish->key = signet_key_ref(key);
    wish->data = g_bytes_ref(data);
    wish->certified = done;
    wish->done_data = done_data;
    return submit(attester, token, wish);
}

guint64
signet_attester_activate(SignetAttester *attester, const char *token,
                         const SignetTokenChallenge *challenge, SignetTokenDone done, gpointer data)
{
    Wish *wish = g_new0(Wish, 1);

    wish->challenge.endorsement = g_bytes_ref(challenge->endorsement);
    wish->challenge.credential = g_bytes_ref(challenge->credential);
    wish->challenge.secret = g_bytes_ref(challenge->secret);
    wish->activated = done;
    wish->done_data = data;
    return submit(attester, token, wish);
}

guint64
signet_attester_import(SignetAttester *attester, const char *token, GPtrArray *certificates,
                       SignetAttesterImported done, gpointer data)
{
    Wish *wish = g_new0(Wish, 1);

    wish->certificates = g_ptr_array_ref(certificates);
    wish->imported = done;
    wish->done_data = data;
    return submit(attester, token, wish);
}

void
signet_attester_cancel(SignetAttester *attester, guint64 id)
{
    for (GList *l = attester->wishes.head; l; l = l->next) {
        Wish *wish = l->data;

        if (wish->id != id)
            continue;
        g_queue_delete_link(&attester->wishes, l);
        wish_free(wish);
        return;
    }
}

/* --- life --- */

static void
place_free(gpointer place)
{
    signet_attester_key_free(place);
}

SignetAttester *
signet_attester_new(SignetStore *store, SignetTokens *tokens)
{
    SignetAttester *attester = g_new0(SignetAttester, 1);

    attester->store = store;
    attester->tokens = tokens;
    attester->context = g_main_context_ref_thread_default();
    attester->places = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, place_free);
    return attester;
}

void
signet_attester_free(SignetAttester *attester)
{
    g_queue_clear_full(&attester->wishes, wish_free);
    g_hash_table_unref(attester->places);
    g_main_context_unref(attester->context);
    g_free(attester);
}
