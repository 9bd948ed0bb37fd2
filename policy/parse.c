/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policy files (GKeyFile syntax) to a SignetPolicy, with every mistake named by file, line, group
 * and key. */

#include "policy/parse.h"

#include <string.h>

#include "policy/draft.h"
#include "policy/protocol.h"
#include "policy/text.h"
#include "policy/value.h"

#define IDENTITIES_MAX 10000

typedef enum {
    FILE_MAIN,
    FILE_CA,
    FILE_IDENTITY,
    FILE_POLICY,
} FileKind;

typedef struct {
    const char *name;
    SignetValueSetter set;
    gsize offset; /* of the field in the group's target */
} KeySpec;

typedef struct {
    FileKind kind;
    const char *name;
    gboolean is_named; /* "[Token NAME]": the target is made by its name */
    const KeySpec *keys;
    gsize n_keys;
} GroupSpec;

#define AT(type, member) G_STRUCT_OFFSET(type, member)

static const KeySpec token_keys[] = {
    {"Type", signet_value_set_token_kind, AT(SignetTokenConfig, kind)},
    {"Tcti", signet_value_set_text, AT(SignetTokenConfig, tcti)},
    {"BusEncryption", signet_value_set_boolean, AT(SignetTokenConfig, bus_encryption)},
    {"Uri", signet_value_set_token_uri, AT(SignetTokenConfig, uri)},
    {"PinFile", signet_value_set_path, AT(SignetTokenConfig, pin_file)},
    {"PinCredential", signet_value_set_credential, AT(SignetTokenConfig, pin_credential)},
    {"Pin", signet_value_set_pin, AT(SignetTokenConfig, ask_pin)},
    {"MaxSessions", signet_value_set_session_limit, AT(SignetTokenConfig, max_sessions)},
    {"Isolate", signet_value_set_boolean, AT(SignetTokenConfig, isolate)},
    {"AllowExtractable", signet_value_set_boolean, AT(SignetTokenConfig, allow_extractable)},
    {"QueueLimit", signet_value_set_queue_limit, AT(SignetTokenConfig, queue_limit)},
    {"Measure", signet_value_set_boolean, AT(SignetTokenConfig, measure)},
};

static const KeySpec ca_keys[] = {
    {"Protocol", signet_value_set_ca_kind, AT(SignetCaProfile, kind)},
    {"Token", signet_value_set_name, AT(SignetCaProfile, token)},
    {"Key", signet_value_set_key, AT(SignetCaProfile, key)},
    {"Subject", signet_value_set_subject, AT(SignetCaProfile, subject)},
    {"CaLifetime", signet_value_set_duration, AT(SignetCaProfile, ca_lifetime_s)},
    {"Lifetime", signet_value_set_duration, AT(SignetCaProfile, lifetime_s)},
    {"Url", signet_value_set_ca_url, AT(SignetCaProfile, remote.url)},
    {"Trust", signet_value_set_anchors, AT(SignetCaProfile, remote.trust)},
    {"Pin", signet_value_set_pins, AT(SignetCaProfile, remote.pins)},
    {"Proxy", signet_value_set_proxy, AT(SignetCaProfile, remote.proxy)},
    {"Timeout", signet_value_set_ca_timeout, AT(SignetCaProfile, remote.timeout_s)},
    {"SecretFile", signet_value_set_path, AT(SignetCaProfile, remote.secret_file)},
    {"SecretCredential", signet_value_set_credential,
     AT(SignetCaProfile, remote.secret_credential)},
    {"SecretUse", signet_value_set_secret_use, AT(SignetCaProfile, remote.is_secret_kept)},
    {"Bootstrap", signet_value_set_rungs, AT(SignetCaProfile, remote.rungs)},
    {"BootstrapIdentity", signet_value_set_name, AT(SignetCaProfile, remote.bootstrap_identity)},
};

