/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A message bus of the test's own, a polkit that says what the test wants. */

#include "fixture.h"

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static const char config_format[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\""
    " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">"
    "<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>"
    "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
    "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>";

static void
die_with_parent(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void
await_file(const char *path)
{
    for (guint i = 0; i < 500 && !g_file_test(path, G_FILE_TEST_EXISTS); i++)
        g_usleep(10000);
    ck_assert_msg(g_file_test(path, G_FILE_TEST_EXISTS), "dbus-daemon did not start");
}

void
fixture_up(Fixture *fixture)
{
    g_autofree char *config = NULL, *text = NULL, *socket = NULL, *option = NULL;
    g_autoptr(GError) error = NULL;

    fixture->directory = g_dir_make_tmp("signet-bus-XXXXXX", NULL);
    ck_assert_ptr_nonnull(fixture->directory);
    config = g_build_filename(fixture->directory, "bus.conf", NULL);
    socket = g_build_filename(fixture->directory, "bus", NULL);
    text = g_strdup_printf(config_format, fixture->directory);
    option = g_strconcat("--config-file=", config, NULL);
    ck_assert(g_file_set_contents(config, text, -1, NULL));
    {
        char *argv[] = {(char *)"dbus-daemon",
                        (char *)"--nofork",
                        (char *)"--nopidfile",
                        (char *)"--nosyslog",
                        option,
                        NULL};

        ck_assert_msg(g_spawn_async(NULL, argv, NULL,
                                    G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                        G_SPAWN_STDERR_TO_DEV_NULL,
                                    die_with_parent, NULL, &fixture->daemon, &error),
                      "dbus-daemon cannot be started");
    }
    await_file(socket);
    fixture->address = g_strconcat("unix:path=", socket, NULL);
    fixture->server = fixture_connect(fixture);
    fixture->client = fixture_connect(fixture);
}

static void
disconnect(GDBusConnection *connection)
{
    (void)g_dbus_connection_close_sync(connection, NULL, NULL);
    g_object_unref(connection);
}

void
fixture_down(Fixture *fixture)
{
    g_autofree char *config = g_build_filename(fixture->directory, "bus.conf", NULL);
    g_autofree char *socket = g_build_filename(fixture->directory, "bus", NULL);

    disconnect(fixture->client);
    disconnect(fixture->server);
    fixture_run(20);
    (void)kill(fixture->daemon, SIGTERM);
    (void)waitpid(fixture->daemon, NULL, 0);
    (void)g_unlink(config);
    (void)g_unlink(socket);
    (void)g_rmdir(fixture->directory);
    g_free(fixture->directory);
    g_free(fixture->address);
}

GDBusConnection *
fixture_connect(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = NULL;

    for (guint i = 0; i < 100 && !connection; i++) {
        g_clear_error(&error);
        connection = g_dbus_connection_new_for_address_sync(
            fixture->address,
            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
            NULL, NULL, &error);
        if (!connection)
            g_usleep(10000);
    }
    ck_assert_msg(connection != NULL, "cannot connect: %s", error ? error->message : "");
    return connection;
}

static gboolean
on_patience(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

gboolean
fixture_wait(const gboolean *flag)
{
    gboolean is_late = FALSE;
    guint source = g_timeout_add(PATIENCE_MS, on_patience, &is_late);

    while (!*flag && !is_late)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(source);
    return *flag;
}

void
fixture_run(guint duration_ms)
{
    gboolean is_over = FALSE;
    guint source = g_timeout_add(duration_ms, on_patience, &is_over);

    while (!is_over)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(source);
}

typedef struct {
    GVariant *value;
    GError *error;
    gboolean is_done;
} Reply;

static void
on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    Reply *reply = data;

    reply->value = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &reply->error);
    reply->is_done = TRUE;
}

GVariant *
fixture_call_from(GDBusConnection *connection, const FixtureTarget *target, GVariant *parameters,
                  GError **error)
{
    Reply reply = {0};

    g_dbus_connection_call(connection, target->destination, target->path, target->interface,
                           target->method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                           on_reply, &reply);
    ck_assert_msg(fixture_wait(&reply.is_done), "%s got no reply", target->method);
    if (reply.error)
        g_propagate_error(error, reply.error);
    return reply.value;
}

GVariant *
fixture_call(Fixture *fixture, const FixtureTarget *target, GVariant *parameters, GError **error)
{
    return fixture_call_from(fixture->client, target, parameters, error);
}

static const char polkit_xml[] =
    "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
    "<method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='a{ss}' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='(bba{ss})' direction='out'/></method>"
    "<method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method>"
    "</interface></node>";

static void
note(FakePolkit *polkit, GVariant *parameters)
{
    g_autoptr(GVariant) subject = NULL, details = NULL;
    const char *kind = NULL;

    polkit->n_asked++;
    g_clear_pointer(&polkit->action, g_free);
    g_clear_pointer(&polkit->subject, g_free);
    g_clear_pointer(&polkit->identity, g_free);
    g_variant_get(parameters, "((&s@a{sv})s@a{ss}u&s)", &kind, &subject, &polkit->action, &details,
                  &polkit->flags, NULL);
    ck_assert_str_eq(kind, "system-bus-name");
    (void)g_variant_lookup(subject, "name", "s", &polkit->subject);
    (void)g_variant_lookup(details, "identity", "s", &polkit->identity);
}

static void
answer(FakePolkit *polkit, GDBusMethodInvocation *invocation)
{
    switch (polkit->mood) {
    case POLKIT_YES:
    case POLKIT_NO:
    case POLKIT_CHALLENGE:
        g_dbus_method_invocation_return_value(
            invocation, g_variant_new("((bb@a{ss}))", polkit->mood == POLKIT_YES,
                                      polkit->mood == POLKIT_CHALLENGE,
                                      g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0)));
        break;
    case POLKIT_SILENT:
        g_object_unref(invocation);
        break;
    case POLKIT_GARBAGE: {
        /* GDBus would not let a wrong type pass, so by hand. */
        g_autoptr(GDBusMessage) reply =
            g_dbus_message_new_method_reply(g_dbus_method_invocation_get_message(invocation));

        g_dbus_message_set_body(reply, g_variant_new("(b)", TRUE));
        (void)g_dbus_connection_send_message(polkit->connection, reply,
                                             G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
        g_object_unref(invocation);
        break;
    }
    case POLKIT_ERROR:
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.PolicyKit1.Error.Failed", "the action is not registered");
        break;
    }
}

static void
on_polkit_call(GDBusConnection *connection, const char *sender, const char *path,
               const char *interface, const char *method, GVariant *parameters,
               GDBusMethodInvocation *invocation, gpointer data)
{
    FakePolkit *polkit = data;

    if (g_str_equal(method, "CancelCheckAuthorization")) {
        polkit->n_cancelled++;
        g_dbus_method_invocation_return_value(invocation, NULL);
        return;
    }
    note(polkit, parameters);
    answer(polkit, invocation);
}

void
fake_polkit_up(FakePolkit *polkit, Fixture *fixture)
{
    static const GDBusInterfaceVTable vtable = {.method_call = on_polkit_call};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(polkit_xml, NULL);
    g_autoptr(GVariant) reply = NULL;

    polkit->connection = fixture_connect(fixture);
    ck_assert_uint_ne(g_dbus_connection_register_object(
                          polkit->connection, "/org/freedesktop/PolicyKit1/Authority",
                          node->interfaces[0], &vtable, polkit, NULL, NULL),
                      0);
    reply = g_dbus_connection_call_sync(
        polkit->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", "org.freedesktop.PolicyKit1", 4u), NULL,
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
    ck_assert_ptr_nonnull(reply);
}

void
fake_polkit_down(FakePolkit *polkit)
{
    disconnect(polkit->connection);
    g_clear_pointer(&polkit->action, g_free);
    g_clear_pointer(&polkit->subject, g_free);
    g_clear_pointer(&polkit->identity, g_free);
}
