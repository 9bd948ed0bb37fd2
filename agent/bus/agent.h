/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The object /org/signet/agent. */

#pragma once

#include "agent/bus/internal.h"

SignetDbusAgent1 *signet_bus_agent_new(SignetBus *bus);
/* State and Problems from the identities and tokens. */
void signet_bus_agent_update(SignetBus *bus);
void signet_bus_agent_reload(SignetBusCall *call);
