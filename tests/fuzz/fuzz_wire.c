/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: whatever the codec accepts, it must write back as the very same bytes. */

#include <stdlib.h>
#include <string.h>

#include "provider/wire/reference.h"
#include "tests/fuzz/fuzz.h"

static uint8_t written[SIGNET_WIRE_PACKET_MAX];

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
compare(const struct signet_wire_writer *w, const uint8_t *data, size_t size)
{
    require(!w->failed && w->size == size && (size == 0 || memcmp(w->data, data, size) == 0));
}

#define M(symbol, fields)                                                             \
    static void try_##symbol(const uint8_t *data, size_t size)                        \
    {                                                                                 \
        struct signet_wire_##symbol message;                                          \
        struct signet_wire_reader r = {.data = data, .size = size};                   \
        if (!signet_wire_get_##symbol(&r, &message))                                  \
            return;                                                                   \
        struct signet_wire_writer w = {.data = written, .capacity = sizeof(written)}; \
        signet_wire_put_##symbol(&w, &message);                                       \
        compare(&w, data, size);                                                      \
    }
SIGNET_WIRE_MESSAGES(M)
#undef M

static void
try_header(const uint8_t *data, size_t size)
{
    struct signet_wire_header header;
    struct signet_wire_reader r = {.data = data, .size = size};
    if (!signet_wire_get_header(&r, &header))
        return;
    struct signet_wire_writer w = {.data = written, .capacity = sizeof(written)};
    signet_wire_put_header(&w, &header);
    compare(&w, data, SIGNET_WIRE_HEADER_SIZE);
    require(signet_wire_op_name(header.op) != NULL);
    require(signet_wire_status_name(header.status) != NULL);
}

static void
try_names(const uint8_t *data, size_t size)
{
    struct signet_wire_writer w = {.data = written, .capacity = sizeof(written)};
    struct signet_bytes list = {data, size}, name;
    size_t offset = 0;
    while (signet_wire_next_list_name(list, &offset, &name)) {
        char text[SIGNET_WIRE_NAME_MAX + 1] = {0};
        require(name.size <= SIGNET_WIRE_NAME_MAX);
        memcpy(text, name.data, name.size);
        signet_wire_put_list_name(&w, text);
    }
    compare(&w, data, offset);
}

static void
try_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    require(text != NULL);
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct signet_wire_writer w = {.data = written, .capacity = sizeof(written)};
    signet_wire_put_error_text(&w, text);
    struct signet_wire_reader r = {.data = written, .size = w.size};
    struct signet_wire_error_reply reply;
    require(!w.failed && signet_wire_get_error_reply(&r, &reply));
    free(text);
}

static void
try_reference(const uint8_t *data, size_t size)
{
    struct signet_reference reference;
    size_t consumed;
    if (signet_reference_from_der(data, size, &reference, &consumed) != SIGNET_REFERENCE_OURS)
        return;
    size_t n = signet_reference_to_der(&reference, written, sizeof(written));
    require(n == consumed && n <= size && memcmp(written, data, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_header(data, size);
    try_reference(data, size);
    if (size < SIGNET_WIRE_HEADER_SIZE || size > SIGNET_WIRE_PACKET_MAX)
        return 0;
    data += SIGNET_WIRE_HEADER_SIZE;
    size -= SIGNET_WIRE_HEADER_SIZE;
#define M(symbol, fields) try_##symbol(data, size);
    SIGNET_WIRE_MESSAGES(M)
#undef M
    try_names(data, size);
    try_text(data, size);
    return 0;
}
