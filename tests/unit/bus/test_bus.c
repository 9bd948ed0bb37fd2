/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects as clients see them: real gate, broker, inventory and store over a private bus. */

#include <check.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/bus/bus.h"
#include "policy/parse.h"
#include "fixture.h"
#include "tests/support/fake-engine.h"
#include "tests/support/fake-token.h"

#define AGENT    "org.signet.Agent1"
#define IDENTITY "org.signet.Identity1"
#define TOKEN    "org.signet.Token1"

static Fixture fixture;
static FakePolkit polkit;
static FakeTokenControl control;
static char *root;
static SignetInventory *inventory;
static SignetTokens *tokens;
static SignetToken *token;
static SignetStore *store;
static SignetBroker *broker;
static SignetEngine *engine;
static SignetBus *bus;
static gboolean is_policy_bad;

static SignetPolicy *
make_policy(gboolean with_vpn)
{
    static const char signet[] = "[Token card]\nType=tpm\n";
    static const char ca[] = "[Ca]\nProtocol=local\nToken=card\n";
    static const char wifi[] = "[Identity]\nToken=card\nCa=local\nKey=ec:P-256\nSubject=CN=wifi\n";
    static const char vpn[] = "[Identity]\nToken=card\nCa=local\nKey=rsa:2048\nSubject=CN=vpn\n"
                              "[Access]\nPurposes=any\n";
    const SignetPolicyFile files[] = {
        {"signet.conf", signet, strlen(signet)},
        {"ca.d/local.conf", ca, strlen(ca)},
        {"identities.d/wifi.conf", wifi, strlen(wifi)},
        {"identities.d/vpn-1.conf", vpn, strlen(vpn)},
    };
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(files, with_vpn ? 4 : 3, problems);

    ck_assert_msg(policy != NULL, "%s",
                  problems->len ? (char *)g_ptr_array_index(problems, 0) : "");
    return policy;
}

static gboolean
reload(gpointer data, GError **error)
{
    return is_policy_bad ? signet_error_set(error, SIGNET_ERROR_POLICY, "caf\xe9.conf:3: nonsense")
                         : TRUE;
}

static void
start_agent(void)
{
    g_autoptr(SignetPolicy) policy = make_policy(TRUE);
    SignetBrokerContext broker_context = {inventory, tokens, signet_clock_system()};
    SignetEngineContext engine_context = {.inventory = inventory, .clock = signet_clock_system()};
    SignetBusContext context = {.connection = fixture.server,
                                .inventory = inventory,
                                .tokens = tokens,
                                .store = store,
                                .clock = signet_clock_system(),
                                .reload = reload};

    context.broker = broker = signet_broker_new(&broker_context);
    context.engine = engine = signet_engine_new(&engine_context);
    signet_broker_set_policy(broker, policy);
    ck_assert(signet_engine_start(engine, policy, NULL, NULL));
    fake_engine_issue(engine, "wifi");
    bus = signet_bus_new(&context, NULL);
    ck_assert_ptr_nonnull(bus);
    signet_bus_set_policy(bus, policy);
    signet_engine_set_listener(engine, signet_bus_on_engine, bus);
    signet_tokens_set_listener(tokens, signet_bus_on_token, bus);
}

static void
setup(void)
{
    SignetTokenSettings settings = {.name = "card", .queue_limit = 64};
    FakeTokenOptions options = {.control = &control};

    fixture_up(&fixture);
    fake_polkit_up(&polkit, &fixture);
    root = g_build_filename(fixture.directory, "store", NULL);
    store = signet_store_open(root, NULL);
    ck_assert_ptr_nonnull(store);
    inventory = signet_inventory_new();
    tokens = signet_tokens_new();
    token = fake_token_new(&settings, &options);
    signet_tokens_add(tokens, token);
    start_agent();
}

