/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policy files as lines: GKeyFile's syntax with the line numbers that GKeyFile does not tell. */

#include "policy/scan.h"

#include <string.h>

#include "policy/text.h"

static void
entry_free(gpointer data)
{
    SignetEntry *entry = data;

    g_free(entry->value);
    g_free(entry);
}

static char *
keep(SignetScan *scan, char *text)
{
    g_ptr_array_add(scan->strings, text);
    return text;
}

static void
add_entry(SignetScan *scan, SignetPlace place, char *value)
{
    SignetEntry *entry = g_new0(SignetEntry, 1);

    entry->place = place;
    entry->value = value;
    g_ptr_array_add(scan->entries, entry);
}

/* The line of the byte at 'at'. */
static guint
line_of(const SignetPolicyFile *file, gsize at)
{
    guint line = 1;

    for (gsize i = 0; i < at; i++)
        line += file->data[i] == '\n';
    return line;
}

static gboolean
is_text(const SignetPolicyFile *file, SignetProblems *problems)
{
    SignetPlace place = {file->path, 0, NULL, NULL};
    const char *end = NULL;

    if (file->size > SIGNET_POLICY_FILE_MAX) {
        signet_problems_add(problems, &place, "; split it", "more than %d bytes",
                            SIGNET_POLICY_FILE_MAX);
        return FALSE;
    }
    if (file->size == 0 || g_utf8_validate_len(file->data, file->size, &end))
        return TRUE;
    place.line = line_of(file, (gsize)(end - file->data));
    signet_problems_add(problems, &place, NULL, *end ? "bytes that are not UTF-8" : "a NUL byte");
    return FALSE;
}

/* "[Rotation default]" becomes the current group. */
static void
scan_group(SignetScan *scan, SignetPlace *place, const char *line, SignetProblems *problems)
{
    gsize length = strlen(line);

    place->group = NULL;
    place->key = NULL;
    if (length < 3 || line[length - 1] != ']' || strcspn(line + 1, "[]") != length - 2) {
        g_autofree char *shown = signet_problem_quote(line);

        signet_problems_add(problems, place, "; write [NAME]", "'%s' is no group", shown);
        return;
    }
    place->group = keep(scan, g_strndup(line + 1, length - 2));
    add_entry(scan, *place, NULL);
}

static void
scan_pair(SignetScan *scan, SignetPlace place, const char *line, SignetProblems *problems)
{
    const char *equals = strchr(line, '=');
    g_autofree char *shown = signet_problem_quote(line);

    if (!equals || equals == line) {
        signet_problems_add(problems, &place, "; write KEY=VALUE, [GROUP] or # COMMENT",
                            "cannot read '%s'", shown);
        return;
    }
    if (!place.group) {
        signet_problems_add(problems, &place, "; begin with a line like [Identity]",
                            "'%s' stands in no group", shown);
        return;
    }
    place.key = keep(scan, g_strchomp(g_strndup(line, (gsize)(equals - line))));
    add_entry(scan, place, g_strstrip(g_strdup(equals + 1)));
}

static void
scan_lines(SignetScan *scan, char *text, SignetProblems *problems)
{
    SignetPlace place = {scan->path, 0, NULL, NULL};
    gboolean is_lost = FALSE; /* below a group that could not be read: one problem is enough */

    for (char *next = text; next;) {
        char *line = next;
        char *end = strchr(line, '\n');

        next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        place.line++;
        g_strstrip(line);
        if (*line == '\0' || *line == '#')
            continue;
        if (signet_text_has_control(line)) {
            signet_problems_add(problems, &place, NULL, "a control character");
        } else if (*line == '[') {
            scan_group(scan, &place, line, problems);
            is_lost = !place.group;
        } else if (!is_lost) {
            scan_pair(scan, place, line, problems);
        }
    }
}

SignetScan *
signet_scan_new(const SignetPolicyFile *file, SignetProblems *problems)
{
    SignetScan *scan = g_new0(SignetScan, 1);

    scan->path = file->path;
    scan->entries = g_ptr_array_new_with_free_func(entry_free);
    scan->strings = g_ptr_array_new_with_free_func(g_free);
    if (is_text(file, problems)) {
        g_autofree char *text = g_strndup(file->data ? file->data : "", file->size);

        scan_lines(scan, text, problems);
    }
    return scan;
}

void
signet_scan_free(SignetScan *scan)
{
    g_ptr_array_unref(scan->entries);
    g_ptr_array_unref(scan->strings);
    g_free(scan);
}

const SignetEntry *
signet_scan_find(const SignetScan *scan, const char *group, const char *key)
{
    for (guint i = 0; i < scan->entries->len; i++) {
        const SignetEntry *entry = g_ptr_array_index(scan->entries, i);

        if (entry->value && g_str_equal(entry->place.group, group) &&
            g_str_equal(entry->place.key, key))
            return entry;
    }
    return NULL;
}
