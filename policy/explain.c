/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which lines of which files apply to an identity. */

#include "policy/explain.h"

#include <string.h>

#include "policy/scan.h"

typedef struct {
    GPtrArray *scans; /* (owned) of SignetScan, in the order in which later ones override */
    GPtrArray *lines; /* (owned) the result */
} Search;

static void
line_free(gpointer data)
{
    SignetPolicyLine *line = data;

    g_free(line->group);
    g_free(line->key);
    g_free(line->value);
    g_free(line->path);
    g_free(line);
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
    const SignetScan *const *left = a, *const *right = b;

    return strcmp((*left)->path, (*right)->path);
}

static void
free_scan(gpointer scan)
{
    signet_scan_free(scan);
}

static void
scan_all(Search *search, const SignetPolicyFile *files, gsize n_files)
{
    g_autoptr(GPtrArray) ignored = g_ptr_array_new_with_free_func(g_free);
    SignetProblems problems;

    signet_problems_init(&problems, ignored);
    for (gsize i = 0; i < n_files; i++)
        g_ptr_array_add(search->scans, signet_scan_new(&files[i], &problems));
    g_ptr_array_sort(search->scans, compare_paths);
    signet_problems_clear(&problems);
}

static void
add_line(Search *search, const SignetEntry *entry)
{
    const char *pin = strstr(entry->value, "pin-value=");
    SignetPolicyLine *line = g_new0(SignetPolicyLine, 1);

    line->group = g_strdup(entry->place.group);
    line->key = g_strdup(entry->place.key);
    line->value = pin ? g_strdup("(holds a PIN)") : g_strdup(entry->value);
    line->path = g_strdup(entry->place.path);
    line->line = entry->place.line;
    for (guint i = 0; i < search->lines->len; i++) {
        SignetPolicyLine *before = search->lines->pdata[i];

        if (g_str_equal(before->group, line->group) && g_str_equal(before->key, line->key) &&
            (g_str_equal(before->path, line->path) || g_str_has_prefix(line->path, "policy.d/")))
            before->is_overridden = TRUE;
    }
    g_ptr_array_add(search->lines, line);
}

/* path: of one file, or "policy.d/" for all below. */
static void
add_group(Search *search, const char *path, const char *group)
{
    for (guint i = 0; i < search->scans->len; i++) {
        const SignetScan *scan = search->scans->pdata[i];

        if (g_str_has_suffix(path, "/") ? !g_str_has_prefix(scan->path, path)
                                        : !g_str_equal(scan->path, path))
            continue;
        for (guint j = 0; j < scan->entries->len; j++) {
            const SignetEntry *entry = scan->entries->pdata[j];

            if (entry->value && entry->place.key && g_str_equal(entry->place.group, group))
                add_line(search, entry);
        }
    }
}

static void
add_token(Search *search, const char *name)
{
    g_autofree char *group = g_strdup_printf("Token %s", name);

    add_group(search, "signet.conf", group);
}

static void
add_identity(Search *search, const SignetPolicy *policy, const SignetIdentityPolicy *identity)
{
    static const char *const groups[] = {"Identity", "Access", "Rotation"};
    const SignetCaProfile *ca = signet_policy_get_ca(policy, identity->ca);
    g_autofree char *own = g_strdup_printf("identities.d/%s.conf", identity->name);
    g_autofree char *ca_path = g_strdup_printf("ca.d/%s.conf", identity->ca);
    g_autofree char *profile =
        identity->rotation ? g_strdup_printf("Rotation %s", identity->rotation->name) : NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        add_group(search, own, groups[i]);
    add_token(search, identity->token);
    add_group(search, ca_path, "Ca");
    if (ca && ca->token && !g_str_equal(ca->token, identity->token))
        add_token(search, ca->token);
    if (profile)
        add_group(search, "policy.d/", profile);
    add_group(search, "policy.d/", "Limits");
}

GPtrArray *
signet_policy_explain(const SignetPolicyFile *files, gsize n_files, const SignetPolicy *policy,
                      const char *identity)
{
    const SignetIdentityPolicy *found = signet_policy_get_identity(policy, identity);
    Search search = {
        .scans = g_ptr_array_new_with_free_func(free_scan),
        .lines = g_ptr_array_new_with_free_func(line_free),
    };

    if (found) {
        scan_all(&search, files, n_files);
        add_identity(&search, policy, found);
    }
    g_ptr_array_unref(search.scans);
    return search.lines;
}
