/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The policy as the files of a directory say it, read without the agent. */

#pragma once

#include "agent/ctl/ctl.h"
#include "policy/parse.h"

typedef struct {
    const char *root;     /* (unowned): ctl's, or static */
    GPtrArray *problems;  /* (owned) of char *: mistakes, one line each */
    SignetPolicy *policy; /* (owned, nullable) NULL when there is any */
    GArray *files;        /* (owned) of SignetPolicyFile; their texts are in texts */
    GPtrArray *texts;     /* (owned) of char * */
    GArray *known;        /* (owned) of SignetTokenFacts, as the agent wrote them down */
} SignetPolicyReading;

/* Blocks. Not being readable is a problem like others. */
void signet_policy_reading_init(SignetPolicyReading *reading, const SignetCtl *ctl);
void signet_policy_reading_clear(SignetPolicyReading *reading);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetPolicyReading, signet_policy_reading_clear)

/* For commands that need a good policy: says on stderr what is wrong. */
gboolean signet_policy_reading_is_good(const SignetPolicyReading *reading);
