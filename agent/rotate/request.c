/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the policy asks of an identity's certificate: as a job, and as a fingerprint whose change is
 * a reason to rotate. */

#include <openssl/x509.h>
#include <string.h>

#include "agent/enroll/remote.h"
#include "agent/rotate/private.h"
#include "policy/fit.h"

/* A local CA's own identity has no profile of its own: renewed like any other, with the key that
 * everybody trusts. */
static const SignetRotationProfile ca_rotation = {
    .name = (char *)"ca",
    .renew_kind = SIGNET_RENEW_AUTO,
    .jitter_percent = 5,
    .new_key = SIGNET_NEW_KEY_NEVER,
    .overlap_s = SIGNET_AUTO,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 7 * 86400,
    .critical_remaining_s = SIGNET_AUTO,
};

const SignetCaProfile *
signet_entry_get_ca(const SignetEntry *entry)
{
    return signet_policy_get_ca(entry->engine->policy, entry->policy->ca);
}

static char *
dup_ca_identity(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    return g_strconcat(ca && ca->kind == SIGNET_CA_ACME ? "acme." : "ca.", entry->policy->ca, NULL);
}

/* (nullable) The generation of the local CA, or of the account, that would sign now; borrowed. */
static SignetGeneration *
ca_generation(const SignetEntry *entry)
{
    g_autofree char *name = dup_ca_identity(entry);
    SignetGeneration *generation = signet_inventory_get(entry->engine->context.inventory, name, 0);

    if (!generation || generation->not_after_s <= signet_clock_now(entry->engine->context.clock))
        return NULL;
    return generation;
}

/* A CA elsewhere is asked when it is needed. */
static gboolean
is_ca_ready(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    return entry->policy->is_ca ||
           (ca && ca->kind != SIGNET_CA_LOCAL && ca->kind != SIGNET_CA_ACME) ||
           ca_generation(entry) != NULL;
}

/* The current key may be kept when it is what the policy would make today. */
static gboolean
is_key_kept(const SignetEntry *entry)
{
    const SignetGeneration *current =
        signet_inventory_get(entry->engine->context.inventory, entry->name, 0);

    /* what is bound to registers is bound anew */
    return current && entry->policy->pcrs.mask == 0 &&
           g_str_equal(current->token, entry->policy->token) &&
           current->key->type == signet_key_type_from_name(entry->policy->key);
}

guint
signet_entry_find_looks(const SignetEntry *entry)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);

    if (!ca || entry->policy->is_ca || ca->kind == SIGNET_CA_LOCAL)
        return 0;
    if (ca->kind == SIGNET_CA_ACME)
        return SIGNET_LOOK_REVOCATION | SIGNET_LOOK_WINDOW;
    if (ca->kind == SIGNET_CA_EST || ca->kind == SIGNET_CA_CMP || ca->kind == SIGNET_CA_SCEP)
        return SIGNET_LOOK_REVOCATION | SIGNET_LOOK_AUTHORITIES;
    return SIGNET_LOOK_REVOCATION;
}

SignetMachineInput
signet_entry_input(const SignetEntry *entry)
{
    const SignetIdentityPolicy *policy = entry->policy;

    return (SignetMachineInput) {
        .rotation = policy->rotation ? policy->rotation : &ca_rotation,
        .seed = entry->seed,
        .blocked = entry->blocked,
        .is_ca_ready = is_ca_ready(entry),
        .wish = entry->wish,
        .is_key_kept = is_key_kept(entry),
        .has_canary = policy->rotation && policy->rotation->canary &&
                      policy->purposes & (SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_ANY),
        .clock_floor_s = SIGNET_CLOCK_FLOOR_S,
        .utc_offset_s = signet_clock_utc_offset(entry->engine->context.clock),
        .no_new_key = entry->no_new_key,
        .looks = signet_entry_find_looks(entry),
    };
}

/* --- as a job --- */

static char *
expand(const SignetEntry *entry, const char *template)
{
    return signet_policy_expand(template, entry->engine->host_name, entry->engine->machine_id,
                                entry->name);
}

static char **
expand_list(const SignetEntry *entry, char **templates)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (guint i = 0; templates && templates[i]; i++) {
        g_autofree char *text = expand(entry, templates[i]);

        g_strv_builder_add(builder, text);
    }
    return g_strv_builder_end(builder);
}

