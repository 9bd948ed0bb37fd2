/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words for what is learned of a certificate. */

#include "policy/findings.h"

#include "policy/words.h"

static const SignetWord looks[] = {
#define L(symbol, bit, name) {SIGNET_LOOK_##symbol, name},
    SIGNET_LOOKS(L)
#undef L
};

static const SignetWord standings[] = {
#define S(symbol, name) {SIGNET_STANDING_##symbol, name},
    SIGNET_STANDINGS(S)
#undef S
};

const char *
signet_look_name(SignetLook look)
{
    return signet_words_name(looks, G_N_ELEMENTS(looks), look);
}

SignetLook
signet_look_from_name(const char *name)
{
    guint value = 0;

    (void)signet_words_find(looks, G_N_ELEMENTS(looks), name, &value);
    return (SignetLook)value;
}

const char *
signet_standing_name(SignetStanding standing)
{
    return signet_words_name(standings, G_N_ELEMENTS(standings), standing);
}

gboolean
signet_standing_from_name(const char *name, SignetStanding *ret_standing)
{
    guint value;

    if (!signet_words_find(standings, G_N_ELEMENTS(standings), name, &value))
        return FALSE;
    *ret_standing = (SignetStanding)value;
    return TRUE;
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
