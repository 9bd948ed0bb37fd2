/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl version: of this program, and of the agent where it runs. */

#include "agent/ctl/commands.h"

SignetCtlExit
signet_ctl_version(SignetCtl *ctl, int argc, char **argv)
{
    g_autoptr(SignetDbusAgent1) agent = NULL;
    const char *version = NULL;
    GVariantDict dict;

    if (signet_ctl_connect(ctl) == SIGNET_CTL_OK)
        agent = signet_ctl_get_agent(ctl);
    version = agent ? signet_dbus_agent1_get_version(agent) : NULL;
    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "signetctl", "s", SIGNET_VERSION);
        if (version)
            g_variant_dict_insert(&dict, "signetd", "s", version);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
        return SIGNET_CTL_OK;
    }
    signet_ctl_print_text("signetctl " SIGNET_VERSION "\n");
    if (version) {
        g_autofree char *line = g_strdup_printf("signetd %s\n", version);

        signet_ctl_print_text(line);
    }
    return SIGNET_CTL_OK;
}