static const KeySpec identity_keys[] = {
    {"Token", signet_value_set_name, AT(SignetIdentityDraft, identity.token)},
    {"Ca", signet_value_set_name, AT(SignetIdentityDraft, identity.ca)},
    {"Key", signet_value_set_key, AT(SignetIdentityDraft, identity.key)},
    {"Generate", signet_value_set_boolean, AT(SignetIdentityDraft, identity.generate)},
    {"Pcr", signet_value_set_pcrs, AT(SignetIdentityDraft, identity.pcrs)},
    {"Subject", signet_value_set_subject, AT(SignetIdentityDraft, identity.subject)},
    {"Dns", signet_value_set_dns, AT(SignetIdentityDraft, identity.dns)},
    {"Ip", signet_value_set_ip, AT(SignetIdentityDraft, identity.ip)},
    {"Uri", signet_value_set_uri, AT(SignetIdentityDraft, identity.uri)},
    {"Email", signet_value_set_email, AT(SignetIdentityDraft, identity.email)},
    {"Owner", signet_value_set_account, AT(SignetIdentityDraft, identity.owner)},
    {"Group", signet_value_set_account, AT(SignetIdentityDraft, identity.group)},
    {"Mode", signet_value_set_mode, AT(SignetIdentityDraft, identity.mode)},
};

static const KeySpec access_keys[] = {
    {"Allow", signet_value_set_allow, AT(SignetIdentityDraft, identity.allow)},
    {"Purposes", signet_value_set_purposes, AT(SignetIdentityDraft, identity.purposes)},
};

static const KeySpec identity_rotation_keys[] = {
    {"Profile", signet_value_set_name, AT(SignetIdentityDraft, profile)},
    {"Reload", signet_value_set_reload, AT(SignetIdentityDraft, identity.reload)},
};

static const KeySpec profile_keys[] = {
    {"RenewAt", signet_value_set_renew, 0},
    {"Jitter", signet_value_set_jitter, AT(SignetRotationProfile, jitter_percent)},
    {"NewKey", signet_value_set_new_key, 0},
    {"Overlap", signet_value_set_duration_or_auto, AT(SignetRotationProfile, overlap_s)},
    {"RetryFirst", signet_value_set_duration, AT(SignetRotationProfile, retry_first_s)},
    {"RetryMax", signet_value_set_duration_or_auto, AT(SignetRotationProfile, retry_max_s)},
    {"PendingTimeout", signet_value_set_duration, AT(SignetRotationProfile, pending_timeout_s)},
    {"CriticalRemaining", signet_value_set_duration_or_auto,
     AT(SignetRotationProfile, critical_remaining_s)},
    {"Canary", signet_value_set_canary, AT(SignetRotationProfile, canary)},
    {"CanarySecretFile", signet_value_set_path, AT(SignetRotationProfile, canary_secret_file)},
    {"CanarySecretCredential", signet_value_set_credential,
     AT(SignetRotationProfile, canary_secret_credential)},
    {"CanaryTrust", signet_value_set_path, AT(SignetRotationProfile, canary_trust)},
    {"CanaryUser", signet_value_set_canary_user, AT(SignetRotationProfile, canary_user)},
    {"Window", signet_value_set_windows, AT(SignetRotationProfile, windows)},
    {"RotateIfIssuedBefore", signet_value_set_time, AT(SignetRotationProfile, issued_before_s)},
    {"RotateWithin", signet_value_set_duration, AT(SignetRotationProfile, within_s)},
    {"OnRevoked", signet_value_set_on_revoked, AT(SignetRotationProfile, on_revoked)},
    {"CheckRevocation", signet_value_set_check, AT(SignetRotationProfile, check_s)},
};

