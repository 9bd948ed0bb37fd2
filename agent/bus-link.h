/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps the agent on D-Bus: connects, connects again when the bus went away. Without a bus keys are
 * used as before; only management is missing. */

#pragma once

#include "agent/bus/bus.h"

typedef struct SignetBusLink SignetBusLink;

/* address: nullable, the system bus then; context->connection is filled in by the link. Starts at
 * once, never blocks. */
SignetBusLink *signet_bus_link_new(const char *address, const SignetBusContext *context);
void signet_bus_link_free(SignetBusLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetBusLink, signet_bus_link_free)

/* Passed on while there is a bus. A rotation also has the units of Reload= read their files again.
 */
void signet_bus_link_set_policy(SignetBusLink *link, SignetPolicy *policy);
void signet_bus_link_look_again(SignetBusLink *link);
void signet_bus_link_on_engine(SignetBusLink *link, const char *identity, SignetEngineEvent event,
                               guint32 generation);
void signet_bus_link_on_token(SignetBusLink *link, SignetToken *token);
