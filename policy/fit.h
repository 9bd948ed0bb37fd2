/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Can a token serve what the policy asks of it? Pure. What is not known never stands in the way:
 * without facts, or with facts of a device that was found in another place, everything fits. */

#pragma once

#include "policy/facts.h"
#include "policy/model.h"

/* What is known of one token. Borrowed. */
typedef struct {
    const char *token;
    GVariant *facts;
} SignetTokenFacts;

/* Tcti= or Uri=: where facts must have been found to be about this token. Borrowed. */
const char *signet_fit_place(const SignetTokenConfig *token);

/* is_made_there: the token has to make the key; else it has been made, and is used only.
 * Each gives NULL when it fits, or why it does not and what the token can do instead, as the end of
 * a sentence (owned by the caller). token, facts: nullable. */
char *signet_fit_key(const SignetTokenConfig *token, GVariant *facts, const char *key,
                     gboolean is_made_there);
char *signet_fit_purposes(const SignetTokenConfig *token, GVariant *facts, const char *key,
                          guint purposes);
char *signet_fit_sessions(const SignetTokenConfig *token, GVariant *facts);
/* (nullable) Borrowed from the facts. */
const char *signet_fit_find_protection(const SignetTokenConfig *token, GVariant *facts);
/* protection: NULL or "" when it is not known; allowed: mask of SignetProtection; 0: any */
char *signet_fit_protection(const char *token, const char *protection, guint allowed);
/* Can it give evidence of its keys that others believe? A TPM can, unless it is known to have no
 * endorsement certificate. */
char *signet_fit_evidence(const SignetTokenConfig *token, GVariant *facts);
/* The first two as one sentence that names the identity. */
char *signet_fit_identity(const SignetTokenConfig *token, GVariant *facts,
                          const SignetIdentityPolicy *identity);
