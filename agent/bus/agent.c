/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The object /org/signet/agent. */

#include "agent/bus/agent.h"

#define MISTAKES_MAX 20 /* what a person reads */

SignetDbusAgent1 *
signet_bus_agent_new(SignetBus *bus)
{
    SignetDbusAgent1 *agent = signet_dbus_agent1_skeleton_new();
    const char *const no_problems[] = {NULL};

    signet_dbus_agent1_set_version(agent, SIGNET_VERSION);
    signet_dbus_agent1_set_since(agent, signet_clock_now(bus->context.clock));
    signet_dbus_agent1_set_state(agent, "ok");
    signet_dbus_agent1_set_problems(agent, no_problems);
    return agent;
}

static void
add_identity_problem(SignetBus *bus, const char *name, GPtrArray *problems)
{
    SignetIdentityStatus status = {0};

    if (!signet_engine_get_status(bus->context.engine, name, &status))
        return;
    if (status.cause && *status.cause)
        g_ptr_array_add(problems,
                        g_strdup_printf("identity '%s': %s: %s", name, status.state, status.cause));
    if (status.not_after_s && status.not_after_s <= signet_clock_now(bus->context.clock))
        g_ptr_array_add(problems,
                        g_strdup_printf("identity '%s': its certificate has expired", name));
}

static void
add_token_problem(SignetToken *token, GPtrArray *problems)
{
    const char *problem = signet_token_get_problem(token);

    if (problem && signet_token_get_state(token) == SIGNET_TOKEN_STATE_LOCKED)
        g_ptr_array_add(problems, g_strdup(problem)); /* says all of it */
    else if (problem)
        g_ptr_array_add(problems,
                        g_strdup_printf("token '%s': %s: %s", signet_token_get_name(token),
                                        signet_token_state_name(signet_token_get_state(token)),
                                        problem));
}

static void
add_mistakes(const SignetBusContext *context, GPtrArray *problems)
{
    const GPtrArray *mistakes = context->get_mistakes ? context->get_mistakes(context->data) : NULL;

    for (guint i = 0; mistakes && i < mistakes->len && i < MISTAKES_MAX; i++) {
        /* files have names in whatever letters */
        g_autofree char *valid = g_utf8_make_valid(mistakes->pdata[i], -1);

        g_ptr_array_add(problems, g_strconcat("policy: ", valid, NULL));
    }
    if (mistakes)
        g_ptr_array_add(problems,
                        g_strdup("policy: an earlier one is in force until the files are mended; "
                                 "see: signetctl policy check"));
}

void
signet_bus_agent_update(SignetBus *bus)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) tokens = signet_tokens_list(bus->context.tokens);
    const GPtrArray *identities = bus->policy ? signet_policy_get_identities(bus->policy) : NULL;

    add_mistakes(&bus->context, problems);
    for (guint i = 0; i < tokens->len; i++)
        add_token_problem(g_ptr_array_index(tokens, i), problems);
    for (guint i = 0; identities && i < identities->len; i++) {
        const SignetIdentityPolicy *identity = g_ptr_array_index(identities, i);

        add_identity_problem(bus, identity->name, problems);
    }
    signet_dbus_agent1_set_state(bus->agent, problems->len ? "attention" : "ok");
    g_ptr_array_add(problems, NULL);
    signet_dbus_agent1_set_problems(bus->agent, (const char *const *)problems->pdata);
}

void
signet_bus_agent_reload(SignetBusCall *call)
{
    SignetBus *bus = call->bus;
    g_autoptr(GError) error = NULL;

    if (!bus->context.reload(bus->context.data, &error)) {
        signet_bus_call_fail(call, error);
        return;
    }
    signet_dbus_agent1_emit_reloaded(bus->agent);
    signet_bus_call_reply(call, g_variant_new("()"));
}
