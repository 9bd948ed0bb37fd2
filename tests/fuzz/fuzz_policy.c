/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of the policy parser: several files in one input, each after a line "== PATH". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/access.h"
#include "policy/parse.h"
#include "policy/schedule.h"
#include "policy/subject.h"
#include "tests/fuzz/fuzz.h"

#define FILES_MAX 64

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

/* Takes the input apart; the paths are copied into strings, the data stays where it is. */
static gsize
split_files(const char *data, gsize size, SignetPolicyFile *files, GPtrArray *strings)
{
    const char *end = data + size, *p = data;
    gsize n = 0;

    while (p < end && n < FILES_MAX) {
        const char *next = memchr(p, '\n', (gsize)(end - p));
        const char *line_end = next ? next : end;

        if (line_end - p > 3 && strncmp(p, "== ", 3) == 0) {
            char *path = g_strndup(p + 3, (gsize)(line_end - p - 3));

            g_ptr_array_add(strings, path);
            files[n++] = (SignetPolicyFile) {path, next ? next + 1 : end, 0};
        } else if (n > 0) {
            files[n - 1].size = (gsize)((next ? next + 1 : end) - files[n - 1].data);
        }
        p = next ? next + 1 : end;
    }
    return n;
}

static void
check_problems(const GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++) {
        const char *line = problems->pdata[i];

        require(g_utf8_validate(line, -1, NULL), "a problem is UTF-8");
        for (const char *p = line; *p; p = g_utf8_next_char(p))
            require(!g_unichar_iscntrl(g_utf8_get_char(p)), "a problem is one printable line");
    }
}

static void
check_subject(const char *subject)
{
    char *problem = NULL;
    g_autoptr(GPtrArray) parts = signet_policy_subject_parse(subject, &problem);

    require(parts && parts->len > 0 && !problem, "an accepted subject can be taken apart");
}

static void
check_identity(const SignetPolicy *policy, const SignetIdentityPolicy *identity)
{
    SignetPolicyPeer root = {0, 0, "root", NULL, NULL, NULL};
    SignetPolicyPeer stranger = {4000000000u, 4000000000u, NULL, NULL, NULL, NULL};

    require(signet_policy_get_identity(policy, identity->name) == identity, "found by name");
    require(signet_policy_get_token(policy, identity->token) != NULL, "the token is known");
    require(signet_policy_get_ca(policy, identity->ca) != NULL, "the CA is known");
    require(identity->is_ca == (identity->rotation == NULL), "only a CA has no profile");
    require(identity->is_ca == ((identity->purposes & SIGNET_PURPOSE_CERTIFICATE) != 0),
            "only a CA signs certificates");
    require(!signet_access_is_allowed(identity, &root, SIGNET_PURPOSE_CERTIFICATE),
            "nobody signs certificates by access");
    require(identity->allow->len > 0 || identity->owner ||
                !signet_access_is_allowed(identity, &stranger, SIGNET_PURPOSE_TLS_CLIENT),
            "nothing is allowed without a rule");
    check_subject(identity->subject);
    if (identity->rotation) {
        gint64 at = signet_schedule_renew_at(identity->rotation, 1000, 100000, 42, 7);

        require(at >= 1000 && at <= 100000, "renewal is within the validity");
        require(signet_schedule_retry_after(identity->rotation, 3600, 3, 42) >= 1, "a pause");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SignetPolicyFile files[FILES_MAX];
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    gsize n = split_files((const char *)data, size, files, strings);
    g_autoptr(SignetPolicy) policy = signet_policy_parse(files, n, problems);
    const GPtrArray *identities;

    require((policy == NULL) == (problems->len > 0), "a policy or problems, never both");
    check_problems(problems);
    if (!policy)
        return 0;
    identities = signet_policy_get_identities(policy);
    for (guint i = 0; i < identities->len; i++)
        check_identity(policy, identities->pdata[i]);
    return 0;
}
