/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The values that are lists, separated by ';': alternative names, rules, purposes, units, limits.
 */

#include "policy/value.h"

#include <string.h>

#include "policy/build.h"
#include "policy/problem.h"

#define LIST_MAX 256

static const SignetPurpose all_purposes[] = {
#define P(symbol, bit, name) SIGNET_PURPOSE_##symbol,
    SIGNET_PURPOSES(P)
#undef P
};

/* One item of a list: NULL when good, else what is wrong with it (owned by the caller). */
typedef char *(*ItemCheck)(const char *item);

char **
signet_value_split_list(const char *value)
{
    GPtrArray *items = g_ptr_array_new();
    g_autoptr(GString) item = g_string_new(NULL);

    for (const char *p = value;; p++) {
        if (p[0] == '\\' && p[1] == ';') {
            g_string_append_c(item, *++p);
            continue;
        }
        if (*p && *p != ';') {
            g_string_append_c(item, *p);
            continue;
        }
        g_strstrip(item->str);
        if (*item->str)
            g_ptr_array_add(items, g_strdup(item->str));
        g_string_truncate(item, 0);
        if (!*p)
            break;
    }
    g_ptr_array_add(items, NULL);
    return (char **)g_ptr_array_free(items, FALSE);
}

static char *
set_list(const char *value, gpointer field, ItemCheck check)
{
    g_auto(GStrv) items = signet_value_split_list(value);
    char ***list = field;

    if (g_strv_length(items) > LIST_MAX)
        return g_strdup_printf("the list has more than %d items", LIST_MAX);
    for (char **item = items; *item; item++) {
        char *problem = check(*item);

        if (problem)
            return problem;
    }
    g_strfreev(*list);
    *list = g_steal_pointer(&items);
    return NULL;
}

/* What an item will look like, for checking its syntax. */
static char *
expand_sample(const char *item, char **ret_problem)
{
    *ret_problem = signet_value_find_bad_placeholder(item);
    return *ret_problem ? NULL
                        : signet_policy_expand(item, "host.example",
                                               "0123456789abcdef0123456789abcdef", "identity");
}

static gboolean
is_dns_label(const char *label)
{
    gsize length = strlen(label);

    return length > 0 && length <= 63 && label[0] != '-' && label[length - 1] != '-' &&
           label[strspn(
               label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0';
}

static char *
check_dns(const char *item)
{
    char *problem = NULL;
    g_autofree char *name = expand_sample(item, &problem);
    g_auto(GStrv) labels = NULL;
    gboolean is_good;

    if (problem)
        return problem;
    labels = g_strsplit(name, ".", -1);
    is_good = strlen(name) <= 253 && !g_hostname_is_ip_address(name);
    for (guint i = 0; labels[i] && is_good; i++)
        is_good = is_dns_label(labels[i]) || (i == 0 && g_str_equal(labels[i], "*") && labels[1]);
    return is_good ? NULL : g_strdup_printf("'%s' is not a DNS name", item);
}

static char *
check_ip(const char *item)
{
    if (g_hostname_is_ip_address(item) && !strchr(item, '%'))
        return NULL;
    return g_strdup_printf("'%s' is not an IPv4 or IPv6 address", item);
}

static char *
check_uri(const char *item)
{
    char *problem = NULL;
    g_autofree char *uri = expand_sample(item, &problem);

    if (problem)
        return problem;
    if (g_str_is_ascii(uri) && g_uri_is_valid(uri, G_URI_FLAGS_NONE, NULL))
        return NULL;
    return g_strdup_printf("'%s' is not an absolute URI in ASCII", item);
}

static char *
check_email(const char *item)
{
    char *problem = NULL;
    g_autofree char *address = expand_sample(item, &problem);
    const char *at = address ? strrchr(address, '@') : NULL;

    if (problem)
        return problem;
    if (at && at != address && at[1] && g_str_is_ascii(address) && !strpbrk(address, " <>,") &&
        strchr(address, '@') == at)
        return NULL;
    return g_strdup_printf("'%s' is not a mail address", item);
}

/* A unit in which processes run. */
static gboolean
is_unit(const char *name, gboolean with_scopes)
{
    return strlen(name) <= 255 &&
           (g_str_has_suffix(name, ".service") ||
            (with_scopes && g_str_has_suffix(name, ".scope"))) &&
           *name != '.' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             ":-_.\\@")] == '\0';
}

static char *
check_reload(const char *item)
{
    if (g_str_has_prefix(item, "unit:") && is_unit(item + strlen("unit:"), FALSE))
        return NULL;
    return g_strdup_printf("'%s' is nothing that can be reloaded; write for example "
                           "unit:nginx.service",
                           item);
}

static char *
check_key_limit(const char *item)
{
    if (signet_value_is_key_limit(item))
        return NULL;
    return g_strdup_printf(
        "'%s' is neither a key type (" SIGNET_VALUE_KEYS ") nor a range like rsa:2048..", item);
}

char *
signet_value_set_dns(const char *value, gpointer field)
{
    return set_list(value, field, check_dns);
}

