/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What no policy file can be wrong about alone: references between files, limits, and defaults that
 * depend on both. */

#include "policy/draft.h"

#include <string.h>

#include "policy/protocol.h"
#include "policy/value.h"

static char *
list_names(const GPtrArray *list)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < list->len && i < 10; i++)
        g_string_append_printf(names, "%s'%s'", i ? ", " : "", *(char **)list->pdata[i]);
    if (list->len > 10)
        g_string_append(names, ", …");
    return g_string_free(names, FALSE);
}

/* "; did you mean …" for a name that should be in the list, else what is there. */
static char *
describe_known(const char *name, const GPtrArray *list)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *known = list_names(list);
    char *hint;

    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(names, *(char **)list->pdata[i]);
    g_ptr_array_add(names, NULL);
    hint = signet_problem_hint(name, (const char *const *)names->pdata);
    if (hint)
        return hint;
    return list->len ? g_strdup_printf("; known are %s", known) : g_strdup("; there is none");
}

/* Names the only token where a file names none, and checks the name it gives. */
static void
check_token(SignetPolicyDraft *draft, char **token, const SignetPlace *place)
{
    const GPtrArray *tokens = signet_policy_get_tokens(draft->policy);
    g_autofree char *known = NULL;
    g_autofree char *tail = NULL;

    if (*token && signet_policy_get_token(draft->policy, *token))
        return;
    if (*token) {
        known = describe_known(*token, tokens);
        signet_problems_add(&draft->problems, place, known, "unknown token '%s' as 'Token'",
                            *token);
    } else if (tokens->len == 1) {
        const SignetTokenConfig *only = g_ptr_array_index(tokens, 0);

        *token = g_strdup(only->name);
    } else if (place->line == 0) { /* else its value was bad, which has been said */
        known = list_names(tokens);
        tail = g_strdup_printf("; name one of the tokens %s", known);
        signet_problems_add(&draft->problems, place, tail, "no key 'Token'");
    }
}

static gboolean
is_key_allowed(const SignetPolicyDraft *draft, const char *key)
{
    if (!draft->limits.keys)
        return TRUE;
    for (char **item = draft->limits.keys; *item; item++) {
        if (signet_value_is_key_within(key, *item))
            return TRUE;
    }
    return FALSE;
}

static void
check_key(SignetPolicyDraft *draft, const char *key, const SignetPlace *place)
{
    const SignetEntry *limit = signet_policy_draft_find(draft, "Limits", "Keys");
    g_autofree char *allowed = NULL;
    g_autofree char *tail = NULL;

    if (!limit || is_key_allowed(draft, key))
        return;
    allowed = signet_problem_quote(limit->value);
    tail = g_strdup_printf(": 'Keys' in group [Limits] of %s:%u allows %s", limit->place.path,
                           limit->place.line, allowed);
    signet_problems_add(&draft->problems, place, tail, "cannot use '%s' as 'Key'", key);
}

/* --- what the token can do --- */

/* (nullable) Borrowed. */
static GVariant *
find_facts(const SignetPolicyDraft *draft, const char *token)
{
    for (gsize i = 0; i < draft->n_known; i++) {
        if (g_strcmp0(draft->known[i].token, token) == 0)
            return draft->known[i].facts;
    }
    return NULL;
}

static void
check_key_fits(SignetPolicyDraft *draft, const char *token, const char *key, gboolean is_made_there,
               const SignetPlace *place)
{
    const SignetTokenConfig *config = token ? signet_policy_get_token(draft->policy, token) : NULL;
    g_autofree char *why = signet_fit_key(config, find_facts(draft, token), key, is_made_there);
    g_autofree char *tail = g_strconcat(": ", why, NULL);

    if (why)
        signet_problems_add(&draft->problems, place, tail, "cannot use '%s' as 'Key'", key);
}

static void
check_protection(SignetPolicyDraft *draft, const char *token, const SignetPlace *place)
{
    const SignetEntry *limit = signet_policy_draft_find(draft, "Limits", "Protection");
    const SignetTokenConfig *config = token ? signet_policy_get_token(draft->policy, token) : NULL;
    const char *protection = signet_fit_find_protection(config, find_facts(draft, token));
    g_autofree char *why = signet_fit_protection(token, protection, draft->limits.protections);
    g_autofree char *tail = NULL;

    if (!why || !limit)
        return;
    tail = g_strdup_printf(": %s, by 'Protection' in group [Limits] of %s:%u", why,
                           limit->place.path, limit->place.line);
    signet_problems_add(&draft->problems, place, tail, "cannot use '%s' as 'Token'", token);
}

