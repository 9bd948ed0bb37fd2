/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A TLS handshake between two ends in memory. */

#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

struct handshake {
    int version;         /* TLS1_2_VERSION, TLS1_3_VERSION */
    const char *groups;  /* nullable */
    const char *ciphers; /* for TLS 1.2, nullable */
    SSL_CTX *server;     /* (unowned) with key and certificate */
    SSL_CTX *client;     /* (unowned) likewise */
};

/* A context that demands a certificate of the fake agent's issuer from the other end. */
SSL_CTX *handshake_context(const SSL_METHOD *method);
/* True when both ends finished and exchanged a message. */
bool handshake_run(const struct handshake *handshake);
