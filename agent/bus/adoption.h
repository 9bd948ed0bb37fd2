/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a caller of Adopt hands over. */

#pragma once

#include <gio/gio.h>

#include "agent/rotate/engine.h"

#define SIGNET_BUS_KEY_MAX          16384u
#define SIGNET_BUS_AUTH_MAX         64u
#define SIGNET_BUS_CERTIFICATES_MAX 65536u

typedef struct {
    SignetAdoption adoption; /* what it points to is owned */
    gboolean no_wait;
} SignetBusAdoption;

/* Reads options and fds of the call within the limits above, without waiting for anybody. ret:
 * zeros; cleared by the caller after an error too. BAD_REQUEST names what is wrong. */
gboolean signet_bus_adoption_parse(GDBusMethodInvocation *invocation,
                                   SignetBusAdoption *ret_adoption, GError **error);
void signet_bus_adoption_clear(SignetBusAdoption *adoption);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetBusAdoption, signet_bus_adoption_clear)
