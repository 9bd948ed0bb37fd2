/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The policy held against the facts. */

#include "policy/fit.h"

#include "policy/value.h"

const char *
signet_fit_place(const SignetTokenConfig *token)
{
    switch (token->kind) {
    case SIGNET_TOKEN_TPM:
        return token->tcti ? token->tcti : "";
    case SIGNET_TOKEN_PKCS11:
        return token->uri ? token->uri : "";
    }
    return "";
}

static gboolean
is_about(const SignetTokenConfig *token, GVariant *facts)
{
    const char *place = NULL;

    return token && facts && g_variant_lookup(facts, SIGNET_FACT_PLACE, "&s", &place) &&
           g_str_equal(place, signet_fit_place(token));
}

/* Free with g_free(); NULL: not known. */
static const char **
find_list(GVariant *facts, const char *name)
{
    const char **list = NULL;

    return g_variant_lookup(facts, name, "^a&s", &list) ? list : NULL;
}

static char *
tell_offer(const SignetTokenConfig *token, const char *does, const char *const *list)
{
    g_autofree char *names = g_strjoinv(", ", (char **)list);

    return *names ? g_strdup_printf("token '%s' %s %s", token->name, does, names)
                  : g_strdup_printf("token '%s' %s no key at all", token->name, does);
}

/* A card whose keys were made elsewhere may make none itself: then what it can use counts. */
char *
signet_fit_key(const SignetTokenConfig *token, GVariant *facts, const char *key,
               gboolean is_made_there)
{
    g_autofree const char **makes = NULL;
    g_autofree const char **uses = NULL;
    const char **offer;

    if (token && key && token->kind == SIGNET_TOKEN_TPM && g_str_equal(key, SIGNET_VALUE_ED25519))
        return g_strdup("a TPM has no such keys; use ec:P-256, or a token of type pkcs11");
    if (!key || !is_about(token, facts))
        return NULL;
    makes = find_list(facts, SIGNET_FACT_KEYS);
    uses = find_list(facts, SIGNET_FACT_USES);
    offer = uses && (!is_made_there || (makes && !*makes)) ? uses : makes;
    if (!offer || g_strv_contains(offer, key))
        return NULL;
    return tell_offer(token, "offers", offer);
}

static char *
check_purpose(const SignetTokenConfig *token, GVariant *facts, const char *fact, const char *key,
              const char *does)
{
    g_autofree const char **list = find_list(facts, fact);

    if (!list || g_strv_contains((const char *const *)list, key))
        return NULL;
    return tell_offer(token, does, list);
}

char *
signet_fit_purposes(const SignetTokenConfig *token, GVariant *facts, const char *key,
                    guint purposes)
{
    if (!key || !is_about(token, facts))
        return NULL;
    if (purposes & SIGNET_PURPOSE_DECRYPT && g_str_has_prefix(key, "rsa:"))
        return check_purpose(token, facts, SIGNET_FACT_DECRYPT, key, "decrypts with");
    if (purposes & SIGNET_PURPOSE_DERIVE && g_str_has_prefix(key, "ec:"))
        return check_purpose(token, facts, SIGNET_FACT_DERIVE, key, "derives with");
    return NULL;
}

char *
signet_fit_sessions(const SignetTokenConfig *token, GVariant *facts)
{
    guint32 limit = 0;

    if (!is_about(token, facts) ||
        !g_variant_lookup(facts, SIGNET_FACT_MAX_SESSIONS, "u", &limit) || limit == 0 ||
        token->max_sessions <= limit)
        return NULL;
    return g_strdup_printf("token '%s' has at most %u session%s", token->name, limit,
                           limit == 1 ? "" : "s");
}

const char *
signet_fit_find_protection(const SignetTokenConfig *token, GVariant *facts)
{
    const char *protection = NULL;

    if (is_about(token, facts))
        g_variant_lookup(facts, SIGNET_FACT_PROTECTION, "&s", &protection);
    return protection;
}

char *
signet_fit_protection(const char *token, const char *protection, guint allowed)
{
    const char *names[32] = {NULL};
    g_autofree char *list = NULL;
    gsize n = 0;

    if (allowed == 0 || !protection || !*protection ||
        allowed & (guint)signet_protection_from_name(protection))
        return NULL;
    for (guint bit = 0; bit < 31; bit++) {
        if (allowed & 1U << bit)
            names[n++] = signet_protection_name((SignetProtection)(1U << bit));
    }
    list = g_strjoinv(", ", (char **)names);
    return g_strdup_printf("token '%s' has the protection '%s', and what is allowed is %s", token,
                           protection, list);
}

char *
signet_fit_evidence(const SignetTokenConfig *token, GVariant *facts)
{
    g_autoptr(GVariant) certificates = NULL;

    if (!token)
        return NULL;
    if (token->kind != SIGNET_TOKEN_TPM)
        return g_strdup_printf("token '%s' is no TPM, and cannot prove where its keys are",
                               token->name);
    if (is_about(token, facts))
        certificates =
            g_variant_lookup_value(facts, SIGNET_FACT_CERTIFICATES, G_VARIANT_TYPE("aa{ss}"));
    if (!certificates || g_variant_n_children(certificates) > 0)
        return NULL;
    return g_strdup_printf("token '%s' is a TPM without an endorsement certificate: nobody says "
                           "whose it is, so that it can prove nothing",
                           token->name);
}

char *
signet_fit_identity(const SignetTokenConfig *token, GVariant *facts,
                    const SignetIdentityPolicy *identity)
{
    g_autofree char *key = signet_fit_key(token, facts, identity->key, identity->generate);
    g_autofree char *purposes =
        signet_fit_purposes(token, facts, identity->key, identity->purposes);

    if (key)
        return g_strdup_printf("cannot use '%s' as 'Key' of '%s': %s", identity->key,
                               identity->name, key);
    if (purposes)
        return g_strdup_printf("cannot use '%s' for 'Purposes' of '%s': %s", identity->key,
                               identity->name, purposes);
    return NULL;
}
