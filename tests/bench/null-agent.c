/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent's hot path alone: door, broker, queue and worker over a token that costs nothing.
 *
 *   null-agent SOCKET    serves identity 'null' until it is killed; prints "ready" */

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/door/door.h"
#include "policy/parse.h"
#include "tests/support/fake-token.h"

static const char policy_text[] =
    "[Identity]\nToken=null\nKey=ec:P-256\n[Access]\nPurposes=tls-client\n";
static const char config_text[] = "[Token null]\nType=tpm\nTcti=none\n";

typedef struct {
    SignetInventory *inventory;
    GMainLoop *loop;
} Setup;

static void
key_made(SignetKey *key, const GError *error, gpointer data)
{
    Setup *setup = data;
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    if (!key)
        g_error("%s", error->message);
    g_autoptr(SignetGeneration) generation = signet_generation_new(1, "null", key, 0, none, none);
    signet_inventory_put(setup->inventory, "null", generation);
    signet_inventory_set_current(setup->inventory, "null", 1);
    puts("ready");
    fflush(stdout);
}

static SignetPolicy *
make_policy(void)
{
    SignetPolicyFile files[] = {
        {"signet.conf", config_text, strlen(config_text)},
        {"identities.d/null.conf", policy_text, strlen(policy_text)},
    };
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);
    if (!policy)
        g_error("%s", (char *)g_ptr_array_index(problems, 0));
    return policy;
}

static int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
        g_error("cannot listen at '%s': %s", path, g_strerror(errno));
    return fd;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc != 2)
        g_error("usage: null-agent SOCKET");
    g_autoptr(SignetInventory) inventory = signet_inventory_new();
    g_autoptr(SignetTokens) tokens = signet_tokens_new();
    g_autoptr(SignetPolicy) policy = make_policy();
    SignetTokenSettings settings = {.name = "null", .queue_limit = 1024};
    FakeTokenOptions options = {.costs_nothing = TRUE};
    g_autoptr(SignetToken) token = fake_token_new(&settings, &options);
    signet_tokens_add(tokens, token);
    SignetBrokerContext context = {inventory, tokens, signet_clock_system()};
    g_autoptr(SignetBroker) broker = signet_broker_new(&context);
    signet_broker_set_policy(broker, policy);
    SignetDoorSettings door_settings = {.broker = broker, .clock = signet_clock_system()};
    g_autoptr(SignetDoor) door = signet_door_new(&door_settings, &error);
    if (!door || !signet_door_listen(door, listen_at(argv[1]), &error))
        g_error("%s", error->message);

    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Setup setup = {inventory, loop};
    SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256};
    signet_token_generate(token, &(SignetTokenWait) {0}, &template, key_made, &setup);
    g_main_loop_run(loop);
    return 0;
}
