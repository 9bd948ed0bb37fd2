/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the files said, while the parser still checks it: model values and the places they came
 * from. For the inside of policy/ only. */

#pragma once

#include "policy/build.h"
#include "policy/fit.h"
#include "policy/problem.h"
#include "policy/scan.h"

/* identities.d/NAME.conf */
typedef struct {
    SignetIdentityPolicy identity;
    char *profile;          /* (owned) Profile= */
    const SignetScan *scan; /* (unowned): the draft's scans outlive it */
} SignetIdentityDraft;

/* ca.d/NAME.conf, or the CA that is there without any file */
typedef struct {
    SignetCaProfile *ca;          /* (owned, nullable) until the policy has it */
    const SignetCaProfile *taken; /* (unowned, nullable): the policy's, from then on */
    const SignetScan *scan;       /* (unowned, nullable) */
} SignetCaDraft;

typedef struct {
    char **keys; /* (owned, nullable): everything is allowed */
    gint64 min_lifetime_s;
    gint64 max_lifetime_s;
    guint protections;
    gboolean is_evidence_required;
} SignetLimitsDraft;

typedef struct {
    SignetProblems problems;
    GPtrArray *scans;      /* (owned) of SignetScan */
    SignetPolicy *policy;  /* (owned) tokens and profiles are put there at once */
    GPtrArray *cas;        /* (owned) of SignetCaDraft */
    GPtrArray *identities; /* (owned) of SignetIdentityDraft */
    SignetLimitsDraft limits;
    const SignetTokenFacts *known; /* (unowned): the caller's */
    gsize n_known;
    GHashTable *set_by; /* (owned) "group\nkey" of signet.conf and policy.d → the SignetEntry that
                           set it last */
} SignetPolicyDraft;

/* (nullable) Borrowed: who set a key of signet.conf or policy.d. */
const SignetEntry *
signet_policy_draft_find(const SignetPolicyDraft *draft, const char *group, const char *key);
/* Where a reader must look for a key of a file: its line, or the file when a default is meant. */
SignetPlace signet_policy_draft_place(const SignetScan *scan, const char *group, const char *key);
/* Whether the keys of a [Ca] fit its protocol and each other; fills remote.options. */
void signet_policy_draft_check_ca(SignetPolicyDraft *draft, SignetCaDraft *ca);
/* Whether the keys of a [Rotation NAME] fit each other. */
void signet_policy_draft_check_profiles(SignetPolicyDraft *draft);
/* Fills defaults that depend on more than one file, checks every reference and limit, and moves the
 * result into draft->policy. Adds a problem for everything that does not fit. */
void signet_policy_draft_check(SignetPolicyDraft *draft);