static const KeySpec limits_keys[] = {
    {"Keys", signet_value_set_key_limits, AT(SignetLimitsDraft, keys)},
    {"MinLifetime", signet_value_set_duration, AT(SignetLimitsDraft, min_lifetime_s)},
    {"MaxLifetime", signet_value_set_duration, AT(SignetLimitsDraft, max_lifetime_s)},
    {"Protection", signet_value_set_protections, AT(SignetLimitsDraft, protections)},
    {"RequireEvidence", signet_value_set_boolean, AT(SignetLimitsDraft, is_evidence_required)},
};

static const GroupSpec group_specs[] = {
    {FILE_MAIN, "Agent", FALSE, NULL, 0},
    {FILE_MAIN, "Token", TRUE, token_keys, G_N_ELEMENTS(token_keys)},
    {FILE_CA, "Ca", FALSE, ca_keys, G_N_ELEMENTS(ca_keys)},
    {FILE_IDENTITY, "Identity", FALSE, identity_keys, G_N_ELEMENTS(identity_keys)},
    {FILE_IDENTITY, "Access", FALSE, access_keys, G_N_ELEMENTS(access_keys)},
    {FILE_IDENTITY, "Rotation", FALSE, identity_rotation_keys,
     G_N_ELEMENTS(identity_rotation_keys)},
    {FILE_POLICY, "Rotation", TRUE, profile_keys, G_N_ELEMENTS(profile_keys)},
    {FILE_POLICY, "Limits", FALSE, limits_keys, G_N_ELEMENTS(limits_keys)},
};

/* One file on its way into the draft. */
typedef struct {
    SignetPolicyDraft *draft;
    FileKind kind;
    gpointer target;  /* (unowned, nullable) of the groups without a name */
    GHashTable *seen; /* (unowned) "group\nkey" in this file → its SignetEntry */
} Loading;

static char *
full_key(const char *group, const char *key)
{
    return g_strconcat(group, "\n", key, NULL);
}

/* "Token NAME" belongs to the specification "Token"; *ret_name is then what follows the space. */
static const GroupSpec *
find_group(FileKind kind, const char *group, const char **ret_name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(group_specs); i++) {
        const GroupSpec *spec = &group_specs[i];
        gsize length = strlen(spec->name);

        if (spec->kind != kind)
            continue;
        if (!spec->is_named && g_str_equal(group, spec->name))
            return spec;
        if (spec->is_named && strncmp(group, spec->name, length) == 0 && group[length] == ' ') {
            *ret_name = group + length + 1;
            return spec;
        }
    }
    return NULL;
}

static const KeySpec *
find_key(const GroupSpec *group, const char *key)
{
    for (gsize i = 0; i < group->n_keys; i++) {
        if (g_str_equal(group->keys[i].name, key))
            return &group->keys[i];
    }
    return NULL;
}

/* "; did you mean [Access]?", else what groups there are. */
static char *
describe_groups(FileKind kind, const char *group)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GString *known = g_string_new("; known here are ");
    char *hint;

    for (gsize i = 0; i < G_N_ELEMENTS(group_specs); i++) {
        const GroupSpec *spec = &group_specs[i];

        if (spec->kind != kind)
            continue;
        g_string_append_printf(known, "%s[%s%s]", names->len ? ", " : "", spec->name,
                               spec->is_named ? " NAME" : "");
        if (!spec->is_named)
            g_ptr_array_add(names, (gpointer)spec->name);
    }
    g_ptr_array_add(names, NULL);
    hint = signet_problem_hint(group, (const char *const *)names->pdata);
    if (!hint)
        return g_string_free(known, FALSE);
    g_string_free(known, TRUE);
    return hint;
}

static void
report_unknown_group(Loading *loading, const SignetEntry *entry)
{
    SignetPlace place = entry->place;
    g_autofree char *shown = signet_problem_quote(place.group);
    g_autofree char *tail = describe_groups(loading->kind, place.group);

    place.group = NULL;
    signet_problems_add(&loading->draft->problems, &place, tail, "unknown group [%s]", shown);
}