char *
signet_entry_dup_canary_user(const SignetEntry *entry)
{
    const SignetIdentityPolicy *policy = entry->policy;
    const char *wish = policy->rotation->canary_user;

    if (!wish && policy->dns && policy->dns[0])
        wish = policy->dns[0];
    return wish ? expand(entry, wish) : g_strdup(entry->name);
}

/* PermanentIdentifier= of an ACME CA; NULL: there is none. */
static char *
dup_permanent(const SignetEntry *entry, const SignetCaProfile *ca)
{
    const SignetJobRemote remote = {.options = ca ? (const char *const *)ca->remote.options : NULL};
    const char *template = signet_remote_get_option(&remote, "PermanentIdentifier");

    return template && !entry->policy->is_ca ? expand(entry, template) : NULL;
}

/* What no CA may go beyond. Other people's CAs have bounds also where the policy has none: a
 * certificate of a minute would be renewed without end, one for decades never. */
#define REMOTE_MIN_S ((gint64)5 * 60)
#define REMOTE_MAX_S ((gint64)10 * 366 * 86400)

static void
set_limits(const SignetEntry *entry, SignetJobRequest *request)
{
    SignetLifetimeLimits limits = signet_policy_get_limits(entry->engine->policy);
    gboolean has_max = limits.max_lifetime_s != G_MAXINT64;

    request->min_lifetime_s = limits.min_lifetime_s ? limits.min_lifetime_s : REMOTE_MIN_S;
    request->max_lifetime_s = has_max ? limits.max_lifetime_s : REMOTE_MAX_S;
}

/* Has a certificate that its CA does not stand for any more; to be shown to nobody. */
static gboolean
is_revoked(const SignetEngine *engine, const char *identity)
{
    const SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);

    return entry && signet_machine_is_revoked(&entry->machine);
}

/* The rungs that this machine can stand on now. */
static guint
find_rungs(const SignetEntry *entry, const SignetCaProfile *ca, const SignetSupplies *supplies)
{
    const SignetMachine *machine = &entry->machine;
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    guint missing = 0;

    if (machine->current == 0 || machine->facts.not_after_s <= now_s)
        missing |= SIGNET_RUNG_CURRENT;
    if (machine->current == 0 || machine->facts.not_after_s > now_s)
        missing |= SIGNET_RUNG_EXPIRED;
    if (signet_machine_is_revoked(machine))
        missing |= SIGNET_RUNG_CURRENT | SIGNET_RUNG_EXPIRED;
    if (!ca->remote.bootstrap_identity || is_revoked(entry->engine, ca->remote.bootstrap_identity))
        missing |= SIGNET_RUNG_IDENTITY;
    if (!supplies || !supplies->read.secret)
        missing |= SIGNET_RUNG_SECRET;
    return ca->remote.rungs & ~missing;
}

static void
set_remote(const SignetEntry *entry, const SignetCaProfile *ca, const char *ca_identity,
           const SignetSupplies *supplies, SignetJobRequest *request)
{
    guint rungs = find_rungs(entry, ca, supplies);

    request->protocol = signet_ca_kind_name(ca->kind);
    /* It says in the subject what it likes: asking for another would be asking for a refusal. */
    if (ca->kind == SIGNET_CA_ACME)
        request->subject = "";
    if (!(rungs & (SIGNET_RUNG_CURRENT | SIGNET_RUNG_EXPIRED)))
        request->current_generation = 0;
    request->remote = (SignetJobRemote) {
        .url = ca->remote.url,
        .anchors = supplies ? supplies->read.anchors : NULL,
        .is_system = g_strcmp0(ca->remote.trust, "system") == 0,
        .pins = (const char *const *)ca->remote.pins,
        .proxy = ca->remote.proxy,
        /* nobody is spoken to: the enroller needs no network */
        .timeout_s = ca->kind == SIGNET_CA_MANUAL ? 0 : (guint)ca->remote.timeout_s,
        .rungs = rungs,
        .account_identity = ca->kind == SIGNET_CA_ACME ? ca_identity : NULL,
        .bootstrap_identity = ca->remote.bootstrap_identity,
        .secret = supplies ? supplies->read.secret : NULL,
        .is_secret_kept = ca->remote.is_secret_kept,
        .state = supplies ? supplies->state : NULL,
        .answer = supplies ? supplies->answer : NULL,
        .options = (const char *const *)ca->remote.options,
    };
    set_limits(entry, request);
}

