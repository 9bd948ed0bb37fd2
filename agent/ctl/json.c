/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* GVariant to JSON (RFC 8259): for --json. */

#include "agent/ctl/json.h"

#include <math.h>
#include <string.h>

typedef struct {
    GString *text;
    gboolean is_pretty;
    guint depth;
} Printer;

static void
print_string(Printer *printer, const char *string)
{
    g_string_append_c(printer->text, '"');
    for (const char *at = string; *at; at++) {
        guchar byte = (guchar)*at;

        if (byte == '"' || byte == '\\')
            g_string_append_printf(printer->text, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            g_string_append_printf(printer->text, "\\u%04x", byte);
        else
            g_string_append_c(printer->text, *at);
    }
    g_string_append_c(printer->text, '"');
}

static void
print_double(Printer *printer, double number)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(printer->text,
                    isfinite(number) ? g_ascii_dtostr(buffer, sizeof buffer, number) : "null");
}

static void
break_line(Printer *printer)
{
    if (!printer->is_pretty)
        return;
    g_string_append_c(printer->text, '\n');
    for (guint i = 0; i < printer->depth; i++)
        g_string_append(printer->text, "  ");
}

static void
print_number(Printer *printer, GVariant *value)
{
    switch (g_variant_classify(value)) { /* GLib's enum: the rest is no number */
    case G_VARIANT_CLASS_BYTE:
        g_string_append_printf(printer->text, "%u", (guint)g_variant_get_byte(value));
        break;
    case G_VARIANT_CLASS_INT16:
        g_string_append_printf(printer->text, "%d", (int)g_variant_get_int16(value));
        break;
    case G_VARIANT_CLASS_UINT16:
        g_string_append_printf(printer->text, "%u", (guint)g_variant_get_uint16(value));
        break;
    case G_VARIANT_CLASS_INT32:
        g_string_append_printf(printer->text, "%d", g_variant_get_int32(value));
        break;
    case G_VARIANT_CLASS_UINT32:
        g_string_append_printf(printer->text, "%u", g_variant_get_uint32(value));
        break;
    case G_VARIANT_CLASS_INT64:
        g_string_append_printf(printer->text, "%" G_GINT64_FORMAT, g_variant_get_int64(value));
        break;
    case G_VARIANT_CLASS_UINT64:
        g_string_append_printf(printer->text, "%" G_GUINT64_FORMAT, g_variant_get_uint64(value));
        break;
    case G_VARIANT_CLASS_DOUBLE:
        print_double(printer, g_variant_get_double(value));
        break;
    case G_VARIANT_CLASS_HANDLE:
    case G_VARIANT_CLASS_BOOLEAN:
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
    case G_VARIANT_CLASS_VARIANT:
    case G_VARIANT_CLASS_MAYBE:
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        g_string_append(printer->text, "null");
        break;
    }
}

static gboolean
is_object(GVariant *value)
{
    return g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}"));
}

static void
begin_item(Printer *printer, gsize index)
{
    if (index > 0)
        g_string_append(printer->text, printer->is_pretty ? "," : ", ");
    break_line(printer);
}

static int
compare_keys(gconstpointer a, gconstpointer b)
{
    g_autoptr(GVariant) key_a = g_variant_get_child_value(*(GVariant *const *)a, 0);
    g_autoptr(GVariant) key_b = g_variant_get_child_value(*(GVariant *const *)b, 0);

    return strcmp(g_variant_get_string(key_a, NULL), g_variant_get_string(key_b, NULL));
}

/* An object's entries in the order of their keys: the same question gets the same text. */
static GPtrArray *
list_items(GVariant *container)
{
    gsize count = g_variant_n_children(container);
    GPtrArray *items = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);

    for (gsize i = 0; i < count; i++)
        g_ptr_array_add(items, g_variant_get_child_value(container, i));
    if (is_object(container))
        g_ptr_array_sort(items, compare_keys);
    return items;
}

/* Prints the key of an object's entry, and hands out its value. */
static GVariant *
take_item(Printer *printer, GVariant *container, GVariant *item)
{
    g_autoptr(GVariant) key = NULL;

    if (!is_object(container))
        return g_variant_ref(item);
    key = g_variant_get_child_value(item, 0);
    print_string(printer, g_variant_get_string(key, NULL));
    g_string_append(printer->text, ": ");
    return g_variant_get_child_value(item, 1);
}

static gboolean
is_plain_container(GVariant *value)
{
    return g_variant_is_container(value) && !g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT) &&
           !g_variant_is_of_type(value, G_VARIANT_TYPE_MAYBE);
}

static gboolean
is_text(GVariant *value)
{
    return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ||
           g_variant_is_of_type(value, G_VARIANT_TYPE_OBJECT_PATH) ||
           g_variant_is_of_type(value, G_VARIANT_TYPE_SIGNATURE);
}

static void
print_value(Printer *printer, GVariant *value)
{
    g_autoptr(GPtrArray) items = g_variant_is_container(value) ? list_items(value) : NULL;

    if (is_text(value)) {
        print_string(printer, g_variant_get_string(value, NULL));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        g_string_append(printer->text, g_variant_get_boolean(value) ? "true" : "false");
    } else if (is_plain_container(value)) {
        g_string_append_c(printer->text, is_object(value) ? '{' : '[');
        printer->depth++;
        for (guint i = 0; i < items->len; i++) {
            g_autoptr(GVariant) item = NULL;

            begin_item(printer, i);
            item = take_item(printer, value, g_ptr_array_index(items, i));
            print_value(printer, item);
        }
        printer->depth--;
        if (items->len > 0)
            break_line(printer);
        g_string_append_c(printer->text, is_object(value) ? '}' : ']');
    } else if (items && items->len > 0) {
        print_value(printer, g_ptr_array_index(items, 0)); /* a variant, or a maybe that is */
    } else {
        print_number(printer, value);
    }
}

char *
signet_json_from_variant(GVariant *value, gboolean is_pretty)
{
    Printer printer = {.text = g_string_new(NULL), .is_pretty = is_pretty};

    print_value(&printer, value);
    return g_string_free(printer.text, FALSE);
}

char *
signet_json_name(const char *property)
{
    GString *name = g_string_new(NULL);

    for (const char *at = property; *at; at++) {
        if (g_ascii_isupper(*at) && at != property)
            g_string_append_c(name, '_');
        g_string_append_c(name, g_ascii_tolower(*at));
    }
    return g_string_free(name, FALSE);
}