static void
check_evidence(SignetPolicyDraft *draft, const char *token, const SignetPlace *place)
{
    const SignetEntry *limit = signet_policy_draft_find(draft, "Limits", "RequireEvidence");
    const SignetTokenConfig *config = token ? signet_policy_get_token(draft->policy, token) : NULL;
    g_autofree char *why = signet_fit_evidence(config, find_facts(draft, token));
    g_autofree char *tail = NULL;

    if (!why || !limit || !draft->limits.is_evidence_required)
        return;
    tail = g_strdup_printf(": %s, as 'RequireEvidence' in group [Limits] of %s:%u demands", why,
                           limit->place.path, limit->place.line);
    signet_problems_add(&draft->problems, place, tail, "cannot use '%s' as 'Token'", token);
}

static void
check_purposes_fit(SignetPolicyDraft *draft, const SignetIdentityPolicy *identity,
                   const SignetPlace *place)
{
    const SignetTokenConfig *token =
        identity->token ? signet_policy_get_token(draft->policy, identity->token) : NULL;
    g_autofree char *why = signet_fit_purposes(token, find_facts(draft, identity->token),
                                               identity->key, identity->purposes);
    g_autofree char *tail = g_strconcat(": ", why, NULL);

    if (why)
        signet_problems_add(&draft->problems, place, tail, "cannot use '%s' for 'Purposes'",
                            identity->key);
}

static void
check_sessions_fit(SignetPolicyDraft *draft, const SignetTokenConfig *token)
{
    g_autofree char *group = g_strdup_printf("Token %s", token->name);
    const SignetEntry *entry = signet_policy_draft_find(draft, group, "MaxSessions");
    g_autofree char *why = signet_fit_sessions(token, find_facts(draft, token->name));
    g_autofree char *tail = g_strconcat(": ", why, NULL);

    if (entry && why)
        signet_problems_add(&draft->problems, &entry->place, tail,
                            "cannot use '%s' as 'MaxSessions'", entry->value);
}

static void
check_lifetime(SignetPolicyDraft *draft, const SignetCaProfile *ca, const SignetPlace *place)
{
    gboolean is_long = ca->lifetime_s > draft->limits.max_lifetime_s;
    const char *key = is_long ? "MaxLifetime" : "MinLifetime";
    const SignetEntry *limit = signet_policy_draft_find(draft, "Limits", key);
    g_autofree char *tail = NULL;

    if (ca->lifetime_s > ca->ca_lifetime_s)
        signet_problems_add(&draft->problems, place, NULL,
                            "'Lifetime' is longer than 'CaLifetime'");
    if ((!is_long && ca->lifetime_s >= draft->limits.min_lifetime_s) || !limit)
        return;
    tail = g_strdup_printf(": '%s' in group [Limits] of %s:%u is %s", key, limit->place.path,
                           limit->place.line, limit->value);
    signet_problems_add(&draft->problems, place, tail, "'Lifetime' is too %s",
                        is_long ? "long" : "short");
}

/* The identity under which the agent keeps a local CA's own key, or that of an account. Nobody may
 * use it but by a job. */
static void
add_ca_identity(SignetPolicy *policy, const SignetCaProfile *ca)
{
    gboolean is_account = ca->kind != SIGNET_CA_LOCAL;
    g_autofree char *name = g_strconcat(is_account ? "acme." : "ca.", ca->name, NULL);
    SignetIdentityPolicy identity;

    signet_identity_policy_init(&identity, name);
    g_free(identity.ca);
    g_free(identity.key);
    g_free(identity.subject);
    identity.token = g_strdup(ca->token);
    identity.ca = g_strdup(ca->name);
    identity.key = g_strdup(ca->key);
    identity.subject =
        is_account ? g_strconcat("CN=ACME account ", ca->name, NULL) : g_strdup(ca->subject);
    identity.purposes = SIGNET_PURPOSE_CERTIFICATE;
    identity.is_ca = TRUE;
    signet_policy_take_identity(policy, &identity);
}

