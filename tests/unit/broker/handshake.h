/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What OpenSSL itself signs in a mutually authenticated handshake, captured. */

#pragma once

#include <glib.h>
#include <openssl/evp.h>

typedef struct {
    int version;         /* TLS1_2_VERSION, TLS1_3_VERSION */
    gboolean is_rsa;     /* keys of both ends */
    const char *groups;  /* (nullable) e.g. "X25519" */
    const char *ciphers; /* (nullable) TLS 1.2, e.g. "DHE" */
} HandshakeSpec;

typedef struct {
    GBytes *client; /* the bytes that the client signed in its CertificateVerify */
    GBytes *server; /* … the server, in its CertificateVerify (1.3) or ServerKeyExchange (1.2) */
} HandshakeCapture;

/* Aborts unless both signatures that were sent verify over exactly these bytes: so what is returned
 * is what was signed. */
HandshakeCapture handshake_capture(const HandshakeSpec *spec);
void handshake_capture_clear(HandshakeCapture *capture);

/* A key, and a certificate for it (self-signed), for other fixtures. */
EVP_PKEY *handshake_make_key(gboolean is_rsa);
