/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The way of a method call: who calls, may they, do it. The only way in: skeletons never see a call
 * that did not come through here. */

#pragma once

#include "agent/bus/internal.h"

/* The table of calls; frees what is removed. */
GHashTable *signet_bus_calls_new(void);
/* From now on method calls on object take this way; one that has no row in the gate is unknown. */
void signet_bus_guard(SignetBus *bus, GDBusInterfaceSkeleton *object);
/* Ends all calls, or those of one caller (nullable: all), because of error (nullable: the caller is
 * gone, say nothing). */
void signet_bus_end_calls(SignetBus *bus, const SignetCaller *caller, const GError *error);
/* For the gate and the callers of the bus; data: the bus. */
void signet_bus_on_judged(const GError *denied, gint64 id, gpointer data);
void signet_bus_on_caller(SignetCaller *caller, const GError *error, gint64 id, gpointer data);
/* Is there a handler? For the tests. */
gboolean signet_bus_has_handler(const char *interface, const char *method);
