/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policy files (GKeyFile syntax) to a SignetPolicy, with every mistake named by file, line where
 * known, group and key. */

#pragma once

#include "policy/file.h"
#include "policy/fit.h"
#include "policy/model.h"

/* Files in any order; they are taken in the order of their paths, later names override earlier
 * ones. NULL when there was any error; every error found (not only the first) is appended to
 * ret_problems as one line of text for people, which
 * the array must free (g_free). Without a [Token] group there is one token: 'tpm', a
 * TPM at device:/dev/tpmrm0. Without ca.d there is one CA: 'local'. */
SignetPolicy *
signet_policy_parse(const SignetPolicyFile *files, gsize n_files, GPtrArray *ret_problems);

/* The same, and what a token cannot serve is an error too: 'known' is what is known of tokens, in
 * any order. */
SignetPolicy *
signet_policy_parse_for(const SignetPolicyFile *files, gsize n_files, const SignetTokenFacts *known,
                        gsize n_known, GPtrArray *ret_problems);
