/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl revoke IDENTITY: a certificate that nobody shall believe any more. */

#include "agent/ctl/commands.h"

#define TIMEOUT_MS 330000

static void
print_outcome(const SignetCtl *ctl, const char *name, guint generation, gboolean was_current)
{
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (!ctl->is_json) {
        line = g_strdup_printf("%s: the CA has revoked the certificate of generation %u%s\n", name,
                               generation, was_current ? "; a rotation follows" : "");
        signet_ctl_print_text(line);
        return;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", name);
    g_variant_dict_insert(&dict, "revoked", "u", generation);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_revoke(SignetCtl *ctl, int argc, char **argv)
{
    const char *reason = ctl->revocation.reason ? ctl->revocation.reason : "unspecified";
    g_autofree char *doing = g_strdup_printf("have '%s' revoked", argv[0]);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;
    guint current = 0, revoked = 0;

    if (ctl->revocation.generation < 0)
        return signet_ctl_refuse("--generation wants a number; see: signetctl show %s", argv[0]);
    SignetCtlExit code = signet_ctl_connect(ctl);
    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    current = signet_dbus_identity1_get_current_generation(identity);
    reply = g_dbus_proxy_call_sync(G_DBUS_PROXY(identity), "Revoke",
                                   g_variant_new("(us)", (guint)ctl->revocation.generation, reason),
                                   G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS,
                                   NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_variant_get(reply, "(u)", &revoked);
    print_outcome(ctl, argv[0], revoked, revoked == current);
    return SIGNET_CTL_OK;
}
