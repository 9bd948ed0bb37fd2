/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How a policy is put together, and looked up when it is whole. */

#include "policy/build.h"

#include <string.h>

#define DAY_S ((gint64)24 * 60 * 60)

struct SignetPolicy {
    gatomicrefcount references;
    /* (owned) by name; the lists own, the tables look up */
    GPtrArray *identities;
    GPtrArray *cas;
    GPtrArray *tokens;
    GHashTable *identity_by_name;
    GHashTable *ca_by_name;
    GHashTable *token_by_name;
    GHashTable *profile_by_name; /* owns its values */
    SignetLifetimeLimits limits;
    guint protections;
    gboolean is_evidence_required;
};

SignetTokenConfig *
signet_token_config_new(const char *name)
{
    SignetTokenConfig *token = g_new0(SignetTokenConfig, 1);

    token->name = g_strdup(name);
    token->kind = SIGNET_TOKEN_TPM;
    token->tcti = g_strdup("device:/dev/tpmrm0");
    token->bus_encryption = TRUE;
    token->queue_limit = 1024;
    token->measure = TRUE;
    return token;
}

void
signet_token_config_free(SignetTokenConfig *token)
{
    g_free(token->name);
    g_free(token->tcti);
    g_free(token->uri);
    g_free(token->pin_file);
    g_free(token->pin_credential);
    g_free(token);
}

SignetCaProfile *
signet_ca_profile_new(const char *name)
{
    SignetCaProfile *ca = g_new0(SignetCaProfile, 1);

    ca->name = g_strdup(name);
    ca->kind = SIGNET_CA_LOCAL;
    ca->key = g_strdup("ec:P-256");
    ca->subject = g_strdup("CN=Signet local CA,O=%H");
    ca->ca_lifetime_s = 10 * 365 * DAY_S;
    ca->lifetime_s = 90 * DAY_S;
    ca->remote.pins = g_new0(char *, 1);
    ca->remote.options = g_new0(char *, 1);
    ca->remote.timeout_s = 120;
#define R(symbol, bit, text) ca->remote.rungs |= SIGNET_RUNG_##symbol;
    SIGNET_RUNGS(R)
#undef R
    return ca;
}

void
signet_ca_profile_free(SignetCaProfile *ca)
{
    g_free(ca->name);
    g_free(ca->token);
    g_free(ca->key);
    g_free(ca->subject);
    g_free(ca->remote.url);
    g_free(ca->remote.trust);
    g_strfreev(ca->remote.pins);
    g_free(ca->remote.proxy);
    g_free(ca->remote.secret_file);
    g_free(ca->remote.secret_credential);
    g_free(ca->remote.bootstrap_identity);
    g_strfreev(ca->remote.options);
    g_free(ca);
}

SignetRotationProfile *
signet_rotation_profile_new(const char *name)
{
    SignetRotationProfile *profile = g_new0(SignetRotationProfile, 1);

    profile->name = g_strdup(name);
    profile->renew_kind = SIGNET_RENEW_AUTO;
    profile->jitter_percent = 5;
    profile->new_key = SIGNET_NEW_KEY_ALWAYS;
    profile->overlap_s = SIGNET_AUTO;
    profile->retry_first_s = 60;
    profile->retry_max_s = SIGNET_AUTO;
    profile->pending_timeout_s = 7 * DAY_S;
    profile->critical_remaining_s = SIGNET_AUTO;
    profile->within_s = DAY_S;
    profile->on_revoked = SIGNET_ON_REVOKED_ROTATE;
    profile->check_s = SIGNET_AUTO;
    return profile;
}

void
signet_rotation_profile_free(SignetRotationProfile *profile)
{
    g_clear_pointer(&profile->windows, g_array_unref);
    g_free(profile->canary);
    g_free(profile->canary_secret_file);
    g_free(profile->canary_secret_credential);
    g_free(profile->canary_trust);
    g_free(profile->canary_user);
    g_free(profile->name);
    g_free(profile);
}

SignetRule *
signet_rule_new(SignetRuleKind kind, const char *value)
{
    SignetRule *rule = g_new0(SignetRule, 1);

    rule->kind = kind;
    rule->value = g_strdup(value);
    return rule;
}

static void
rule_free(gpointer data)
{
    SignetRule *rule = data;

    g_free(rule->value);
    g_free(rule);
}

GPtrArray *
signet_rule_list_new(void)
{
    return g_ptr_array_new_with_free_func(rule_free);
}

void
signet_identity_policy_init(SignetIdentityPolicy *identity, const char *name)
{
    *identity = (SignetIdentityPolicy) {
        .name = g_strdup(name),
        .ca = g_strdup("local"),
        .key = g_strdup("ec:P-256"),
        .subject = g_strdup("CN=%H"),
        .dns = g_new0(char *, 1),
        .ip = g_new0(char *, 1),
        .uri = g_new0(char *, 1),
        .email = g_new0(char *, 1),
        .generate = TRUE,
        .mode = 0444,
        .allow = signet_rule_list_new(),
        .purposes = SIGNET_PURPOSE_TLS_CLIENT,
        .reload = g_new0(char *, 1),
    };
}

