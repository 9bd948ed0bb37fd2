/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl status: how the agent is, in a few lines. */

#include "agent/ctl/commands.h"
#include "agent/ctl/state.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* "2 active, 1 failed" by the property State of each, or "none". */
static char *
count_states(GPtrArray *proxies)
{
    g_autoptr(GPtrArray) states = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < proxies->len; i++) {
        g_autoptr(GVariant) state =
            g_dbus_proxy_get_cached_property(g_ptr_array_index(proxies, i), "State");

        g_ptr_array_add(states, state ? g_variant_dup_string(state, NULL) : g_strdup("?"));
    }
    g_ptr_array_sort(states, compare_texts);
    for (guint i = 0, run = 1; i < states->len; i++, run++) {
        const char *state = g_ptr_array_index(states, i);

        if (i + 1 < states->len && g_str_equal(state, g_ptr_array_index(states, i + 1)))
            continue;
        g_string_append_printf(text, "%s%u %s", text->len ? ", " : "", run, state);
        run = 0;
    }
    if (text->len == 0)
        g_string_append(text, "none");
    return g_string_free(text, FALSE);
}

/* With all that is known of that identity. */
static gboolean
is_told_below(const char *problem)
{
    return g_str_has_prefix(problem, "identity '");
}

static void
print_identities(GPtrArray *identities)
{
    for (guint i = 0; i < identities->len; i++) {
        SignetDbusIdentity1 *identity = g_ptr_array_index(identities, i);
        gint64 not_after_s = signet_dbus_identity1_get_not_after(identity);
        g_autofree char *expires = signet_when_full(not_after_s, signet_ctl_now());
        g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
        g_autofree char *text = NULL;
        g_autofree char *head = NULL;

        if (!signet_ctl_needs_attention(identity))
            continue;
        signet_ctl_add_state(table, identity);
        if (not_after_s)
            signet_table_add(table, SIGNET_TABLE_ROW("Expires", expires));
        head = g_strdup_printf("\n  ! identity '%s'\n", signet_dbus_identity1_get_name(identity));
        text = signet_table_to_text(table, 4);
        signet_ctl_print_text(head);
        signet_ctl_print_text(text);
    }
}

static void
print_problems(SignetDbusAgent1 *agent)
{
    const char *const *problems = signet_dbus_agent1_get_problems(agent);

    for (; problems && *problems; problems++) {
        if (is_told_below(*problems))
            continue;
        g_autofree char *clean = signet_table_clean(*problems);
        g_autofree char *line = g_strconcat("  ! ", clean, "\n", NULL);

        signet_ctl_print_text(line);
    }
}

static void
print_text(SignetCtl *ctl, SignetDbusAgent1 *agent)
{
    g_autoptr(GPtrArray) identities = signet_ctl_list_proxies(ctl, SIGNET_CTL_IDENTITY);
    g_autoptr(GPtrArray) tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);
    g_autofree char *identity_states = count_states(identities);
    g_autofree char *token_states = count_states(tokens);
    g_autofree char *since =
        signet_when_full(signet_dbus_agent1_get_since(agent), signet_ctl_now());
    g_autofree char *loaded =
        signet_when_full(signet_dbus_agent1_get_policy_loaded(agent), signet_ctl_now());
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW("State", signet_dbus_agent1_get_state(agent)));
    signet_table_add(table, SIGNET_TABLE_ROW("Version", signet_dbus_agent1_get_version(agent)));
    signet_table_add(table, SIGNET_TABLE_ROW("Running since", since));
    signet_table_add(table, SIGNET_TABLE_ROW("Policy read", loaded));
    signet_table_add(table, SIGNET_TABLE_ROW("Tokens", token_states));
    signet_table_add(table, SIGNET_TABLE_ROW("Identities", identity_states));
    text = signet_table_to_text(table, 0);
    signet_ctl_print_text(text);
    print_problems(agent);
    print_identities(identities);
}

static void
print_json(SignetCtl *ctl, SignetDbusAgent1 *agent)
{
    g_autoptr(GPtrArray) identities = signet_ctl_list_proxies(ctl, SIGNET_CTL_IDENTITY);
    g_autoptr(GPtrArray) tokens = signet_ctl_list_proxies(ctl, SIGNET_CTL_TOKEN);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    signet_ctl_add_properties(&dict, G_DBUS_PROXY(agent));
    g_variant_dict_insert(&dict, "identities", "u", identities->len);
    g_variant_dict_insert(&dict, "tokens", "u", tokens->len);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_status(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusAgent1) agent = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    agent = signet_ctl_get_agent(ctl);
    if (!agent)
        return SIGNET_CTL_FAILED;
    if (ctl->is_json)
        print_json(ctl, agent);
    else
        print_text(ctl, agent);
    return SIGNET_CTL_OK;
}
