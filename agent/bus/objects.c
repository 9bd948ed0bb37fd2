/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* D-Bus: the agent's objects, their coming and going, and the signals they emit. */

#include "agent/bus/bus.h"

#include "agent/bus/agent.h"
#include "agent/bus/call.h"
#include "agent/bus/identity.h"
#include "agent/bus/internal.h"
#include "agent/bus/path.h"
#include "agent/bus/token.h"

#define TIMEOUT_MS         10000
#define NAME_DO_NOT_QUEUE  4u /* flags and replies of RequestName, D-Bus specification */
#define NAME_PRIMARY_OWNER 1u
#define NAME_ALREADY_OWNER 4u

static void
export_object(SignetBus *bus, const char *path, GDBusInterfaceSkeleton *interface)
{
    g_autoptr(GDBusObjectSkeleton) object = g_dbus_object_skeleton_new(path);

    signet_bus_guard(bus, interface);
    g_dbus_object_skeleton_add_interface(object, interface);
    g_dbus_object_manager_server_export(bus->manager, object);
}

static gboolean
on_summary(gpointer data)
{
    SignetBus *bus = data;

    bus->summary = 0;
    signet_bus_agent_update(bus);
    return G_SOURCE_REMOVE;
}

void
signet_bus_queue_summary(SignetBus *bus)
{
    if (!bus->summary)
        bus->summary = g_idle_add_full(G_PRIORITY_DEFAULT, on_summary, bus, NULL);
}

static void
on_caller_gone(SignetCaller *caller, gpointer data)
{
    signet_bus_end_calls(data, caller, NULL);
}

static gboolean
own_name(GDBusConnection *connection, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", SIGNET_BUS_NAME, NAME_DO_NOT_QUEUE),
        G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, &failure);
    guint32 answer = 0;

    if (!reply) {
        g_dbus_error_strip_remote_error(failure);
        return signet_error_set(error, SIGNET_ERROR_FAILED,
                                "cannot own the bus name '%s': %s; is " SIGNET_BUS_NAME
                                ".conf among the bus's policies?",
                                SIGNET_BUS_NAME, failure->message);
    }
    g_variant_get(reply, "(u)", &answer);
    if (answer != NAME_PRIMARY_OWNER && answer != NAME_ALREADY_OWNER)
        return signet_error_set(error, SIGNET_ERROR_BUSY,
                                "the bus name '%s' is taken: another agent runs", SIGNET_BUS_NAME);
    return TRUE;
}

SignetBus *
signet_bus_new(const SignetBusContext *context, GError **error)
{
    SignetBus *bus = g_new0(SignetBus, 1);

    bus->context = *context;
    bus->context.connection = g_object_ref(context->connection);
    bus->weak = g_rc_box_new0(SignetBusWeak);
    bus->weak->bus = bus;
    bus->calls = signet_bus_calls_new();
    bus->identities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    bus->tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    bus->gate = signet_gate_new(context->connection, 0, signet_bus_on_judged, bus);
    bus->callers =
        signet_callers_new(context->connection, signet_bus_on_caller, on_caller_gone, bus);
    bus->manager = g_dbus_object_manager_server_new(SIGNET_BUS_ROOT);
    bus->agent = signet_bus_agent_new(bus);
    export_object(bus, SIGNET_BUS_AGENT_PATH, G_DBUS_INTERFACE_SKELETON(bus->agent));
    g_dbus_object_manager_server_set_connection(bus->manager, context->connection);
    if (own_name(context->connection, error))
        return bus;
    signet_bus_free(bus);
    return NULL;
}

static void
release_name(GDBusConnection *connection)
{
    g_dbus_connection_call(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "ReleaseName",
                           g_variant_new("(s)", SIGNET_BUS_NAME), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                           NULL, NULL, NULL);
}

void
signet_bus_free(SignetBus *bus)
{
    g_autoptr(GError) stopping = signet_error_new(SIGNET_ERROR_FAILED, "the agent is stopping");

    if (!bus)
        return;
    bus->weak->bus = NULL;
    g_rc_box_release(bus->weak);
    signet_gate_free(bus->gate);
    signet_bus_end_calls(bus, NULL, stopping);
    signet_callers_free(bus->callers);
    if (bus->summary)
        g_source_remove(bus->summary);
    release_name(bus->context.connection);
    g_dbus_object_manager_server_set_connection(bus->manager, NULL);
    g_object_unref(bus->manager);
    g_object_unref(bus->agent);
    g_hash_table_unref(bus->identities);
    g_hash_table_unref(bus->tokens);
    g_hash_table_unref(bus->calls);
    g_clear_pointer(&bus->policy, signet_policy_unref);
    g_object_unref(bus->context.connection);
    g_free(bus);
}

static void
put_identity(SignetBus *bus, const char *name)
{
    SignetDbusIdentity1 *object = g_hash_table_lookup(bus->identities, name);
    g_autofree char *path = signet_bus_path_new(SIGNET_BUS_IDENTITY_PATH, name);

    if (object) {
        signet_bus_identity_update(bus, object);
        return;
    }
    object = signet_bus_identity_new(name);
    g_hash_table_insert(bus->identities, g_strdup(name), object);
    signet_bus_identity_update(bus, object);
    export_object(bus, path, G_DBUS_INTERFACE_SKELETON(object));
}

