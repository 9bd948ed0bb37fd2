/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policies for tests: from text, and from directories of fixtures. */

#pragma once

#include <check.h>
#include <string.h>

#include "policy/parse.h"

/* Parses one file besides nothing else; problems as one text, a line each. */
static inline SignetPolicy *
parse_text(const char *path, const char *text, char **ret_problems)
{
    SignetPolicyFile file = {path, text, strlen(text)};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(&file, 1, problems);

    ck_assert(!policy == (problems->len > 0));
    g_ptr_array_add(problems, NULL);
    *ret_problems = g_strjoinv("\n", (char **)problems->pdata);
    return policy;
}

/* One identity 'id' from the text of its file, which must be good. */
static inline SignetPolicy *
parse_identity(const char *text)
{
    g_autofree char *problems = NULL;
    SignetPolicy *policy = parse_text("identities.d/id.conf", text, &problems);

    ck_assert_msg(policy != NULL, "%s", problems);
    return policy;
}

/* One rotation profile 'default' from the lines of its group. */
static inline SignetPolicy *
parse_profile(const char *lines)
{
    g_autofree char *text = g_strconcat("[Rotation default]\n", lines, "\n", NULL);
    SignetPolicyFile files[] = {
        {"policy.d/50.conf", text, strlen(text)},
        {"identities.d/id.conf", "", 0},
    };
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);

    ck_assert_msg(policy != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "");
    return policy;
}
