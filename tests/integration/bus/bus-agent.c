/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An agent that is only its bus: real gate, broker, inventory and store, a token in memory, an
 * engine of the tests. SIGUSR1 removes the token or puts it back. A file 'mistake' in the store
 * makes Reload fail. */

#include <glib-unix.h>
#include <stdio.h>

#include "agent/bus/bus.h"
#include "policy/parse.h"
#include "tests/support/fake-engine.h"
#include "tests/support/fake-token.h"

typedef struct {
    const char *directory;
    SignetInventory *inventory;
    SignetTokens *tokens;
    SignetToken *token;
    SignetBroker *broker;
    SignetStore *store;
    SignetEngine *engine;
    SignetBus *bus;
    FakeTokenControl control;
    GMainLoop *loop;
} Agent;

static const char *const texts[][2] = {
    {"signet.conf", "[Token card]\nType=tpm\n"},
    {"ca.d/local.conf", "[Ca]\nProtocol=local\nToken=card\n"},
    {"identities.d/wifi.conf", "[Identity]\nToken=card\nCa=local\nKey=ec:P-256\n"
                               "Subject=CN=wifi\n[Access]\nAllow=user:www-data\n"},
    {"identities.d/vpn-1_site_a.conf", "[Identity]\nToken=card\nCa=local\nKey=rsa:2048\n"
                                       "Subject=CN=vpn\n[Access]\nPurposes=any\n"},
    {"identities.d/new.conf", "[Identity]\nToken=card\nCa=local\nKey=ec:P-256\nSubject=CN=new\n"},
};

static SignetPolicy *
make_policy(void)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicyFile files[G_N_ELEMENTS(texts)];
    SignetPolicy *policy = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        files[i] = (SignetPolicyFile) {texts[i][0], texts[i][1], strlen(texts[i][1])};
    policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);
    for (guint i = 0; i < problems->len; i++)
        g_printerr("%s\n", (char *)g_ptr_array_index(problems, i));
    if (!policy)
        g_error("the test's policy is wrong");
    return policy;
}

static gboolean
reload(gpointer data, GError **error)
{
    Agent *agent = data;
    g_autofree char *path = g_build_filename(agent->directory, "mistake", NULL);
    g_autoptr(SignetPolicy) policy = NULL;

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return signet_error_set(error, SIGNET_ERROR_POLICY, "mistake: [Identity] Key=: nonsense");
    policy = make_policy();
    signet_bus_set_policy(agent->bus, policy);
    return TRUE;
}

static gboolean
on_terminate(gpointer data)
{
    g_main_loop_quit(((Agent *)data)->loop);
    return G_SOURCE_CONTINUE;
}

static void
on_probed(GBytes *result, const GError *error, gpointer data)
{
}

static gboolean
on_card(gpointer data)
{
    Agent *agent = data;
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    SignetTokenWait wait = {0};

    g_atomic_int_set(&agent->control.absent, !g_atomic_int_get(&agent->control.absent));
    /* The queue notices by using it. */
    signet_token_destroy(agent->token, &wait, key, on_probed, NULL);
    signet_token_probe(agent->token, &wait, on_probed, NULL);
    return G_SOURCE_CONTINUE;
}

static void
start(Agent *agent, GDBusConnection *connection)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetPolicy) policy = make_policy();
    SignetBrokerContext broker = {agent->inventory, agent->tokens, signet_clock_system()};
    SignetEngineContext engine = {.inventory = agent->inventory, .clock = signet_clock_system()};
    SignetBusContext bus = {.connection = connection,
                            .inventory = agent->inventory,
                            .tokens = agent->tokens,
                            .store = agent->store,
                            .clock = signet_clock_system(),
                            .reload = reload,
                            .data = agent};

    agent->broker = signet_broker_new(&broker);
    agent->engine = signet_engine_new(&engine);
    signet_broker_set_policy(agent->broker, policy);
    (void)signet_engine_start(agent->engine, policy, NULL, NULL);
    fake_engine_control(agent->engine)->delay_ms = 300;
    fake_engine_issue(agent->engine, "wifi");
    fake_engine_issue(agent->engine, "vpn-1_site_a");
    bus.broker = agent->broker;
    bus.engine = agent->engine;
    agent->bus = signet_bus_new(&bus, &error);
    if (!agent->bus) {
        g_printerr("bus-agent: %s\n", error->message);
        exit(1);
    }
    signet_bus_set_policy(agent->bus, policy);
    signet_engine_set_listener(agent->engine, signet_bus_on_engine, agent->bus);
    signet_tokens_set_listener(agent->tokens, signet_bus_on_token, agent->bus);
    (void)puts("ready");
    (void)fflush(stdout);
}

static void
stop(Agent *agent)
{
    signet_engine_set_listener(agent->engine, NULL, NULL);
    signet_tokens_set_listener(agent->tokens, NULL, NULL);
    signet_bus_free(agent->bus);
    signet_engine_free(agent->engine);
    signet_broker_free(agent->broker);
    signet_tokens_free(agent->tokens);
    signet_inventory_free(agent->inventory);
    signet_store_free(agent->store);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = NULL;
    SignetTokenSettings settings = {.name = "card", .queue_limit = 64};
    Agent agent = {.directory = argc == 2 ? argv[1] : NULL};
    FakeTokenOptions options = {.control = &agent.control};

    if (!agent.directory) {
        g_printerr("usage: bus-agent DIRECTORY\n");
        return 2;
    }
    connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
    agent.store = connection ? signet_store_open(agent.directory, &error) : NULL;
    if (!agent.store) {
        g_printerr("bus-agent: %s\n", error->message);
        return 1;
    }
    agent.loop = g_main_loop_new(NULL, FALSE);
    agent.inventory = signet_inventory_new();
    agent.tokens = signet_tokens_new();
    agent.token = fake_token_new(&settings, &options);
    signet_tokens_add(agent.tokens, agent.token);
    start(&agent, connection);
    g_unix_signal_add(SIGTERM, on_terminate, &agent);
    g_unix_signal_add(SIGUSR1, on_card, &agent);
    g_main_loop_run(agent.loop);
    stop(&agent);
    g_main_loop_unref(agent.loop);
    return 0;
}
