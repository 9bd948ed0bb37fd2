/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A subject name as administrators write it, "CN=%H,O=Example", taken apart. */

#include "policy/subject.h"

#include <string.h>

#include "policy/text.h"

#define MAX_PARTS 16

/* RFC 5280 appendix A.1 and, for DC and emailAddress, RFC 4519 and RFC 2985: upper bounds in
 * characters. */
static const struct {
    const char *type;
    glong longest;
    gboolean is_ascii;
} types[] = {
    {"CN", 64, FALSE},          {"O", 64, FALSE},
    {"OU", 64, FALSE},          {"C", 2, TRUE},
    {"ST", 128, FALSE},         {"L", 128, FALSE},
    {"serialNumber", 64, TRUE}, {"emailAddress", 255, TRUE},
    {"DC", 63, TRUE},           {"UID", 256, FALSE},
};

static void
part_free(gpointer data)
{
    SignetSubjectPart *part = data;

    g_free(part->value);
    g_free(part);
}

static int
find_type(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strcasecmp(types[i].type, name) == 0)
            return (int)i;
    }
    return -1;
}

static const char *
skip_spaces(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

/* What stands after a backslash: appends the byte and returns what follows, or NULL. */
static const char *
read_escape(const char *p, GString *value)
{
    if (*p && strchr(",+\"\\<>;=# ", *p)) {
        g_string_append_c(value, *p);
        return p + 1;
    }
    if (g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1])) {
        g_string_append_c(value,
                          (char)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1])));
        return p + 2;
    }
    return NULL;
}

/* Reads up to the comma or the end. Spaces at the end do not count unless they are escaped. */
static const char *
read_value(const char *p, GString *value, char **ret_problem)
{
    gsize kept = 0;

    if (*p == '#') {
        *ret_problem = g_strdup("a value begins with '#'; write '\\#' for the character itself");
        return NULL;
    }
    while (*p && *p != ',') {
        if (*p == '\\') {
            p = read_escape(p + 1, value);
            if (!p) {
                *ret_problem = g_strdup("a backslash stands before something that needs none");
                return NULL;
            }
            kept = value->len;
            continue;
        }
        if (strchr("+\"<>;", *p)) {
            *ret_problem =
                g_strdup_printf("write '\\%c' for the character '%c' in a value", *p, *p);
            return NULL;
        }
        g_string_append_c(value, *p);
        if (*p != ' ')
            kept = value->len;
        p++;
    }
    g_string_truncate(value, kept);
    return p;
}

static char *
check_value(int type, const GString *value)
{
    const char *name = types[type].type;

    if (value->len == 0)
        return g_strdup_printf("%s has no value", name);
    if (!g_utf8_validate_len(value->str, value->len, NULL) || signet_text_has_control(value->str))
        return g_strdup_printf("the value of %s is not printable UTF-8 text", name);
    if (types[type].is_ascii && !g_str_is_ascii(value->str))
        return g_strdup_printf("the value of %s must be ASCII", name);
    if (strchr(value->str, '%'))
        return NULL; /* known only when expanded */
    if (g_utf8_strlen(value->str, -1) > types[type].longest)
        return g_strdup_printf("the value of %s is longer than %ld characters", name,
                               types[type].longest);
    if (g_str_equal(name, "C") &&
        !(g_ascii_isalpha(value->str[0]) && g_ascii_isalpha(value->str[1])))
        return g_strdup("C must be a country's two letters");
    return NULL;
}

/* Reads one TYPE=VALUE; returns what follows it. */
static const char *
read_part(const char *p, GPtrArray *parts, char **ret_problem)
{
    const char *equals = strchr(p, '=');
    g_autofree char *name = equals ? g_strchomp(g_strndup(p, (gsize)(equals - p))) : NULL;
    int type = name ? find_type(name) : -1;
    GString *value;
    SignetSubjectPart *part;

    if (type < 0) {
        g_autofree char *cut = g_strndup(p, 20);
        g_autofree char *shown = g_utf8_make_valid(cut, -1);

        *ret_problem = g_strdup_printf("'%s' does not begin with an attribute that Signet knows: "
                                       "CN=, O=, OU=, C=, ST=, L=, serialNumber=, "
                                       "emailAddress=, DC= or UID=",
                                       shown);
        return NULL;
    }
    value = g_string_new(NULL);
    p = read_value(skip_spaces(equals + 1), value, ret_problem);
    if (p)
        *ret_problem = check_value(type, value);
    if (!p || *ret_problem) {
        g_string_free(value, TRUE);
        return NULL;
    }
    part = g_new0(SignetSubjectPart, 1);
    part->type = types[type].type;
    part->value = g_string_free(value, FALSE);
    g_ptr_array_add(parts, part);
    return p;
}

GPtrArray *
signet_policy_subject_parse(const char *subject, char **ret_problem)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(part_free);
    const char *p = skip_spaces(subject);

    *ret_problem = NULL;
    for (;;) {
        p = read_part(p, parts, ret_problem);
        if (!p)
            return NULL;
        if (!*p)
            return g_steal_pointer(&parts);
        p = skip_spaces(p + 1);
        if (parts->len == MAX_PARTS) {
            *ret_problem = g_strdup_printf("it has more than %d attributes", MAX_PARTS);
            return NULL;
        }
    }
}
