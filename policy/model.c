/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words of the model: purposes, protocols, rungs, protections and placeholders. */

#include "policy/model.h"

const char *
signet_purpose_name(SignetPurpose purpose)
{
    switch (purpose) {
#define P(symbol, bit, name)      \
    case SIGNET_PURPOSE_##symbol: \
        return name;
        SIGNET_PURPOSES(P)
#undef P
    }
    return NULL;
}

SignetPurpose
signet_purpose_from_name(const char *name)
{
#define P(symbol, bit, text)     \
    if (g_str_equal(name, text)) \
        return SIGNET_PURPOSE_##symbol;
    SIGNET_PURPOSES(P)
#undef P
    return (SignetPurpose)0;
}

const char *
signet_ca_kind_name(SignetCaKind kind)
{
    switch (kind) {
#define C(symbol, name)      \
    case SIGNET_CA_##symbol: \
        return name;
        SIGNET_CA_KINDS(C)
#undef C
    }
    return NULL;
}

const char *
signet_rung_name(SignetRung rung)
{
    switch (rung) {
#define R(symbol, bit, name)   \
    case SIGNET_RUNG_##symbol: \
        return name;
        SIGNET_RUNGS(R)
#undef R
    }
    return NULL;
}

SignetRung
signet_rung_from_name(const char *name)
{
#define R(symbol, bit, text)     \
    if (g_str_equal(name, text)) \
        return SIGNET_RUNG_##symbol;
    SIGNET_RUNGS(R)
#undef R
    return (SignetRung)0;
}

const char *
signet_protection_name(SignetProtection protection)
{
    switch (protection) {
#define P(symbol, bit, name)         \
    case SIGNET_PROTECTION_##symbol: \
        return name;
        SIGNET_PROTECTIONS(P)
#undef P
    }
    return NULL;
}

SignetProtection
signet_protection_from_name(const char *name)
{
#define P(symbol, bit, text)     \
    if (g_str_equal(name, text)) \
        return SIGNET_PROTECTION_##symbol;
    SIGNET_PROTECTIONS(P)
#undef P
    return (SignetProtection)0;
}

static const char *
placeholder_value(char letter, const char *host_name, const char *machine_id, const char *identity)
{
    switch (letter) {
    case 'H':
        return host_name;
    case 'm':
        return machine_id;
    case 'i':
        return identity;
    case '%':
        return "%";
    default:
        return NULL;
    }
}

char *
signet_policy_expand(const char *template, const char *host_name, const char *machine_id,
                     const char *identity)
{
    GString *out = g_string_new(NULL);

    for (const char *p = template; *p; p++) {
        const char *value =
            *p == '%' ? placeholder_value(p[1], host_name, machine_id, identity) : NULL;

        if (!value) {
            g_string_append_c(out, *p);
            continue;
        }
        g_string_append(out, value);
        p++;
    }
    return g_string_free(out, FALSE);
}