/* Where a key that is unknown here would be known. */
static const GroupSpec *
find_home(FileKind kind, const char *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(group_specs); i++) {
        if (group_specs[i].kind == kind && find_key(&group_specs[i], key))
            return &group_specs[i];
    }
    return NULL;
}

static void
report_unknown_key(Loading *loading, const GroupSpec *group, const SignetEntry *entry)
{
    g_autofree char *shown = signet_problem_quote(entry->place.key);
    const GroupSpec *home = find_home(loading->kind, entry->place.key);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;

    for (gsize i = 0; i < group->n_keys; i++)
        g_ptr_array_add(names, (gpointer)group->keys[i].name);
    g_ptr_array_add(names, NULL);
    hint = home ? g_strdup_printf("; it belongs into group [%s%s]", home->name,
                                  home->is_named ? " NAME" : "")
                : signet_problem_hint(entry->place.key, (const char *const *)names->pdata);
    signet_problems_add(&loading->draft->problems, &entry->place, hint, "unknown key '%s'", shown);
}

static SignetTokenConfig *
get_or_add_token(SignetPolicy *policy, const char *name)
{
    SignetTokenConfig *token = (SignetTokenConfig *)signet_policy_get_token(policy, name);

    if (!token) {
        token = signet_token_config_new(name);
        signet_policy_take_token(policy, token);
    }
    return token;
}

static SignetRotationProfile *
get_or_add_profile(SignetPolicy *policy, const char *name)
{
    SignetRotationProfile *profile = signet_policy_get_profile(policy, name);

    if (!profile) {
        profile = signet_rotation_profile_new(name);
        signet_policy_take_profile(policy, profile);
    }
    return profile;
}

/* What the keys of a group are stored into; NULL when the group's name is bad. */
static gpointer
find_target(Loading *loading, const GroupSpec *group, const char *name)
{
    SignetPolicy *policy = loading->draft->policy;

    if (!group->is_named)
        return loading->target;
    if (!signet_value_is_name(name))
        return NULL;
    return loading->kind == FILE_MAIN ? (gpointer)get_or_add_token(policy, name)
                                      : (gpointer)get_or_add_profile(policy, name);
}

static gboolean
is_first(Loading *loading, const SignetEntry *entry)
{
    g_autofree char *name = full_key(entry->place.group, entry->place.key);
    const SignetEntry *before = g_hash_table_lookup(loading->seen, name);

    if (before) {
        signet_problems_add(&loading->draft->problems, &entry->place, NULL,
                            "second key '%s' after the one of line %u", entry->place.key,
                            before->place.line);
        return FALSE;
    }
    if (loading->kind == FILE_MAIN || loading->kind == FILE_POLICY)
        g_hash_table_replace(loading->draft->set_by, g_strdup(name), (gpointer)entry);
    g_hash_table_replace(loading->seen, g_steal_pointer(&name), (gpointer)entry);
    return TRUE;
}

/* A value as a message may repeat it: a PIN that was written down, also in a URI (RFC 7512), or a
 * password in a URL is left out. */
static char *
show_value(const KeySpec *key, const char *value)
{
    const char *pin = strstr(value, "pin-value=");
    const char *scheme = strstr(value, "://");
    g_autofree char *safe = NULL;

    if (key->set == signet_value_set_pin)
        return g_strdup("…");
    if (pin)
        safe = g_strdup_printf("%.*s…", (int)(pin + strlen("pin-value=") - value), value);
    else if (scheme && strchr(scheme, '@'))
        safe = g_strdup_printf("%.*s…%s", (int)(scheme + 3 - value), value, strrchr(scheme, '@'));
    else
        safe = g_strdup(value);
    return signet_problem_quote(safe);
}