static void
teardown(void)
{
    char *argv[] = {(char *)"rm", (char *)"-rf", root, NULL};

    signet_engine_set_listener(engine, NULL, NULL);
    signet_tokens_set_listener(tokens, NULL, NULL);
    signet_bus_free(bus);
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

static GVariant *
call(const char *path, const char *interface, const char *method, GVariant *parameters,
     GError **error)
{
    const FixtureTarget target = {"org.signet.Agent1", path, interface, method};

    return fixture_call(&fixture, &target, parameters, error);
}

static GVariant *
call_wifi(const char *method, GVariant *parameters, GError **error)
{
    return call("/org/signet/identity/wifi", IDENTITY, method, parameters, error);
}

static void
assert_error(GError *error, const char *name, const char *words)
{
    g_autofree char *remote = error ? g_dbus_error_get_remote_error(error) : NULL;

    ck_assert_msg(g_strcmp0(remote, name) == 0, "error is '%s': %s", remote ? remote : "(none)",
                  error ? error->message : "");
    ck_assert_msg(strstr(error->message, words) != NULL, "said '%s'", error->message);
}

static GVariant *
get_property(const char *path, const char *interface, const char *name)
{
    g_autoptr(GVariant) reply = call(path, "org.freedesktop.DBus.Properties", "Get",
                                     g_variant_new("(ss)", interface, name), NULL);
    GVariant *value = NULL;

    ck_assert_msg(reply != NULL, "%s cannot be read", name);
    g_variant_get(reply, "(v)", &value);
    return value;
}

static void
assert_text(const char *path, const char *interface, const char *name, const char *text)
{
    g_autoptr(GVariant) value = get_property(path, interface, name);

    ck_assert_str_eq(g_variant_get_string(value, NULL), text);
}

START_TEST(all_objects_are_under_the_object_manager)
{
    g_autoptr(GVariant) reply =
        call("/org/signet", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL, NULL);
    g_autoptr(GVariant) objects = NULL;
    static const char *const paths[] = {
        "/org/signet/agent", "/org/signet/identity/wifi", "/org/signet/identity/vpn_2d1",
        "/org/signet/identity/ca_2elocal", "/org/signet/token/card"};

    ck_assert_ptr_nonnull(reply);
    objects = g_variant_get_child_value(reply, 0);
    ck_assert_uint_eq(g_variant_n_children(objects), G_N_ELEMENTS(paths));
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GVariant) found = g_variant_lookup_value(objects, paths[i], NULL);

        ck_assert_msg(found != NULL, "%s is missing", paths[i]);
    }
}
END_TEST

START_TEST(an_identity_shows_what_is_known_of_it)
{
    const char *path = "/org/signet/identity/wifi";
    g_autoptr(GVariant) generations = get_property(path, IDENTITY, "Generations");
    g_autoptr(GVariant) first = NULL;
    const char *serial = NULL, *state = NULL;

    assert_text(path, IDENTITY, "Name", "wifi");
    assert_text(path, IDENTITY, "State", "active");
    assert_text(path, IDENTITY, "Subject", "CN=wifi");
    assert_text(path, IDENTITY, "KeyType", "ec:P-256");
    assert_text(path, IDENTITY, "Ca", "local");
    assert_text(path, IDENTITY, "NextAction", "renew");
    ck_assert_uint_eq(g_variant_n_children(generations), 1);
    first = g_variant_get_child_value(generations, 0);
    ck_assert(g_variant_lookup(first, "serial", "&s", &serial));
    ck_assert_str_eq(serial, "1001");
    ck_assert(g_variant_lookup(first, "state", "&s", &state));
    ck_assert_str_eq(state, "current");
}
END_TEST

START_TEST(nothing_can_be_written)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        call("/org/signet/identity/wifi", "org.freedesktop.DBus.Properties", "Set",
             g_variant_new("(ssv)", IDENTITY, "State", g_variant_new_string("active")), &error);

    ck_assert_ptr_null(reply);
}
END_TEST

START_TEST(credentials_are_paths_and_uris)
{
    g_autoptr(GVariant) reply = call_wifi("GetCredentials", NULL, NULL);
    g_autoptr(GVariant) dict = NULL;
    g_autofree char *key = g_build_filename(root, "live", "wifi", "key.pem", NULL);
    const char *text = NULL;
    guint generation = 0;

    ck_assert_ptr_nonnull(reply);
    dict = g_variant_get_child_value(reply, 0);
    ck_assert(g_variant_lookup(dict, "key", "&s", &text));
    ck_assert_str_eq(text, key);
    ck_assert(g_variant_lookup(dict, "uri", "&s", &text));
    ck_assert_str_eq(text, "signet:wifi;generation=1");
    ck_assert(g_variant_lookup(dict, "pkcs11", "&s", &text));
    ck_assert_str_eq(text, "pkcs11:token=Signet;object=wifi");
    ck_assert(g_variant_lookup(dict, "generation", "u", &generation));
    ck_assert_uint_eq(generation, 1);
    ck_assert(g_variant_lookup(dict, "ca", "&s", &text));
    ck_assert(!g_variant_lookup(dict, "chain", "&s", &text)); /* self-signed: there is none */
}
END_TEST

