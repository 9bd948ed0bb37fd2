/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl policy: are the policy files right? Without the agent. */

#include "agent/ctl/commands.h"

#include "agent/ctl/policy-files.h"

static void
print_json(const SignetPolicyReading *reading)
{
    const SignetPolicy *policy = reading->policy;
    const GPtrArray *identities = policy ? signet_policy_get_identities(policy) : NULL;
    GVariantBuilder names;
    GVariantDict dict;

    g_variant_builder_init(&names, G_VARIANT_TYPE("as"));
    for (guint i = 0; identities && i < identities->len; i++)
        g_variant_builder_add(
            &names, "s", ((const SignetIdentityPolicy *)g_ptr_array_index(identities, i))->name);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "ok", "b", reading->problems->len == 0);
    g_variant_dict_insert(&dict, "config_dir", "s", reading->root);
    g_variant_dict_insert_value(&dict, "problems",
                                g_variant_new_strv((const char *const *)reading->problems->pdata,
                                                   (gssize)reading->problems->len));
    g_variant_dict_insert_value(&dict, "identities", g_variant_builder_end(&names));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static void
print_text(const SignetPolicyReading *reading)
{
    const SignetPolicy *policy = reading->policy;
    g_autofree char *line = NULL;

    for (guint i = 0; i < reading->problems->len; i++) {
        signet_ctl_print_text(g_ptr_array_index(reading->problems, i));
        signet_ctl_print_text("\n");
    }
    if (reading->problems->len > 0)
        line = g_strdup_printf("%s: %u mistake%s; the agent would keep its old policy\n",
                               reading->root, reading->problems->len,
                               reading->problems->len == 1 ? "" : "s");
    else
        line = g_strdup_printf("%s: no mistakes; identities: %u, CAs: %u, tokens: %u\n",
                               reading->root, signet_policy_get_identities(policy)->len,
                               signet_policy_get_cas(policy)->len,
                               signet_policy_get_tokens(policy)->len);
    signet_ctl_print_text(line);
}

static SignetCtlExit
check(const SignetCtl *ctl)
{
    g_auto(SignetPolicyReading) reading = {0};

    signet_policy_reading_init(&reading, ctl);
    if (ctl->is_json)
        print_json(&reading);
    else
        print_text(&reading);
    return reading.problems->len == 0 ? SIGNET_CTL_OK : SIGNET_CTL_FAILED;
}

SignetCtlExit
signet_ctl_policy(SignetCtl *ctl, int argc, char **argv)
{
    if (g_str_equal(argv[0], "check") && argc == 1)
        return check(ctl);
    if (g_str_equal(argv[0], "show") && argc == 2)
        return signet_ctl_policy_show(ctl, argv[1]);
    if (g_str_equal(argv[0], "simulate") && argc == 2)
        return signet_ctl_simulate(ctl, argv[1]);
    return signet_ctl_refuse("usage: signetctl policy check, policy show IDENTITY or policy "
                             "simulate IDENTITY; see: signetctl policy --help");
}
