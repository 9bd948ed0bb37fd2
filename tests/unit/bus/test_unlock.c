/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Unlock and Lock over a private bus: what carries a PIN, and what does not. */

#include <check.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/bus/agent.h"
#include "agent/bus/bus.h"
#include "fixture.h"
#include "policy/parse.h"
#include "tests/support/fake-engine.h"
#include "tests/support/fake-token.h"

#define TOKEN "org.signet.Token1"
#define CARD  "/org/signet/token/card"

static Fixture fixture;
static FakePolkit polkit;
static FakeTokenControl control;
static char *root;
static SignetInventory *inventory;
static SignetTokens *tokens;
static SignetStore *store;
static SignetBroker *broker;
static SignetEngine *engine;
static SignetBus *bus;

static const GPtrArray *
get_mistakes(gpointer data)
{
    static gpointer mistake = (gpointer) "caf\xe9.conf: nonsense"; /* Latin-1 */
    static const GPtrArray mistakes = {&mistake, 1};

    return &mistakes;
}

static void
start_bus(void)
{
    static const char text[] = "[Token card]\nType=tpm\n";
    const SignetPolicyFile file = {"signet.conf", text, strlen(text)};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse(&file, 1, problems);
    SignetBrokerContext broker_context = {inventory, tokens, signet_clock_system()};
    SignetEngineContext engine_context = {.inventory = inventory, .clock = signet_clock_system()};
    SignetBusContext context = {.connection = fixture.server,
                                .inventory = inventory,
                                .tokens = tokens,
                                .store = store,
                                .clock = signet_clock_system(),
                                .get_mistakes = get_mistakes};

    ck_assert_ptr_nonnull(policy);
    context.broker = broker = signet_broker_new(&broker_context);
    context.engine = engine = signet_engine_new(&engine_context);
    ck_assert(signet_engine_start(engine, policy, NULL, NULL));
    bus = signet_bus_new(&context, NULL);
    ck_assert_ptr_nonnull(bus);
    signet_bus_set_policy(bus, policy);
    signet_tokens_set_listener(tokens, signet_bus_on_token, bus);
}

static void
setup(void)
{
    SignetTokenSettings settings = {.name = "card"};
    FakeTokenOptions options = {.control = &control};

    control.locked = TRUE;
    fixture_up(&fixture);
    fake_polkit_up(&polkit, &fixture);
    root = g_build_filename(fixture.directory, "store", NULL);
    store = signet_store_open(root, NULL);
    ck_assert_ptr_nonnull(store);
    inventory = signet_inventory_new();
    tokens = signet_tokens_new();
    signet_tokens_add(tokens, fake_token_new(&settings, &options));
    start_bus();
}

static void
teardown(void)
{
    char *argv[] = {(char *)"rm", (char *)"-rf", root, NULL};

    signet_tokens_set_listener(tokens, NULL, NULL);
    g_clear_pointer(&bus, signet_bus_free);
    signet_engine_free(engine);
    signet_broker_free(broker);
    signet_tokens_free(tokens);
    signet_inventory_free(inventory);
    signet_store_free(store);
    ck_assert(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(root);
    fake_polkit_down(&polkit);
    fixture_down(&fixture);
}

/* --- calls with a descriptor --- */

typedef struct {
    gboolean is_done;
    GError *error;
} Reply;

static void
on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    Reply *reply = data;
    g_autoptr(GVariant) value G_GNUC_UNUSED = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &reply->error);

    reply->is_done = TRUE;
}

/* Closes fd; -1: sends none. */
static gboolean
unlock(int fd, const char *options, GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariant *parsed = g_variant_new_parsed(options);
    Reply reply = {0};

    if (fd >= 0)
        ck_assert_int_eq(g_unix_fd_list_append(fds, fd, NULL), 0);
    g_dbus_connection_call_with_unix_fd_list(fixture.client, "org.signet.Agent1", CARD, TOKEN,
                                             "Unlock", g_variant_new("(h@a{sv})", 0, parsed), NULL,
                                             G_DBUS_CALL_FLAGS_NONE, -1, fds, NULL, on_reply,
                                             &reply);
    ck_assert(fixture_wait(&reply.is_done));
    if (fd >= 0)
        close(fd);
    if (reply.error)
        g_propagate_error(error, reply.error);
    return !reply.error;
}

#define NO_OPTIONS "@a{sv} {}"

/* Its writing end is closed. */
static int
pipe_with(const char *text, gsize size)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(write(ends[1], text, size), (int)size);
    close(ends[1]);
    return ends[0];
}

static int
memfd_with(const char *text)
{
    int fd = memfd_create("pin", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    return fd;
}

static void
assert_refused(int fd, const char *options, const char *name, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *remote = NULL;

    ck_assert(!unlock(fd, options, &error));
    remote = g_dbus_error_get_remote_error(error);
    ck_assert_msg(g_strcmp0(remote, name) == 0, "error is '%s': %s", remote, error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "said '%s'", error->message);
    ck_assert_int_eq(control.opened, 0);
}

static void
assert_state(const char *expected)
{
    const FixtureTarget target = {"org.signet.Agent1", CARD, "org.freedesktop.DBus.Properties",
                                  "Get"};
    g_autoptr(GVariant) reply =
        fixture_call(&fixture, &target, g_variant_new("(ss)", TOKEN, "State"), NULL);
    g_autoptr(GVariant) value = NULL;

    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(v)", &value);
    ck_assert_str_eq(g_variant_get_string(value, NULL), expected);
}

static gboolean
lock(GError **error)
{
    const FixtureTarget target = {"org.signet.Agent1", CARD, TOKEN, "Lock"};
    g_autoptr(GVariant) reply = fixture_call(&fixture, &target, NULL, error);

    return reply != NULL;
}

/* --- tests --- */

START_TEST(a_pin_in_a_memfd_unlocks)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(unlock(memfd_with(FAKE_TOKEN_PIN), NO_OPTIONS, &error), "%s",
                  error ? error->message : "");
    ck_assert_str_eq(polkit.action, "org.signet.unlock");
    assert_state("ready");
}
END_TEST

