/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* From the agent's answer to the fields that PKCS#11 names. */

#include "provider/pkcs11/identity.h"

#include <stdlib.h>
#include <string.h>

#include "provider/wire/der.h"

#define POINT_HEADER_MAX 3u /* of an OCTET STRING of at most 255 bytes */

static void
wrap_point(struct signet_identity *identity, struct signet_bytes point, uint8_t *room)
{
    size_t header = 0;
    room[header++] = SIGNET_DER_OCTET_STRING;
    if (point.size >= 0x80)
        room[header++] = 0x81;
    room[header++] = (uint8_t)point.size;
    memcpy(room + header, point.data, point.size);
    identity->ec_point = (struct signet_bytes) {room, header + point.size};
}

static bool
read_point(struct signet_identity *identity, struct signet_der curve, struct signet_bytes point,
           uint8_t *room)
{
    size_t width = signet_identity_width(identity);
    bool is_ec = signet_identity_family(identity) == SIGNET_FAMILY_EC;
    if (is_ec ? point.data[0] != 0x04 || point.size != 1 + 2 * width : point.size != width)
        return false;
    identity->ec_params = curve.whole;
    wrap_point(identity, point, room);
    return true;
}

/* RFC 5280 4.1.2.7, with the keys of RFC 3279 2.3.1, RFC 5480 and RFC 8410. */
static bool
read_key(struct signet_identity *identity, uint8_t *room)
{
    struct signet_bytes rest = identity->spki;
    struct signet_der spki, algorithm, oid, key;
    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &spki) || rest.size != 0 ||
        !signet_der_expect(&spki.content, SIGNET_DER_SEQUENCE, &algorithm) ||
        !signet_der_expect(&algorithm.content, SIGNET_DER_OID, &oid) ||
        !signet_der_expect(&spki.content, SIGNET_DER_BIT_STRING, &key) || key.content.size < 2 ||
        key.content.data[0] != 0)
        return false;
    struct signet_bytes bits = {key.content.data + 1, key.content.size - 1};
    struct signet_der curve, numbers;
    if (signet_identity_family(identity) == SIGNET_FAMILY_ED25519)
        return read_point(identity, oid, bits, room);
    if (signet_identity_family(identity) == SIGNET_FAMILY_EC)
        return signet_der_expect(&algorithm.content, SIGNET_DER_OID, &curve) &&
               read_point(identity, curve, bits, room);
    return signet_der_expect(&bits, SIGNET_DER_SEQUENCE, &numbers) &&
           signet_der_unsigned(&numbers.content, &identity->modulus) &&
           signet_der_unsigned(&numbers.content, &identity->exponent) &&
           identity->modulus.size == signet_identity_width(identity);
}

/* RFC 5280 4.1. */
static bool
read_certificate(struct signet_der whole, struct signet_certificate *ret)
{
    struct signet_der tbs, version, serial, algorithm, issuer, validity, subject, spki;
    ret->der = whole.whole;
    if (whole.tag != SIGNET_DER_SEQUENCE ||
        !signet_der_expect(&whole.content, SIGNET_DER_SEQUENCE, &tbs))
        return false;
    struct signet_bytes *rest = &tbs.content;
    signet_der_expect(rest, 0xa0, &version); /* a version 1 certificate has none */
    if (!signet_der_expect(rest, SIGNET_DER_INTEGER, &serial) ||
        !signet_der_expect(rest, SIGNET_DER_SEQUENCE, &algorithm) ||
        !signet_der_expect(rest, SIGNET_DER_SEQUENCE, &issuer) ||
        !signet_der_expect(rest, SIGNET_DER_SEQUENCE, &validity) ||
        !signet_der_expect(rest, SIGNET_DER_SEQUENCE, &subject) ||
        !signet_der_expect(rest, SIGNET_DER_SEQUENCE, &spki))
        return false;
    ret->serial = serial.whole;
    ret->issuer = issuer.whole;
    ret->subject = subject.whole;
    ret->spki = spki.whole;
    return true;
}

static bool
read_chain(struct signet_identity *identity)
{
    struct signet_bytes rest = identity->chain;
    struct signet_der element;
    while (rest.size > 0 && identity->certificate_count < SIGNET_IDENTITY_CERTIFICATES_MAX) {
        struct signet_certificate *to = &identity->certificates[identity->certificate_count];
        if (!signet_der_next(&rest, &element) || !read_certificate(element, to))
            return false;
        identity->certificate_count++;
    }
    return true;
}

static struct signet_bytes
store(uint8_t *room, struct signet_bytes bytes)
{
    if (bytes.size > 0)
        memcpy(room, bytes.data, bytes.size);
    return (struct signet_bytes) {room, bytes.size};
}

struct signet_identity *
signet_identity_new(struct signet_bytes name, const struct signet_wire_lookup_reply *reply,
                    bool *ret_malformed)
{
    *ret_malformed = false;
    size_t point_max = POINT_HEADER_MAX + SIGNET_WIRE_POINT_MAX;
    struct signet_identity *identity =
        calloc(1, sizeof(*identity) + reply->spki.size + reply->chain.size + point_max);
    if (identity == NULL)
        return NULL;
    atomic_init(&identity->references, 1);
    memcpy(identity->name, name.data, name.size);
    identity->generation = reply->generation;
    identity->key_type = reply->key_type;
    identity->spki = store(identity->storage, reply->spki);
    identity->chain = store(identity->storage + reply->spki.size, reply->chain);
    uint8_t *rest = identity->storage + reply->spki.size + reply->chain.size;
    if (signet_key_type_bits(reply->key_type) != 0 && read_key(identity, rest) &&
        read_chain(identity))
        return identity;
    *ret_malformed = true;
    free(identity);
    return NULL;
}

struct signet_identity *
signet_identity_ref(struct signet_identity *identity)
{
    atomic_fetch_add(&identity->references, 1);
    return identity;
}

void
signet_identity_unref(struct signet_identity *identity)
{
    if (identity != NULL && atomic_fetch_sub(&identity->references, 1) == 1)
        free(identity);
}

uint32_t
signet_identity_family(const struct signet_identity *identity)
{
    return signet_key_type_family(identity->key_type);
}

size_t
signet_identity_width(const struct signet_identity *identity)
{
    return (signet_key_type_bits(identity->key_type) + 7) / 8;
}

static bool
equal(struct signet_bytes a, struct signet_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool
signet_identity_equal(const struct signet_identity *a, const struct signet_identity *b)
{
    return strcmp(a->name, b->name) == 0 && a->generation == b->generation &&
           equal(a->spki, b->spki) && equal(a->chain, b->chain);
}
