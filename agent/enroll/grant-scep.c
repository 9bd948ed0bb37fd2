/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads signed attributes: strict DER, nothing unknown, nothing twice. */

#include "agent/enroll/grant-scep.h"

#include <string.h>

#include "agent/base/error.h"

#define TAG_OCTETS    0x04
#define TAG_OID       0x06
#define TAG_PRINTABLE 0x13
#define TAG_UTC       0x17
#define TAG_SEQUENCE  0x30
#define TAG_SET       0x31

#define ATTRIBUTES_MAX 1024u

typedef struct {
    const guint8 *data;
    gsize size;
} Span;

/* One element with this tag, its length in the shortest form, from the front. */
static gboolean
take(Span *from, guint8 tag, Span *ret_body)
{
    gsize head = 2;

    if (from->size < 2 || from->data[0] != tag)
        return FALSE;
    gsize size = from->data[1];
    if (size == 0x81) {
        if (from->size < 3 || from->data[2] < 0x80)
            return FALSE;
        size = from->data[2];
        head = 3;
    } else if (size == 0x82) {
        if (from->size < 4 || from->data[2] == 0)
            return FALSE;
        size = (gsize)from->data[2] << 8 | from->data[3];
        head = 4;
    } else if (size >= 0x80) {
        return FALSE;
    }
    if (size > from->size - head)
        return FALSE;
    *ret_body = (Span) {from->data + head, size};
    from->data += head + size;
    from->size -= head + size;
    return TRUE;
}

/* --- values --- */

static gboolean
is_content_type(Span value)
{
    static const guint8 id_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};

    return value.size == sizeof(id_data) && memcmp(value.data, id_data, sizeof(id_data)) == 0;
}

static gboolean
is_digest(Span value)
{
    return value.size == 32 || value.size == 64;
}

static gboolean
is_time(Span value)
{
    return value.size == 13;
}

/* PKCSReq, RenewalReq, CertPoll */
static gboolean
is_message_type(Span value)
{
    return value.size == 2 &&
           (memcmp(value.data, "19", 2) == 0 || memcmp(value.data, "17", 2) == 0 ||
            memcmp(value.data, "20", 2) == 0);
}

static gboolean
is_nonce(Span value)
{
    return value.size == 16;
}

static gboolean
is_transaction(Span value)
{
    for (gsize i = 0; i < value.size; i++) {
        if (!g_ascii_isxdigit(value.data[i]))
            return FALSE;
    }
    return value.size == 64;
}

static const struct {
    guint8 oid[10];
    gsize oid_size;
    guint8 tag;
    gboolean (*is_value)(Span value);
    gboolean is_optional;
} attributes[] = {
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03}, 9, TAG_OID, is_content_type, FALSE},
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04}, 9, TAG_OCTETS, is_digest, FALSE},
    {{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05}, 9, TAG_UTC, is_time, TRUE},
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x02},
     10,
     TAG_PRINTABLE,
     is_message_type,
     FALSE},
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x05}, 10, TAG_OCTETS, is_nonce, FALSE},
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x07},
     10,
     TAG_PRINTABLE,
     is_transaction,
     FALSE},
};

/* The row of an attribute whose one value is right; -1: none. */
static int
find_row(Span attribute)
{
    Span oid, set, value;

    if (!take(&attribute, TAG_OID, &oid) || !take(&attribute, TAG_SET, &set) || attribute.size > 0)
        return -1;
    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (oid.size != attributes[i].oid_size ||
            memcmp(oid.data, attributes[i].oid, oid.size) != 0)
            continue;
        return take(&set, attributes[i].tag, &value) && set.size == 0 &&
                       attributes[i].is_value(value)
                   ? (int)i
                   : -1;
    }
    return -1;
}

gboolean
signet_grant_is_scep_attributes(const guint8 *data, gsize size, GError **error)
{
    Span all = {data, size}, set, attribute;
    guint seen = 0;
    gboolean is_good = size <= ATTRIBUTES_MAX && take(&all, TAG_SET, &set) && all.size == 0;

    while (is_good && set.size > 0) {
        int row = take(&set, TAG_SEQUENCE, &attribute) ? find_row(attribute) : -1;

        is_good = row >= 0 && !(seen & 1u << row);
        seen |= row >= 0 ? 1u << row : 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
        is_good = is_good && (attributes[i].is_optional || seen & 1u << i);
    return is_good || signet_error_set(error, SIGNET_ERROR_DENIED,
                                       "these are not the signed attributes of a SCEP request");
}
