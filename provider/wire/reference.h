/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The key reference: what an application is given in place of a private key, a PrivateKeyInfo
 * (RFC 5208) in DER:
 *
 *   SEQUENCE {
 *       INTEGER 0,
 *       SEQUENCE { OBJECT IDENTIFIER 2.25.<uuid>.<n> },
 *       OCTET STRING { SEQUENCE { UTF8String identity, INTEGER generation } } }
 *
 * n is the key's family: 1 for EC, 2 for RSA, 3 for Ed25519. It holds no secret. libc only. */

#pragma once

#include "provider/wire/wire.h"

/* Dotted OIDs; at most 49 characters, because libcrypto cuts longer algorithm names silently
 * (OSSL_MAX_NAME_SIZE 50). */
#define SIGNET_REFERENCE_OID_EC      "2.25.68498831438740922837235251295461710286.1"
#define SIGNET_REFERENCE_OID_RSA     "2.25.68498831438740922837235251295461710286.2"
#define SIGNET_REFERENCE_OID_ED25519 "2.25.68498831438740922837235251295461710286.3"

#define SIGNET_REFERENCE_DER_MAX 160u

struct signet_reference {
    char identity[SIGNET_WIRE_NAME_MAX + 1];
    uint32_t generation; /* 0: whatever is current when it is loaded */
    uint8_t family;      /* enum signet_family */
};

enum signet_reference_verdict {
    SIGNET_REFERENCE_OURS,
    SIGNET_REFERENCE_FOREIGN, /* not one of our OIDs: somebody else's key */
    SIGNET_REFERENCE_BROKEN,  /* our OID, but malformed */
};

/* Bytes written to out, 0 when the name is not valid or the capacity too small
 * (SIGNET_REFERENCE_DER_MAX always suffices). */
size_t
signet_reference_to_der(const struct signet_reference *reference, uint8_t *out, size_t capacity);
/* Strict DER; size may exceed the reference (the rest is ignored, as d2i does); *ret_consumed is
 * set with OURS. */
enum signet_reference_verdict
signet_reference_from_der(const uint8_t *der, size_t size, struct signet_reference *ret_reference,
                          size_t *ret_consumed);

/* "signet:NAME" or "signet:NAME;generation=NUMBER", which do not say the family: 0. False when it
 * is neither. */
bool signet_reference_from_uri(const char *uri, struct signet_reference *ret_reference);
