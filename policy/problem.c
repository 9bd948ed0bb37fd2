/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is wrong in policy files, in words, with the place. */

#include "policy/problem.h"

#include <string.h>

#define QUOTE_MAX 60
#define WORD_MAX  64

void
signet_problems_init(SignetProblems *problems, GPtrArray *lines)
{
    problems->lines = lines;
    problems->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void
signet_problems_clear(SignetProblems *problems)
{
    g_clear_pointer(&problems->by_path, g_hash_table_unref);
}

/* Counts a problem of a file; FALSE when there are too many already. */
static gboolean
count_problem(SignetProblems *problems, const char *path)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(problems->by_path, path)) + 1;
    g_autofree char *quoted = NULL;

    if (count > SIGNET_PROBLEMS_MAX + 1)
        return FALSE;
    g_hash_table_insert(problems->by_path, g_strdup(path), GUINT_TO_POINTER(count));
    if (count <= SIGNET_PROBLEMS_MAX)
        return TRUE;
    quoted = signet_problem_quote(path);
    g_ptr_array_add(problems->lines, g_strdup_printf("more problems in %s are not listed", quoted));
    return FALSE;
}

void
signet_problems_add(SignetProblems *problems, const SignetPlace *place, const char *tail,
                    const char *format, ...)
{
    g_autofree char *path = signet_problem_quote(place->path);
    GString *line = g_string_new(NULL);
    va_list args;

    va_start(args, format);
    g_string_append_vprintf(line, format, args);
    va_end(args);
    if (place->group)
        g_string_append_printf(line, " in group [%s] of %s", place->group, path);
    else
        g_string_append_printf(line, " in %s", path);
    if (place->line > 0)
        g_string_append_printf(line, ":%u", place->line);
    if (tail)
        g_string_append(line, tail);

    if (count_problem(problems, place->path))
        g_ptr_array_add(problems->lines, g_string_free(line, FALSE));
    else
        g_string_free(line, TRUE);
}

char *
signet_problem_quote(const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    GString *out = g_string_new(NULL);
    guint count = 0;

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (++count > QUOTE_MAX) {
            g_string_append(out, "…");
            break;
        }
        if (g_unichar_isprint(c))
            g_string_append_unichar(out, c);
        else
            g_string_append_c(out, '?');
    }
    return g_string_free(out, FALSE);
}

/* How many letters must be inserted, removed or changed to make one word of the other; case does
 * not count. */
static guint
distance(const char *a, const char *b)
{
    guint row[WORD_MAX + 1];
    gsize length = strlen(b);

    for (gsize j = 0; j <= length; j++)
        row[j] = (guint)j;
    for (gsize i = 0; a[i]; i++) {
        guint diagonal = row[0];

        row[0] = (guint)i + 1;
        for (gsize j = 1; j <= length; j++) {
            guint change = diagonal + (g_ascii_tolower(a[i]) != g_ascii_tolower(b[j - 1]));

            diagonal = row[j];
            row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

char *
signet_problem_hint(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    guint least = G_MAXUINT;

    if (strlen(word) > WORD_MAX)
        return NULL;
    for (; *names; names++) {
        guint steps = strlen(*names) <= WORD_MAX ? distance(word, *names) : G_MAXUINT;

        if (steps < least) {
            least = steps;
            nearest = *names;
        }
    }
    /* A third of the word may be wrong: more is another word. */
    if (!nearest || least > MAX(1, strlen(nearest) / 3))
        return NULL;
    return g_strdup_printf("; did you mean '%s'?", nearest);
}