static void
load_value(Loading *loading, const KeySpec *key, const SignetEntry *entry, gpointer target)
{
    g_autofree char *shown = show_value(key, entry->value);
    g_autofree char *problem = key->set(entry->value, (char *)target + key->offset);
    g_autofree char *tail = NULL;

    if (!problem)
        return;
    tail = g_strdup_printf(": %s%s", problem,
                           strstr(entry->value, " #") ? "; a comment needs a line of its own" : "");
    signet_problems_add(&loading->draft->problems, &entry->place, tail, "cannot use '%s' as '%s'",
                        shown, key->name);
}

static void
load_entry(Loading *loading, const SignetEntry *entry)
{
    const char *name = "";
    const GroupSpec *group = find_group(loading->kind, entry->place.group, &name);
    gpointer target = group ? find_target(loading, group, name) : NULL;
    const KeySpec *key;

    /* The header line speaks for its whole group when that is unknown. */
    if (!entry->value) {
        if (!group)
            report_unknown_group(loading, entry);
        else if (group->is_named && !target)
            signet_problems_add(&loading->draft->problems, &entry->place,
                                "; use small letters, digits, '_' and '-'", "no usable name");
        return;
    }
    if (!group || (group->is_named && !target))
        return;
    key = find_key(group, entry->place.key);
    if (!key && loading->kind == FILE_CA && signet_ca_protocol_of_option(entry->place.key))
        is_first(loading, entry); /* its value is looked at when the protocol is known */
    else if (!key)
        report_unknown_key(loading, group, entry);
    else if (is_first(loading, entry))
        load_value(loading, key, entry, target);
}

static void
load_scan(SignetPolicyDraft *draft, FileKind kind, const SignetScan *scan, gpointer target)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Loading loading = {draft, kind, target, seen};

    for (guint i = 0; i < scan->entries->len; i++)
        load_entry(&loading, g_ptr_array_index(scan->entries, i));
}

/* "ca.d/corp.conf" → "corp"; NULL when the path is not in that directory or ends otherwise. */
static char *
name_in(const char *path, const char *directory)
{
    gsize length = strlen(directory);

    if (!g_str_has_prefix(path, directory) || !g_str_has_suffix(path, ".conf") ||
        strlen(path) < length + strlen(".conf"))
        return NULL;
    return g_strndup(path + length, strlen(path) - length - strlen(".conf"));
}

static void
load_ca(SignetPolicyDraft *draft, const SignetScan *scan, const char *name)
{
    SignetCaDraft *ca = g_new0(SignetCaDraft, 1);

    ca->ca = signet_ca_profile_new(name);
    ca->scan = scan;
    g_ptr_array_add(draft->cas, ca);
    load_scan(draft, FILE_CA, scan, ca->ca);
}

static void
load_identity(SignetPolicyDraft *draft, const SignetScan *scan, const char *name)
{
    SignetIdentityDraft *identity = g_new0(SignetIdentityDraft, 1);

    signet_identity_policy_init(&identity->identity, name);
    identity->profile = g_strdup("default");
    identity->scan = scan;
    g_ptr_array_add(draft->identities, identity);
    load_scan(draft, FILE_IDENTITY, scan, identity);
}

static void
load_named(SignetPolicyDraft *draft, const SignetScan *scan, const char *name,
           void (*load)(SignetPolicyDraft *, const SignetScan *, const char *))
{
    SignetPlace place = {scan->path, 0, NULL, NULL};

    if (signet_value_is_name(name))
        load(draft, scan, name);
    else
        signet_problems_add(&draft->problems, &place,
                            "; name the file with small letters, digits, '_' and '-', at most 63, "
                            "then '.conf'",
                            "no usable name");
}

static gboolean
is_policy_name(const char *name)
{
    return *name && !strchr(name, '/') && g_utf8_validate(name, -1, NULL) &&
           !signet_text_has_control(name);
}

