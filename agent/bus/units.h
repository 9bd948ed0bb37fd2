/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The units that use an identity, by systemd over D-Bus (org.freedesktop.systemd1(5)). */

#pragma once

#include <gio/gio.h>

#include "policy/model.h"

/* Has the units that Reload= of the identity names read their files again: a unit that cannot
 * reload is restarted, one that does not run is left alone (ReloadOrTryRestartUnit). Never blocks;
 * what came of it (JobRemoved) is logged, for nobody waits for it. */
void signet_bus_reload_units(GDBusConnection *connection, const SignetIdentityPolicy *identity);
