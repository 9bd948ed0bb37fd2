/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The protocols of ca.d/NAME.conf, one table each. */

#include "policy/protocol.h"

#include <string.h>

#include "policy/protocol-acme.h"
#include "policy/subject.h"

#define TABLE_OF(table) .options = table, .n_options = G_N_ELEMENTS(table)

/* RFC 7030 3.2.2: a path segment, and not one of the operations. */
static char *
check_label(const char *value)
{
    static const char *const operations[] = {
        "cacerts",      "simpleenroll", "simplereenroll", "fullcmc",
        "serverkeygen", "csrattrs",     "crls",           NULL};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~";

    if (!*value || strlen(value) > 64 || value[strspn(value, letters)] != '\0' || value[0] == '.')
        return g_strdup("not a label (at most 64 letters, digits, '-', '.', '_' and '~')");
    if (g_strv_contains(operations, value))
        return g_strdup("it is the name of an EST operation");
    return NULL;
}

static const SignetCaOption est_options[] = {
    {"Label", check_label},
};

static char *
check_name(const char *value)
{
    char *problem = NULL;
    g_autoptr(GPtrArray) parts G_GNUC_UNUSED = signet_policy_subject_parse(value, &problem);

    return problem;
}

/* RFC 4210 5.1.1: senderKID; the secret goes with it */
static char *
check_reference(const char *value)
{
    if (*value && strlen(value) <= 128)
        return NULL;
    return g_strdup("not a reference of 1 to 128 bytes");
}

static char *
check_request(const char *value)
{
    static const char *const kinds[] = {"auto", "ir", "cr", "p10cr", NULL};

    return g_strv_contains(kinds, value) ? NULL : g_strdup("neither auto, ir, cr nor p10cr");
}

static char *
check_flag(const char *value)
{
    static const char *const words[] = {"yes", "no", NULL};

    return g_strv_contains(words, value) ? NULL : g_strdup("neither yes nor no");
}

static const SignetCaOption cmp_options[] = {
    {"Reference", check_reference, FALSE}, {"Request", check_request, FALSE},
    {"Recipient", check_name, FALSE},      {"Issuer", check_name, FALSE},
    {"Sender", check_name, FALSE},         {"ImplicitConfirm", check_flag, FALSE},
};

static char *
check_program(const char *value)
{
    return *value == '/' ? NULL : g_strdup("not a path that begins with '/'");
}

static char *
check_fingerprint(const char *value)
{
    g_autofree char *hex = g_ascii_strdown(value, -1);

    if (g_str_has_prefix(hex, "sha256:") && strlen(hex) == strlen("sha256:") + 64 &&
        hex[strlen("sha256:") + strspn(hex + strlen("sha256:"), "0123456789abcdef")] == '\0')
        return NULL;
    return g_strdup("write sha256: and the SHA-256 of the CA's certificate (DER), 64 hexadecimal "
                    "digits");
}

static char *
check_boolean(const char *value)
{
    if (g_str_equal(value, "yes") || g_str_equal(value, "no"))
        return NULL;
    return g_strdup("write yes or no");
}

static char *
check_ca_identifier(const char *value)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~";

    if (*value && strlen(value) <= 64 && value[strspn(value, letters)] == '\0')
        return NULL;
    return g_strdup("write at most 64 letters, digits, '-', '.', '_' and '~'");
}

static const SignetCaOption scep_options[] = {
    {"Fingerprint", check_fingerprint},
    {"AllowLegacyCiphers", check_boolean},
    {"CaIdentifier", check_ca_identifier},
};

static const SignetCaOption exec_options[] = {
    {"Program", check_program, TRUE},
};

static const SignetCaOption acme_options[] = {
    {"Http01", signet_acme_check_http},
    {"Dns01", signet_acme_check_dns},
    {"Program", check_program},
    {"ExternalAccount", signet_acme_check_text},
    {"Contact", signet_acme_check_contacts},
    {"AgreeTerms", signet_acme_check_agreement},
    {"CaProfile", signet_acme_check_text},
    {"PermanentIdentifier", signet_acme_check_permanent},
};

static const SignetCaProtocol protocols[] = {
    {.kind = SIGNET_CA_LOCAL},
    {SIGNET_CA_EST, .is_remote = TRUE, .has_server = TRUE, .needs_anchor = TRUE,
     TABLE_OF(est_options)},
    {SIGNET_CA_CMP, .is_remote = TRUE, .has_server = TRUE, .is_plain_enough = TRUE,
     .needs_anchor = TRUE, .is_signed = TRUE, TABLE_OF(cmp_options)},
    {SIGNET_CA_ACME, .is_remote = TRUE, .has_server = TRUE, .needs_anchor = TRUE,
     .has_account = TRUE, TABLE_OF(acme_options)},
    {SIGNET_CA_SCEP, .is_remote = TRUE, .has_server = TRUE, .is_plain_enough = TRUE,
     TABLE_OF(scep_options)},
    {SIGNET_CA_EXEC, .is_remote = TRUE, TABLE_OF(exec_options)},
    {SIGNET_CA_MANUAL, .is_remote = TRUE},
};

const SignetCaProtocol *
signet_ca_protocol_get(SignetCaKind kind)
{
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (protocols[i].kind == kind)
            return &protocols[i];
    }
    g_assert_not_reached();
}

const SignetCaOption *
signet_ca_protocol_find(const SignetCaProtocol *protocol, const char *key)
{
    for (gsize i = 0; i < protocol->n_options; i++) {
        if (g_str_equal(protocol->options[i].name, key))
            return &protocol->options[i];
    }
    return NULL;
}

const SignetCaProtocol *
signet_ca_protocol_of_option(const char *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++) {
        if (signet_ca_protocol_find(&protocols[i], key))
            return &protocols[i];
    }
    return NULL;
}
