/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every message of the catalogue, with random contents, against a second encoder that follows
 * PROTOCOL.md and checks nothing. */

#include <stdlib.h>
#include <string.h>

#include "provider/wire/wire.h"
#include "tests/unit/wire/suites.h"

#define ROUNDS 200

static uint8_t pool[SIGNET_WIRE_PACKET_MAX]; /* what BYTES point to */
static char names[SIGNET_WIRE_NAME_MAX + 1]; /* what NAMEs and TEXTs point to */
static char texts[SIGNET_WIRE_TEXT_MAX + 1];

/* How long random fields are. */
enum filling {
    FILL_RANDOM,
    FILL_FULL,
};

static uint64_t state;

static uint32_t
next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static size_t
random_size(enum filling filling, size_t limit)
{
    if (filling == FILL_FULL)
        return limit;
    size_t shorter = next_random() % 4 == 0 ? limit : limit < 40 ? limit : 40;
    return next_random() % (shorter + 1);
}

static uint8_t
random_U8(enum filling filling, size_t limit)
{
    return (uint8_t)next_random();
}

static uint16_t
random_U16(enum filling filling, size_t limit)
{
    return (uint16_t)next_random();
}

static uint32_t
random_U32(enum filling filling, size_t limit)
{
    return next_random() << 1 | (next_random() & 1);
}

static struct signet_bytes
random_NAME(enum filling filling, size_t limit)
{
    return (struct signet_bytes) {(const uint8_t *)names, random_size(filling, limit)};
}

static struct signet_bytes
random_TEXT(enum filling filling, size_t limit)
{
    /* made of two-byte characters */
    return (struct signet_bytes) {(const uint8_t *)texts, random_size(filling, limit) & ~(size_t)1};
}

static struct signet_bytes
random_BYTES(enum filling filling, size_t limit)
{
    size_t size = random_size(filling, limit);
    return (struct signet_bytes) {pool + next_random() % (sizeof(pool) - size), size};
}

static bool
is_same_number(uint64_t a, uint64_t b)
{
    return a == b;
}

