/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* May this peer use this key for this purpose? Pure: a verdict and the rule that decided. */

#include "policy/access.h"

#include <string.h>

typedef enum {
    GROUND_NONE,
    GROUND_ROOT,
    GROUND_OWNER,
    GROUND_RULE,
} GroundKind;

/* Why a peer may use the identity at all, whatever for. */
typedef struct {
    GroundKind kind;
    const SignetRule *rule; /* (nullable) for GROUND_RULE */
} Ground;

static const char *
rule_kind_name(SignetRuleKind kind)
{
    switch (kind) {
    case SIGNET_RULE_USER:
        return "user";
    case SIGNET_RULE_GROUP:
        return "group";
    case SIGNET_RULE_UNIT:
        return "unit";
    case SIGNET_RULE_LABEL:
        return "label";
    }
    return "?";
}

/* Digits are always a number and never a name, so that a user called "0" is not root. */
static gboolean
number_from(const char *value, guint *ret_number)
{
    guint64 number;
    char *end = NULL;

    if (!g_ascii_isdigit(*value))
        return FALSE;
    number = g_ascii_strtoull(value, &end, 10);
    if (*end || number >= G_MAXUINT32)
        return FALSE;
    *ret_number = (guint)number;
    return TRUE;
}

static gboolean
is_number(const char *value)
{
    return *value && value[strspn(value, "0123456789")] == '\0';
}

static gboolean
is_user(const SignetPolicyPeer *peer, const char *value)
{
    guint uid;

    if (is_number(value))
        return number_from(value, &uid) && uid == peer->uid;
    return peer->user && g_str_equal(peer->user, value);
}

static gboolean
is_in_group(const SignetPolicyPeer *peer, const char *value)
{
    guint gid;

    if (number_from(value, &gid) && gid == peer->gid)
        return TRUE;
    return peer->groups && g_strv_contains(peer->groups, value);
}

static gboolean
rule_names(const SignetRule *rule, const SignetPolicyPeer *peer)
{
    switch (rule->kind) {
    case SIGNET_RULE_USER:
        return is_user(peer, rule->value);
    case SIGNET_RULE_GROUP:
        return is_in_group(peer, rule->value);
    case SIGNET_RULE_UNIT:
        return peer->unit && g_str_equal(peer->unit, rule->value);
    case SIGNET_RULE_LABEL:
        return peer->label && g_str_equal(peer->label, rule->value);
    }
    return FALSE;
}

static Ground
find_ground(const SignetIdentityPolicy *identity, const SignetPolicyPeer *peer)
{
    if (peer->uid == 0)
        return (Ground) {GROUND_ROOT, NULL};
    if (identity->owner && is_user(peer, identity->owner))
        return (Ground) {GROUND_OWNER, NULL};
    for (guint i = 0; identity->allow && i < identity->allow->len; i++) {
        const SignetRule *rule = g_ptr_array_index(identity->allow, i);

        if (rule_names(rule, peer))
            return (Ground) {GROUND_RULE, rule};
    }
    return (Ground) {GROUND_NONE, NULL};
}

/* Exactly one known purpose, listed or covered by 'any' or, if it is a signature's, by 'sign';
 * 'certificate' belongs to jobs and never to a peer. */
static gboolean
is_listed(const SignetIdentityPolicy *identity, SignetPurpose purpose)
{
    if (!signet_purpose_name(purpose) || purpose == SIGNET_PURPOSE_CERTIFICATE)
        return FALSE;
    guint covering = (guint)purpose | SIGNET_PURPOSE_ANY;
    if (purpose != SIGNET_PURPOSE_DECRYPT && purpose != SIGNET_PURPOSE_DERIVE &&
        purpose != SIGNET_PURPOSE_ANY)
        covering |= SIGNET_PURPOSE_SIGN;
    return (identity->purposes & covering) != 0;
}

static char *
describe_ground(Ground ground)
{
    switch (ground.kind) {
    case GROUND_ROOT:
        return g_strdup("root");
    case GROUND_OWNER:
        return g_strdup("the identity's owner");
    case GROUND_RULE:
        return g_strdup_printf("Allow=%s:%s", rule_kind_name(ground.rule->kind),
                               ground.rule->value);
    case GROUND_NONE:
        break;
    }
    return g_strdup("no rule");
}

static char *
describe_no_ground(const SignetIdentityPolicy *identity, const SignetPolicyPeer *peer)
{
    gboolean has_rules = identity->allow && identity->allow->len > 0;
    g_autofree char *who = peer->user ? g_strdup_printf("user '%s' (uid %u)", peer->user, peer->uid)
                                      : g_strdup_printf("uid %u", peer->uid);

    if (has_rules)
        return g_strdup_printf("no Allow= rule of '%s' names %s", identity->name, who);
    return g_strdup_printf("'%s' has no Allow= rule, and %s is neither root nor its owner",
                           identity->name, who);
}

static char *
describe_purpose(const SignetIdentityPolicy *identity, SignetPurpose purpose)
{
    const char *name = signet_purpose_name(purpose);

    if (purpose == SIGNET_PURPOSE_CERTIFICATE)
        return g_strdup_printf("'%s' signs certificates for enrolment jobs only", identity->name);
    return g_strdup_printf("Purposes= of '%s' does not list '%s'", identity->name,
                           name ? name : "(unknown)");
}

void
signet_verdict_clear(SignetVerdict *verdict)
{
    verdict->is_allowed = FALSE;
    g_clear_pointer(&verdict->rule, g_free);
}

SignetVerdict
signet_access_check(const SignetIdentityPolicy *identity, const SignetPolicyPeer *peer,
                    SignetPurpose purpose)
{
    Ground ground = find_ground(identity, peer);

    if (ground.kind == GROUND_NONE)
        return (SignetVerdict) {FALSE, describe_no_ground(identity, peer)};
    if (!is_listed(identity, purpose))
        return (SignetVerdict) {FALSE, describe_purpose(identity, purpose)};
    return (SignetVerdict) {TRUE, describe_ground(ground)};
}

gboolean
signet_access_is_allowed(const SignetIdentityPolicy *identity, const SignetPolicyPeer *peer,
                         SignetPurpose purpose)
{
    return is_listed(identity, purpose) && find_ground(identity, peer).kind != GROUND_NONE;
}

gboolean
signet_access_needs_unit(const SignetIdentityPolicy *identity)
{
    for (guint i = 0; identity->allow && i < identity->allow->len; i++) {
        const SignetRule *rule = g_ptr_array_index(identity->allow, i);

        if (rule->kind == SIGNET_RULE_UNIT)
            return TRUE;
    }
    return FALSE;
}