static void
check_ca_key(SignetPolicyDraft *draft, SignetCaDraft *ca)
{
    SignetPlace token = signet_policy_draft_place(ca->scan, "Ca", "Token");
    SignetPlace key = signet_policy_draft_place(ca->scan, "Ca", "Key");

    check_token(draft, &ca->ca->token, &token);
    check_protection(draft, ca->ca->token, &token);
    check_evidence(draft, ca->ca->token, &token);
    check_key(draft, ca->ca->key, &key);
    check_key_fits(draft, ca->ca->token, ca->ca->key, TRUE, &key);
}

static void
check_ca(SignetPolicyDraft *draft, SignetCaDraft *ca)
{
    gboolean is_local = ca->ca->kind == SIGNET_CA_LOCAL;
    gboolean has_key = is_local || signet_ca_protocol_get(ca->ca->kind)->has_account;

    if (ca->scan)
        signet_policy_draft_check_ca(draft, ca);
    if (ca->scan && has_key)
        check_ca_key(draft, ca);
    if (ca->scan && is_local) {
        SignetPlace lifetime = signet_policy_draft_place(ca->scan, "Ca", "Lifetime");

        check_lifetime(draft, ca->ca, &lifetime);
    }
    if (has_key)
        add_ca_identity(draft->policy, ca->ca);
    ca->taken = ca->ca;
    signet_policy_take_ca(draft->policy, g_steal_pointer(&ca->ca));
}

/* The CA that is there without a file, if it is clear where its key belongs. */
static void
add_default_ca(SignetPolicyDraft *draft)
{
    const GPtrArray *tokens = signet_policy_get_tokens(draft->policy);
    const SignetEntry *limit = signet_policy_draft_find(draft, "Limits", "Keys");
    SignetLimitsDraft *limits = &draft->limits;
    SignetPlace nowhere = {"ca.d/local.conf", 0, "Ca", "Key"};
    SignetPlace token = {"ca.d/local.conf", 0, "Ca", "Token"};
    SignetCaProfile *ca;

    if (tokens->len != 1)
        return;
    ca = signet_ca_profile_new("local");
    ca->token = g_strdup(((const SignetTokenConfig *)g_ptr_array_index(tokens, 0))->name);
    ca->lifetime_s = CLAMP(ca->lifetime_s, limits->min_lifetime_s, limits->max_lifetime_s);
    if (limit && !is_key_allowed(draft, ca->key))
        signet_problems_add(&draft->problems, &limit->place, "; give it another in ca.d/local.conf",
                            "'Keys' does not allow '%s', the key of the CA 'local' that is there "
                            "without a file,",
                            ca->key);
    check_key_fits(draft, ca->token, ca->key, TRUE, &nowhere);
    check_protection(draft, ca->token, &token);
    check_evidence(draft, ca->token, &token);
    add_ca_identity(draft->policy, ca);
    signet_policy_take_ca(draft->policy, ca);
}

static void
check_profile(SignetPolicyDraft *draft, SignetIdentityDraft *identity, const SignetCaProfile *ca)
{
    SignetPlace place = signet_policy_draft_place(identity->scan, "Rotation", "Profile");
    SignetRotationProfile *profile = signet_policy_get_profile(draft->policy, identity->profile);

    if (!profile) {
        signet_problems_add(&draft->problems, &place,
                            "; add a group [Rotation NAME] to a file in policy.d",
                            "unknown rotation profile '%s' as 'Profile'", identity->profile);
        return;
    }
    if (ca && ca->kind == SIGNET_CA_LOCAL && profile->renew_kind == SIGNET_RENEW_BEFORE &&
        profile->renew_before_s >= ca->lifetime_s) {
        g_autofree char *tail = g_strdup_printf(": its RenewAt= is not shorter than the lifetime "
                                                "of certificates of CA '%s'",
                                                ca->name);

        signet_problems_add(&draft->problems, &place, tail, "cannot use '%s' as 'Profile'",
                            profile->name);
    }
    identity->identity.rotation = profile;
}

