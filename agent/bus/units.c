/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The units that use an identity, by systemd over D-Bus. */

#include "agent/bus/units.h"

#include "agent/base/log.h"

#define TIMEOUT_MS 10000
#define UNIT       "unit:"

typedef struct {
    char *identity; /* (owned) */
    char *unit;     /* (owned) */
} Request;

static void
request_free(Request *request)
{
    g_free(request->identity);
    g_free(request->unit);
    g_free(request);
}

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) job =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    const char *const *fields =
        SIGNET_LOG_FIELDS("SIGNET_IDENTITY", request->identity, "SIGNET_UNIT", request->unit);

    if (job) {
        signet_log(LOG_INFO, fields, "unit '%s' reads the new certificate of '%s'", request->unit,
                   request->identity);
    } else {
        g_dbus_error_strip_remote_error(error);
        signet_log(LOG_WARNING, fields,
                   "cannot reload unit '%s', which uses '%s': %s; reload it by hand before the old "
                   "generation is retired",
                   request->unit, request->identity, error->message);
    }
    request_free(request);
}

static void
reload_unit(GDBusConnection *connection, const char *identity, const char *unit)
{
    Request *request = g_new0(Request, 1);

    request->identity = g_strdup(identity);
    request->unit = g_strdup(unit);
    g_dbus_connection_call(connection, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                           "org.freedesktop.systemd1.Manager", "ReloadOrTryRestartUnit",
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
