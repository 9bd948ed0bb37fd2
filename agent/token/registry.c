/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Tokens by name, kept in step with the policy. */

#include "agent/token/registry.h"

#include "agent/token/pkcs11/isolate.h"
#include "agent/token/pkcs11/pkcs11.h"
#include "agent/token/tpm/tpm.h"
#include "agent/token/watch.h"

typedef struct {
    SignetToken *token; /* (owned) */
    SignetWatch *watch; /* (owned, nullable): of what can be removed */
    char *settings; /* (owned, nullable) what the policy said when it was made; NULL: made elsewhere
                     */
} Entry;

struct SignetTokens {
    GHashTable *entries; /* (owned) of Entry by name */
    SignetTokenChanged changed;
    gpointer changed_data;
    SignetPinAttempts *attempts; /* (owned) */
    char *credentials_dir;       /* (owned, nullable) */
    char *module_program;        /* (owned, nullable) */
};

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    signet_token_set_listener(entry->token, NULL, NULL);
    signet_watch_free(entry->watch);
    signet_token_unref(entry->token);
    g_free(entry->settings);
    g_free(entry);
}

SignetTokens *
signet_tokens_new(void)
{
    SignetTokens *tokens = g_new0(SignetTokens, 1);

    tokens->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    tokens->attempts = signet_pin_attempts_new(NULL, NULL);
    return tokens;
}

void
signet_tokens_free(SignetTokens *tokens)
{
    g_hash_table_unref(tokens->entries);
    signet_pin_attempts_unref(tokens->attempts);
    g_free(tokens->credentials_dir);
    g_free(tokens->module_program);
    g_free(tokens);
}

void
signet_tokens_set_pins(SignetTokens *tokens, SignetPinAttempts *attempts,
                       const char *credentials_dir)
{
    if (attempts) {
        signet_pin_attempts_unref(tokens->attempts);
        tokens->attempts = signet_pin_attempts_ref(attempts);
    }
    g_free(tokens->credentials_dir);
    tokens->credentials_dir = g_strdup(credentials_dir);
}

void
signet_tokens_set_module_program(SignetTokens *tokens, const char *program)
{
    signet_pkcs11_isolate_prepare();
    g_free(tokens->module_program);
    tokens->module_program = g_strdup(program);
}

/* Takes the token. */
static Entry *
insert(SignetTokens *tokens, SignetToken *token, char *settings)
{
    Entry *entry = g_new0(Entry, 1);

    entry->token = token;
    entry->settings = settings;
    signet_token_set_listener(token, tokens->changed, tokens->changed_data);
    g_hash_table_replace(tokens->entries, (gpointer)signet_token_get_name(token), entry);
    return entry;
}

static SignetToken *
make_token(const SignetTokens *tokens, const SignetTokenConfig *config)
{
    const SignetTokenSettings settings = {.name = config->name, .queue_limit = config->queue_limit};
    const SignetPkcs11Settings pkcs11 = {.uri = config->uri,
                                         .pin.file = config->pin_file,
                                         .pin.credential = config->pin_credential,
                                         .pin.credentials_dir = tokens->credentials_dir,
                                         .attempts = tokens->attempts,
                                         .allow_extractable = config->allow_extractable,
                                         .module_program =
                                             config->isolate ? tokens->module_program : NULL,
                                         .max_sessions = config->max_sessions};

    switch (config->kind) {
    case SIGNET_TOKEN_TPM:
        return signet_tpm_token_new(&settings, config->tcti, config->bus_encryption);
    case SIGNET_TOKEN_PKCS11:
        return signet_pkcs11_token_new(&settings, &pkcs11);
    }
    g_assert_not_reached();
}

static char *
describe(const SignetTokenConfig *config)
{
    return g_strdup_printf("%d %d %u %d %d %u %s\n%s\n%s\n%s", config->kind, config->bus_encryption,
                           config->queue_limit, config->allow_extractable, config->isolate,
                           config->max_sessions, config->tcti ? config->tcti : "",
                           config->uri ? config->uri : "", config->pin_file ? config->pin_file : "",
                           config->pin_credential ? config->pin_credential : "");
}

static gboolean
is_gone(gpointer name, gpointer value, gpointer data)
{
    const Entry *entry = value;

    return entry->settings && !signet_policy_get_token(data, name);
}

void
signet_tokens_apply(SignetTokens *tokens, const SignetPolicy *policy)
{
    const GPtrArray *configs = signet_policy_get_tokens(policy);

    g_hash_table_foreach_remove(tokens->entries, is_gone, (gpointer)policy);
    for (guint i = 0; i < configs->len; i++) {
        const SignetTokenConfig *config = g_ptr_array_index(configs, i);
        Entry *entry = g_hash_table_lookup(tokens->entries, config->name);
        g_autofree char *wanted = describe(config);

        if (entry && (!entry->settings || g_str_equal(entry->settings, wanted)))
            continue;
        /* The old one lets go of its device first. */
        g_hash_table_remove(tokens->entries, config->name);
        entry = insert(tokens, make_token(tokens, config), g_steal_pointer(&wanted));
        if (config->kind == SIGNET_TOKEN_PKCS11)
            entry->watch = signet_watch_new(entry->token);
    }
}

void
signet_tokens_add(SignetTokens *tokens, SignetToken *token)
{
    g_hash_table_remove(tokens->entries, signet_token_get_name(token));
    insert(tokens, token, NULL);
}

SignetToken *
signet_tokens_get(const SignetTokens *tokens, const char *name)
{
    const Entry *entry = g_hash_table_lookup(tokens->entries, name);

    return entry ? entry->token : NULL;
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(signet_token_get_name(*(SignetToken *const *)a),
                     signet_token_get_name(*(SignetToken *const *)b));
}

GPtrArray *
signet_tokens_list(const SignetTokens *tokens)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, tokens->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(list, ((Entry *)value)->token);
    g_ptr_array_sort(list, compare_names);
    return list;
}

void
signet_tokens_set_listener(SignetTokens *tokens, SignetTokenChanged changed, gpointer data)
{
    GHashTableIter iter;
    gpointer value;

    tokens->changed = changed;
    tokens->changed_data = data;
    g_hash_table_iter_init(&iter, tokens->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        signet_token_set_listener(((Entry *)value)->token, changed, data);
}
