/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps the agent on D-Bus. */

#include "agent/bus-link.h"

#include "agent/base/log.h"
#include "agent/bus/units.h"

#define RETRY_US (5 * G_USEC_PER_SEC)

struct SignetBusLink {
    char *address; /* (owned, nullable) */
    SignetBusContext context;
    SignetPolicy *policy;        /* (owned, nullable) */
    GCancellable *cancellable;   /* (owned) */
    GSource *attempt;            /* (owned) connects when its time has come */
    GDBusConnection *connection; /* (owned, nullable) */
    gulong closed_id;
    SignetBus *bus;    /* (owned, nullable) */
    gboolean has_told; /* that there is no bus: once is enough */
};

static void
attempt_later(SignetBusLink *link)
{
    g_source_set_ready_time(link->attempt, g_get_monotonic_time() + RETRY_US);
}

static void
drop(SignetBusLink *link)
{
    g_clear_pointer(&link->bus, signet_bus_free);
    if (link->connection)
        g_signal_handler_disconnect(link->connection, link->closed_id);
    g_clear_object(&link->connection);
}

static void
tell_missing(SignetBusLink *link, const char *why)
{
    if (!link->has_told)
        signet_log(LOG_WARNING, NULL,
                   "not on D-Bus: %s; keys are served all the same, trying again every %d s", why,
                   (int)(RETRY_US / G_USEC_PER_SEC));
    link->has_told = TRUE;
}

static void
on_closed(GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
    SignetBusLink *link = data;

    tell_missing(link, error ? error->message : "the connection was closed");
    drop(link);
    attempt_later(link);
}

static void
take_connection(SignetBusLink *link, GDBusConnection *connection)
{
    g_autoptr(GError) error = NULL;

    link->connection = connection;
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    link->closed_id = g_signal_connect(connection, "closed", G_CALLBACK(on_closed), link);
    link->context.connection = connection;
    link->bus = signet_bus_new(&link->context, &error);
    if (!link->bus) {
        tell_missing(link, error->message);
        drop(link);
        attempt_later(link);
        return;
    }
    if (link->policy)
        signet_bus_set_policy(link->bus, link->policy);
    /* before the first call: an agent that has just started must not say that all is well */
    signet_bus_look_again(link->bus);
    signet_log(LOG_INFO, NULL, "on D-Bus");
    link->has_told = FALSE;
}

static void
on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    SignetBusLink *link = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_for_address_finish(result, &error);

    if (connection) {
        take_connection(link, connection);
        return;
    }
    /* Cancelled: the link is gone. */
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    tell_missing(link, error->message);
    attempt_later(link);
}

/* A connection of our own and not GLib's shared one, which would never be replaced after it broke.
 */
static gboolean
on_attempt(gpointer data)
{
    SignetBusLink *link = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *address =
        link->address ? g_strdup(link->address)
                      : g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

    g_source_set_ready_time(link->attempt, -1);
    if (!address) {
        tell_missing(link, error->message);
        attempt_later(link);
        return G_SOURCE_CONTINUE;
    }
    g_dbus_connection_new_for_address(address,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                          G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                      NULL, link->cancellable, on_connected, link);
    return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_attempt(GSource *source, GSourceFunc callback, gpointer data)
{
    return callback(data);
}

SignetBusLink *
signet_bus_link_new(const char *address, const SignetBusContext *context)
{
    static GSourceFuncs functions = {.dispatch = dispatch_attempt};
    SignetBusLink *link = g_new0(SignetBusLink, 1);

    link->address = g_strdup(address);
    link->context = *context;
    link->cancellable = g_cancellable_new();
    link->attempt = g_source_new(&functions, sizeof(GSource));
    g_source_set_callback(link->attempt, on_attempt, link, NULL);
    g_source_set_ready_time(link->attempt, 0);
    g_source_attach(link->attempt, NULL);
    return link;
}

void
signet_bus_link_free(SignetBusLink *link)
{
    g_cancellable_cancel(link->cancellable);
    g_object_unref(link->cancellable);
    g_source_destroy(link->attempt);
    g_source_unref(link->attempt);
    drop(link);
    g_clear_pointer(&link->policy, signet_policy_unref);
    g_free(link->address);
    g_free(link);
}

void
signet_bus_link_set_policy(SignetBusLink *link, SignetPolicy *policy)
{
    signet_policy_ref(policy);
    g_clear_pointer(&link->policy, signet_policy_unref);
    link->policy = policy;
    if (link->bus)
        signet_bus_set_policy(link->bus, policy);
}

void
signet_bus_link_look_again(SignetBusLink *link)
{
    if (link->bus)
        signet_bus_look_again(link->bus);
}

void
signet_bus_link_on_engine(SignetBusLink *link, const char *identity, SignetEngineEvent event,
                          guint32 generation)
{
    const SignetIdentityPolicy *policy =
        link->policy ? signet_policy_get_identity(link->policy, identity) : NULL;

    if (link->bus)
        signet_bus_on_engine(identity, event, generation, link->bus);
    if (event != SIGNET_ENGINE_ROTATED || !policy || !policy->reload[0])
        return;
    if (link->connection)
        signet_bus_reload_units(link->connection, policy);
    else
        signet_log(
            LOG_WARNING, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", identity),
            "cannot reload the units that use '%s': not on D-Bus; reload them by hand before "
            "the old generation is retired",
            identity);
}

void
signet_bus_link_on_token(SignetBusLink *link, SignetToken *token)
{
    if (link->bus)
        signet_bus_on_token(token, link->bus);
}
