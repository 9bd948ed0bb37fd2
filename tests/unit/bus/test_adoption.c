/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The method Adopt: what a caller hands over, over a bus of its own and a fake engine. */

#include <check.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/bus/bus.h"
#include "fixture.h"
#include "policy/parse.h"
#include "tests/support/fake-engine.h"
#include "tests/support/fake-token.h"

#define IDENTITY "org.signet.Identity1"

static Fixture fixture;
static FakePolkit polkit;
static SignetInventory *inventory;
static SignetTokens *tokens;
static SignetStore *store;
static SignetBroker *broker;
static SignetEngine *engine;
static SignetBus *bus;

static SignetPolicy *
make_policy(void)
{
    static const char signet[] = "[Token card]\nType=tpm\n";
    static const char wifi[] = "[Identity]\nSubject=CN=wifi\n";
    const SignetPolicyFile files[] = {
        {"signet.conf", signet, strlen(signet)},
        {"identities.d/wifi.conf", wifi, strlen(wifi)},
    };
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);

    ck_assert_msg(policy != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "");
    return policy;
}

static void
start_agent(void)
{
    g_autoptr(SignetPolicy) policy = make_policy();
    const SignetClock *clock = signet_clock_system();

    broker = signet_broker_new(&(SignetBrokerContext) {inventory, tokens, clock});
    engine = signet_engine_new(&(SignetEngineContext) {.inventory = inventory, .clock = clock});
    signet_broker_set_policy(broker, policy);
    ck_assert(signet_engine_start(engine, policy, NULL, NULL));
    bus = signet_bus_new(&(SignetBusContext) {.connection = fixture.server,
                                              .inventory = inventory,
                                              .tokens = tokens,
                                              .store = store,
                                              .clock = clock,
                                              .broker = broker,
                                              .engine = engine},
                         NULL);
    ck_assert_ptr_nonnull(bus);
    signet_bus_set_policy(bus, policy);
    signet_engine_set_listener(engine, signet_bus_on_engine, bus);
}

static void
setup(void)
{
    g_autofree char *root = NULL;

    fixture_up(&fixture);
    fake_polkit_up(&polkit, &fixture);
    root = g_build_filename(fixture.directory, "store", NULL);
    store = signet_store_open(root, NULL);
    ck_assert_ptr_nonnull(store);
    inventory = signet_inventory_new();
    tokens = signet_tokens_new();
    signet_tokens_add(tokens, fake_token_new(&(SignetTokenSettings) {.name = "card"}, NULL));
    start_agent();
}

static void
teardown(void)
{
    g_autofree char *root = g_build_filename(fixture.directory, "store", NULL);
    char *argv[] = {(char *)"rm", (char *)"-rf", root, NULL};

    signet_engine_set_listener(engine, NULL, NULL);
    signet_bus_free(bus);
    signet_engine_free(engine);
    signet_broker_free(broker);
    signet_tokens_free(tokens);
    signet_inventory_free(inventory);
    signet_store_free(store);
    ck_assert(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    fake_polkit_down(&polkit);
    fixture_down(&fixture);
}

static GVariant *
adopt(GVariant *parameters, GError **error)
{
    const FixtureTarget target = {"org.signet.Agent1", "/org/signet/identity/wifi", IDENTITY,
                                  "Adopt"};

    return fixture_call(&fixture, &target, parameters, error);
}

static void
assert_error(GError *error, const char *name, const char *words)
{
    g_autofree char *remote = error ? g_dbus_error_get_remote_error(error) : NULL;

    ck_assert_msg(g_strcmp0(remote, name) == 0, "error is '%s': %s", remote ? remote : "(none)",
                  error ? error->message : "");
    ck_assert_msg(strstr(error->message, words) != NULL, "said '%s'", error->message);
}

/* A memfd with the text; sealed when is_good. */
static int
make_password(const char *text, gboolean is_good)
{
    int fd = memfd_create("password", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    if (is_good)
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
    return fd;
}

typedef struct {
    GVariant *reply;
    GError *error;
    gboolean is_done;
} Reply;

static void
on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    Reply *reply = data;

    reply->reply = g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(source), NULL,
                                                                   result, &reply->error);
    reply->is_done = TRUE;
}

/* fd: taken */
static GVariant *
adopt_with_fd(int fd, GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new_from_array(&fd, 1);
    Reply reply = {0};

    g_dbus_connection_call_with_unix_fd_list(
        fixture.client, "org.signet.Agent1", "/org/signet/identity/wifi", IDENTITY, "Adopt",
        g_variant_new_parsed("({'key': <b'PEM'>, 'auth': <handle 0>},)"), NULL,
        G_DBUS_CALL_FLAGS_NONE, -1, fds, NULL, on_reply, &reply);
    ck_assert(fixture_wait(&reply.is_done));
    if (reply.error)
        g_propagate_error(error, reply.error);
    return reply.reply;
}

START_TEST(an_adoption_is_handed_on_as_it_was_asked_for)
{
    g_autoptr(GVariant) reply =
        adopt(g_variant_new_parsed("({'object': <'pkcs11:id=%01'>, 'take_over': <true>,"
                                   " 'enroll': <true>},)"),
              NULL);

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(fake_engine_control(engine)->adopted->str,
                     "pkcs11:id=%01 auth= certificates=0 enrolled ours");
    ck_assert_str_eq(polkit.action, "org.signet.adopt");
}
END_TEST

START_TEST(a_password_comes_in_sealed_memory)
{
    g_autofree char *longer = g_strnfill(65, 'x');
    g_autoptr(GError) open_error = NULL, long_error = NULL;
    g_autoptr(GVariant) reply = adopt_with_fd(make_password("open sesame", TRUE), NULL);

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(fake_engine_control(engine)->adopted->str,
                     "PEM auth=open sesame certificates=0");
    ck_assert_ptr_null(adopt_with_fd(make_password("secret", FALSE), &open_error));
    assert_error(open_error, "org.signet.Error.BadRequest", "sealed");
    ck_assert_ptr_null(adopt_with_fd(make_password(longer, TRUE), &long_error));
    assert_error(long_error, "org.signet.Error.BadRequest", "longer than 64");
}
END_TEST

static const struct {
    const char *options;
    const char *words;
} bad_adoptions[] = {
    {"({'objekt': <'pkcs11:id=%01'>},)", "there is no option 'objekt'"},
    {"({'object': <1>},)", "'object' cannot be of type 'i'"},
    {"({'object': <'pkcs11:id=%01'>, 'key': <b'PEM'>},)", "name two keys"},
    {"({'certificates': <b'no certificate'>},)", "certificates"},
    {"({'auth': <handle 0>},)", "without a fd"},
};

START_TEST(what_is_wrong_with_an_adoption_is_named)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) parameters =
        g_variant_parse(NULL, bad_adoptions[_i].options, NULL, NULL, NULL);
    g_autoptr(GVariant) reply = adopt(parameters, &error);

    ck_assert_ptr_null(reply);
    ck_assert_msg(error && strstr(error->message, bad_adoptions[_i].words), "said '%s'",
                  error ? error->message : "nothing");
    ck_assert_uint_eq(fake_engine_control(engine)->adopted->len, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("adoption");
    TCase *tests = tcase_create("adoption");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_adoption_is_handed_on_as_it_was_asked_for);
    tcase_add_test(tests, a_password_comes_in_sealed_memory);
    tcase_add_loop_test(tests, what_is_wrong_with_an_adoption_is_named, 0,
                        G_N_ELEMENTS(bad_adoptions));
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