/* A key is bound to registers when it is made, by the TPM. */
static void
check_pcrs(SignetPolicyDraft *draft, SignetIdentityDraft *identity)
{
    const SignetIdentityPolicy *policy = &identity->identity;
    const SignetTokenConfig *token =
        policy->token ? signet_policy_get_token(draft->policy, policy->token) : NULL;
    SignetPlace place = signet_policy_draft_place(identity->scan, "Identity", "Pcr");

    if (policy->pcrs.mask == 0)
        return;
    if (token && token->kind != SIGNET_TOKEN_TPM)
        signet_problems_add(&draft->problems, &place, NULL,
                            "'Pcr' is for tokens of type tpm, and '%s' is none", token->name);
    if (!policy->generate)
        signet_problems_add(&draft->problems, &place, NULL,
                            "'Pcr' is for keys that the agent makes, and 'Generate' says no");
}

/* The CA answers encrypted to the key that asks (RFC 8894 2.3): it has to be an RSA key. */
static void
check_scep_key(SignetPolicyDraft *draft, const SignetCaProfile *ca,
               const SignetIdentityPolicy *identity, const SignetPlace *place)
{
    if (ca && ca->kind == SIGNET_CA_SCEP && !g_str_has_prefix(identity->key, "rsa:"))
        signet_problems_add(&draft->problems, place, "; write for example rsa:2048",
                            "cannot use '%s' as 'Key': CA '%s' speaks SCEP, which is for RSA keys "
                            "only",
                            identity->key, ca->name);
}

static void
check_identity(SignetPolicyDraft *draft, SignetIdentityDraft *identity)
{
    SignetIdentityPolicy *policy = &identity->identity;
    SignetPlace token = signet_policy_draft_place(identity->scan, "Identity", "Token");
    SignetPlace key = signet_policy_draft_place(identity->scan, "Identity", "Key");
    SignetPlace ca_place = signet_policy_draft_place(identity->scan, "Identity", "Ca");
    SignetPlace purposes = signet_policy_draft_place(identity->scan, "Access", "Purposes");
    const SignetCaProfile *ca = signet_policy_get_ca(draft->policy, policy->ca);

    check_token(draft, &policy->token, &token);
    check_protection(draft, policy->token, &token);
    check_evidence(draft, policy->token, &token);
    check_key(draft, policy->key, &key);
    check_key_fits(draft, policy->token, policy->key, policy->generate, &key);
    check_purposes_fit(draft, policy, &purposes);
    check_scep_key(draft, ca, policy, &key);
    if (!ca) {
        const GPtrArray *cas = signet_policy_get_cas(draft->policy);
        g_autofree char *known =
            cas->len ? describe_known(policy->ca, cas)
                     : g_strdup("; with several tokens ca.d/NAME.conf must name the CA's Token");

        signet_problems_add(&draft->problems, &ca_place, known, "unknown CA '%s' as 'Ca'",
                            policy->ca);
    }
    check_pcrs(draft, identity);
    check_profile(draft, identity, ca);
    signet_policy_take_identity(draft->policy, policy);
}

/* A PIN comes from one place; the URI may name it too. */
static void
check_pin(SignetPolicyDraft *draft, SignetTokenConfig *token, const char *group)
{
    static const char *const keys[] = {"PinFile", "PinCredential", "Pin"};
    static const char *const quoted[] = {"'PinFile'", "'PinCredential'", "'Pin'"};
    g_autofree char *source = token->uri ? signet_value_dup_pin_source(token->uri) : NULL;
    const char *before = source ? "'pin-source' in 'Uri'" : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const SignetEntry *entry = signet_policy_draft_find(draft, group, keys[i]);

        if (entry && before)
            signet_problems_add(&draft->problems, &entry->place, "; the PIN comes from one place",
                                "'%s' besides %s", keys[i], before);
        else if (entry)
            before = quoted[i];
    }
    if (source && !token->pin_file)
        token->pin_file = g_steal_pointer(&source);
}

/* The identity that vouches for others must be there, and certified by another CA. */
static void
check_bootstrap(SignetPolicyDraft *draft, const SignetCaDraft *ca)
{
    SignetPlace place = {0};
    const SignetIdentityPolicy *identity;
    const char *name = ca->taken->remote.bootstrap_identity;

    if (!name || !ca->scan)
        return;
    place = signet_policy_draft_place(ca->scan, "Ca", "BootstrapIdentity");
    identity = signet_policy_get_identity(draft->policy, name);
    if (!identity) {
        g_autofree char *known = describe_known(name, signet_policy_get_identities(draft->policy));

        signet_problems_add(&draft->problems, &place, known,
                            "unknown identity '%s' as 'BootstrapIdentity'", name);
    } else if (g_strcmp0(identity->ca, ca->taken->name) == 0) {
        signet_problems_add(&draft->problems, &place, "; name one that another CA certifies",
                            "cannot use '%s' as 'BootstrapIdentity': this CA certifies it", name);
    }
}

