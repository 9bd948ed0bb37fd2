/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl reload: read the policy files again. */

#include "agent/ctl/commands.h"

#define TIMEOUT_MS (150 * 1000)

SignetCtlExit
signet_ctl_reload(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusAgent1) agent = NULL;
    g_autoptr(GError) error = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    agent = signet_ctl_get_agent(ctl);
    if (!agent)
        return SIGNET_CTL_FAILED;
    if (!signet_dbus_agent1_call_reload_sync(
            agent, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error))
        return signet_ctl_report(error, "load the policy; the old one stays in force");
    if (ctl->is_json)
        signet_ctl_print_json(g_variant_new_parsed("{'reloaded': <true>}"), TRUE);
    else
        signet_ctl_print_text("The policy files were read and are in force.\n");
    return SIGNET_CTL_OK;
}
