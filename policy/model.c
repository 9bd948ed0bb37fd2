/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words of the model: purposes, protocols, rungs, protections and placeholders. */

#include "policy/model.h"

#include "policy/words.h"

static const SignetWord purposes[] = {
#define P(symbol, bit, name) {SIGNET_PURPOSE_##symbol, name},
    SIGNET_PURPOSES(P)
#undef P
};

static const SignetWord ca_kinds[] = {
#define C(symbol, name) {SIGNET_CA_##symbol, name},
    SIGNET_CA_KINDS(C)
#undef C
};

static const SignetWord rungs[] = {
#define R(symbol, bit, name) {SIGNET_RUNG_##symbol, name},
    SIGNET_RUNGS(R)
#undef R
};

static const SignetWord protections[] = {
#define P(symbol, bit, name) {SIGNET_PROTECTION_##symbol, name},
    SIGNET_PROTECTIONS(P)
#undef P
};

const char *
signet_purpose_name(SignetPurpose purpose)
{
    return signet_words_name(purposes, G_N_ELEMENTS(purposes), purpose);
}

SignetPurpose
signet_purpose_from_name(const char *name)
{
    guint value = 0;

    (void)signet_words_find(purposes, G_N_ELEMENTS(purposes), name, &value);
    return (SignetPurpose)value;
}

const char *
signet_ca_kind_name(SignetCaKind kind)
{
    return signet_words_name(ca_kinds, G_N_ELEMENTS(ca_kinds), kind);
}

const char *
signet_rung_name(SignetRung rung)
{
    return signet_words_name(rungs, G_N_ELEMENTS(rungs), rung);
}

SignetRung
signet_rung_from_name(const char *name)
{
    guint value = 0;

    (void)signet_words_find(rungs, G_N_ELEMENTS(rungs), name, &value);
    return (SignetRung)value;
}

const char *
signet_protection_name(SignetProtection protection)
{
    return signet_words_name(protections, G_N_ELEMENTS(protections), protection);
}

SignetProtection
signet_protection_from_name(const char *name)
{
    guint value = 0;

    (void)signet_words_find(protections, G_N_ELEMENTS(protections), name, &value);
    return (SignetProtection)value;
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