void
signet_identity_policy_clear(SignetIdentityPolicy *identity)
{
    g_free(identity->name);
    g_free(identity->token);
    g_free(identity->ca);
    g_free(identity->key);
    g_free(identity->subject);
    g_strfreev(identity->dns);
    g_strfreev(identity->ip);
    g_strfreev(identity->uri);
    g_strfreev(identity->email);
    g_free(identity->owner);
    g_free(identity->group);
    g_clear_pointer(&identity->allow, g_ptr_array_unref);
    g_strfreev(identity->reload);
    *identity = (SignetIdentityPolicy) {0};
}

static void
identity_free(gpointer data)
{
    signet_identity_policy_clear(data);
    g_free(data);
}

SignetPolicy *
signet_policy_new(void)
{
    SignetPolicy *policy = g_new0(SignetPolicy, 1);

    g_atomic_ref_count_init(&policy->references);
    policy->identities = g_ptr_array_new_with_free_func(identity_free);
    policy->cas = g_ptr_array_new_with_free_func((GDestroyNotify)signet_ca_profile_free);
    policy->tokens = g_ptr_array_new_with_free_func((GDestroyNotify)signet_token_config_free);
    policy->identity_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    policy->ca_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    policy->token_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    policy->profile_by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                    (GDestroyNotify)signet_rotation_profile_free);
    policy->limits.max_lifetime_s = G_MAXINT64;
    return policy;
}

/* The name is each entry's first member, as everywhere in the model. */
static void
take(GPtrArray *list, GHashTable *table, gpointer entry)
{
    const char *name = *(char **)entry;
    gpointer old = g_hash_table_lookup(table, name);

    g_hash_table_replace(table, (gpointer)name, entry);
    if (old)
        g_ptr_array_remove(list, old);
    g_ptr_array_add(list, entry);
}

void
signet_policy_take_token(SignetPolicy *policy, SignetTokenConfig *token)
{
    take(policy->tokens, policy->token_by_name, token);
}

void
signet_policy_take_ca(SignetPolicy *policy, SignetCaProfile *ca)
{
    take(policy->cas, policy->ca_by_name, ca);
}

void
signet_policy_take_profile(SignetPolicy *policy, SignetRotationProfile *profile)
{
    g_hash_table_replace(policy->profile_by_name, profile->name, profile);
}

void
signet_policy_take_identity(SignetPolicy *policy, SignetIdentityPolicy *identity)
{
    take(policy->identities, policy->identity_by_name,
         g_memdup2(identity, sizeof(SignetIdentityPolicy)));
    *identity = (SignetIdentityPolicy) {0};
}

void
signet_policy_set_limits(SignetPolicy *policy, SignetLifetimeLimits lifetimes, guint protections)
{
    policy->limits = lifetimes;
    policy->protections = protections;
}

void
signet_policy_require_evidence(SignetPolicy *policy)
{
    policy->is_evidence_required = TRUE;
}

SignetRotationProfile *
signet_policy_get_profile(const SignetPolicy *policy, const char *name)
{
    return g_hash_table_lookup(policy->profile_by_name, name);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(**(char ***)a, **(char ***)b);
}

void
signet_policy_freeze(SignetPolicy *policy)
{
    g_ptr_array_sort(policy->identities, compare_names);
    g_ptr_array_sort(policy->cas, compare_names);
    g_ptr_array_sort(policy->tokens, compare_names);
}

SignetPolicy *
signet_policy_ref(SignetPolicy *policy)
{
    g_atomic_ref_count_inc(&policy->references);
    return policy;
}

void
signet_policy_unref(SignetPolicy *policy)
{
    if (!policy || !g_atomic_ref_count_dec(&policy->references))
        return;
    g_hash_table_unref(policy->identity_by_name);
    g_hash_table_unref(policy->ca_by_name);
    g_hash_table_unref(policy->token_by_name);
    g_ptr_array_unref(policy->identities);
    g_ptr_array_unref(policy->cas);
    g_ptr_array_unref(policy->tokens);
    g_hash_table_unref(policy->profile_by_name);
    g_free(policy);
}

const SignetIdentityPolicy *
signet_policy_get_identity(const SignetPolicy *policy, const char *name)
{
    return g_hash_table_lookup(policy->identity_by_name, name);
}

const SignetCaProfile *
signet_policy_get_ca(const SignetPolicy *policy, const char *name)
{
    return g_hash_table_lookup(policy->ca_by_name, name);
}

const SignetTokenConfig *
signet_policy_get_token(const SignetPolicy *policy, const char *name)
{
    return g_hash_table_lookup(policy->token_by_name, name);
}

const GPtrArray *
signet_policy_get_identities(const SignetPolicy *policy)
{
    return policy->identities;
}

const GPtrArray *
signet_policy_get_cas(const SignetPolicy *policy)
{
    return policy->cas;
}

const GPtrArray *
signet_policy_get_tokens(const SignetPolicy *policy)
{
    return policy->tokens;
}

SignetLifetimeLimits
signet_policy_get_limits(const SignetPolicy *policy)
{
    return policy->limits;
}

guint
signet_policy_get_protections(const SignetPolicy *policy)
{
    return policy->protections;
}

gboolean
signet_policy_is_evidence_required(const SignetPolicy *policy)
{
    return policy->is_evidence_required;
}
