/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Object paths: a name from the policy as one element of a D-Bus path. */

#pragma once

#include <glib.h>

#define SIGNET_BUS_NAME          "org.signet.Agent1"
#define SIGNET_BUS_ROOT          "/org/signet"
#define SIGNET_BUS_AGENT_PATH    SIGNET_BUS_ROOT "/agent"
#define SIGNET_BUS_IDENTITY_PATH SIGNET_BUS_ROOT "/identity"
#define SIGNET_BUS_TOKEN_PATH    SIGNET_BUS_ROOT "/token"

/* parent "/" NAME, every byte of the name but ASCII letters and digits written as _xx: different
 * names give different paths, and any name (the empty one: "_") a valid one. */
char *signet_bus_path_new(const char *parent, const char *name);