START_TEST(an_identity_without_a_certificate_has_no_credentials)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        call("/org/signet/identity/vpn_2d1", IDENTITY, "GetCredentials", NULL, &error);

    ck_assert_ptr_null(reply);
    assert_error(error, "org.signet.Error.NotFound", "vpn-1");
}
END_TEST

static GVariant *
sign_parameters(const guint8 *message, gsize size, const char *scheme, const char *options)
{
    return g_variant_new("(@ays@a{sv})",
                         g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, message, size, 1), scheme,
                         g_variant_parse(G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL));
}

/* What a TLS 1.3 client signs, RFC 8446 4.4.3 */
static gsize
fill_certificate_verify(guint8 message[130])
{
    static const char context[] = "TLS 1.3, client CertificateVerify";

    memset(message, ' ', 64);
    memcpy(message + 64, context, sizeof context);
    memset(message + 64 + sizeof context, 0x5a, 32);
    return 64 + sizeof context + 32;
}

static void
assert_verifies(GVariant *reply, guint32 number, const guint8 *message, gsize size)
{
    SignetGeneration *generation = signet_inventory_get(inventory, "wifi", number);
    const unsigned char *der = g_bytes_get_data(generation->key->spki, NULL);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)g_bytes_get_size(generation->key->spki));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    g_autoptr(GVariant) signature = NULL;
    guint32 signer = 0;

    g_variant_get(reply, "(@ayu)", &signature, &signer);
    ck_assert_uint_eq(signer, number);
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    ck_assert_int_eq(EVP_DigestVerify(context, g_variant_get_data(signature),
                                      g_variant_get_size(signature), message, size),
                     1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

START_TEST(a_tls_client_message_is_signed)
{
    guint8 message[130];
    gsize size = fill_certificate_verify(message);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), &error);

    ck_assert_msg(reply != NULL, "%s", error ? error->message : "");
    assert_verifies(reply, 1, message, size);
}
END_TEST

START_TEST(an_older_generation_signs_when_it_is_named)
{
    guint8 message[130];
    gsize size = fill_certificate_verify(message);
    g_autoptr(GVariant) old = NULL, current = NULL;

    fake_engine_issue(engine, "wifi");
    old = call_wifi(
        "Sign", sign_parameters(message, size, "ecdsa-sha256", "{'generation': <uint32 1>}"), NULL);
    current = call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), NULL);
    ck_assert(old && current);
    assert_verifies(old, 1, message, size);
    assert_verifies(current, 2, message, size);
}
END_TEST

static const struct {
    gsize size;
    const char *scheme;
    const char *options;
    const char *error;
    const char *words;
} refused[] = {
    {20, "ecdsa-sha256", "{}", "org.signet.Error.Denied", "wifi"},
    {32, "ecdsa-sha256", "{'digest': <true>}", "org.signet.Error.Denied", "wifi"},
    {31, "ecdsa-sha256", "{'digest': <true>}", "org.signet.Error.BadRequest", "31"},
    {20, "ecdsa-md5", "{}", "org.signet.Error.BadRequest", "ecdsa-md5"},
    {20, "ecdsa-sha256", "{'x': <1>}", "org.signet.Error.BadRequest", "'x'"},
    {60 * 1024 + 1, "ecdsa-sha256", "{}", "org.signet.Error.BadRequest", "61441"},
    {60 * 1024, "ecdsa-sha256", "{}", "org.signet.Error.Denied", "wifi"},
    {20, "ecdsa-sha256", "{'generation': <uint32 99>}", "org.signet.Error.NotFound", "99"},
};

