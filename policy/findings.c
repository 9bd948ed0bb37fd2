/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words for what is learned of a certificate. */

#include "policy/findings.h"

const char *
signet_look_name(SignetLook look)
{
    switch (look) {
#define L(symbol, bit, word)   \
    case SIGNET_LOOK_##symbol: \
        return word;
        SIGNET_LOOKS(L)
#undef L
    }
    return NULL;
}

SignetLook
signet_look_from_name(const char *name)
{
#define L(symbol, bit, word)     \
    if (g_str_equal(name, word)) \
        return SIGNET_LOOK_##symbol;
    SIGNET_LOOKS(L)
#undef L
    return 0;
}

const char *
signet_standing_name(SignetStanding standing)
{
    switch (standing) {
#define S(symbol, word)            \
    case SIGNET_STANDING_##symbol: \
        return word;
        SIGNET_STANDINGS(S)
#undef S
    }
    return NULL;
}

gboolean
signet_standing_from_name(const char *name, SignetStanding *ret_standing)
{
#define S(symbol, word)                           \
    if (g_str_equal(name, word)) {                \
        *ret_standing = SIGNET_STANDING_##symbol; \
        return TRUE;                              \
    }
    SIGNET_STANDINGS(S)
#undef S
    return FALSE;
}

static const struct {
    const char *words;
    gboolean is_of_key;
} reasons[] = {
    {"no reason given", TRUE},
    {"its key is compromised", TRUE},
    {"the key of its CA is compromised", TRUE},
    {"its owner's affiliation has changed", FALSE},
    {"it was superseded", FALSE},
    {"it is not needed any more", FALSE},
    {"it is on hold", FALSE},
    {"no reason given", TRUE}, /* 7 is not used */
    {"it was taken off the list", FALSE},
    {"a privilege was withdrawn", FALSE},
    {"its attribute authority is compromised", TRUE},
};

const char *
signet_revocation_reason_words(guint reason)
{
    return reasons[reason < G_N_ELEMENTS(reasons) ? reason : 0].words;
}

gboolean
signet_revocation_concerns_key(guint reason)
{
    return reasons[reason < G_N_ELEMENTS(reasons) ? reason : 0].is_of_key;
}
