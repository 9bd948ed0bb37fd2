/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The key reference as DER: always the same shape, and short enough for one-byte lengths
 * throughout. */

#include "provider/wire/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_INTEGER = 0x02,
    TAG_OCTET_STRING = 0x04,
    TAG_OID = 0x06,
    TAG_UTF8_STRING = 0x0c,
    TAG_SEQUENCE = 0x30,
};

/* The contents of SIGNET_REFERENCE_OID_* without their last arc, the family (X.690 8.19). */
static const uint8_t oid_stem[] = {0x69, 0xe7, 0x88, 0xb2, 0xc8, 0xd9, 0xe3, 0xc2, 0xb9, 0xf3,
                                   0xa9, 0xd1, 0x9a, 0x81, 0x8b, 0xa9, 0x98, 0xb3, 0x4e};
#define OID_SIZE (sizeof(oid_stem) + 1)

/* A part of the DER that is still to be read. */
struct span {
    const uint8_t *data;
    size_t size;
};

/* Takes one element with the given tag off *from; BER lengths up to four bytes are understood, so
 * that a reference with a wrong encoding is told apart from somebody else's key. */
static bool
take(struct span *from, uint8_t tag, struct span *ret_content)
{
    if (from->size < 2 || from->data[0] != tag)
        return false;
    size_t length = from->data[1], head = 2;
    if (length & 0x80) {
        size_t width = length & 0x7f;
        if (width == 0 || width > 4 || width > from->size - 2)
            return false;
        length = 0;
        for (size_t i = 0; i < width; i++)
            length = length << 8 | from->data[2 + i];
        head += width;
    }
    /* the outermost length may reach beyond what the caller holds: then what there is decides */
    size_t available = from->size - head;
    *ret_content = (struct span) {from->data + head, length < available ? length : available};
    *from = (struct span) {ret_content->data + ret_content->size, available - ret_content->size};
    return true;
}

static bool
is_family(uint8_t number)
{
#define X(symbol, arc, name) \
    if (number == (arc))     \
        return true;
    SIGNET_FAMILIES(X)
#undef X
    return false;
}

/* Reads as far as the OID: which of ours it is, 0 for somebody else's. */
static uint8_t
take_family(struct span *der, struct span *ret_rest)
{
    struct span info, version, algorithm, oid;
    if (!take(der, TAG_SEQUENCE, &info) || !take(&info, TAG_INTEGER, &version) ||
        !take(&info, TAG_SEQUENCE, &algorithm) || !take(&algorithm, TAG_OID, &oid))
        return 0;
    if (oid.size != OID_SIZE || memcmp(oid.data, oid_stem, sizeof(oid_stem)) != 0)
        return 0;
    *ret_rest = info;
    uint8_t arc = oid.data[sizeof(oid_stem)];
    return is_family(arc) ? arc : 0;
}

static bool
take_payload(struct span *info, struct signet_reference *ret_reference)
{
    struct span octets, payload, identity, generation;
    if (!take(info, TAG_OCTET_STRING, &octets) || !take(&octets, TAG_SEQUENCE, &payload) ||
        !take(&payload, TAG_UTF8_STRING, &identity) || !take(&payload, TAG_INTEGER, &generation))
        return false;
    if (!signet_wire_name_is_valid((const char *)identity.data, identity.size))
        return false;
    if (generation.size > 5)
        return false;

    uint64_t number = 0;
    for (size_t i = 0; i < generation.size; i++)
        number = number << 8 | generation.data[i];
    if (number > UINT32_MAX)
        return false;
    memcpy(ret_reference->identity, identity.data, identity.size);
    ret_reference->identity[identity.size] = '\0';
    ret_reference->generation = (uint32_t)number;
    return true;
}

/* Puts tag and length before the content that fills the end of the buffer from *start. */
static void
wrap(uint8_t *buffer, size_t *start, size_t end, uint8_t tag)
{
    size_t length = end - *start;
    buffer[--*start] = (uint8_t)length;
    buffer[--*start] = tag;
}

static void
prepend(uint8_t *buffer, size_t *start, const void *data, size_t size)
{
    *start -= size;
    memcpy(buffer + *start, data, size);
}

static void
prepend_integer(uint8_t *buffer, size_t *start, uint32_t value)
{
    size_t end = *start;
    do {
        buffer[--*start] = (uint8_t)value;
        value >>= 8;
    } while (value != 0);
    if (buffer[*start] & 0x80)
        buffer[--*start] = 0;
    wrap(buffer, start, end, TAG_INTEGER);
}

size_t
signet_reference_to_der(const struct signet_reference *reference, uint8_t *out, size_t capacity)
{
    uint8_t buffer[SIGNET_REFERENCE_DER_MAX];
    const size_t end = sizeof(buffer);
    size_t start = end, name_size = strnlen(reference->identity, sizeof(reference->identity));
    if (!signet_wire_name_is_valid(reference->identity, name_size) || !is_family(reference->family))
        return 0;

    /* from the end to the front, so that every length is known when it is written */
    prepend_integer(buffer, &start, reference->generation);
    size_t name_end = start;
    prepend(buffer, &start, reference->identity, name_size);
    wrap(buffer, &start, name_end, TAG_UTF8_STRING);
    wrap(buffer, &start, end, TAG_SEQUENCE);
    wrap(buffer, &start, end, TAG_OCTET_STRING);

    size_t algorithm_end = start;
    buffer[--start] = reference->family;
    prepend(buffer, &start, oid_stem, sizeof(oid_stem));
    wrap(buffer, &start, algorithm_end, TAG_OID);
    wrap(buffer, &start, algorithm_end, TAG_SEQUENCE);
    prepend_integer(buffer, &start, 0);
    wrap(buffer, &start, end, TAG_SEQUENCE);

    if (end - start > capacity)
        return 0;
    memcpy(out, buffer + start, end - start);
    return end - start;
}

enum signet_reference_verdict
signet_reference_from_der(const uint8_t *der, size_t size, struct signet_reference *ret_reference,
                          size_t *ret_consumed)
{
    struct signet_reference reference = {0};
    struct span whole = {der, size}, rest;
    reference.family = take_family(&whole, &rest);
    if (reference.family == 0)
        return SIGNET_REFERENCE_FOREIGN;
    if (!take_payload(&rest, &reference))
        return SIGNET_REFERENCE_BROKEN;

    /* strict: only the one encoding that we write ourselves */
    uint8_t canonical[SIGNET_REFERENCE_DER_MAX];
    size_t length = signet_reference_to_der(&reference, canonical, sizeof(canonical));
    if (length == 0 || length > size || memcmp(canonical, der, length) != 0)
        return SIGNET_REFERENCE_BROKEN;
    *ret_reference = reference;
    *ret_consumed = length;
    return SIGNET_REFERENCE_OURS;
}

bool
signet_reference_from_uri(const char *uri, struct signet_reference *ret_reference)
{
    *ret_reference = (struct signet_reference) {.generation = 0};
    char digits[11] = "";
    int end = 0;
    if (sscanf(uri, "signet:%64[a-z0-9_.-]%n", ret_reference->identity, &end) != 1 ||
        !signet_wire_name_is_valid(ret_reference->identity, strlen(ret_reference->identity)))
        return false;
    if (uri[end] == '\0')
        return true;
    const char *rest = uri + end;
    if (sscanf(rest, ";generation=%10[0-9]%n", digits, &end) != 1 || rest[end] != '\0')
        return false;
    unsigned long number = strtoul(digits, NULL, 10);
    ret_reference->generation = (uint32_t)number;
    return number > 0 && number <= UINT32_MAX;
}
