/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The peer of Canary=, which tries a new certificate before it is made current. Pure. */

#pragma once

#include <glib.h>

typedef struct {
    char *host; /* (owned) */
    char *port; /* (owned) decimal */
    char *path; /* (owned, nullable) for a HEAD request; NULL: the TLS handshake alone counts */
} SignetCanary;

/* "tls:HOST:PORT", "https://HOST[:PORT][/PATH]"; an IPv6 address stands in brackets. */
gboolean signet_canary_parse(const char *text, SignetCanary *ret_canary);
void signet_canary_clear(SignetCanary *canary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetCanary, signet_canary_clear)
