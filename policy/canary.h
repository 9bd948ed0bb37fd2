/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The peer of Canary=, which tries a new certificate before it is made current. Pure. */

#pragma once

#include <glib.h>

typedef enum {
    SIGNET_CANARY_TLS,     /* the handshake alone counts */
    SIGNET_CANARY_HTTPS,   /* a HEAD request, too */
    SIGNET_CANARY_RADIUS,  /* EAP-TLS (RFC 5216, RFC 9190) over RADIUS (RFC 2865, RFC 3579) */
    SIGNET_CANARY_CONNECT, /* a connection, and a test signature by the key */
} SignetCanaryKind;

typedef struct {
    SignetCanaryKind kind;
    char *host; /* (owned) */
    char *port; /* (owned) decimal */
    char *path; /* (owned, nullable) HTTPS only */
} SignetCanary;

/* "tls:HOST:PORT", "https://HOST[:PORT][/PATH]", "radius:HOST[:PORT]", "connect:HOST:PORT"; an IPv6
 * address stands in brackets. */
gboolean signet_canary_parse(const char *text, SignetCanary *ret_canary);
void signet_canary_clear(SignetCanary *canary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetCanary, signet_canary_clear)
