/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A small world for the tests of broker and door: a policy, a token in memory, identities with
 * keys.
 *
 * - app: ec:P-256, allows user nobody, tls-client; generations 1 (retired), 2 (current), 3
 * (pending)
 * - web: ec:P-256, allows user www-data, tls-server
 * - all: rsa:2048, allows user nobody, any
 * - own: ec:P-256, no rule: root only, any
 * - ed25519: the same with ed25519; edge: the same, tls-client
 * - unit: ec:P-256, allows unit:signet-test.service
 * - empty: ec:P-256, no generation yet, allows nobody
 * - gone: ec:P-256, its token is not configured
 * - ca.local: certificate, as the policy makes it */

#pragma once

#include "agent/broker/broker.h"
#include "tests/support/fake-token.h"

#define WORLD_NOBODY   65534
#define WORLD_WWW_DATA 33

typedef struct {
    FakeTokenControl control;
    SignetPolicy *policy;
    SignetInventory *inventory;
    SignetTokens *tokens;
    SignetBroker *broker;
    gint64 now_s;
    SignetClock clock;
} World;

World *world_new(void);
void world_free(World *world);

/* "TLS 1.3, client CertificateVerify" over a made-up transcript; who: "client" or "server" */
GBytes *world_tls13_message(const char *who);
/* Does this signature fit? hash: of the message */
gboolean world_verify(World *world, const char *identity, guint32 number, GBytes *message,
                      GBytes *signature);
