/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The codec, generated from the field lists in wire.h. */

#include "provider/wire/wire.h"

#include <string.h>

/* Writing */

static void
put_raw(struct signet_wire_writer *w, const void *data, size_t size)
{
    if (w->failed || size > w->capacity - w->size) {
        w->failed = true;
        return;
    }
    if (size != 0)
        memcpy(w->data + w->size, data, size);
    w->size += size;
}

static void
put_number(struct signet_wire_writer *w, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    put_raw(w, bytes, width);
}

static void
put_U8(struct signet_wire_writer *w, uint8_t value, size_t limit)
{
    (void)limit;
    put_number(w, value, 1);
}

static void
put_U16(struct signet_wire_writer *w, uint16_t value, size_t limit)
{
    (void)limit;
    put_number(w, value, 2);
}

static void
put_U32(struct signet_wire_writer *w, uint32_t value, size_t limit)
{
    (void)limit;
    put_number(w, value, 4);
}

static void
put_counted(struct signet_wire_writer *w, struct signet_bytes value, size_t width, size_t limit)
{
    if (value.size > limit) {
        w->failed = true;
        return;
    }
    put_number(w, value.size, width);
    put_raw(w, value.data, value.size);
}

static bool
is_name_or_empty(struct signet_bytes value)
{
    return value.size == 0 || signet_wire_name_is_valid((const char *)value.data, value.size);
}

static void
put_NAME(struct signet_wire_writer *w, struct signet_bytes value, size_t limit)
{
    if (!is_name_or_empty(value))
        w->failed = true;
    put_counted(w, value, 1, limit);
}

static void
put_TEXT(struct signet_wire_writer *w, struct signet_bytes value, size_t limit)
{
    if (!signet_wire_text_is_valid(value))
        w->failed = true;
    put_counted(w, value, 2, limit);
}

static void
put_BYTES(struct signet_wire_writer *w, struct signet_bytes value, size_t limit)
{
    put_counted(w, value, 4, limit);
}

/* Reading */

static const uint8_t *
get_raw(struct signet_wire_reader *r, size_t size)
{
    if (r->failed || size > r->size - r->offset) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *data = r->data + r->offset;
    r->offset += size;
    return data;
}

