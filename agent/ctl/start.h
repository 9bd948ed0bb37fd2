/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: starting the agent. */

#pragma once

#include <gio/gio.h>

/* Has the bus start the agent if it does not run. Blocks as long as it starts, and says so on
 * stderr after a second. FALSE: G_DBUS_ERROR_SERVICE_UNKNOWN when the bus does not know of it,
 * G_DBUS_ERROR_TIMED_OUT when it does not start, or another error of the bus. */
gboolean signet_ctl_start_agent(GDBusConnection *connection, GError **error);