START_TEST(what_is_no_business_of_a_tls_client_is_not_signed)
{
    g_autofree guint8 *message = g_malloc0(refused[_i].size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = call_wifi(
        "Sign", sign_parameters(message, refused[_i].size, refused[_i].scheme, refused[_i].options),
        &error);

    ck_assert_ptr_null(reply);
    assert_error(error, refused[_i].error, refused[_i].words);
    ck_assert_int_eq(control.signatures, 0);
}
END_TEST

typedef struct {
    GString *log;
    gboolean is_rotated;
    gboolean is_failed;
} Ear;

static void
on_any_signal(GDBusConnection *connection, const char *sender, const char *path,
              const char *interface, const char *name, GVariant *parameters, gpointer data)
{
    Ear *ear = data;
    g_autofree char *text = g_variant_print(parameters, FALSE);

    if (g_str_equal(name, "PropertiesChanged"))
        g_string_append(ear->log,
                        strstr(text, "CurrentGeneration") ? "changed:generation;" : "changed;");
    else
        g_string_append_printf(ear->log, "%s%s;", name, text);
    ear->is_rotated |= g_str_equal(name, "Rotated");
    ear->is_failed |= g_str_equal(name, "RotationFailed");
}

static void
listen_to(Ear *ear, const char *path)
{
    ear->log = g_string_new(NULL);
    (void)g_dbus_connection_signal_subscribe(fixture.client, NULL, NULL, NULL, path, NULL,
                                             G_DBUS_SIGNAL_FLAGS_NONE, on_any_signal, ear, NULL);
    fixture_run(50);
}

START_TEST(rotating_replies_when_the_new_generation_is_current)
{
    Ear ear = {0};
    g_autoptr(GVariant) reply = NULL;
    guint generation = 0;
    const char *changed = NULL, *rotated = NULL;

    listen_to(&ear, "/org/signet/identity/wifi");
    reply = call_wifi("Rotate", g_variant_new_parsed("(@a{sv} {},)"), NULL);
    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(u)", &generation);
    ck_assert_uint_eq(generation, 2);
    ck_assert(fixture_wait(&ear.is_rotated));
    changed = strstr(ear.log->str, "changed:generation;");
    rotated = strstr(ear.log->str, "Rotated(2,);");
    ck_assert_msg(changed && rotated && changed < rotated, "heard %s", ear.log->str);
    ck_assert_str_eq(polkit.action, "org.signet.rotate");
    ck_assert_str_eq(polkit.identity, "wifi");
    g_string_free(ear.log, TRUE);
}
END_TEST

START_TEST(a_failed_rotation_says_why)
{
    Ear ear = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL, problems = NULL;
    g_autofree const char **lines = NULL;

    listen_to(&ear, "/org/signet/identity/wifi");
    fake_engine_control(engine)->refuse = "the CA is on holiday";
    reply = call_wifi("Rotate", g_variant_new_parsed("(@a{sv} {},)"), &error);
    ck_assert_ptr_null(reply);
    assert_error(error, "org.signet.Error.CaRefused", "the CA is on holiday");
    ck_assert(fixture_wait(&ear.is_failed));
    ck_assert_ptr_nonnull(strstr(ear.log->str, "RotationFailed('the CA is on holiday', "));
    assert_text("/org/signet/identity/wifi", IDENTITY, "State", "failed");
    assert_text("/org/signet/agent", AGENT, "State", "attention");
    problems = get_property("/org/signet/agent", AGENT, "Problems");
    lines = g_variant_get_strv(problems, NULL);
    ck_assert_str_eq(lines[0], "identity 'wifi': failed: the CA is on holiday");
    g_string_free(ear.log, TRUE);
}
END_TEST

START_TEST(rotating_twice_at_once_is_busy)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) first = NULL, second = NULL;

    fake_engine_control(engine)->is_stuck = TRUE;
    first = call_wifi("Rotate", g_variant_new_parsed("({'no_wait': <true>},)"), NULL);
    ck_assert_ptr_nonnull(first);
    second = call_wifi("Rotate", g_variant_new_parsed("(@a{sv} {},)"), &error);
    ck_assert_ptr_null(second);
    assert_error(error, "org.signet.Error.Busy", "wifi");
}
END_TEST

START_TEST(enrolling_what_is_enrolled_changes_nothing)
{
    g_autoptr(GVariant) reply = call_wifi("Enroll", g_variant_new_parsed("(@a{sv} {},)"), NULL);
    guint generation = 0;

    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(u)", &generation);
    ck_assert_uint_eq(generation, 1);
    ck_assert_str_eq(polkit.action, "org.signet.enroll");
}
END_TEST

START_TEST(enrolling_joins_an_enrolment_under_way)
{
    g_autoptr(GVariant) reply = NULL;
    guint generation = 0;

    fake_engine_control(engine)->delay_ms = 300;
    fake_engine_begin(engine, "vpn-1");
    reply = call("/org/signet/identity/vpn_2d1", IDENTITY, "Enroll",
                 g_variant_new_parsed("(@a{sv} {},)"), NULL);
    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(u)", &generation);
    ck_assert_uint_eq(generation, 1);
}
END_TEST

