/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl show IDENTITY: everything about one identity, and who uses its generations. */

#include "agent/ctl/commands.h"
#include "agent/ctl/state.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"

static GVariant *
get_usage(SignetDbusIdentity1 *identity, GError **error)
{
    GVariant *usage = NULL;

    (void)signet_dbus_identity1_call_get_usage_sync(
        identity, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, -1, &usage, NULL, error);
    return usage;
}

/* The users (aa{sv}) of a generation in what GetUsage answered; NULL when unknown. */
static GVariant *
find_users(GVariant *usage, guint number)
{
    for (gsize i = 0; usage && i < g_variant_n_children(usage); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(usage, i);
        guint found = 0;

        if (g_variant_lookup(one, "number", "u", &found) && found == number)
            return g_variant_lookup_value(one, "users", G_VARIANT_TYPE("aa{sv}"));
    }
    return NULL;
}

static char *
user_to_text(GVariant *user, gint64 now_s)
{
    guint uid = 0;
    const char *program = "?";
    guint64 count = 0;
    gint64 last_s = 0;
    g_autofree char *last = NULL;

    (void)g_variant_lookup(user, "uid", "u", &uid);
    (void)g_variant_lookup(user, "program", "&s", &program);
    (void)g_variant_lookup(user, "count", "t", &count);
    (void)g_variant_lookup(user, "last", "x", &last_s);
    last = signet_when_relative(last_s, now_s);
    return g_strdup_printf("%s (uid %u) %" G_GUINT64_FORMAT "x, last %s", program, uid, count,
                           last);
}

static void
add_generation(SignetTable *table, GVariant *generation, GVariant *usage, gint64 now_s)
{
    guint number = 0;
    const char *state = NULL;
    gint64 created_s = 0, not_after_s = 0;
    g_autoptr(GVariant) users = NULL;
    g_autofree char *label = NULL, *created = NULL, *expires = NULL, *first = NULL;

    (void)g_variant_lookup(generation, "number", "u", &number);
    (void)g_variant_lookup(generation, "state", "&s", &state);
    (void)g_variant_lookup(generation, "created", "x", &created_s);
    (void)g_variant_lookup(generation, "not_after", "x", &not_after_s);
    users = find_users(usage, number);
    label = g_strdup_printf("%u", number);
    created = signet_when_local(created_s);
    expires = not_after_s ? signet_when_relative(not_after_s, now_s) : NULL;
    for (gsize i = 0; users && i < g_variant_n_children(users); i++) {
        g_autoptr(GVariant) user = g_variant_get_child_value(users, i);
        g_autofree char *text = user_to_text(user, now_s);

        if (i == 0)
            first = g_steal_pointer(&text);
        signet_table_add(table, i == 0 ? SIGNET_TABLE_ROW(label, state, created, expires, first)
                                       : SIGNET_TABLE_ROW(" ", " ", " ", " ", text));
    }
    if (!first)
        signet_table_add(table, SIGNET_TABLE_ROW(label, state, created, expires,
                                                 users ? "nobody so far" : "not shown"));
}

static void
print_generations(SignetDbusIdentity1 *identity, GVariant *usage)
{
    GVariant *generations = signet_dbus_identity1_get_generations(identity);
    g_autoptr(SignetTable) table =
        signet_table_new(SIGNET_TABLE_ROW("GENERATION", "STATE", "MADE", "EXPIRES", "USED BY"), 5);
    g_autofree char *text = NULL;
    gsize count = generations ? g_variant_n_children(generations) : 0;

    if (count == 0)
        return;
    for (gsize i = count; i-- > 0;) {
        g_autoptr(GVariant) generation = g_variant_get_child_value(generations, i);

        add_generation(table, generation, usage, signet_ctl_now());
    }
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text("\n");
    signet_ctl_print_text(text);
}

static void
print_text(SignetDbusIdentity1 *identity, GVariant *usage)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    gint64 not_after_s = signet_dbus_identity1_get_not_after(identity);
    g_autofree char *expires = not_after_s ? signet_when_full(not_after_s, signet_ctl_now()) : NULL;
    g_autofree char *purposes =
        g_strjoinv(", ", (char **)signet_dbus_identity1_get_purposes(identity));
    const char *protection = signet_dbus_identity1_get_protection(identity);
    const char *revocation = signet_dbus_identity1_get_revocation(identity);
    g_autofree char *key =
        g_strdup_printf("%s in token '%s' (%s)", signet_dbus_identity1_get_key_type(identity),
                        signet_dbus_identity1_get_token(identity),
                        protection && *protection ? protection : "not opened yet");
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW("Identity", signet_dbus_identity1_get_name(identity)));
    signet_ctl_add_state(table, identity);
    signet_table_add(table,
                     SIGNET_TABLE_ROW("Subject", signet_dbus_identity1_get_subject(identity)));
    signet_table_add(table, SIGNET_TABLE_ROW("Expires", expires));
    if (revocation && *revocation)
        signet_table_add(table, SIGNET_TABLE_ROW("Revocation", revocation));
    signet_ctl_add_watch(table, identity);
    signet_table_add(table, SIGNET_TABLE_ROW("Key", key));
    signet_table_add(table, SIGNET_TABLE_ROW("CA", signet_dbus_identity1_get_ca(identity)));
    signet_table_add(table, SIGNET_TABLE_ROW("Purposes", purposes));
    signet_table_add(table,
                     SIGNET_TABLE_ROW("Files", signet_dbus_identity1_get_live_path(identity)));
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
    print_generations(identity, usage);
}

static GVariant *
merge_users(GVariant *generation, GVariant *usage)
{
    GVariantDict dict;
    guint number = 0;
    g_autoptr(GVariant) users = NULL;

    (void)g_variant_lookup(generation, "number", "u", &number);
    users = find_users(usage, number);
    g_variant_dict_init(&dict, generation);
    if (users)
        g_variant_dict_insert_value(&dict, "users", users);
    return g_variant_dict_end(&dict);
}

static void
print_json(SignetDbusIdentity1 *identity, GVariant *usage)
{
    GVariant *generations = signet_dbus_identity1_get_generations(identity);
    GVariantDict dict;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; generations && i < g_variant_n_children(generations); i++) {
        g_autoptr(GVariant) generation = g_variant_get_child_value(generations, i);

        g_variant_builder_add_value(&builder, merge_users(generation, usage));
    }
    g_variant_dict_init(&dict, NULL);
    signet_ctl_add_properties(&dict, G_DBUS_PROXY(identity));
    g_variant_dict_insert_value(&dict, "generations", g_variant_builder_end(&builder));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_show(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autoptr(GVariant) usage = NULL;
    g_autoptr(GError) error = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    usage = get_usage(identity, &error);
    if (ctl->is_json)
        print_json(identity, usage);
    else
        print_text(identity, usage);
    if (error) /* the rest is worth showing all the same */
        (void)signet_ctl_report(error, "show who uses it");
    return SIGNET_CTL_OK;
}
