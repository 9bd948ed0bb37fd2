/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which lines of which files apply to an identity. Pure. */

#pragma once

#include "policy/parse.h"

typedef struct {
    char *group; /* (owned) "Rotation default" */
    char *key;   /* (owned) */
    char *value; /* (owned) as written, but for a PIN */
    char *path;  /* (owned) */
    guint line;
    gboolean is_overridden; /* a later line of another file, or of the same one, counts instead */
} SignetPolicyLine;

/* Every line that says something about the identity: its own file, its token, its CA and that one's
 * token, its rotation profile, the limits; in this order, and within it in that of the files. Of
 * SignetPolicyLine; free with g_ptr_array_unref(). policy: what these files became. Empty when
 * there is no such identity. */
GPtrArray *signet_policy_explain(const SignetPolicyFile *files, gsize n_files,
                                 const SignetPolicy *policy, const char *identity);