START_TEST(a_pin_in_a_pipe_unlocks)
{
    ck_assert(unlock(pipe_with(FAKE_TOKEN_PIN "\n", 5), NO_OPTIONS, NULL));
    assert_state("ready");
}
END_TEST

START_TEST(a_wrong_pin_is_an_error_that_says_so)
{
    assert_refused(memfd_with("9999"), NO_OPTIONS, "org.signet.Error.PinNeeded", "refused the PIN");
    assert_refused(memfd_with("9999"), "{'last_try': <true>, 'again': <true>}",
                   "org.signet.Error.PinNeeded", "of the last try");
    assert_state("locked");
}
END_TEST

START_TEST(without_a_clear_yes_of_polkit_nothing_is_sent)
{
    polkit.mood = POLKIT_NO;
    assert_refused(memfd_with(FAKE_TOKEN_PIN), NO_OPTIONS, "org.signet.Error.Denied",
                   "org.signet.unlock");
    ck_assert(!lock(NULL));
}
END_TEST

START_TEST(a_pipe_that_stays_open_does_not_block_the_agent)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    assert_refused(ends[0], NO_OPTIONS, "org.signet.Error.BadRequest", "close it before the call");
    close(ends[1]);
}
END_TEST

START_TEST(a_file_or_a_socket_is_not_taken)
{
    int ends[2];

    assert_refused(open("/dev/null", O_RDONLY), NO_OPTIONS, "org.signet.Error.BadRequest",
                   "a pipe or a memfd");
    assert_refused(open("/etc/passwd", O_RDONLY), NO_OPTIONS, "org.signet.Error.BadRequest",
                   "a pipe or a memfd");
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_refused(ends[0], NO_OPTIONS, "org.signet.Error.BadRequest", "a pipe or a memfd");
    close(ends[1]);
}
END_TEST

START_TEST(what_is_no_pin_is_refused)
{
    char text[300];

    memset(text, '1', sizeof text);
    assert_refused(pipe_with(text, sizeof text), NO_OPTIONS, "org.signet.Error.BadRequest",
                   "at most 255 bytes");
    assert_refused(-1, NO_OPTIONS, "org.signet.Error.BadRequest", "no descriptor");
    assert_refused(memfd_with("1234"), "{'lasttry': <true>}", "org.signet.Error.BadRequest",
                   "'lasttry'");
    assert_refused(memfd_with("1234"), "{'again': <1>}", "org.signet.Error.BadRequest", "'again'");
}
END_TEST

static void
on_signal(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *parameters, gpointer data)
{
    g_autofree char *text = g_variant_print(parameters, FALSE);

    g_string_append_printf(data, "%s%s\n", signal, text);
}

START_TEST(a_locked_token_asks_for_its_pin)
{
    g_autoptr(GString) heard = g_string_new(NULL);

    ck_assert(unlock(memfd_with(FAKE_TOKEN_PIN), NO_OPTIONS, NULL));
    g_dbus_connection_signal_subscribe(fixture.client, NULL, TOKEN, NULL, CARD, NULL,
                                       G_DBUS_SIGNAL_FLAGS_NONE, on_signal, heard, NULL);
    fixture_run(50);
    ck_assert(lock(NULL));
    fixture_run(50);
    assert_state("locked");
    ck_assert_msg(strstr(heard->str, "PinNeeded(") != NULL, "heard %s", heard->str);
    ck_assert_ptr_nonnull(strstr(heard->str, "run 'signetctl unlock card'"));
}
END_TEST

/* --- beside it --- */

typedef struct {
    gboolean is_done;
    GVariant *value; /* (owned) */
} Property;

static void
on_property(GObject *source, GAsyncResult *result, gpointer data)
{
    Property *property = data;

    property->value = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    property->is_done = TRUE;
}

START_TEST(mistakes_of_policy_files_are_told_in_whatever_letters)
{
    Property property = {0};
    g_autoptr(GVariant) problems = NULL;
    g_autofree const char **lines = NULL;

    signet_bus_agent_update(bus);
    g_dbus_connection_call(fixture.client, "org.signet.Agent1", "/org/signet/agent",
                           "org.freedesktop.DBus.Properties", "Get",
                           g_variant_new("(ss)", "org.signet.Agent1", "Problems"), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_property, &property);
    ck_assert(fixture_wait(&property.is_done));
    ck_assert_ptr_nonnull(property.value);
    g_variant_get(property.value, "(v)", &problems);
    lines = g_variant_get_strv(problems, NULL);
    ck_assert_str_eq(lines[0], "policy: caf\xef\xbf\xbd.conf: nonsense");
    g_variant_unref(property.value);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("unlock");
    TCase *tests = tcase_create("unlock");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_pin_in_a_memfd_unlocks);
    tcase_add_test(tests, a_pin_in_a_pipe_unlocks);
    tcase_add_test(tests, a_wrong_pin_is_an_error_that_says_so);
    tcase_add_test(tests, without_a_clear_yes_of_polkit_nothing_is_sent);
    tcase_add_test(tests, a_pipe_that_stays_open_does_not_block_the_agent);
    tcase_add_test(tests, a_file_or_a_socket_is_not_taken);
    tcase_add_test(tests, what_is_no_pin_is_refused);
    tcase_add_test(tests, a_locked_token_asks_for_its_pin);
    tcase_add_test(tests, mistakes_of_policy_files_are_told_in_whatever_letters);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
