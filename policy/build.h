/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How the parser puts a SignetPolicy together before it is frozen. For the inside of policy/ only.
 */

#pragma once

#include "policy/model.h"

/* Values with the defaults of DESIGN's tables; names are copied. */
SignetTokenConfig *signet_token_config_new(const char *name);
void signet_token_config_free(SignetTokenConfig *token);
SignetCaProfile *signet_ca_profile_new(const char *name);
void signet_ca_profile_free(SignetCaProfile *ca);
SignetRotationProfile *signet_rotation_profile_new(const char *name);
void signet_rotation_profile_free(SignetRotationProfile *profile);
/* Initialises and clears in place, since the parser keeps more about an identity than the model
 * does. */
void signet_identity_policy_init(SignetIdentityPolicy *identity, const char *name);
void signet_identity_policy_clear(SignetIdentityPolicy *identity);
GPtrArray *signet_rule_list_new(void); /* owns its SignetRule */
SignetRule *signet_rule_new(SignetRuleKind kind, const char *value);

/* An empty policy. Each 'take' owns what it is given from then on; a name that is there already is
 * replaced. */
SignetPolicy *signet_policy_new(void);
void signet_policy_take_token(SignetPolicy *policy, SignetTokenConfig *token);
void signet_policy_take_ca(SignetPolicy *policy, SignetCaProfile *ca);
void signet_policy_take_profile(SignetPolicy *policy, SignetRotationProfile *profile);
/* Moves the content out of *identity, which is left empty. */
void signet_policy_take_identity(SignetPolicy *policy, SignetIdentityPolicy *identity);
void
signet_policy_set_limits(SignetPolicy *policy, SignetLifetimeLimits lifetimes, guint protections);
void signet_policy_require_evidence(SignetPolicy *policy);
SignetRotationProfile *signet_policy_get_profile(const SignetPolicy *policy, const char *name);
/* Puts the lists into the order of names. */
void signet_policy_freeze(SignetPolicy *policy);
