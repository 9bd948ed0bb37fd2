/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The public part of one generation of an identity, taken apart for attributes. Immutable. */

#pragma once

#include <stdatomic.h>

#include "provider/wire/wire.h"

#define SIGNET_IDENTITY_CERTIFICATES_MAX 16u

struct signet_certificate {
    struct signet_bytes der;
    struct signet_bytes spki;
    /* whole elements, as PKCS#11 wants them */
    struct signet_bytes serial;
    struct signet_bytes issuer;
    struct signet_bytes subject;
};

struct signet_identity {
    atomic_uint references;
    char name[SIGNET_WIRE_NAME_MAX + 1];
    uint32_t generation;
    uint32_t key_type; /* enum signet_key_type */
    struct signet_bytes spki;
    struct signet_bytes chain;
    /* EC, Ed25519: the curve's OID, and the point as an OCTET STRING, in DER (PKCS#11 2.3.3) */
    struct signet_bytes ec_params;
    struct signet_bytes ec_point;
    /* RSA: big endian, without leading zeros */
    struct signet_bytes modulus;
    struct signet_bytes exponent;
    unsigned certificate_count; /* leaf first */
    struct signet_certificate certificates[SIGNET_IDENTITY_CERTIFICATES_MAX];
    uint8_t storage[]; /* what all the bytes above point into */
};

/* Copies what it needs of the answer. NULL: out of memory, or (*ret_malformed) the key or a
 * certificate cannot be read. Certificates after the first 16 are left out. */
struct signet_identity *
signet_identity_new(struct signet_bytes name, const struct signet_wire_lookup_reply *reply,
                    bool *ret_malformed);
struct signet_identity *signet_identity_ref(struct signet_identity *identity);
/* Harmless on NULL. */
void signet_identity_unref(struct signet_identity *identity);

uint32_t signet_identity_family(const struct signet_identity *identity);
/* Bytes of a modulus or of a coordinate. */
size_t signet_identity_width(const struct signet_identity *identity);
/* Same name, generation, key and chain. */
bool signet_identity_equal(const struct signet_identity *a, const struct signet_identity *b);
