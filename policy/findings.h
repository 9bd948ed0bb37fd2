/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What can be learned of a certificate in use from those who know more about it: values only. Times
 * are seconds since 1970, UTC. */

#pragma once

#include <glib.h>

/* What is looked at; a set of them is a bit mask. L(SYMBOL, bit, "word") */
#define SIGNET_LOOKS(L)                                                        \
    L(REVOCATION, 0, "revocation")   /* OCSP (RFC 6960), CRL (RFC 5280) */     \
    L(WINDOW, 1, "window")           /* ACME renewal information (RFC 9773) */ \
    L(AUTHORITIES, 2, "authorities") /* which certificates the CA has now (RFC 7030 4.1) */

typedef enum {
#define L(symbol, bit, word) SIGNET_LOOK_##symbol = 1 << bit,
    SIGNET_LOOKS(L)
#undef L
} SignetLook;

const char *signet_look_name(SignetLook look);
/* 0 when unknown */
SignetLook signet_look_from_name(const char *name);

/* Is it revoked? S(SYMBOL, "word") */
#define SIGNET_STANDINGS(S)                                                     \
    S(UNKNOWN, "unknown") /* it could not be learned, or nobody was asked */    \
    S(NOWHERE, "nowhere") /* the certificate names nobody who could be asked */ \
    S(GOOD, "good")                                                             \
    S(HELD, "held") /* for the time being: reason certificateHold */            \
    S(REVOKED, "revoked")

typedef enum {
#define S(symbol, word) SIGNET_STANDING_##symbol,
    SIGNET_STANDINGS(S)
#undef S
} SignetStanding;

const char *signet_standing_name(SignetStanding standing);
gboolean signet_standing_from_name(const char *name, SignetStanding *ret_standing);

/* CRLReason (RFC 5280 5.3.1); 0, unspecified, for numbers that are none. */
const char *signet_revocation_reason_words(guint reason);
/* Does it put the key in question, and not the certificate alone? So does a reason that is not
 * told. */
gboolean signet_revocation_concerns_key(guint reason);

/* Words in one line, for people. */
#define SIGNET_FINDINGS_WORDS_MAX 200

typedef struct {
    guint looks; /* mask of SignetLook: what the rest is about; others were not had */
    SignetStanding standing;
    guint reason;         /* HELD, REVOKED: CRLReason */
    gint64 revoked_s;     /* HELD, REVOKED: since when, as the CA says */
    gint64 this_update_s; /* GOOD, HELD, REVOKED: how old the answer is … */
    gint64 next_update_s; /* … and until when it counts; 0: it does not say */
    gint64 window_start_s;
    gint64 window_end_s;  /* later than the start; 0: the CA has no window for it */
    gint64 retry_after_s; /* of the window; 0: it does not say */
    gboolean is_leaving;  /* its issuer is on its way out: the CA does not show it any more */
    char words[SIGNET_FINDINGS_WORDS_MAX + 1];        /* who said so, or why nobody did */
    char window_words[SIGNET_FINDINGS_WORDS_MAX + 1]; /* where the CA explains it; or why there is
                                                         no window */
    char issuer_words[SIGNET_FINDINGS_WORDS_MAX + 1];
} SignetFindings;
