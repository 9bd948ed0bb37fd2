/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads the policy files of a directory: bounded, plain files only. */

#pragma once

#include "policy/parse.h"

/* root: e.g. "/etc/signet"; signet.conf and *.conf in ca.d, identities.d and policy.d are read,
 * whichever exist. NULL when there is any mistake; each is appended to ret_problems (of char *) as
 * one line for people. A file that its reader cannot trust (owned by somebody other than root and
 * us, or writable by everybody) is a mistake. Blocks. */
SignetPolicy *signet_config_read(const char *root, GPtrArray *ret_problems);
/* The same, and what a token is known not to serve is a mistake: known: of SignetTokenFacts.
 * ret_copy: (nullable) what was read, for signet_config_read_copy(). */
SignetPolicy *signet_config_read_for(const char *root, const GArray *known, GBytes **ret_copy,
                                     GPtrArray *ret_problems);
/* From what signet_config_read_for() has read before. */
SignetPolicy *signet_config_read_copy(GBytes *copy, GPtrArray *ret_problems);
