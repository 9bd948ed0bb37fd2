/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the keys of one [Ca] have to do with each other: the protocol decides which there may be. */

#include <string.h>

#include "policy/draft.h"
#include "policy/protocol.h"
#include "policy/value.h"

/* The keys that are for some protocols only, and for none but them. */
typedef enum {
    FOR_LOCAL,
    FOR_KEY, /* it has a key of its own on this machine */
    FOR_REMOTE,
    FOR_SERVER, /* remote, and a server is spoken to */
} Whose;

static const struct {
    const char *key;
    Whose whose;
} shared_keys[] = {
    {"Token", FOR_KEY},        {"Key", FOR_KEY},           {"Subject", FOR_LOCAL},
    {"CaLifetime", FOR_LOCAL}, {"Lifetime", FOR_LOCAL},    {"Trust", FOR_REMOTE},
    {"Timeout", FOR_REMOTE},   {"Url", FOR_SERVER},        {"Pin", FOR_SERVER},
    {"Proxy", FOR_SERVER},     {"SecretFile", FOR_SERVER}, {"SecretCredential", FOR_SERVER},
    {"SecretUse", FOR_SERVER}, {"Bootstrap", FOR_SERVER},  {"BootstrapIdentity", FOR_SERVER},
};

static gboolean
is_for(const SignetCaProtocol *protocol, Whose whose)
{
    switch (whose) {
    case FOR_LOCAL:
        return !protocol->is_remote;
    case FOR_KEY:
        return !protocol->is_remote || protocol->has_account;
    case FOR_REMOTE:
        return protocol->is_remote;
    case FOR_SERVER:
        return protocol->has_server;
    }
    return FALSE;
}

static gboolean
is_for_others(const SignetCaProtocol *protocol, const char *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(shared_keys); i++) {
        if (g_str_equal(shared_keys[i].key, key))
            return !is_for(protocol, shared_keys[i].whose);
    }
    return signet_ca_protocol_of_option(key) && !signet_ca_protocol_find(protocol, key);
}

static void
check_option(SignetPolicyDraft *draft, const SignetCaOption *option, const SignetEntry *entry,
             GStrvBuilder *options)
{
    g_autofree char *problem = option->check(entry->value);
    g_autofree char *text = g_strconcat(option->name, "=", entry->value, NULL);

    if (problem) {
        g_autofree char *shown = signet_problem_quote(entry->value);
        g_autofree char *tail = g_strconcat(": ", problem, NULL);

        signet_problems_add(&draft->problems, &entry->place, tail, "cannot use '%s' as '%s'", shown,
                            option->name);
        return;
    }
    g_strv_builder_add(options, text);
}

static void
check_keys(SignetPolicyDraft *draft, SignetCaDraft *ca, const SignetCaProtocol *protocol)
{
    g_autoptr(GStrvBuilder) options = g_strv_builder_new();

    for (guint i = 0; i < ca->scan->entries->len; i++) {
        const SignetEntry *entry = g_ptr_array_index(ca->scan->entries, i);
        const char *key = entry->place.key;

        if (!entry->value || g_strcmp0(entry->place.group, "Ca") != 0)
            continue;
        if (is_for_others(protocol, key))
            signet_problems_add(&draft->problems, &entry->place, NULL,
                                "'%s' is not for a CA with Protocol=%s", key,
                                signet_ca_kind_name(protocol->kind));
        else if (signet_ca_protocol_find(protocol, key))
            check_option(draft, signet_ca_protocol_find(protocol, key), entry, options);
    }
    g_strfreev(ca->ca->remote.options);
    ca->ca->remote.options = g_strv_builder_end(options);
}

/* The line that makes it a remote CA is where something is missing. */
static SignetPlace
place_of_lack(const SignetCaDraft *ca)
{
    return signet_policy_draft_place(ca->scan, "Ca", "Protocol");
}

static void
check_needed(SignetPolicyDraft *draft, const SignetCaDraft *ca, const SignetCaProtocol *protocol)
{
    SignetPlace lack = place_of_lack(ca);

    for (gsize i = 0; i < protocol->n_options; i++) {
        const SignetCaOption *option = &protocol->options[i];

        if (option->is_needed && !signet_scan_find(ca->scan, "Ca", option->name))
            signet_problems_add(&draft->problems, &lack, NULL, "no key '%s'", option->name);
    }
}

