/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The decision: may this requester use this generation of this identity for this purpose? */

#include "agent/broker/guard.h"

void
signet_refusal_clear(SignetRefusal *refusal)
{
    g_clear_error(&refusal->error);
    g_clear_pointer(&refusal->reason, g_free);
}

/* --- peers --- */

/* A purpose the identity has at all: who may not use it for this one may use it for none. */
static SignetPurpose
some_purpose(const SignetIdentityPolicy *identity)
{
    guint purposes = identity->purposes & ~(guint)SIGNET_PURPOSE_CERTIFICATE;

    return (SignetPurpose)(purposes & -purposes);
}

static gboolean
is_peer_allowed(const SignetIdentityPolicy *identity, SignetPeer *peer, SignetPurpose purpose)
{
    gboolean with_unit = signet_access_needs_unit(identity);

    return signet_access_is_allowed(identity, signet_peer_get_policy_peer(peer, with_unit),
                                    purpose);
}

/* Both the one who sent the request and the one whose connection it came over. */
static gboolean
is_requester_allowed(const SignetIdentityPolicy *identity, const SignetRequester *requester,
                     SignetPurpose purpose)
{
    SignetPeer *sender = requester->sender;
    SignetPeer *connection = requester->connection;

    return sender && is_peer_allowed(identity, sender, purpose) &&
           (!connection || connection == sender || is_peer_allowed(identity, connection, purpose));
}

/* Why not, in words; NULL when it is allowed. */
static char *
describe_denial(const SignetIdentityPolicy *identity, const SignetRequester *requester,
                SignetPurpose purpose)
{
    SignetPeer *peers[] = {requester->sender, requester->connection};

    if (!requester->sender)
        return g_strdup("the request has no sender");
    for (gsize i = 0; i < G_N_ELEMENTS(peers) && peers[i]; i++) {
        const SignetPolicyPeer *view =
            signet_peer_get_policy_peer(peers[i], signet_access_needs_unit(identity));
        g_auto(SignetVerdict) verdict = signet_access_check(identity, view, purpose);

        if (!verdict.is_allowed && i == 1)
            return g_strdup_printf("the connection was opened by another process: %s",
                                   verdict.rule);
        if (!verdict.is_allowed)
            return g_steal_pointer(&verdict.rule);
    }
    return NULL;
}

/* The same for an identity that is not there and for one the peer may not know of. */
static gboolean
refuse_unknown(const SignetRequester *requester, const char *identity, SignetRefusal *ret_refusal)
{
    if (requester->sender)
        return signet_error_set(&ret_refusal->error, SIGNET_ERROR_NOT_FOUND,
                                "there is no identity '%s' that uid %u may use; 'signetctl list' "
                                "shows which there are",
                                identity, (guint)signet_peer_get_uid(requester->sender));
    return signet_error_set(&ret_refusal->error, SIGNET_ERROR_NOT_FOUND,
                            "there is no identity '%s' for this job", identity);
}

static const SignetIdentityPolicy *
find_policy(const SignetGuard *guard, const char *identity)
{
    return guard->policy ? signet_policy_get_identity(guard->policy, identity) : NULL;
}

static gboolean
check_sight(const SignetGuard *guard, const SignetRequester *requester, const char *identity,
            SignetRefusal *ret_refusal)
{
    const SignetIdentityPolicy *policy = find_policy(guard, identity);
    SignetPurpose purpose = policy ? some_purpose(policy) : 0;

    if (signet_guard_may_see(guard, requester, identity))
        return TRUE;
    ret_refusal->is_known = policy != NULL;
    if (requester->job)
        ret_refusal->reason = g_strdup_printf("the job is not about '%s'", identity);
    else if (!policy)
        ret_refusal->reason = g_strdup_printf("there is no identity '%s'", identity);
    else if (!purpose)
        ret_refusal->reason = g_strdup_printf("'%s' is for enrolment jobs only", identity);
    else
        ret_refusal->reason = describe_denial(policy, requester, purpose);
    return refuse_unknown(requester, identity, ret_refusal);
}

gboolean
signet_guard_may_see(const SignetGuard *guard, const SignetRequester *requester,
                     const char *identity)
{
    const SignetIdentityPolicy *policy;
    SignetPurpose purpose;

    if (requester->job)
        return signet_job_names(requester->job, identity);
    policy = find_policy(guard, identity);
    purpose = policy ? some_purpose(policy) : 0;
    return purpose != 0 && is_requester_allowed(policy, requester, purpose);
}

/* --- generations --- */

static SignetGeneration *
find_generation(const SignetGuard *guard, const char *identity, guint32 number, GBytes *spki)
{
    const guint8 *data;
    gsize size;

    if (!spki)
        return signet_inventory_get(guard->inventory, identity, number);
    data = g_bytes_get_data(spki, &size);
    return signet_inventory_find_spki(guard->inventory, identity, data, size);
}

