/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asks systemd's manager over D-Bus (org.freedesktop.systemd1(5)). */

#include "agent/ctl/systemd.h"

#define SYSTEMD    "org.freedesktop.systemd1"
#define TIMEOUT_MS 10000

GVariant *
signet_systemd_get(GDBusConnection *bus, const char *unit, const char *interface, GError **error)
{
    g_autofree char *name = g_strconcat(SYSTEMD ".", interface, NULL);
    g_autoptr(GVariant) loaded = NULL;
    g_autoptr(GVariant) all = NULL;
    const char *path = NULL;

    loaded =
        g_dbus_connection_call_sync(bus, SYSTEMD, "/org/freedesktop/systemd1", SYSTEMD ".Manager",
                                    "LoadUnit", g_variant_new("(s)", unit), G_VARIANT_TYPE("(o)"),
                                    G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, error);
    if (!loaded)
        return NULL;
    g_variant_get(loaded, "(&o)", &path);
    all = g_dbus_connection_call_sync(
        bus, SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll", g_variant_new("(s)", name),
        G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, error);
    return all ? g_variant_get_child_value(all, 0) : NULL;
}
