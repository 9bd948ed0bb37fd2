/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: starting the agent. */

#pragma once

#include "agent/ctl/ctl.h"

/* Has the bus start the agent if it does not run. Blocks as long as it starts, and says so after a
 * second, until it has failed; says on stderr why not. */
SignetCtlExit signet_ctl_start_agent(GDBusConnection *connection);
