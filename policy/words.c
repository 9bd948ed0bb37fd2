/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Looks through a table. */

#include "policy/words.h"

const char *
signet_words_name(const SignetWord *words, gsize n_words, guint value)
{
    for (gsize i = 0; i < n_words; i++) {
        if (words[i].value == value)
            return words[i].name;
    }
    return NULL;
}

gboolean
signet_words_find(const SignetWord *words, gsize n_words, const char *name, guint *ret_value)
{
    for (gsize i = 0; i < n_words; i++) {
        if (!g_str_equal(words[i].name, name))
            continue;
        *ret_value = words[i].value;
        return TRUE;
    }
    return FALSE;
}
