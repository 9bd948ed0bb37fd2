/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* May this peer use this key for this purpose? Pure: a verdict and the rule that decided. Nothing
 * is allowed unless a rule says so. */

#pragma once

#include "policy/model.h"

/* The peer as the agent found it. All borrowed. */
typedef struct {
    guint uid;
    guint gid;
    const char *user;          /* (nullable) name of uid */
    const char *const *groups; /* (nullable) names and decimal gids of all its groups */
    const char *unit;          /* (nullable) systemd unit */
    const char *label;         /* (nullable) security label */
} SignetPolicyPeer;

typedef struct {
    gboolean is_allowed;
    /* The rule in words, e.g. "Allow=group:netdev", "the identity's owner", "root", or why not:
     * "no Allow= rule of 'wifi' names user 'nobody' (uid 65534)", "Purposes= of 'wifi' does not
     * list 'csr'". (owned) */
    char *rule;
} SignetVerdict;

void signet_verdict_clear(SignetVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetVerdict, signet_verdict_clear)

/* Root and Owner= always, besides whom an Allow= rule names; then Purposes=. Allocates the words:
 * callers on the hot path use signet_access_is_allowed(). */
SignetVerdict signet_access_check(const SignetIdentityPolicy *identity,
                                  const SignetPolicyPeer *peer, SignetPurpose purpose);
/* The same decision without the words; no allocation. */
gboolean signet_access_is_allowed(const SignetIdentityPolicy *identity,
                                  const SignetPolicyPeer *peer, SignetPurpose purpose);
/* TRUE when deciding needs peer->unit (an Allow=unit: rule is there): looking it up costs. */
gboolean signet_access_needs_unit(const SignetIdentityPolicy *identity);
