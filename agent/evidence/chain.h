/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Certificates of endorsement and attestation keys. */

#pragma once

#include <glib.h>

typedef struct {
    GBytes *anchors;          /* PEM; each certificate in it is believed, whoever signed it */
    const char *usage;        /* an object identifier of extKeyUsage … */
    gboolean is_usage_needed; /* … that has to be there; else only where there is the extension */
    const char *what;         /* "endorsement certificate" */
    gint64 now_s;
} SignetChainRule;

/* Does the certificate (DER) lead to an anchor? others: DER, tried as a way. POLICY says why not.
 */
gboolean signet_chain_check(GBytes *certificate, GPtrArray *others, const SignetChainRule *rule,
                            GError **error);
/* SubjectPublicKeyInfo; NULL when it is no certificate. */
GBytes *signet_chain_dup_spki(GBytes *certificate);
/* Its issuer, and its subject if it has one, for people. Free with g_free(). */
char *signet_chain_dup_words(GBytes *certificate);