static uint64_t
get_number(struct signet_wire_reader *r, size_t width)
{
    const uint8_t *bytes = get_raw(r, width);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < width; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint8_t
get_U8(struct signet_wire_reader *r, size_t limit)
{
    (void)limit;
    return (uint8_t)get_number(r, 1);
}

static uint16_t
get_U16(struct signet_wire_reader *r, size_t limit)
{
    (void)limit;
    return (uint16_t)get_number(r, 2);
}

static uint32_t
get_U32(struct signet_wire_reader *r, size_t limit)
{
    (void)limit;
    return (uint32_t)get_number(r, 4);
}

static struct signet_bytes
get_counted(struct signet_wire_reader *r, size_t width, size_t limit)
{
    size_t size = (size_t)get_number(r, width);
    if (size > limit)
        r->failed = true;
    const uint8_t *data = get_raw(r, size);
    return (struct signet_bytes) {.data = data, .size = data != NULL ? size : 0};
}

static struct signet_bytes
get_NAME(struct signet_wire_reader *r, size_t limit)
{
    struct signet_bytes value = get_counted(r, 1, limit);
    if (!is_name_or_empty(value))
        r->failed = true;
    return value;
}

static struct signet_bytes
get_TEXT(struct signet_wire_reader *r, size_t limit)
{
    struct signet_bytes value = get_counted(r, 2, limit);
    if (!signet_wire_text_is_valid(value))
        r->failed = true;
    return value;
}

static struct signet_bytes
get_BYTES(struct signet_wire_reader *r, size_t limit)
{
    return get_counted(r, 4, limit);
}

/* One UTF-8 sequence (RFC 3629) that is no control character: its length, 0 when it is not one. */
static size_t
text_step(const uint8_t *data, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = data[0];
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f ? 1 : 0;

    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (length == 0 || lead > 0xf4 || length > size)
        return 0;
    uint32_t code = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (data[i] & 0x3f);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    bool is_control = code >= 0x80 && code <= 0x9f;
    return code < smallest[length] || code > 0x10ffff || is_surrogate || is_control ? 0 : length;
}

void
signet_wire_put_header(struct signet_wire_writer *w, const struct signet_wire_header *header)
{
    put_U8(w, header->version, 0);
    put_U8(w, header->op, 0);
    put_U16(w, header->status, 0);
    put_U32(w, header->serial, 0);
}

bool
signet_wire_get_header(struct signet_wire_reader *r, struct signet_wire_header *ret_header)
{
    struct signet_wire_header header;
    header.version = get_U8(r, 0);
    header.op = get_U8(r, 0);
    header.status = get_U16(r, 0);
    header.serial = get_U32(r, 0);
    if (header.version != SIGNET_WIRE_VERSION)
        r->failed = true;
    if (r->failed)
        return false;
    *ret_header = header;
    return true;
}

/* the formatter takes the field lists for statements */
/* clang-format off */
#define M(symbol, fields)                                                     \
    void signet_wire_put_##symbol(struct signet_wire_writer *w,               \
                                  const struct signet_wire_##symbol *message) \
    {                                                                         \
        fields(PUT)                                                           \
    }                                                                         \
    bool signet_wire_get_##symbol(struct signet_wire_reader *r,               \
                                  struct signet_wire_##symbol *ret_message)   \
    {                                                                         \
        struct signet_wire_##symbol message;                                  \
        fields(GET)                                                           \
        if (!signet_wire_get_end(r))                                          \
            return false;                                                     \
        *ret_message = message;                                               \
        return true;                                                          \
    }
#define PUT(kind, field, limit) put_##kind(w, message->field, limit);
#define GET(kind, field, limit) message.field = get_##kind(r, limit);
SIGNET_WIRE_MESSAGES(M)
#undef GET
#undef PUT
#undef M
/* clang-format on */

bool
signet_wire_get_end(struct signet_wire_reader *r)
{
    if (r->offset != r->size)
        r->failed = true;
    return !r->failed;
}

void
signet_wire_put_error_text(struct signet_wire_writer *w, const char *text)
{
    char clean[SIGNET_WIRE_TEXT_MAX];
    size_t left = strlen(text), used = 0;

    for (const uint8_t *p = (const uint8_t *)text; left > 0;) {
        size_t step = text_step(p, left), taken = step != 0 ? step : 1;
        if (taken > sizeof(clean) - used)
            break;
        if (step != 0)
            memcpy(clean + used, p, step);
        else
            clean[used] = '?';
        used += taken;
        p += taken;
        left -= taken;
    }
    struct signet_wire_error_reply reply = {.message = {(const uint8_t *)clean, used}};
    signet_wire_put_error_reply(w, &reply);
}

void
signet_wire_put_list_name(struct signet_wire_writer *w, const char *name)
{
    struct signet_bytes bytes = signet_bytes_from_string(name);
    if (bytes.size == 0)
        w->failed = true;
    put_NAME(w, bytes, SIGNET_WIRE_NAME_MAX);
}

void
signet_wire_put_request(struct signet_wire_writer *w, uint32_t op, const void *message)
{
    switch ((enum signet_wire_op)op) {
#define PUT(OP, name)                                 \
    case SIGNET_WIRE_OP_##OP:                         \
        signet_wire_put_##name##_request(w, message); \
        return;
        PUT(HELLO, hello)
        PUT(LIST, list)
        PUT(LOOKUP, lookup)
        PUT(SIGN_MESSAGE, sign)
        PUT(SIGN_DIGEST, sign)
        PUT(DECRYPT, decrypt)
        PUT(DERIVE, derive)
        PUT(RESULT, result)
        PUT(WATCH, watch)
        PUT(CERTIFY, certify)
#undef PUT
    case SIGNET_WIRE_OP_FACTORY:
    case SIGNET_WIRE_OP_ADOPT:
    case SIGNET_WIRE_OP_JOB:
        return;
    }
    w->failed = true;
}

bool
signet_wire_get_result(struct signet_wire_reader *r, uint32_t op, struct signet_bytes *ret_result)
{
    union {
        struct signet_wire_sign_reply sign;
        struct signet_wire_decrypt_reply decrypt;
        struct signet_wire_derive_reply derive;
        struct signet_wire_watch_reply watch;
    } reply = {0};
    bool ok = false;
    if (op == SIGNET_WIRE_OP_SIGN_MESSAGE || op == SIGNET_WIRE_OP_SIGN_DIGEST) {
        ok = signet_wire_get_sign_reply(r, &reply.sign);
        *ret_result = reply.sign.signature;
    } else if (op == SIGNET_WIRE_OP_DECRYPT) {
        ok = signet_wire_get_decrypt_reply(r, &reply.decrypt);
        *ret_result = reply.decrypt.plaintext;
    } else if (op == SIGNET_WIRE_OP_DERIVE) {
        ok = signet_wire_get_derive_reply(r, &reply.derive);
        *ret_result = reply.derive.secret;
    } else if (op == SIGNET_WIRE_OP_WATCH) {
        ok = signet_wire_get_watch_reply(r, &reply.watch);
        *ret_result = reply.watch.state;
    }
    if (!ok)
        *ret_result = (struct signet_bytes) {NULL, 0};
    return ok;
}

bool
signet_wire_next_list_name(struct signet_bytes names, size_t *offset, struct signet_bytes *ret_name)
{
    if (*offset >= names.size)
        return false;
    struct signet_wire_reader r = {.data = names.data, .size = names.size, .offset = *offset};
    struct signet_bytes name = get_NAME(&r, SIGNET_WIRE_NAME_MAX);
    if (r.failed || name.size == 0)
        return false;
    *offset = r.offset;
    *ret_name = name;
    return true;
}

bool
signet_wire_name_is_valid(const char *name, size_t length)
{
    if (length == 0 || length > SIGNET_WIRE_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool is_inner = i > 0 && (c == '_' || c == '.' || c == '-');
        if (!is_alnum && !is_inner)
            return false;
    }
    return true;
}

bool
signet_wire_text_is_valid(struct signet_bytes text)
{
    for (size_t i = 0; i < text.size;) {
        size_t step = text_step(text.data + i, text.size - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool
signet_bytes_equal_string(struct signet_bytes bytes, const char *string)
{
    return bytes.size == strlen(string) &&
           (bytes.size == 0 || memcmp(bytes.data, string, bytes.size) == 0);
}

struct signet_bytes
signet_bytes_from_string(const char *string)
{
    return (struct signet_bytes) {.data = (const uint8_t *)string, .size = strlen(string)};
}
