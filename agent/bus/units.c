/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The units that use an identity, by systemd over D-Bus. */

#include "agent/bus/units.h"

#include "agent/base/log.h"

#define SYSTEMD    "org.freedesktop.systemd1"
#define PATH       "/org/freedesktop/systemd1"
#define MANAGER    SYSTEMD ".Manager"
#define TIMEOUT_MS 10000
#define PATIENCE_S 300 /* a unit may take its TimeoutStartSec=, of 90 seconds by default */
#define UNIT       "unit:"

typedef struct {
    GDBusConnection *connection; /* (owned) */
    char *identity;              /* (owned) */
    char *unit;                  /* (owned) */
    char *job;                   /* (owned, nullable) what systemd does about it, once it said so */
    GHashTable *results; /* (owned) of this unit's jobs that have ended so far, by path: one may end
                            before its path is known */
    guint watch;
    guint patience; /* 0 when it is over */
} Request;

static void
request_free(Request *request)
{
    if (request->patience)
        g_source_remove(request->patience);
    g_dbus_connection_signal_unsubscribe(request->connection, request->watch);
    g_hash_table_unref(request->results);
    g_object_unref(request->connection);
    g_free(request->identity);
    g_free(request->unit);
    g_free(request->job);
    g_free(request);
}

static void
warn(const Request *request, const char *reason)
{
    signet_log(
        LOG_WARNING,
        SIGNET_LOG_FIELDS("SIGNET_IDENTITY", request->identity, "SIGNET_UNIT", request->unit),
        "cannot reload unit '%s', which uses '%s': %s; reload it by hand before the old "
        "generation is retired",
        request->unit, request->identity, reason);
}

/* Ends the request when the job has ended: "done", or why not. */
static void
judge(Request *request)
{
    const char *result = request->job ? g_hash_table_lookup(request->results, request->job) : NULL;
    g_autofree char *reason = NULL;

    if (!result)
        return;
    if (g_str_equal(result, "done")) {
        signet_log(
            LOG_INFO,
            SIGNET_LOG_FIELDS("SIGNET_IDENTITY", request->identity, "SIGNET_UNIT", request->unit),
            "unit '%s' was told of the new certificate of '%s', if it runs", request->unit,
            request->identity);
    } else {
        reason = g_strdup_printf("systemd says '%s'; 'systemctl status %s' tells more", result,
                                 request->unit);
        warn(request, reason);
    }
    request_free(request);
}

static void
on_job_removed(GDBusConnection *connection, const char *sender, const char *path,
               const char *interface, const char *signal, GVariant *parameters, gpointer data)
{
    Request *request = data;
    const char *job, *unit, *result;

    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(uoss)")))
        return;
    g_variant_get(parameters, "(u&o&s&s)", NULL, &job, &unit, &result);
    if (!g_str_equal(unit, request->unit))
        return;
    g_hash_table_insert(request->results, g_strdup(job), g_strdup(result));
    judge(request);
}

static gboolean
on_patience_over(gpointer data)
{
    Request *request = data;

    request->patience = 0;
    warn(request, "systemd has not ended it in five minutes");
    request_free(request);
    return G_SOURCE_REMOVE;
}

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) job =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (!job) {
        g_dbus_error_strip_remote_error(error);
        warn(request, error->message);
        request_free(request);
        return;
    }
    g_variant_get(job, "(o)", &request->job);
    request->patience = g_timeout_add_seconds(PATIENCE_S, on_patience_over, request);
    judge(request);
}

static void
reload_unit(GDBusConnection *connection, const char *identity, const char *unit)
{
    Request *request = g_new0(Request, 1);

    request->connection = g_object_ref(connection);
    request->identity = g_strdup(identity);
    request->unit = g_strdup(unit);
    request->results = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    request->watch =
        g_dbus_connection_signal_subscribe(connection, SYSTEMD, MANAGER, "JobRemoved", PATH, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, on_job_removed, request, NULL);
    /* Without it systemd does not tell of the end of jobs. Said twice, it does no harm. */
    g_dbus_connection_call(connection, SYSTEMD, PATH, MANAGER, "Subscribe", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, NULL, NULL);
    g_dbus_connection_call(connection, SYSTEMD, PATH, MANAGER, "ReloadOrTryRestartUnit",
                           g_variant_new("(ss)", unit, "replace"), G_VARIANT_TYPE("(o)"),
                           G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, on_answer, request);
}

void
signet_bus_reload_units(GDBusConnection *connection, const SignetIdentityPolicy *identity)
{
    for (char **item = identity->reload; item && *item; item++) {
        if (g_str_has_prefix(*item, UNIT))
            reload_unit(connection, identity->name, *item + strlen(UNIT));
    }
}
