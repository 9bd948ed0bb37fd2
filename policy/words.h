/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Names of an enum's values, both ways: a table that is made from the enum's own X-macro. */

#pragma once

#include <glib.h>

typedef struct {
    guint value;
    const char *name;
} SignetWord;

/* NULL for a value that has none. */
const char *signet_words_name(const SignetWord *words, gsize n_words, guint value);
/* FALSE when no value is called so. */
gboolean
signet_words_find(const SignetWord *words, gsize n_words, const char *name, guint *ret_value);