/* A process of its own for a module, so the module must be known. */
static void
check_isolate(SignetPolicyDraft *draft, const SignetTokenConfig *token, const char *group)
{
    const SignetEntry *entry = signet_policy_draft_find(draft, group, "Isolate");

    if (entry && token->isolate && token->uri && !strstr(token->uri, "module-path="))
        signet_problems_add(&draft->problems, &entry->place,
                            "; write Uri=pkcs11:token=LABEL?module-path=/PATH",
                            "cannot use 'yes' as 'Isolate': the token's Uri= does not name the "
                            "module's file");
}

/* A token has the keys of its type only, and what its type needs. */
static void
check_token_config(SignetPolicyDraft *draft, SignetTokenConfig *token)
{
    static const struct {
        const char *key;
        SignetTokenKind kind;
    } keys[] = {
        {"Tcti", SIGNET_TOKEN_TPM},
        {"BusEncryption", SIGNET_TOKEN_TPM},
        {"Uri", SIGNET_TOKEN_PKCS11},
        {"PinFile", SIGNET_TOKEN_PKCS11},
        {"PinCredential", SIGNET_TOKEN_PKCS11},
        {"Pin", SIGNET_TOKEN_PKCS11},
        {"MaxSessions", SIGNET_TOKEN_PKCS11},
        {"Isolate", SIGNET_TOKEN_PKCS11},
        {"AllowExtractable", SIGNET_TOKEN_PKCS11},
    };
    gboolean is_pkcs11 = token->kind == SIGNET_TOKEN_PKCS11;
    g_autofree char *group = g_strdup_printf("Token %s", token->name);
    const SignetEntry *type = signet_policy_draft_find(draft, group, "Type");

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const SignetEntry *entry = signet_policy_draft_find(draft, group, keys[i].key);

        if (entry && keys[i].kind != token->kind)
            signet_problems_add(&draft->problems, &entry->place, NULL,
                                "'%s' is not for a token of type %s", keys[i].key,
                                is_pkcs11 ? "pkcs11" : "tpm");
    }
    check_sessions_fit(draft, token);
    check_pin(draft, token, group);
    check_isolate(draft, token, group);
    /* A Uri that was bad has been spoken of. */
    if (is_pkcs11 && type && !signet_policy_draft_find(draft, group, "Uri"))
        signet_problems_add(&draft->problems, &type->place, "; write Uri=pkcs11:token=LABEL",
                            "no key 'Uri' for the token");
}

void
signet_policy_draft_check(SignetPolicyDraft *draft)
{
    const SignetEntry *max = signet_policy_draft_find(draft, "Limits", "MaxLifetime");

    if (signet_policy_get_tokens(draft->policy)->len == 0)
        signet_policy_take_token(draft->policy, signet_token_config_new("tpm"));
    if (max && draft->limits.max_lifetime_s < draft->limits.min_lifetime_s)
        signet_problems_add(&draft->problems, &max->place, NULL,
                            "'MaxLifetime' is shorter than 'MinLifetime'");
    signet_policy_draft_check_profiles(draft);
    for (guint i = 0; i < signet_policy_get_tokens(draft->policy)->len; i++)
        check_token_config(draft, signet_policy_get_tokens(draft->policy)->pdata[i]);

    for (guint i = 0; i < draft->cas->len; i++)
        check_ca(draft, g_ptr_array_index(draft->cas, i));
    if (draft->cas->len == 0)
        add_default_ca(draft);
    for (guint i = 0; i < draft->identities->len; i++)
        check_identity(draft, g_ptr_array_index(draft->identities, i));

    for (guint i = 0; i < draft->cas->len; i++)
        check_bootstrap(draft, g_ptr_array_index(draft->cas, i));

    signet_policy_set_limits(
        draft->policy,
        (SignetLifetimeLimits) {draft->limits.min_lifetime_s, draft->limits.max_lifetime_s},
        draft->limits.protections);
    if (draft->limits.is_evidence_required)
        signet_policy_require_evidence(draft->policy);
    signet_policy_freeze(draft->policy);
}
