/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl check IDENTITY: ask now what others say of its certificate. */

#include "agent/ctl/commands.h"
#include "agent/ctl/state.h"
#include "agent/ctl/table.h"

#define TIMEOUT_MS 330000

static void
print_outcome(const SignetCtl *ctl, SignetDbusIdentity1 *identity, const char *revocation)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    g_autofree char *text = NULL;
    GVariantDict dict;

    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "identity", "s", signet_dbus_identity1_get_name(identity));
        g_variant_dict_insert(&dict, "revocation", "s", revocation);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
        return;
    }
    signet_table_add(table, SIGNET_TABLE_ROW("Revocation", revocation));
    signet_ctl_add_watch(table, identity);
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
}

SignetCtlExit
signet_ctl_check(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autofree char *doing = g_strdup_printf("check '%s'", argv[0]);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;
    const char *revocation = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    reply = g_dbus_proxy_call_sync(G_DBUS_PROXY(identity), "Check", NULL,
                                   G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS,
                                   NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_variant_get(reply, "(&s)", &revocation);
    while (g_main_context_iteration(NULL, FALSE))
        ; /* the properties' changes came before the reply */
    print_outcome(ctl, identity, revocation);
    return SIGNET_CTL_OK;
}
