/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: what systemd says of a unit. */

#pragma once

#include <gio/gio.h>

/* The properties (a{sv}) of org.freedesktop.systemd1.INTERFACE of a unit: "Unit", "Service". NULL
 * with error. Blocks, for a few seconds at most. */
GVariant *
signet_systemd_get(GDBusConnection *bus, const char *unit, const char *interface, GError **error);
