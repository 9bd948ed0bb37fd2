/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl rollback IDENTITY [REASON]: back to the generation that worked. */

#include "agent/ctl/commands.h"

#define TIMEOUT_MS 330000

static void
print_outcome(const SignetCtl *ctl, const char *name, guint generation, guint previous)
{
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (!ctl->is_json) {
        line = g_strdup_printf("%s: generation %u is current again (was %u); a new one follows\n",
                               name, generation, previous);
        signet_ctl_print_text(line);
        return;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", name);
    g_variant_dict_insert(&dict, "generation", "u", generation);
    g_variant_dict_insert(&dict, "previous", "u", previous);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_rollback(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autofree char *doing = g_strdup_printf("roll back '%s'", argv[0]);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;
    guint previous, generation = 0;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    previous = signet_dbus_identity1_get_current_generation(identity);
    reply = g_dbus_proxy_call_sync(
        G_DBUS_PROXY(identity), "Rollback",
        g_variant_new("(s)", argc > 1 ? argv[1] : "an administrator asked for it"),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_variant_get(reply, "(u)", &generation);
    print_outcome(ctl, argv[0], generation, previous);
    return SIGNET_CTL_OK;
}