static void
check_url(SignetPolicyDraft *draft, const SignetCaDraft *ca, const SignetCaProtocol *protocol)
{
    const SignetCaRemote *remote = &ca->ca->remote;
    SignetPlace url = signet_policy_draft_place(ca->scan, "Ca", "Url");
    SignetPlace lack = place_of_lack(ca);
    gboolean is_plain = remote->url && g_str_has_prefix(remote->url, "http:");

    if (!remote->url && url.line == 0) /* else its value was bad, which has been said */
        signet_problems_add(&draft->problems, &lack, "; write Url=https://…", "no key 'Url'");
    if (is_plain && !protocol->is_plain_enough)
        signet_problems_add(&draft->problems, &url, "; write https://…",
                            "Protocol=%s does not go over http://",
                            signet_ca_kind_name(protocol->kind));
    if (remote->url && !is_plain && protocol->needs_anchor && !remote->trust &&
        !signet_scan_find(ca->scan, "Ca", "Trust") && !signet_scan_find(ca->scan, "Ca", "Pin"))
        signet_problems_add(&draft->problems, &lack,
                            "; write Trust= with a PEM file of the CA's certificates, Pin=, or "
                            "Trust=system",
                            "nothing says how to know the CA's server");
}

/* Where answers are signed, TLS does not say whose they are. */
static void
check_signer(SignetPolicyDraft *draft, const SignetCaDraft *ca)
{
    SignetPlace lack = place_of_lack(ca);
    SignetPlace trust = signet_policy_draft_place(ca->scan, "Ca", "Trust");
    gboolean is_system = g_strcmp0(ca->ca->remote.trust, "system") == 0;
    gboolean has_secret = signet_scan_find(ca->scan, "Ca", "SecretFile") ||
                          signet_scan_find(ca->scan, "Ca", "SecretCredential");

    if (!has_secret && (is_system || trust.line == 0))
        signet_problems_add(&draft->problems, is_system ? &trust : &lack,
                            "; write Trust= with a PEM file of the CA's certificates, or "
                            "SecretFile=",
                            "nothing says whose answers are the CA's");
}

/* The CA's messages are believed by its certificate, which anybody may send. */
static void
check_scep(SignetPolicyDraft *draft, const SignetCaDraft *ca)
{
    SignetPlace lack = place_of_lack(ca);

    if (!signet_scan_find(ca->scan, "Ca", "Trust") && !signet_scan_find(ca->scan, "Ca", "Pin") &&
        !signet_scan_find(ca->scan, "Ca", "Fingerprint"))
        signet_problems_add(&draft->problems, &lack,
                            "; write Fingerprint=sha256:…, Pin= or Trust= with a PEM file",
                            "nothing says how to know the CA");
}

static void
check_secret(SignetPolicyDraft *draft, const SignetCaDraft *ca)
{
    const SignetCaRemote *remote = &ca->ca->remote;
    SignetPlace credential = signet_policy_draft_place(ca->scan, "Ca", "SecretCredential");
    SignetPlace use = signet_policy_draft_place(ca->scan, "Ca", "SecretUse");
    gboolean has_secret = signet_scan_find(ca->scan, "Ca", "SecretFile") || credential.line > 0;

    if (remote->secret_file && remote->secret_credential)
        signet_problems_add(&draft->problems, &credential, "; keep one of them",
                            "'SecretCredential' beside 'SecretFile'");
    if (!has_secret && use.line > 0)
        signet_problems_add(&draft->problems, &use, "; add SecretFile= or SecretCredential=",
                            "'SecretUse' without a secret");
}

void
signet_policy_draft_check_ca(SignetPolicyDraft *draft, SignetCaDraft *ca)
{
    const SignetCaProtocol *protocol = signet_ca_protocol_get(ca->ca->kind);

    check_keys(draft, ca, protocol);
    check_needed(draft, ca, protocol);
    if (!protocol->has_server)
        return;
    check_url(draft, ca, protocol);
    if (protocol->is_signed)
        check_signer(draft, ca);
    check_secret(draft, ca);
    if (protocol->kind == SIGNET_CA_SCEP)
        check_scep(draft, ca);
}