/* A key whose certificate is not in use yet is nobody's but its enrolment's. */
static gboolean
is_usable(const SignetGuard *guard, const SignetRequester *requester, const char *identity,
          guint32 number)
{
    switch (signet_inventory_get_state(guard->inventory, identity, number)) {
    case SIGNET_GENERATION_CURRENT:
    case SIGNET_GENERATION_RETIRED:
        return TRUE;
    case SIGNET_GENERATION_PENDING:
        return requester->job != NULL;
    }
    return FALSE;
}

SignetGeneration *
signet_guard_find(const SignetGuard *guard, const SignetRequester *requester, const char *identity,
                  guint32 number, GBytes *spki, SignetRefusal *ret_refusal)
{
    SignetGeneration *generation;

    if (!check_sight(guard, requester, identity, ret_refusal))
        return NULL;
    generation = find_generation(guard, identity, number, spki);
    if (generation && is_usable(guard, requester, identity, generation->number))
        return generation;

    if (spki)
        signet_error_set(&ret_refusal->error, SIGNET_ERROR_NOT_FOUND,
                         "identity '%s' has no usable key with this public key", identity);
    else if (number == 0)
        signet_error_set(&ret_refusal->error, SIGNET_ERROR_NOT_FOUND,
                         "identity '%s' has no certificate yet; 'signetctl show %s' says why",
                         identity, identity);
    else
        signet_error_set(&ret_refusal->error, SIGNET_ERROR_NOT_FOUND,
                         "identity '%s' has no usable generation %u any more; load the key again "
                         "(reload the program)",
                         identity, number);
    return NULL;
}

/* --- uses --- */

static gboolean
refuse(SignetRefusal *ret_refusal, const SignetIntent *intent, char *reason)
{
    ret_refusal->is_known = TRUE;
    ret_refusal->reason = reason;
    return signet_error_set(&ret_refusal->error, SIGNET_ERROR_DENIED, "cannot %s with '%s': %s",
                            intent->what, intent->identity, reason);
}

static gboolean
check_job(const SignetGuard *guard, const SignetRequester *requester, const SignetIntent *intent,
          SignetRefusal *ret_refusal)
{
    g_autoptr(GError) error = NULL;

    if (intent->purpose == SIGNET_PURPOSE_DECRYPT) {
        if (signet_job_allows_decryption(requester->job, intent->identity,
                                         intent->generation->number, &error))
            return TRUE;
        return refuse(ret_refusal, intent, g_strdup(error->message));
    }
    if (!intent->message)
        return refuse(ret_refusal, intent, g_strdup("an enrolment job only signs whole messages"));
    if (intent->hash == SIGNET_HASH_SHA1)
        return refuse(ret_refusal, intent, g_strdup("an enrolment job does not sign with SHA-1"));
    if (signet_job_allows(requester->job, intent->identity, intent->generation->number,
                          intent->purpose, intent->message, guard->now_s, &error))
        return TRUE;
    return refuse(ret_refusal, intent, g_strdup(error->message));
}

/* What 'sign' would have allowed and no narrower purpose does. */
static char *
describe_unrecognised(const SignetIntent *intent, gboolean is_sha1)
{
    if (is_sha1)
        return g_strdup_printf(
            "with SHA-1 one signature can be made to fit two messages, so Purposes= of '%s' would "
            "have to list 'sign'",
            intent->identity);
    if (!intent->message)
        return g_strdup_printf("a bare digest hides what is signed, so Purposes= of '%s' would "
                               "have to list 'sign'",
                               intent->identity);
    return g_strdup_printf("what is to be signed was not recognised as anything that Purposes= of "
                           "'%s' lists, and 'sign' is not among them",
                           intent->identity);
}

static gboolean
check_peers(const SignetGuard *guard, const SignetRequester *requester, const SignetIntent *intent,
            SignetRefusal *ret_refusal)
{
    const SignetIdentityPolicy *policy = find_policy(guard, intent->identity);
    gboolean is_sha1 = intent->message && intent->hash == SIGNET_HASH_SHA1;
    gboolean needs_sign = is_sha1 || intent->purpose == 0;
    SignetPurpose purpose = intent->purpose ? intent->purpose : SIGNET_PURPOSE_SIGN;
    char *reason = NULL;

    if (!policy)
        return refuse_unknown(requester, intent->identity, ret_refusal);
    if (needs_sign && !(policy->purposes & (SIGNET_PURPOSE_SIGN | SIGNET_PURPOSE_ANY)))
        reason = describe_unrecognised(intent, is_sha1);
    else if (!is_requester_allowed(policy, requester, purpose))
        reason = describe_denial(policy, requester, purpose);
    else if (signet_inventory_is_barred(guard->inventory, intent->identity,
                                        intent->generation->number))
        reason = g_strdup_printf("the certificate of generation %u is revoked, and by "
                                 "OnRevoked=disable nobody may use its key; 'signetctl show %s' "
                                 "says when there is another",
                                 intent->generation->number, intent->identity);
    return reason ? refuse(ret_refusal, intent, reason) : TRUE;
}

gboolean
signet_guard_check(const SignetGuard *guard, const SignetRequester *requester,
                   const SignetIntent *intent, SignetRefusal *ret_refusal)
{
    return requester->job ? check_job(guard, requester, intent, ret_refusal)
                          : check_peers(guard, requester, intent, ret_refusal);
}