char *
signet_value_set_ip(const char *value, gpointer field)
{
    return set_list(value, field, check_ip);
}

char *
signet_value_set_uri(const char *value, gpointer field)
{
    return set_list(value, field, check_uri);
}

char *
signet_value_set_email(const char *value, gpointer field)
{
    return set_list(value, field, check_email);
}

char *
signet_value_set_reload(const char *value, gpointer field)
{
    return set_list(value, field, check_reload);
}

char *
signet_value_set_key_limits(const char *value, gpointer field)
{
    if (!*value)
        return g_strdup("it allows no key at all");
    return set_list(value, field, check_key_limit);
}

/* "; did you mean 'tls-client'?", else what there is. */
static char *
describe_purposes(const char *name)
{
    const char *known[G_N_ELEMENTS(all_purposes) + 1] = {NULL};
    g_autofree char *list = NULL;
    char *hint;
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(all_purposes); i++) {
        if (all_purposes[i] != SIGNET_PURPOSE_CERTIFICATE)
            known[n++] = signet_purpose_name(all_purposes[i]);
    }
    hint = signet_problem_hint(name, known);
    list = g_strjoinv(", ", (char **)known);
    return hint ? hint : g_strdup_printf("; known are %s", list);
}

char *
signet_value_set_purposes(const char *value, gpointer field)
{
    g_auto(GStrv) items = signet_value_split_list(value);
    guint mask = 0;

    for (char **item = items; *item; item++) {
        SignetPurpose purpose = signet_purpose_from_name(*item);

        if (purpose == 0) {
            g_autofree char *tail = describe_purposes(*item);

            return g_strdup_printf("'%s' is not a purpose%s", *item, tail);
        }
        if (purpose == SIGNET_PURPOSE_CERTIFICATE)
            return g_strdup("'certificate' is for a local CA's own key only, which has it without "
                            "being asked");
        mask |= (guint)purpose;
    }
    if (mask == 0)
        return g_strdup("it lists no purpose");
    *(guint *)field = mask;
    return NULL;
}

char *
signet_value_set_protections(const char *value, gpointer field)
{
    static const char *const known[] = {
#define P(symbol, bit, name) name,
        SIGNET_PROTECTIONS(P)
#undef P
            NULL};
    g_auto(GStrv) items = signet_value_split_list(value);
    guint mask = 0;

    for (char **item = items; *item; item++) {
        SignetProtection protection = signet_protection_from_name(*item);
        g_autofree char *hint = protection ? NULL : signet_problem_hint(*item, known);

        if (protection == 0)
            return g_strdup_printf("'%s' is not a protection%s", *item,
                                   hint ? hint : "; known are tpm, smartcard, hsm, software");
        mask |= (guint)protection;
    }
    if (mask == 0)
        return g_strdup("it allows no token at all");
    *(guint *)field = mask;
    return NULL;
}

static gboolean
is_account(const char *name)
{
    return *name && strlen(name) <= 255 && !strpbrk(name, " :/,");
}

/* Reads "group:netdev" into a new rule. */
static SignetRule *
parse_rule(const char *item, char **ret_problem)
{
    static const char *const kinds[] = {
        [SIGNET_RULE_USER] = "user:",
        [SIGNET_RULE_GROUP] = "group:",
        [SIGNET_RULE_UNIT] = "unit:",
        [SIGNET_RULE_LABEL] = "label:",
    };

    for (guint kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        const char *name = item + strlen(kinds[kind]);
        gboolean is_good;

        if (!g_str_has_prefix(item, kinds[kind]))
            continue;
        is_good = kind == SIGNET_RULE_UNIT    ? is_unit(name, TRUE)
                  : kind == SIGNET_RULE_LABEL ? *name != '\0'
                                              : is_account(name);
        if (is_good)
            return signet_rule_new((SignetRuleKind)kind, name);
        *ret_problem = kind == SIGNET_RULE_UNIT
                           ? g_strdup_printf("'%s' does not name a unit that processes run in; "
                                             "write for example unit:nginx.service",
                                             item)
                           : g_strdup_printf("'%s' names nobody", item);
        return NULL;
    }
    *ret_problem = g_strdup_printf("'%s' is not a rule; write user:NAME, group:NAME, "
                                   "unit:NAME.service or label:TEXT",
                                   item);
    return NULL;
}

char *
signet_value_set_allow(const char *value, gpointer field)
{
    g_auto(GStrv) items = signet_value_split_list(value);
    g_autoptr(GPtrArray) rules = signet_rule_list_new();
    GPtrArray **list = field;

    if (g_strv_length(items) > LIST_MAX)
        return g_strdup_printf("the list has more than %d items", LIST_MAX);
    for (char **item = items; *item; item++) {
        char *problem = NULL;
        SignetRule *rule = parse_rule(*item, &problem);

        if (!rule)
            return problem;
        g_ptr_array_add(rules, rule);
    }
    g_clear_pointer(list, g_ptr_array_unref);
    *list = g_steal_pointer(&rules);
    return NULL;
}