START_TEST(enrolling_joins_a_failure_too)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    fake_engine_control(engine)->delay_ms = 300;
    fake_engine_control(engine)->refuse = "no";
    fake_engine_begin(engine, "vpn-1");
    reply = call("/org/signet/identity/vpn_2d1", IDENTITY, "Enroll",
                 g_variant_new_parsed("(@a{sv} {},)"), &error);
    ck_assert_ptr_null(reply);
    assert_error(error, "org.signet.Error.Failed", "vpn-1");
}
END_TEST

static const struct {
    const char *path;
    const char *interface;
    const char *method;
    const char *parameters;
} gated[] = {
    {"/org/signet/agent", AGENT, "Reload", "()"},
    {"/org/signet/identity/wifi", IDENTITY, "Enroll", "(@a{sv} {},)"},
    {"/org/signet/identity/wifi", IDENTITY, "Rotate", "(@a{sv} {},)"},
    {"/org/signet/identity/wifi", IDENTITY, "Rollback", "('it fails',)"},
    {"/org/signet/identity/wifi", IDENTITY, "Check", "()"},
    {"/org/signet/identity/wifi", IDENTITY, "Adopt", "(@a{sv} {},)"},
    {"/org/signet/identity/wifi", IDENTITY, "GetRequest", "()"},
    {"/org/signet/identity/wifi", IDENTITY, "Import", "(@ay [],)"},
    {"/org/signet/identity/wifi", IDENTITY, "GetUsage", "()"},
    {"/org/signet/token/card", TOKEN, "GetCounts", "()"},
};

START_TEST(a_no_of_polkit_stops_the_call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    polkit.mood = POLKIT_NO;
    reply = call(gated[_i].path, gated[_i].interface, gated[_i].method,
                 g_variant_parse(NULL, gated[_i].parameters, NULL, NULL, NULL), &error);
    ck_assert_ptr_null(reply);
    assert_error(error, "org.signet.Error.Denied", "polkit");
    ck_assert_uint_eq(polkit.n_asked, 1);
    ck_assert_uint_eq(signet_inventory_get(inventory, "wifi", 0)->number, 1);
}
END_TEST

START_TEST(a_rollback_says_what_is_current_now)
{
    g_autoptr(GVariant) reply = call_wifi("Rollback", g_variant_new("(s)", "it fails"), NULL);
    guint generation = 0;

    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(u)", &generation);
    ck_assert_uint_eq(generation, 1);
    ck_assert_str_eq(fake_engine_control(engine)->reported->str, "wifi: it fails");
}
END_TEST

START_TEST(what_a_person_brought_goes_to_the_engine)
{
    GVariant *bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, "chain", 5, 1);
    g_autoptr(GVariant) reply = call_wifi("Import", g_variant_new("(@ay)", bytes), NULL);

    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(fake_engine_control(engine)->reported->str, "wifi: 5 bytes");
}
END_TEST

START_TEST(a_request_is_shown_as_pem)
{
    g_autoptr(GVariant) reply = call_wifi("GetRequest", NULL, NULL);
    const char *pem = NULL;

    ck_assert_ptr_nonnull(reply);
    g_variant_get(reply, "(&s)", &pem);
    ck_assert_str_eq(pem, "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQE=\n"
                          "-----END CERTIFICATE REQUEST-----\n");
}
END_TEST

START_TEST(whoever_may_use_an_identity_may_report_failures_of_it)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) good =
        call_wifi("ReportFailure", g_variant_new("(us)", 1u, "unknown ca"), NULL);
    g_autoptr(GVariant) bad =
        call_wifi("ReportFailure", g_variant_new("(us)", 77u, "unknown ca"), &error);

    ck_assert_ptr_nonnull(good);
    ck_assert_uint_eq(polkit.n_asked, 0);
    ck_assert_str_eq(fake_engine_control(engine)->reported->str, "wifi 1: unknown ca");
    ck_assert_ptr_null(bad);
    assert_error(error, "org.signet.Error.NotFound", "77");
}
END_TEST

