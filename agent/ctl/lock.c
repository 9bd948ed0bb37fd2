/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl lock TOKEN: has the agent log out of a token and forget its PIN. */

#include "agent/ctl/commands.h"

#define TIMEOUT_MS (150 * 1000)

SignetCtlExit
signet_ctl_lock(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusToken1) token = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *doing = g_strdup_printf("lock '%s'", argv[0]);
    g_autofree char *line = g_strdup_printf("Token '%s' is locked.\n", argv[0]);
    GVariantDict dict;

    if (code != SIGNET_CTL_OK)
        return code;
    token = signet_ctl_find_token(ctl, argv[0]);
    if (!token)
        return SIGNET_CTL_FAILED;
    if (!signet_dbus_token1_call_lock_sync(token, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
                                           TIMEOUT_MS, NULL, &error))
        return signet_ctl_report(error, doing);
    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "locked", "s", argv[0]);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
    } else {
        signet_ctl_print_text(line);
    }
    return SIGNET_CTL_OK;
}
