/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Did you mean …? */

#include "agent/ctl/suggest.h"

#include <string.h>

#define WORD_MAX 64

/* Levenshtein's distance, one row at a time. */
static guint
distance(const char *a, const char *b)
{
    gsize size = strlen(b);
    guint row[WORD_MAX + 1];

    if (strlen(a) > WORD_MAX || size > WORD_MAX)
        return G_MAXUINT;
    for (guint j = 0; j <= size; j++)
        row[j] = j;
    for (guint i = 1; a[i - 1]; i++) {
        guint diagonal = row[0];

        row[0] = i;
        for (guint j = 1; j <= size; j++) {
            guint replaced = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(MIN(row[j], row[j - 1]) + 1, replaced);
        }
    }
    return row[size];
}

const char *
signet_suggest(const char *typed, const char *const *words)
{
    const char *best = NULL;
    guint best_distance = (guint)MIN(strlen(typed) / 3 + 1, 3) + 1;

    for (; *words; words++) {
        guint edits = distance(typed, *words);

        if (edits < best_distance && edits < strlen(*words)) {
            best = *words;
            best_distance = edits;
        }
    }
    return best;
}
