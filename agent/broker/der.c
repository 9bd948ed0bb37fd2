/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A strict reader of DER. */

#include "agent/broker/der.h"

#define LEVELS_MAX  16
#define CONSTRUCTED 0x20
#define LONG_TAG    0x1f

/* X.690 8.1.3 with 10.1: the length octets at data[1]. */
static gboolean
read_length(const SignetDer *der, gsize *ret_header, gsize *ret_length)
{
    guint8 first = der->data[1];
    gsize count = first & 0x7f;
    gsize length = 0;

    if (first < 0x80) {
        *ret_header = 2;
        *ret_length = first;
        return TRUE;
    }
    if (count == 0 || count > 3 || der->size - 2 < count)
        return FALSE;
    for (gsize i = 0; i < count; i++)
        length = length << 8 | der->data[2 + i];
    if (length < 0x80 || der->data[2] == 0)
        return FALSE;
    *ret_header = 2 + count;
    *ret_length = length;
    return TRUE;
}

gboolean
signet_der_next(SignetDer *der, guint8 *ret_tag, SignetDer *ret_contents, SignetDer *ret_whole)
{
    gsize header, length;

    if (der->size < 2 || (der->data[0] & LONG_TAG) == LONG_TAG ||
        !read_length(der, &header, &length) || length > der->size - header)
        return FALSE;
    *ret_tag = der->data[0];
    *ret_contents = (SignetDer) {der->data + header, length};
    if (ret_whole)
        *ret_whole = (SignetDer) {der->data, header + length};
    der->data += header + length;
    der->size -= header + length;
    return TRUE;
}

gboolean
signet_der_expect(SignetDer *der, guint8 tag, SignetDer *ret_contents)
{
    guint8 found;

    if (der->size == 0 || der->data[0] != tag)
        return FALSE;
    return signet_der_next(der, &found, ret_contents, NULL);
}

gboolean
signet_der_is_document(const guint8 *data, gsize size)
{
    /* What is left to read on each level, outermost first. */
    SignetDer levels[LEVELS_MAX] = {{data, size}};
    guint depth = 0;
    SignetDer contents;
    guint8 tag;

    if (size == 0 || (data[0] != SIGNET_DER_SEQUENCE && data[0] != SIGNET_DER_SET))
        return FALSE;
    for (;;) {
        while (levels[depth].size == 0) {
            if (depth == 0)
                return TRUE;
            depth--;
        }
        if (!signet_der_next(&levels[depth], &tag, &contents, NULL))
            return FALSE;
        if (depth == 0 && levels[0].size != 0)
            return FALSE;
        if (!(tag & CONSTRUCTED))
            continue;
        if (++depth == LEVELS_MAX)
            return FALSE;
        levels[depth] = contents;
    }
}