START_TEST(usage_says_who_used_what)
{
    g_autoptr(GVariant) reply = NULL, usage = NULL, first = NULL, users = NULL, user = NULL;
    const char *program = NULL;
    guint64 count = 0;

    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 100);
    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 200);
    reply = call_wifi("GetUsage", NULL, NULL);
    ck_assert_ptr_nonnull(reply);
    usage = g_variant_get_child_value(reply, 0);
    first = g_variant_get_child_value(usage, 0);
    users = g_variant_lookup_value(first, "users", G_VARIANT_TYPE("aa{sv}"));
    ck_assert_uint_eq(g_variant_n_children(users), 1);
    user = g_variant_get_child_value(users, 0);
    ck_assert(g_variant_lookup(user, "program", "&s", &program));
    ck_assert_str_eq(program, "nginx");
    ck_assert(g_variant_lookup(user, "count", "t", &count));
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(reloading_a_bad_policy_is_an_error_with_the_mistake)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) good = call("/org/signet/agent", AGENT, "Reload", NULL, NULL);
    g_autoptr(GVariant) bad = NULL;

    ck_assert_ptr_nonnull(good);
    is_policy_bad = TRUE;
    bad = call("/org/signet/agent", AGENT, "Reload", NULL, &error);
    ck_assert_ptr_null(bad);
    assert_error(error, "org.signet.Error.Policy", "caf\xef\xbf\xbd.conf:3");
}
END_TEST

START_TEST(a_new_policy_takes_objects_away)
{
    g_autoptr(SignetPolicy) policy = make_policy(FALSE);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    signet_bus_set_policy(bus, policy);
    reply = call("/org/signet/identity/vpn_2d1", IDENTITY, "GetCredentials", NULL, &error);
    ck_assert_ptr_null(reply);
    ck_assert(g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
              g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT));
    assert_text("/org/signet/identity/wifi", IDENTITY, "Name", "wifi");
}
END_TEST

START_TEST(expiring_is_announced)
{
    Ear ear = {0};

    listen_to(&ear, "/org/signet/identity/wifi");
    fake_engine_expire(engine, "wifi");
    fixture_run(100);
    ck_assert_ptr_nonnull(strstr(ear.log->str, "Expiring("));
    g_string_free(ear.log, TRUE);
}
END_TEST

START_TEST(a_token_that_goes_and_comes_is_announced)
{
    Ear ear = {0};
    guint8 message[130];
    gsize size = fill_certificate_verify(message);
    g_autoptr(GVariant) first = NULL, second = NULL, third = NULL;
    g_autoptr(GError) error = NULL;

    listen_to(&ear, "/org/signet/token/card");
    first = call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), NULL);
    g_atomic_int_set(&control.absent, 1);
    second = call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), &error);
    ck_assert(first && !second);
    assert_error(error, "org.signet.Error.TokenAbsent", "card");
    assert_text("/org/signet/token/card", TOKEN, "State", "absent");
    g_atomic_int_set(&control.absent, 0);
    for (guint i = 0; i < 30 && !third; i++) { /* it is not opened again all the time */
        fixture_run(100);
        third = call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), NULL);
    }
    ck_assert_ptr_nonnull(third);
    fixture_run(100);
    ck_assert_ptr_nonnull(strstr(ear.log->str, "TokenRemoved("));
    ck_assert_ptr_nonnull(strstr(strstr(ear.log->str, "TokenRemoved("), "TokenAdded()"));
    assert_text("/org/signet/identity/wifi", IDENTITY, "Protection", "software");
    g_string_free(ear.log, TRUE);
}
END_TEST

static void
ignore_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    GError **ret_error = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, ret_error);

    ck_assert_ptr_null(reply);
}

static void
call_and_go_on(GDBusConnection *connection, const char *method, GVariant *parameters,
               GError **ret_error)
{
    g_dbus_connection_call(connection, "org.signet.Agent1", "/org/signet/identity/wifi", IDENTITY,
                           method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, ignore_reply,
                           ret_error);
}

START_TEST(a_caller_that_leaves_takes_its_calls_along)
{
    GDBusConnection *guest = fixture_connect(&fixture);
    guint8 message[130];
    gsize size = fill_certificate_verify(message);
    g_autoptr(GError) rotate_error = NULL, sign_error = NULL;
    g_autoptr(GVariant) reply = NULL;

    fake_engine_control(engine)->delay_ms = 300;
    control.delay_us = 200000;
    call_and_go_on(guest, "Rotate", g_variant_new_parsed("(@a{sv} {},)"), &rotate_error);
    call_and_go_on(guest, "Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"),
                   &sign_error);
    fixture_run(100);
    (void)g_dbus_connection_close_sync(guest, NULL, NULL);
    fixture_run(500);
    g_object_unref(guest);
    ck_assert(rotate_error && sign_error);
    control.delay_us = 0;
    reply = call_wifi("Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"), NULL);
    ck_assert_ptr_nonnull(reply);
    assert_verifies(reply, 2, message, size); /* the rotation went on without its caller */
}
END_TEST