static void
put_token(SignetBus *bus, SignetToken *token)
{
    const char *name = signet_token_get_name(token);
    SignetDbusToken1 *object = g_hash_table_lookup(bus->tokens, name);
    g_autofree char *path = signet_bus_path_new(SIGNET_BUS_TOKEN_PATH, name);

    if (object) {
        signet_bus_token_update(object, token);
        return;
    }
    object = signet_bus_token_new(name);
    g_hash_table_insert(bus->tokens, g_strdup(name), object);
    signet_bus_token_update(object, token);
    export_object(bus, path, G_DBUS_INTERFACE_SKELETON(object));
}

/* The calls on an object that goes are answered by whoever works on them: they hold it. */
static void
drop_missing(SignetBus *bus, GHashTable *objects, const char *parent, GHashTable *wanted)
{
    GHashTableIter iter;
    gpointer name = NULL;

    g_hash_table_iter_init(&iter, objects);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        g_autofree char *path = NULL;

        if (g_hash_table_contains(wanted, name))
            continue;
        path = signet_bus_path_new(parent, name);
        g_dbus_object_manager_server_unexport(bus->manager, path);
        g_hash_table_iter_remove(&iter);
    }
}

static void
sync_tokens(SignetBus *bus)
{
    g_autoptr(GPtrArray) tokens = signet_tokens_list(bus->context.tokens);
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < tokens->len; i++) {
        SignetToken *token = g_ptr_array_index(tokens, i);

        g_hash_table_add(wanted, (gpointer)signet_token_get_name(token));
        put_token(bus, token);
    }
    drop_missing(bus, bus->tokens, SIGNET_BUS_TOKEN_PATH, wanted);
}

void
signet_bus_set_policy(SignetBus *bus, SignetPolicy *policy)
{
    const GPtrArray *identities = signet_policy_get_identities(policy);
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);

    signet_policy_ref(policy);
    g_clear_pointer(&bus->policy, signet_policy_unref);
    bus->policy = policy;
    sync_tokens(bus);
    for (guint i = 0; i < identities->len; i++) {
        const SignetIdentityPolicy *identity = g_ptr_array_index(identities, i);

        g_hash_table_add(wanted, identity->name);
        put_identity(bus, identity->name);
    }
    drop_missing(bus, bus->identities, SIGNET_BUS_IDENTITY_PATH, wanted);
    signet_dbus_agent1_set_policy_loaded(bus->agent, signet_clock_now(bus->context.clock));
    signet_bus_queue_summary(bus);
}

void
signet_bus_look_again(SignetBus *bus)
{
    signet_bus_agent_update(bus);
}

static void
emit(SignetBus *bus, SignetDbusIdentity1 *object, SignetEngineEvent event, guint32 generation)
{
    SignetIdentityStatus status = {0};

    (void)signet_engine_get_status(bus->context.engine, signet_dbus_identity1_get_name(object),
                                   &status);
    switch (event) {
    case SIGNET_ENGINE_ROTATED:
        signet_dbus_identity1_emit_rotated(object, generation);
        break;
    case SIGNET_ENGINE_FAILED:
        signet_dbus_identity1_emit_rotation_failed(object, status.cause ? status.cause : "",
                                                   status.next_s);
        break;
    case SIGNET_ENGINE_EXPIRING:
        signet_dbus_identity1_emit_expiring(object, status.not_after_s);
        break;
    case SIGNET_ENGINE_REVOKED:
        signet_dbus_identity1_emit_revoked(object, generation,
                                           status.revocation ? status.revocation : "");
        break;
    case SIGNET_ENGINE_CHANGED:
    case SIGNET_ENGINE_RETIRED:
        break;
    }
}

void
signet_bus_on_engine(const char *identity, SignetEngineEvent event, guint32 generation,
                     gpointer data)
{
    SignetBus *bus = data;
    SignetDbusIdentity1 *object = g_hash_table_lookup(bus->identities, identity);

    if (!object)
        return;
    signet_bus_identity_update(bus, object);
    /* The properties first, so that whoever hears the signal finds them new. */
    g_dbus_interface_skeleton_flush(G_DBUS_INTERFACE_SKELETON(object));
    emit(bus, object, event, generation);
    signet_bus_identity_answer_waiting(bus, identity, event, generation);
    signet_bus_queue_summary(bus);
}

void
signet_bus_on_token(SignetToken *token, gpointer data)
{
    SignetBus *bus = data;
    SignetDbusToken1 *object = g_hash_table_lookup(bus->tokens, signet_token_get_name(token));
    GHashTableIter iter;
    gpointer identity = NULL;

    if (object)
        signet_bus_token_update(object, token);
    g_hash_table_iter_init(&iter, bus->identities);
    while (g_hash_table_iter_next(&iter, NULL, &identity)) {
        if (g_strcmp0(signet_dbus_identity1_get_token(identity), signet_token_get_name(token)) == 0)
            signet_bus_identity_update(bus, identity);
    }
    signet_bus_queue_summary(bus);
}