static bool
is_same_bytes(struct signet_bytes a, struct signet_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#define is_same_U8    is_same_number
#define is_same_U16   is_same_number
#define is_same_U32   is_same_number
#define is_same_NAME  is_same_bytes
#define is_same_TEXT  is_same_bytes
#define is_same_BYTES is_same_bytes

/* The second encoder. */
struct plain {
    uint8_t data[3 * SIGNET_WIRE_PACKET_MAX];
    size_t size;
};

static void
plain_number(struct plain *p, uint64_t value, int width)
{
    while (width-- > 0)
        p->data[p->size++] = (uint8_t)(value >> (8 * width));
}

static void
plain_bytes(struct plain *p, struct signet_bytes value, int width)
{
    plain_number(p, value.size, width);
    if (value.size != 0)
        memcpy(p->data + p->size, value.data, value.size);
    p->size += value.size;
}

#define plain_U8(p, value)    plain_number(p, value, 1)
#define plain_U16(p, value)   plain_number(p, value, 2)
#define plain_U32(p, value)   plain_number(p, value, 4)
#define plain_NAME(p, value)  plain_bytes(p, value, 1)
#define plain_TEXT(p, value)  plain_bytes(p, value, 2)
#define plain_BYTES(p, value) plain_bytes(p, value, 4)

/* Makes a field one longer than allowed; false for numbers. */
static bool
exceed_number(void *field, size_t limit)
{
    (void)field;
    (void)limit;
    return false;
}

static bool
exceed_bytes(struct signet_bytes *field, size_t limit)
{
    static uint8_t letters[SIGNET_WIRE_PACKET_MAX + 1];
    memset(letters, 'a', sizeof(letters));
    *field = (struct signet_bytes) {letters, limit + 1};
    return true;
}

#define exceed_U8    exceed_number
#define exceed_U16   exceed_number
#define exceed_U32   exceed_number
#define exceed_NAME  exceed_bytes
#define exceed_TEXT  exceed_bytes
#define exceed_BYTES exceed_bytes

/* round_trip_…: a random message, encoded, is what the second encoder makes of it, and decodes to
 * itself. The formatter takes the field lists for statements */
/* clang-format off */
#define FILL(kind, field, limit) message.field = random_##kind(filling, limit);
#define SAME(kind, field, limit)                                                                   \
    ck_assert_msg(is_same_##kind(message.field, decoded.field), "%s", #field);
#define PLAIN(kind, field, limit) plain_##kind(plain, message.field);
#define EXCEED(kind, field, limit)                                                                 \
    for (struct message_type too_long = {message}; exceed_##kind(&too_long.m.field, limit);) {     \
        expect_refusal(&too_long.m, #field);                                                       \
        break;                                                                                     \
    }

#define M(symbol, fields)                                                                          \
    static void round_trip_##symbol(enum filling filling, struct plain *plain)                     \
    {                                                                                              \
        static uint8_t packet[SIGNET_WIRE_PACKET_MAX - SIGNET_WIRE_HEADER_SIZE];                   \
        struct signet_wire_##symbol message, decoded;                                              \
        fields(FILL)                                                                               \
        plain->size = 0;                                                                           \
        fields(PLAIN)                                                                              \
        struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};                \
        signet_wire_put_##symbol(&w, &message);                                                    \
        ck_assert(!w.failed);                                                                      \
        ck_assert_mem_eq(packet, plain->data, plain->size);                                        \
        ck_assert_uint_eq(w.size, plain->size);                                                    \
        struct signet_wire_reader r = {.data = packet, .size = w.size};                            \
        ck_assert(signet_wire_get_##symbol(&r, &decoded));                                         \
        fields(SAME)                                                                               \
        struct signet_wire_writer small = {.data = packet, .capacity = plain->size - 1};           \
        signet_wire_put_##symbol(&small, &message);                                                \
        ck_assert(small.failed);                                                                   \
        ck_assert_uint_le(small.size, small.capacity);                                             \
    }                                                                                              \
    static bool decodes_##symbol(const uint8_t *data, size_t size)                                 \
    {                                                                                              \
        struct signet_wire_##symbol decoded;                                                       \
        struct signet_wire_reader r = {.data = data, .size = size};                                \
        return signet_wire_get_##symbol(&r, &decoded);                                             \
    }                                                                                              \
    static void expect_refusal_##symbol(const struct signet_wire_##symbol *m, const char *field)   \
    {                                                                                              \
        static uint8_t packet[2 * SIGNET_WIRE_PACKET_MAX];                                         \
        static struct plain plain_memory;                                                          \
        struct plain *plain = &plain_memory;                                                       \
        struct signet_wire_##symbol message = *m;                                                  \
        struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};                \
        signet_wire_put_##symbol(&w, &message);                                                    \
        ck_assert_msg(w.failed, "%s was written", field);                                          \
        plain->size = 0;                                                                           \
        fields(PLAIN)                                                                              \
            ck_assert_msg(!decodes_##symbol(plain->data, plain->size), "%s was read", field);      \
    }                                                                                              \
    static void exceed_##symbol(void)                                                              \
    {                                                                                              \
        enum filling filling = FILL_RANDOM;                                                        \
        struct message_type {                                                                      \
            struct signet_wire_##symbol m;                                                         \
        };                                                                                         \
        void (*expect_refusal)(const struct signet_wire_##symbol *, const char *) =                \
            expect_refusal_##symbol;                                                               \
        struct signet_wire_##symbol message;                                                       \
        fields(FILL)                                                                               \
        fields(EXCEED)                                                                             \
    }
SIGNET_WIRE_MESSAGES(M)
#undef M
/* clang-format on */

static const struct {
    const char *name;
    void (*round_trip)(enum filling filling, struct plain *ret_plain);
    bool (*decodes)(const uint8_t *data, size_t size);
    void (*exceed)(void);
} messages[] = {
#define M(symbol, fields) {#symbol, round_trip_##symbol, decodes_##symbol, exceed_##symbol},
    SIGNET_WIRE_MESSAGES(M)
#undef M
};

#define N_MESSAGES ((int)(sizeof(messages) / sizeof(messages[0])))

static struct plain packet;

static void
setup(void)
{
    state = 20260101;
    for (size_t i = 0; i < sizeof(pool); i++)
        pool[i] = (uint8_t)next_random();
    for (size_t i = 0; i < SIGNET_WIRE_NAME_MAX; i++)
        names[i] = "abcxyz0189_.-"[next_random() % (i == 0 ? 10 : 13)];
    for (size_t i = 0; i + 1 < SIGNET_WIRE_TEXT_MAX; i += 2)
        memcpy(texts + i, "\xc3\xa4", 2);
}

START_TEST(decoding_what_was_encoded_gives_the_same_message)
{
    for (int i = 0; i < ROUNDS; i++)
        messages[_i].round_trip(FILL_RANDOM, &packet);
}
END_TEST

START_TEST(the_longest_message_fits_into_a_packet)
{
    messages[_i].round_trip(FILL_FULL, &packet);
}
END_TEST

START_TEST(a_message_cut_anywhere_is_refused)
{
    for (int i = 0; i < 20; i++) {
        messages[_i].round_trip(FILL_RANDOM, &packet);
        for (size_t size = 0; size < packet.size; size += 1 + size / 100) {
            /* in memory of its own, so that a sanitizer sees a read beyond */
            uint8_t *copy = malloc(size + (size == 0));
            if (size != 0)
                memcpy(copy, packet.data, size);
            ck_assert(!messages[_i].decodes(copy, size));
            free(copy);
        }
    }
}
END_TEST

START_TEST(a_message_with_bytes_left_over_is_refused)
{
    messages[_i].round_trip(FILL_RANDOM, &packet);
    packet.data[packet.size] = 0;
    ck_assert(messages[_i].decodes(packet.data, packet.size));
    ck_assert(!messages[_i].decodes(packet.data, packet.size + 1));
}
END_TEST

START_TEST(a_field_beyond_its_limit_is_neither_written_nor_read)
{
    messages[_i].exceed();
}
END_TEST

START_TEST(a_length_beyond_the_packet_is_refused)
{
    uint8_t huge[64];
    memset(huge, 0xff, sizeof(huge));
    for (size_t size = 0; size <= sizeof(huge); size++)
        ck_assert(!messages[_i].decodes(huge, size));
}
END_TEST

Suite *
messages_suite(void)
{
    Suite *suite = suite_create("wire messages");
    TCase *tc = tcase_create("messages");
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, decoding_what_was_encoded_gives_the_same_message, 0, N_MESSAGES);
    tcase_add_loop_test(tc, the_longest_message_fits_into_a_packet, 0, N_MESSAGES);
    tcase_add_loop_test(tc, a_message_cut_anywhere_is_refused, 0, N_MESSAGES);
    tcase_add_loop_test(tc, a_message_with_bytes_left_over_is_refused, 0, N_MESSAGES);
    tcase_add_loop_test(tc, a_field_beyond_its_limit_is_neither_written_nor_read, 0, N_MESSAGES);
    tcase_add_loop_test(tc, a_length_beyond_the_packet_is_refused, 0, N_MESSAGES);
    suite_add_tcase(suite, tc);
    return suite;
}
