/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl list: the identities, one line each. */

#include "agent/ctl/commands.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"

static void
add_row(SignetTable *table, SignetDbusIdentity1 *identity, gint64 now_s)
{
    guint current = signet_dbus_identity1_get_current_generation(identity);
    gint64 not_after_s = signet_dbus_identity1_get_not_after(identity);
    gint64 next_s = signet_dbus_identity1_get_next_time(identity);
    const char *action = signet_dbus_identity1_get_next_action(identity);
    g_autofree char *generation = current ? g_strdup_printf("%u", current) : NULL;
    g_autofree char *expires = not_after_s ? signet_when_relative(not_after_s, now_s) : NULL;
    g_autofree char *next_when = next_s ? signet_when_relative(next_s, now_s) : g_strdup("");
    g_autofree char *next = g_strstrip(g_strdup_printf("%s %s", action ? action : "", next_when));

    signet_table_add(table, SIGNET_TABLE_ROW(signet_dbus_identity1_get_name(identity),
                                             signet_dbus_identity1_get_state(identity),
                                             signet_dbus_identity1_get_token(identity),
                                             signet_dbus_identity1_get_protection(identity),
                                             signet_dbus_identity1_get_key_type(identity),
                                             generation, expires, next));
}

static void
print_table(GPtrArray *identities)
{
    g_autoptr(SignetTable) table = signet_table_new(
        SIGNET_TABLE_ROW("NAME", "STATE", "TOKEN", "PROTECTION", "KEY", "GEN", "EXPIRES", "NEXT"),
        8);
    g_autofree char *text = NULL;

    for (guint i = 0; i < identities->len; i++)
        add_row(table, g_ptr_array_index(identities, i), signet_ctl_now());
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
}

static void
print_json(GPtrArray *identities)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < identities->len; i++) {
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        signet_ctl_add_properties(&dict, g_ptr_array_index(identities, i));
        g_variant_builder_add_value(&builder, g_variant_dict_end(&dict));
    }
    signet_ctl_print_json(g_variant_builder_end(&builder), TRUE);
}

static void
print_names(GPtrArray *identities)
{
    for (guint i = 0; i < identities->len; i++) {
        signet_ctl_print_text(signet_dbus_identity1_get_name(g_ptr_array_index(identities, i)));
        signet_ctl_print_text("\n");
    }
}

/* On stderr: who reads the table by a program does not want it there. */
static void
tell_locked(SignetCtl *ctl)
{
    g_autoptr(GPtrArray) tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);

    for (guint i = 0; i < tokens->len; i++) {
        SignetDbusToken1 *token = g_ptr_array_index(tokens, i);
        g_autofree char *clean = NULL;

        if (g_strcmp0(signet_dbus_token1_get_state(token), "locked") != 0)
            continue;
        clean = signet_table_clean(signet_dbus_token1_get_problem(token));
        g_printerr("PIN needed: %s\n", clean);
    }
}

SignetCtlExit
signet_ctl_list(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(GPtrArray) identities = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    identities = signet_ctl_list_proxies(ctl, SIGNET_CTL_IDENTITY);
    if (ctl->is_names)
        print_names(identities);
    else if (ctl->is_json)
        print_json(identities);
    else if (identities->len == 0)
        g_printerr("There are no identities yet: write /etc/signet/identities.d/NAME.conf, then "
                   "run: signetctl reload\n");
    else
        print_table(identities);
    if (!ctl->is_names && !ctl->is_json)
        tell_locked(ctl);
    return SIGNET_CTL_OK;
}
