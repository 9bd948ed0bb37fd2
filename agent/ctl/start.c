/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Starting the agent by its name on the bus. The bus waits 25 seconds for an agent that ended long
 * ago: systemd is asked meanwhile. */

#include "agent/ctl/start.h"

#include "agent/ctl/systemd.h"

#define AGENT_NAME "org.signet.Agent1"
#define BUS        "org.freedesktop.DBus"
#define UNIT       "signetd.service"
#define START_MS   120000 /* the bus has a limit of its own */
#define ASK_MS     3000

typedef struct {
    GDBusConnection *connection; /* (unowned) */
    GMainLoop *loop;             /* (owned) */
    GCancellable *cancellable;   /* (owned) */
    gboolean has_failed;         /* systemd says so */
    gboolean is_told;            /* that it takes its time */
    GError *error;               /* (owned, nullable) */
} Start;

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    Start *start = data;
    GVariant *reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &start->error);

    if (reply)
        g_variant_unref(reply);
    g_main_loop_quit(start->loop);
}

static gboolean
has_unit_failed(GDBusConnection *connection)
{
    g_autoptr(GVariant) unit = signet_systemd_get(connection, UNIT, "Unit", NULL);
    const char *state = NULL;

    return unit && g_variant_lookup(unit, "ActiveState", "&s", &state) &&
           g_str_equal(state, "failed");
}

static gboolean
on_second(gpointer data)
{
    Start *start = data;

    start->has_failed = has_unit_failed(start->connection);
    if (start->has_failed)
        g_cancellable_cancel(start->cancellable);
    else if (!start->is_told)
        g_printerr("signetctl: waiting for the agent to start\n");
    start->is_told = TRUE;
    return G_SOURCE_CONTINUE;
}

static gboolean
has_owner(GDBusConnection *connection)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(connection, BUS, "/org/freedesktop/DBus", BUS, "NameHasOwner",
                                    g_variant_new("(s)", AGENT_NAME), G_VARIANT_TYPE("(b)"),
                                    G_DBUS_CALL_FLAGS_NONE, ASK_MS, NULL, NULL);
    gboolean has = FALSE;

    if (reply)
        g_variant_get(reply, "(b)", &has);
    return has;
}

static void
wait(Start *start)
{
    guint second = g_timeout_add_seconds(1, on_second, start);

    g_dbus_connection_call(start->connection, BUS, "/org/freedesktop/DBus", BUS,
                           "StartServiceByName", g_variant_new("(su)", AGENT_NAME, 0),
                           G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, START_MS,
                           start->cancellable, on_started, start);
    g_main_loop_run(start->loop);
    g_source_remove(second);
}

gboolean
signet_ctl_start_agent(GDBusConnection *connection, GError **error)
{
    Start start = {.connection = connection};

    if (has_owner(connection))
        return TRUE;
    start.loop = g_main_loop_new(NULL, FALSE);
    start.cancellable = g_cancellable_new();
    wait(&start);
    g_main_loop_unref(start.loop);
    g_object_unref(start.cancellable);
    if (!start.error)
        return TRUE;
    if (start.has_failed) {
        g_clear_error(&start.error);
        g_set_error_literal(&start.error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT,
                            "the unit " UNIT " has failed");
    }
    g_propagate_error(error, start.error);
    return FALSE;
}