static void
load_file(SignetPolicyDraft *draft, const SignetPolicyFile *file)
{
    SignetScan *scan = signet_scan_new(file, &draft->problems);
    g_autofree char *ca = name_in(file->path, "ca.d/");
    g_autofree char *identity = name_in(file->path, "identities.d/");
    g_autofree char *policy = name_in(file->path, "policy.d/");
    SignetPlace place = {file->path, 0, NULL, NULL};

    g_ptr_array_add(draft->scans, scan);
    if (g_str_equal(file->path, "signet.conf"))
        load_scan(draft, FILE_MAIN, scan, NULL);
    else if (ca)
        load_named(draft, scan, ca, load_ca);
    else if (identity)
        load_named(draft, scan, identity, load_identity);
    else if (policy && is_policy_name(policy))
        load_scan(draft, FILE_POLICY, scan, &draft->limits);
    else
        signet_problems_add(&draft->problems, &place,
                            "; Signet reads signet.conf, ca.d/NAME.conf, identities.d/NAME.conf "
                            "and policy.d/NAME.conf",
                            "a file without a meaning");
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    const SignetPolicyFile *const *left = a, *const *right = b;

    return strcmp((*left)->path, (*right)->path);
}

static void
load_files(SignetPolicyDraft *draft, const SignetPolicyFile *files, gsize n_files)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_sized_new((guint)n_files);
    SignetPlace place = {"identities.d", 0, NULL, NULL};

    for (gsize i = 0; i < n_files; i++)
        g_ptr_array_add(sorted, (gpointer)&files[i]);
    g_ptr_array_sort(sorted, compare_paths);
    for (guint i = 0; i < sorted->len && draft->identities->len <= IDENTITIES_MAX; i++) {
        const SignetPolicyFile *file = g_ptr_array_index(sorted, i);

        if (i == 0 || compare_paths(&sorted->pdata[i - 1], &sorted->pdata[i]) != 0)
            load_file(draft, file);
    }
    if (draft->identities->len > IDENTITIES_MAX)
        signet_problems_add(&draft->problems, &place, NULL, "more than %d identities",
                            IDENTITIES_MAX);
}

static void
ca_draft_free(gpointer data)
{
    SignetCaDraft *ca = data;

    g_clear_pointer(&ca->ca, signet_ca_profile_free);
    g_free(ca);
}

static void
identity_draft_free(gpointer data)
{
    SignetIdentityDraft *identity = data;

    signet_identity_policy_clear(&identity->identity);
    g_free(identity->profile);
    g_free(identity);
}

SignetPolicy *
signet_policy_parse(const SignetPolicyFile *files, gsize n_files, GPtrArray *ret_problems)
{
    return signet_policy_parse_for(files, n_files, NULL, 0, ret_problems);
}

SignetPolicy *
signet_policy_parse_for(const SignetPolicyFile *files, gsize n_files, const SignetTokenFacts *known,
                        gsize n_known, GPtrArray *ret_problems)
{
    guint n_problems = ret_problems->len;
    SignetPolicyDraft draft = {
        .scans = g_ptr_array_new_with_free_func((GDestroyNotify)signet_scan_free),
        .policy = signet_policy_new(),
        .cas = g_ptr_array_new_with_free_func(ca_draft_free),
        .identities = g_ptr_array_new_with_free_func(identity_draft_free),
        .limits = {.max_lifetime_s = G_MAXINT64},
        .known = known,
        .n_known = n_known,
        .set_by = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };

    signet_problems_init(&draft.problems, ret_problems);
    get_or_add_profile(draft.policy, "default");
    load_files(&draft, files, n_files);
    signet_policy_draft_check(&draft);

    if (ret_problems->len > n_problems)
        g_clear_pointer(&draft.policy, signet_policy_unref);
    g_hash_table_unref(draft.set_by);
    g_ptr_array_unref(draft.identities);
    g_ptr_array_unref(draft.cas);
    g_ptr_array_unref(draft.scans);
    g_strfreev(draft.limits.keys);
    signet_problems_clear(&draft.problems);
    return draft.policy;
}