static void
set_local(const SignetEntry *entry, const SignetCaProfile *ca, const char *ca_identity,
          SignetJobRequest *request)
{
    const SignetGeneration *issuer = entry->policy->is_ca ? NULL : ca_generation(entry);

    request->protocol = "local";
    request->ca_identity = entry->policy->is_ca ? NULL : ca_identity;
    request->ca_certificate = issuer ? issuer->chain->pdata[0] : NULL;
    request->lifetime_s = entry->policy->is_ca ? ca->ca_lifetime_s : ca->lifetime_s;
}

/* A CA that speaks SCEP announces what it will go on with, and proves it never again. */
static GBytes *
dup_learned(const SignetEntry *entry, const SignetCaProfile *ca)
{
    const SignetGeneration *current =
        ca && ca->kind == SIGNET_CA_SCEP
            ? signet_inventory_get(entry->engine->context.inventory, entry->name, 0)
            : NULL;

    return current ? signet_anchors_dup_learned(current) : NULL;
}

SignetJob *
signet_entry_make_job(const SignetEntry *entry, const SignetGeneration *generation,
                      const SignetSupplies *supplies)
{
    const SignetIdentityPolicy *policy = entry->policy;
    const SignetCaProfile *ca = signet_entry_get_ca(entry);
    g_autofree char *ca_identity = dup_ca_identity(entry);
    g_autofree char *subject = expand(entry, policy->subject);
    g_auto(GStrv) dns = expand_list(entry, policy->dns);
    g_auto(GStrv) ip = expand_list(entry, policy->ip);
    g_auto(GStrv) uri = expand_list(entry, policy->uri);
    g_auto(GStrv) email = expand_list(entry, policy->email);
    g_autofree char *permanent = dup_permanent(entry, ca);
    g_autoptr(GBytes) learned = dup_learned(entry, ca);
    SignetJobRequest request = {
        .identity = entry->name,
        .new_generation = generation->number,
        .current_generation = entry->machine.current,
        .is_ca = policy->is_ca,
        .subject = subject,
        .dns = (const char *const *)dns,
        .ip = (const char *const *)ip,
        .uri = (const char *const *)uri,
        .email = (const char *const *)email,
        .permanent = permanent,
        .purposes = policy->purposes,
        .spki = generation->key->spki,
        .certificates = learned,
    };

    if (!ca)
        return NULL;
    if (ca->kind == SIGNET_CA_LOCAL || policy->is_ca)
        set_local(entry, ca, ca_identity, &request);
    else
        set_remote(entry, ca, ca_identity, supplies, &request);
    return signet_job_new(&request);
}

SignetJob *
signet_entry_make_revocation(const SignetEntry *entry, const SignetGeneration *generation,
                             const SignetSupplies *supplies, guint reason)
{
    const SignetCaProfile *ca = signet_entry_get_ca(entry);
    g_autofree char *ca_identity = dup_ca_identity(entry);
    SignetJobRequest request = {
        .identity = entry->name,
        .new_generation = generation->number,
        .current_generation = entry->machine.current,
        .spki = generation->key->spki,
        .reason = reason,
    };

    set_remote(entry, ca, ca_identity, supplies, &request);
    request.subject = "";
    request.ca_protocol = request.protocol;
    request.protocol = SIGNET_JOB_REVOKE;
    request.certificates = generation->chain->pdata[0];
    return signet_job_new(&request);
}

/* --- as a fingerprint --- */

/* The zeros between keep ("ab", "c") and ("a", "bc") apart. */
static void
add_text(GChecksum *checksum, const char *text)
{
    g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text) + 1);
}

static void
add_list(GChecksum *checksum, const SignetEntry *entry, char **templates)
{
    g_auto(GStrv) list = expand_list(entry, templates);

    for (guint i = 0; list[i]; i++)
        add_text(checksum, list[i]);
    add_text(checksum, "");
}

/* Name and key of the CA: not its certificate, which may be renewed without anybody noticing. */
static void
add_ca(GChecksum *checksum, const SignetGeneration *generation)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(generation->chain->pdata[0], &size);
    X509 *x509 = d2i_X509(NULL, &der, (long)size);
    unsigned char *name = NULL;
    int name_size = x509 ? i2d_X509_NAME(X509_get_subject_name(x509), &name) : 0;

    if (name_size > 0)
        g_checksum_update(checksum, name, name_size);
    der = g_bytes_get_data(generation->key->spki, &size);
    g_checksum_update(checksum, der, (gssize)size);
    OPENSSL_free(name);
    X509_free(x509);
}

