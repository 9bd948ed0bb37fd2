/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A bounded reader of DER. */

#include "provider/wire/der.h"

#include <string.h>

#define LEVELS_MAX  16
#define CONSTRUCTED 0x20

/* The length and how many bytes tell it; 0 bytes: malformed. */
static size_t
read_length(struct signet_bytes in, size_t *ret_length)
{
    if (in.size == 0)
        return 0;
    *ret_length = in.data[0];
    if (in.data[0] < 0x80)
        return 1;
    size_t count = in.data[0] & 0x7f, length = 0;
    if (count == 0 || count > 4 || in.size < 1 + count)
        return 0;
    for (size_t i = 1; i <= count; i++)
        length = length << 8 | in.data[i];
    *ret_length = length;
    bool is_shortest = in.data[1] != 0 && length >= 0x80;
    return is_shortest ? 1 + count : 0;
}

bool
signet_der_next(struct signet_bytes *rest, struct signet_der *ret_element)
{
    if (rest->size < 2 || (rest->data[0] & 0x1f) == 0x1f)
        return false;
    struct signet_bytes after_tag = {rest->data + 1, rest->size - 1};
    size_t length = 0, told = read_length(after_tag, &length);
    if (told == 0 || length > after_tag.size - told)
        return false;
    size_t whole = 1 + told + length;
    *ret_element = (struct signet_der) {
        .tag = rest->data[0],
        .content = {rest->data + 1 + told, length},
        .whole = {rest->data, whole},
    };
    *rest = (struct signet_bytes) {rest->data + whole, rest->size - whole};
    return true;
}

bool
signet_der_expect(struct signet_bytes *rest, uint8_t tag, struct signet_der *ret_element)
{
    struct signet_bytes after = *rest;
    if (!signet_der_next(&after, ret_element) || ret_element->tag != tag)
        return false;
    *rest = after;
    return true;
}

bool
signet_der_is_document(struct signet_bytes data)
{
    /* What is left to read on each level, outermost first. */
    struct signet_bytes levels[LEVELS_MAX] = {data};
    unsigned depth = 0;
    struct signet_der element;
    if (data.size == 0 || (data.data[0] != SIGNET_DER_SEQUENCE && data.data[0] != SIGNET_DER_SET))
        return false;
    for (;;) {
        while (levels[depth].size == 0) {
            if (depth == 0)
                return true;
            depth--;
        }
        if (!signet_der_next(&levels[depth], &element) || (depth == 0 && levels[0].size != 0))
            return false;
        if ((element.tag & CONSTRUCTED) == 0)
            continue;
        if (++depth == LEVELS_MAX)
            return false;
        levels[depth] = element.content;
    }
}

bool
signet_der_unsigned(struct signet_bytes *rest, struct signet_bytes *ret_number)
{
    struct signet_der integer;
    if (!signet_der_expect(rest, SIGNET_DER_INTEGER, &integer) || integer.content.size == 0 ||
        (integer.content.data[0] & 0x80) != 0)
        return false;
    bool has_zero = integer.content.size > 1 && integer.content.data[0] == 0;
    *ret_number =
        (struct signet_bytes) {integer.content.data + has_zero, integer.content.size - has_zero};
    return true;
}

bool
signet_der_split_ecdsa(struct signet_bytes signature, size_t width, uint8_t *ret_raw)
{
    struct signet_der sequence;
    if (!signet_der_expect(&signature, SIGNET_DER_SEQUENCE, &sequence) || signature.size != 0)
        return false;
    memset(ret_raw, 0, 2 * width);
    for (size_t i = 0; i < 2; i++) {
        struct signet_bytes number;
        if (!signet_der_unsigned(&sequence.content, &number) || number.size > width)
            return false;
        memcpy(ret_raw + (i + 1) * width - number.size, number.data, number.size);
    }
    return sequence.content.size == 0;
}
