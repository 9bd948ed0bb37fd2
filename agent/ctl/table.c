/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Aligned columns for people. */

#include "agent/ctl/table.h"

#define GAP 2

struct SignetTable {
    guint n_columns;
    GPtrArray *rows; /* (owned) of char **, n_columns each */
};

char *
signet_table_clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar letter = g_utf8_get_char(at);

        g_string_append_unichar(clean, g_unichar_iscntrl(letter) ? '?' : letter);
    }
    return g_string_free(clean, FALSE);
}

SignetTable *
signet_table_new(const char *const *headings, guint n_columns)
{
    SignetTable *table = g_new0(SignetTable, 1);

    table->n_columns = n_columns;
    table->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    if (headings)
        signet_table_add(table, headings);
    return table;
}

void
signet_table_free(SignetTable *table)
{
    if (!table)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}

void
signet_table_add(SignetTable *table, const char *const *cells)
{
    char **row = g_new0(char *, table->n_columns + 1);

    for (guint i = 0; i < table->n_columns; i++)
        row[i] = cells[i] && *cells[i] ? signet_table_clean(cells[i]) : g_strdup("-");
    g_ptr_array_add(table->rows, row);
}

static guint
column_width(const SignetTable *table, guint column)
{
    guint width = 0;

    for (guint i = 0; i < table->rows->len; i++) {
        char **row = g_ptr_array_index(table->rows, i);

        width = MAX(width, (guint)g_utf8_strlen(row[column], -1));
    }
    return width;
}

static void
append_spaces(GString *text, guint count)
{
    while (count-- > 0)
        g_string_append_c(text, ' ');
}

char *
signet_table_to_text(const SignetTable *table, guint indent)
{
    GString *text = g_string_new(NULL);
    g_autofree guint *widths = g_new0(guint, table->n_columns);

    for (guint column = 0; column < table->n_columns; column++)
        widths[column] = column_width(table, column);
    for (guint i = 0; i < table->rows->len; i++) {
        char **row = g_ptr_array_index(table->rows, i);

        append_spaces(text, indent);
        for (guint column = 0; column < table->n_columns; column++) {
            g_string_append(text, row[column]);
            if (column + 1 < table->n_columns)
                append_spaces(text, GAP + widths[column] - (guint)g_utf8_strlen(row[column], -1));
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