static char *
make_wish(const SignetEntry *entry)
{
    const SignetIdentityPolicy *policy = entry->policy;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *subject = expand(entry, policy->subject);
    g_autofree char *purposes = g_strdup_printf("%x", policy->purposes);
    g_autofree char *pcrs = g_strdup_printf("%u:%x", policy->pcrs.bank, policy->pcrs.mask);
    const SignetCaProfile *profile = signet_entry_get_ca(entry);
    gboolean has_issuer = !policy->is_ca && profile && profile->kind == SIGNET_CA_LOCAL;
    const SignetGeneration *ca = has_issuer ? ca_generation(entry) : NULL;
    g_autofree char *permanent = dup_permanent(entry, profile);

    add_text(checksum, policy->token);
    add_text(checksum, policy->key);
    add_text(checksum, policy->ca);
    add_text(checksum, purposes);
    if (policy->pcrs.mask)
        add_text(checksum, pcrs);
    add_text(checksum, subject);
    add_list(checksum, entry, policy->dns);
    add_list(checksum, entry, policy->ip);
    add_list(checksum, entry, policy->uri);
    add_list(checksum, entry, policy->email);
    if (permanent)
        add_text(checksum, permanent);
    if (ca)
        add_ca(checksum, ca);
    return g_strdup(g_checksum_get_string(checksum));
}

/* A demand for evidence is met by what is known, and by nothing else: what was written down counts
 * until the device is asked again. */
static char *
find_silence(const SignetEntry *entry, const SignetToken *token)
{
    const SignetPolicy *policy = entry->engine->policy;
    GVariant *facts = signet_token_get_facts(token);
    char *why = signet_fit_evidence(signet_policy_get_token(policy, entry->policy->token), facts);

    if (why || facts)
        return why;
    return g_strdup_printf("it is not known yet whether token '%s' can prove where its keys are "
                           "(ask it: signetctl token measure %s)",
                           entry->policy->token, entry->policy->token);
}

char *
signet_entry_find_weakness(const SignetEntry *entry)
{
    const char *name = entry->policy->token;
    const SignetToken *token = signet_tokens_get(entry->engine->context.tokens, name);
    g_autofree char *why =
        token ? signet_fit_protection(name, signet_token_get_info(token).protection,
                                      signet_policy_get_protections(entry->engine->policy))
              : NULL;
    gboolean is_required = signet_policy_is_evidence_required(entry->engine->policy);
    g_autofree char *silence = token && !why && is_required ? find_silence(entry, token) : NULL;

    if (why)
        return g_strdup_printf("%s by Protection= in [Limits]; name another in Token= of '%s'", why,
                               entry->name);
    return silence ? g_strdup_printf("%s, as RequireEvidence= in [Limits] demands; name another in "
                                     "Token= of '%s'",
                                     silence, entry->name)
                   : NULL;
}

/* Of a token only what was learned from the device that is there now: another one, whose facts are
 * not known yet, would never be tried. */
static char *
find_hindrance(const SignetEntry *entry)
{
    const SignetIdentityPolicy *policy = entry->policy;
    const SignetToken *token = signet_tokens_get(entry->engine->context.tokens, policy->token);

    if (!policy->generate)
        return g_strdup_printf("it has no key that fits, and Generate=no lets the agent make none; "
                               "give it one: signetctl adopt %s",
                               entry->name);
    if (!token || !signet_token_has_fresh_facts(token))
        return NULL;
    return signet_fit_identity(signet_policy_get_token(entry->engine->policy, policy->token),
                               signet_token_get_facts(token), policy);
}

static char *
find_block(const SignetEntry *entry)
{
    const SignetIdentityPolicy *policy = entry->policy;

    if (!signet_tokens_get(entry->engine->context.tokens, policy->token))
        return g_strdup_printf("there is no token '%s'; name another in Token= of '%s'",
                               policy->token, entry->name);
    if (!signet_entry_get_ca(entry))
        return g_strdup_printf("there is no CA '%s'; name another in Ca= of '%s'", policy->ca,
                               entry->name);
    if (signet_key_type_from_name(policy->key) == 0)
        return g_strdup_printf("'%s' is no type of key; correct Key= of '%s'", policy->key,
                               entry->name);
    return signet_entry_find_weakness(entry);
}

void
signet_entry_refresh(SignetEntry *entry)
{
    g_free(entry->wish);
    entry->wish = make_wish(entry);
    g_free(entry->blocked);
    entry->blocked = find_block(entry);
    g_free(entry->no_new_key);
    entry->no_new_key = find_hindrance(entry);
}
