/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Aligned columns for people. Nothing that comes from outside reaches the terminal as a control
 * sequence. */

#pragma once

#include <glib.h>

typedef struct SignetTable SignetTable;

/* headings: NULL-terminated, or NULL for a table without a heading line. */
SignetTable *signet_table_new(const char *const *headings, guint n_columns);
void signet_table_free(SignetTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetTable, signet_table_free)

/* n_columns texts, copied; NULL or "" shows as "-". */
void signet_table_add(SignetTable *table, const char *const *cells);
/* Lines, each beginning with indent spaces; the last column is not padded. */
char *signet_table_to_text(const SignetTable *table, guint indent);

/* Control characters become "?". */
char *signet_table_clean(const char *text);

#define SIGNET_TABLE_ROW(...) ((const char *const[]) {__VA_ARGS__})
