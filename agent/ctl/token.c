/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl token [NAME]: the tokens, or everything about one. */

#include "agent/ctl/commands.h"
#include "agent/ctl/table.h"

typedef struct {
    guint waiting;
    guint64 done;
    guint64 refused_busy;
    guint64 timed_out;
} Counts;

static gboolean
get_counts(SignetDbusToken1 *token, Counts *ret_counts, GError **error)
{
    return signet_dbus_token1_call_get_counts_sync(
        token, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, &ret_counts->waiting,
        &ret_counts->done, &ret_counts->refused_busy, &ret_counts->timed_out, NULL, error);
}

static void
print_table(GPtrArray *tokens)
{
    g_autoptr(SignetTable) table =
        signet_table_new(SIGNET_TABLE_ROW("NAME", "KIND", "PROTECTION", "STATE", "DESCRIPTION"), 5);
    g_autofree char *text = NULL;

    for (guint i = 0; i < tokens->len; i++) {
        SignetDbusToken1 *token = g_ptr_array_index(tokens, i);

        signet_table_add(table, SIGNET_TABLE_ROW(signet_dbus_token1_get_name(token),
                                                 signet_dbus_token1_get_kind(token),
                                                 signet_dbus_token1_get_protection(token),
                                                 signet_dbus_token1_get_state(token),
                                                 signet_dbus_token1_get_description(token)));
    }
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
}

static void
print_names(GPtrArray *tokens)
{
    for (guint i = 0; i < tokens->len; i++) {
        signet_ctl_print_text(signet_dbus_token1_get_name(g_ptr_array_index(tokens, i)));
        signet_ctl_print_text("\n");
    }
}

/* What the token says of its tries, for people; NULL: nothing. */
static const char *
describe_tries(SignetDbusToken1 *token)
{
    static const struct {
        const char *tries;
        const char *words;
    } known[] = {
        {"low", "a wrong one was tried since the last right one"},
        {"last", "one try is left"},
        {"none", "blocked"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (g_strcmp0(signet_dbus_token1_get_tries(token), known[i].tries) == 0)
            return known[i].words;
    }
    return NULL;
}

static void
print_list_json(GPtrArray *tokens)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < tokens->len; i++) {
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        signet_ctl_add_properties(&dict, g_ptr_array_index(tokens, i));
        g_variant_builder_add_value(&builder, g_variant_dict_end(&dict));
    }
    signet_ctl_print_json(g_variant_builder_end(&builder), TRUE);
}

static void
print_one(SignetDbusToken1 *token, const Counts *counts)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    const char *problem = signet_dbus_token1_get_problem(token);
    g_autofree char *requests =
        counts ? g_strdup_printf(
                     "%" G_GUINT64_FORMAT " done, %u waiting, %" G_GUINT64_FORMAT
                     " refused because the queue was full, %" G_GUINT64_FORMAT " out of time",
                     counts->done, counts->waiting, counts->refused_busy, counts->timed_out)
               : NULL;
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW("Token", signet_dbus_token1_get_name(token)));
    signet_table_add(table, SIGNET_TABLE_ROW("State", signet_dbus_token1_get_state(token)));
    if (problem && *problem)
        signet_table_add(table, SIGNET_TABLE_ROW("Because", problem));
    if (describe_tries(token))
        signet_table_add(table, SIGNET_TABLE_ROW("PIN", describe_tries(token)));
    signet_table_add(table, SIGNET_TABLE_ROW("Kind", signet_dbus_token1_get_kind(token)));
    signet_table_add(table,
                     SIGNET_TABLE_ROW("Protection", signet_dbus_token1_get_protection(token)));
    signet_table_add(table,
                     SIGNET_TABLE_ROW("Description", signet_dbus_token1_get_description(token)));
    signet_table_add(table, SIGNET_TABLE_ROW("Requests", requests));
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
}

static void
print_one_json(SignetDbusToken1 *token, const Counts *counts)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    signet_ctl_add_properties(&dict, G_DBUS_PROXY(token));
    if (counts) {
        g_variant_dict_insert(&dict, "waiting", "u", counts->waiting);
        g_variant_dict_insert(&dict, "done", "t", counts->done);
        g_variant_dict_insert(&dict, "refused_busy", "t", counts->refused_busy);
        g_variant_dict_insert(&dict, "timed_out", "t", counts->timed_out);
    }
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static SignetCtlExit
show_one(SignetCtl *ctl, const char *name)
{
    g_autoptr(SignetDbusToken1) token = signet_ctl_find_token(ctl, name);
    g_autoptr(GError) error = NULL;
    Counts counts = {0};
    gboolean is_counted = FALSE;

    if (!token)
        return SIGNET_CTL_FAILED;
    is_counted = get_counts(token, &counts, &error);
    if (ctl->is_json)
        print_one_json(token, is_counted ? &counts : NULL);
    else
        print_one(token, is_counted ? &counts : NULL);
    if (!is_counted) /* the rest is worth showing all the same */
        (void)signet_ctl_report(error, "show how much it is used");
    return SIGNET_CTL_OK;
}

SignetCtlExit
signet_ctl_token(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(GPtrArray) tokens = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    if (argc == 1)
        return show_one(ctl, argv[0]);
    tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);
    if (ctl->is_names)
        print_names(tokens);
    else if (ctl->is_json)
        print_list_json(tokens);
    else
        print_table(tokens);
    return SIGNET_CTL_OK;
}
