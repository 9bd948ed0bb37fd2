/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One attestation key. What is not written down is not used: the next life would know nothing of
 * it. */

#include "agent/broker/attester-key.h"

#include "agent/base/log.h"

#define KEY_TYPE SIGNET_KEY_EC_P256

struct SignetAttesterKey {
    SignetStore *store;   /* (unowned): outlives us */
    SignetTokens *tokens; /* (unowned) likewise */
    char *name;           /* (owned) of the token */
    SignetAttesterKeyDone done;
    gpointer data;
    GMainContext *context;   /* (owned) */
    gboolean is_read;        /* what is on the disk is known */
    SignetAttesterFile file; /* (owned) */
    SignetToken *maker;      /* (owned, nullable) makes it now … */
    guint64 making;          /* … under this number; 0: it does not */
    GSource *source;         /* (owned, nullable) tells of something that is over */
    GError *error;           /* (owned, nullable) what it tells; the thread's while it writes */
    GThread *writer;         /* (owned, nullable) */
    GBytes *content;         /* (owned, nullable) what is written */
};

/* --- telling --- */

static void
clear_source(SignetAttesterKey *key)
{
    if (!key->source)
        return;
    g_source_destroy(key->source);
    g_clear_pointer(&key->source, g_source_unref);
}

static gboolean
on_over(gpointer data)
{
    SignetAttesterKey *key = data;
    gboolean is_written = key->writer != NULL;
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&key->source, g_source_unref);
    if (key->writer)
        g_thread_join(g_steal_pointer(&key->writer));
    g_clear_pointer(&key->content, g_bytes_unref);
    error = g_steal_pointer(&key->error);
    if (error && is_written) {
        signet_attester_file_clear(&key->file);
        key->is_read = FALSE;
    }
    key->done(key, error, key->data);
    return G_SOURCE_REMOVE;
}

static void
prepare_source(SignetAttesterKey *key)
{
    clear_source(key);
    key->source = g_idle_source_new();
    g_source_set_priority(key->source, G_PRIORITY_DEFAULT);
    g_source_set_callback(key->source, on_over, key, NULL);
}

/* error: taken */
static void
tell(SignetAttesterKey *key, GError *error)
{
    g_clear_error(&key->error);
    key->error = error;
    prepare_source(key);
    g_source_attach(key->source, key->context);
}

/* --- the disk --- */

static gpointer
write_content(gpointer data)
{
    SignetAttesterKey *key = data;

    signet_store_put_attester(key->store, key->name, key->content, &key->error);
    g_source_attach(key->source, key->context);
    return NULL;
}

static void
write_down(SignetAttesterKey *key)
{
    key->content = signet_attester_file_encode(&key->file);
    prepare_source(key);
    key->writer = g_thread_new("attester", write_content, key);
}

/* What is damaged is replaced; what cannot be read now is not. */
static gboolean
read_down(SignetAttesterKey *key, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) content = signet_store_get_attester(key->store, key->name, &local);

    if (local && !signet_error_is(local, SIGNET_ERROR_CORRUPT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    key->is_read = TRUE;
    if (content)
        signet_attester_file_decode(&key->file, content, &local);
    if (local)
        signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_TOKEN", key->name),
                   "the attestation key of token '%s' cannot be read: %s; another one is made",
                   key->name, local->message);
    return TRUE;
}

/* --- making --- */

static void
on_made(SignetKey *made, const GError *error, gpointer data)
{
    SignetAttesterKey *key = data;

    key->making = 0;
    g_clear_pointer(&key->maker, signet_token_unref);
    if (!made) {
        tell(key, g_error_copy(error));
        return;
    }
    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_TOKEN", key->name),
               "token '%s' has made an attestation key", key->name);
    signet_attester_file_clear(&key->file);
    key->file.key = signet_key_ref(made);
    write_down(key);
}

static gboolean
is_busy(const SignetAttesterKey *key)
{
    return key->making || key->writer;
}

static void
generate(SignetAttesterKey *key)
{
    const SignetKeyTemplate template = {.type = KEY_TYPE, .is_attester = TRUE};
    SignetToken *token = signet_tokens_get(key->tokens, key->name);

    if (!token) {
        tell(key, signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no token '%s'", key->name));
        return;
    }
    key->maker = signet_token_ref(token);
    key->making = signet_token_generate(token, &(SignetTokenWait) {.is_trial = TRUE}, &template,
                                        on_made, key);
}

void
signet_attester_key_make(SignetAttesterKey *key)
{
    GError *error = NULL;

    if (is_busy(key))
        return;
    if (!key->is_read && !read_down(key, &error))
        tell(key, error);
    else if (key->file.key)
        tell(key, NULL);
    else
        generate(key);
}

void
signet_attester_key_set_certificates(SignetAttesterKey *key, GPtrArray *certificates)
{
    if (is_busy(key) || !key->file.key)
        return;
    g_ptr_array_ref(certificates);
    g_ptr_array_unref(key->file.certificates);
    key->file.certificates = certificates;
    write_down(key);
}

void
signet_attester_key_forget(SignetAttesterKey *key, const SignetKey *unknown)
{
    if (is_busy(key))
        return;
    if (key->file.key == unknown) {
        if (key->file.certificates->len > 0)
            signet_log(LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_TOKEN", key->name),
                       "the certificate of the attestation key of token '%s' is lost with it",
                       key->name);
        signet_attester_file_clear(&key->file);
    }
    tell(key, NULL);
}

/* --- life --- */

SignetAttesterKey *
signet_attester_key_new(SignetStore *store, SignetTokens *tokens, const char *token,
                        SignetAttesterKeyDone done, gpointer data)
{
    SignetAttesterKey *key = g_new0(SignetAttesterKey, 1);

    key->store = store;
    key->tokens = tokens;
    key->name = g_strdup(token);
    key->done = done;
    key->data = data;
    key->context = g_main_context_ref_thread_default();
    key->file.certificates = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    return key;
}

void
signet_attester_key_free(SignetAttesterKey *key)
{
    if (key->writer)
        g_thread_join(key->writer);
    clear_source(key);
    if (key->making)
        signet_token_cancel(key->maker, key->making);
    g_clear_pointer(&key->maker, signet_token_unref);
    g_clear_pointer(&key->content, g_bytes_unref);
    g_clear_error(&key->error);
    signet_attester_file_clear(&key->file);
    g_ptr_array_unref(key->file.certificates);
    g_main_context_unref(key->context);
    g_free(key->name);
    g_free(key);
}

const char *
signet_attester_key_get_token(const SignetAttesterKey *key)
{
    return key->name;
}

const SignetAttesterFile *
signet_attester_key_get(const SignetAttesterKey *key)
{
    return !is_busy(key) && key->file.key ? &key->file : NULL;
}