START_TEST(stopping_answers_what_is_under_way)
{
    guint8 message[130];
    gsize size = fill_certificate_verify(message);
    g_autoptr(GError) rotate_error = NULL, sign_error = NULL, usage_error = NULL;

    fake_engine_control(engine)->is_stuck = TRUE;
    control.delay_us = 800000;
    call_and_go_on(fixture.client, "Rotate", g_variant_new_parsed("(@a{sv} {},)"), &rotate_error);
    call_and_go_on(fixture.client, "Sign", sign_parameters(message, size, "ecdsa-sha256", "{}"),
                   &sign_error);
    fixture_run(100);
    polkit.mood = POLKIT_SILENT;
    call_and_go_on(fixture.client, "GetUsage", NULL, &usage_error);
    fixture_run(100);
    signet_engine_set_listener(engine, NULL, NULL);
    signet_tokens_set_listener(tokens, NULL, NULL);
    g_clear_pointer(&bus, signet_bus_free);
    fixture_run(200);
    assert_error(rotate_error, "org.signet.Error.Failed", "stopping");
    assert_error(sign_error, "org.signet.Error.Failed", "stopping");
    assert_error(usage_error, "org.signet.Error.Failed", "stopping");
}
END_TEST

START_TEST(a_second_agent_is_refused)
{
    g_autoptr(GDBusConnection) other = fixture_connect(&fixture);
    SignetBusContext context = {.connection = other,
                                .broker = broker,
                                .engine = engine,
                                .inventory = inventory,
                                .tokens = tokens,
                                .store = store,
                                .clock = signet_clock_system(),
                                .reload = reload};
    g_autoptr(GError) error = NULL;
    SignetBus *second = signet_bus_new(&context, &error);

    ck_assert_ptr_null(second);
    ck_assert(signet_error_is(error, SIGNET_ERROR_BUSY));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("bus");
    TCase *tests = tcase_create("bus");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, all_objects_are_under_the_object_manager);
    tcase_add_test(tests, an_identity_shows_what_is_known_of_it);
    tcase_add_test(tests, nothing_can_be_written);
    tcase_add_test(tests, credentials_are_paths_and_uris);
    tcase_add_test(tests, an_identity_without_a_certificate_has_no_credentials);
    tcase_add_test(tests, a_tls_client_message_is_signed);
    tcase_add_test(tests, an_older_generation_signs_when_it_is_named);
    tcase_add_loop_test(tests, what_is_no_business_of_a_tls_client_is_not_signed, 0,
                        G_N_ELEMENTS(refused));
    tcase_add_test(tests, rotating_replies_when_the_new_generation_is_current);
    tcase_add_test(tests, a_failed_rotation_says_why);
    tcase_add_test(tests, rotating_twice_at_once_is_busy);
    tcase_add_test(tests, enrolling_what_is_enrolled_changes_nothing);
    tcase_add_test(tests, enrolling_joins_an_enrolment_under_way);
    tcase_add_test(tests, enrolling_joins_a_failure_too);
    tcase_add_loop_test(tests, a_no_of_polkit_stops_the_call, 0, G_N_ELEMENTS(gated));
    tcase_add_test(tests, a_rollback_says_what_is_current_now);
    tcase_add_test(tests, what_a_person_brought_goes_to_the_engine);
    tcase_add_test(tests, a_request_is_shown_as_pem);
    tcase_add_test(tests, whoever_may_use_an_identity_may_report_failures_of_it);
    tcase_add_test(tests, usage_says_who_used_what);
    tcase_add_test(tests, reloading_a_bad_policy_is_an_error_with_the_mistake);
    tcase_add_test(tests, a_new_policy_takes_objects_away);
    tcase_add_test(tests, expiring_is_announced);
    tcase_add_test(tests, a_token_that_goes_and_comes_is_announced);
    tcase_add_test(tests, a_caller_that_leaves_takes_its_calls_along);
    tcase_add_test(tests, stopping_answers_what_is_under_way);
    tcase_add_test(tests, a_second_agent_is_refused);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
