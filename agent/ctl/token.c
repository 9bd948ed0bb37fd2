/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl token [list | show NAME | measure NAME]: the tokens, everything about one, and what it
 * costs to use it. */

#include "agent/ctl/commands.h"
#include "agent/ctl/facts.h"
#include "agent/ctl/table.h"

#define MEASURE_POLL_US (300 * 1000)

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
    g_autoptr(SignetTable) table = signet_table_new(
        SIGNET_TABLE_ROW("NAME", "KIND", "PROTECTION", "STATE", "KEYS", "DESCRIPTION"), 6);
    g_autofree char *text = NULL;

    for (guint i = 0; i < tokens->len; i++) {
        SignetDbusToken1 *token = g_ptr_array_index(tokens, i);
        const char *const *names = signet_dbus_token1_get_keys(token);
        g_autofree char *keys = names ? g_strjoinv(",", (char **)names) : NULL;

        signet_table_add(table, SIGNET_TABLE_ROW(signet_dbus_token1_get_name(token),
                                                 signet_dbus_token1_get_kind(token),
                                                 signet_dbus_token1_get_protection(token),
                                                 signet_dbus_token1_get_state(token), keys,
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

/* NULL with error. */
static GVariant *
get_facts(SignetDbusToken1 *token, GError **error)
{
    GVariant *facts = NULL;

    (void)signet_dbus_token1_call_get_facts_sync(
        token, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, &facts, NULL, error);
    return facts;
}

static void
print_times(GVariant *facts)
{
    g_autoptr(SignetTable) table = signet_facts_times_table(facts);
    g_autofree char *text = table ? signet_table_to_text(table, 0) : NULL;

    if (!text)
        return;
    signet_ctl_print_text("\n");
    signet_ctl_print_text(text);
}

static void
print_one(SignetDbusToken1 *token, const Counts *counts, GVariant *facts)
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
    if (facts)
        signet_facts_add_rows(table, facts, signet_ctl_now());
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
    if (facts)
        print_times(facts);
}

static void
print_one_json(SignetDbusToken1 *token, const Counts *counts, GVariant *facts)
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
    if (facts)
        g_variant_dict_insert_value(&dict, "facts", facts);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static SignetCtlExit
show_one(SignetCtl *ctl, SignetDbusToken1 *token)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) facts = NULL;
    Counts counts = {0};
    gboolean is_counted = get_counts(token, &counts, &error);

    if (is_counted)
        facts = get_facts(token, &error);
    if (ctl->is_json)
        print_one_json(token, is_counted ? &counts : NULL, facts);
    else
        print_one(token, is_counted ? &counts : NULL, facts);
    if (error) /* the rest is worth showing all the same */
        (void)signet_ctl_report(error, "show how much it is used, and what is known of it");
    return SIGNET_CTL_OK;
}

/* --- measure --- */

/* TRUE: over, or failed with error. */
static gboolean
is_measured(SignetDbusToken1 *token, GError **error)
{
    g_autoptr(GVariant) facts = get_facts(token, error);
    const char *progress = NULL;

    if (!facts)
        return TRUE;
    if (!g_variant_lookup(facts, "progress", "&s", &progress))
        return TRUE;
    if (g_str_equal(progress, "being measured"))
        return FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", progress);
    return TRUE;
}

static SignetCtlExit
measure(SignetCtl *ctl, SignetDbusToken1 *token)
{
    const char *name = signet_dbus_token1_get_name(token);
    g_autofree char *doing = g_strdup_printf("measure token '%s'", name);
    g_autoptr(GError) error = NULL;

    if (!signet_dbus_token1_call_measure_sync(
            token, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, NULL, &error))
        return signet_ctl_report(error, doing);
    while (!ctl->is_no_wait && !is_measured(token, &error))
        g_usleep(MEASURE_POLL_US);
    if (error)
        return signet_ctl_report(error, doing);
    return ctl->is_no_wait ? SIGNET_CTL_OK : show_one(ctl, token);
}

/* --- which --- */

static SignetCtlExit
list(SignetCtl *ctl)
{
    g_autoptr(GPtrArray) tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);

    if (ctl->is_names)
        print_names(tokens);
    else if (ctl->is_json)
        print_list_json(tokens);
    else
        print_table(tokens);
    return SIGNET_CTL_OK;
}

/* NULL: said on stderr. */
static SignetDbusToken1 *
find_only(const SignetCtl *ctl, const char *command)
{
    g_autoptr(GPtrArray) tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);

    if (tokens->len == 1)
        return g_object_ref(g_ptr_array_index(tokens, 0));
    g_printerr("signetctl: there are %u tokens; say which: signetctl token %s NAME (see: signetctl "
               "token)\n",
               tokens->len, command);
    return NULL;
}

/* 'token NAME' is short for 'token show NAME'. The name of the only token may be left out. */
SignetCtlExit
signet_ctl_token(SignetCtl *ctl, int argc, char **argv)
{
    gboolean is_list = argc == 0 || (argc == 1 && g_str_equal(argv[0], "list"));
    gboolean is_measure = argc > 0 && g_str_equal(argv[0], "measure");
    gboolean is_named_show = argc > 0 && g_str_equal(argv[0], "show");
    gboolean is_show = argc == 1 || is_named_show;
    gboolean is_name_left_out = argc == 1 && (is_measure || is_named_show);
    g_autoptr(SignetDbusToken1) token = NULL;
    SignetCtlExit code;

    if (!is_list && !is_measure && !is_show)
        return signet_ctl_refuse("there is no 'token %s'; try: signetctl token show %s", argv[0],
                                 argv[1]);
    code = signet_ctl_connect(ctl);
    if (code != SIGNET_CTL_OK)
        return code;
    if (is_list)
        return list(ctl);
    token = is_name_left_out ? find_only(ctl, argv[0]) : signet_ctl_find_token(ctl, argv[argc - 1]);
    if (!token)
        return SIGNET_CTL_FAILED;
    return is_measure ? measure(ctl, token) : show_one(ctl, token);
}
