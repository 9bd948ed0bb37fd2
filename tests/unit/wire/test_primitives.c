/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The header, names, texts, lists of names, refusals. */

#include <stdio.h>
#include <string.h>

#include "provider/wire/wire.h"
#include "tests/unit/wire/suites.h"

static uint8_t packet[SIGNET_WIRE_PACKET_MAX];

static struct signet_wire_writer
writer(void)
{
    return (struct signet_wire_writer) {.data = packet, .capacity = sizeof(packet)};
}

START_TEST(the_header_has_the_documented_bytes)
{
    static const uint8_t expected[] = {1, 4, 0x03, 0xe7, 0x01, 0x02, 0x03, 0x04};
    struct signet_wire_writer w = writer();
    struct signet_wire_header header = {1, SIGNET_WIRE_OP_SIGN_MESSAGE, 999, 0x01020304}, decoded;
    signet_wire_put_header(&w, &header);
    ck_assert_uint_eq(w.size, SIGNET_WIRE_HEADER_SIZE);
    ck_assert_mem_eq(packet, expected, sizeof(expected));
    struct signet_wire_reader r = {.data = packet, .size = w.size};
    ck_assert(signet_wire_get_header(&r, &decoded));
    ck_assert_uint_eq(decoded.op, header.op);
    ck_assert_uint_eq(decoded.status, header.status);
    ck_assert_uint_eq(decoded.serial, header.serial);
    ck_assert_uint_eq(r.offset, SIGNET_WIRE_HEADER_SIZE);
    ck_assert(signet_wire_get_end(&r));
}
END_TEST

START_TEST(a_short_header_or_another_version_is_refused)
{
    struct signet_wire_header decoded;
    uint8_t bytes[8] = {SIGNET_WIRE_VERSION, 2};
    for (size_t size = 0; size < sizeof(bytes); size++) {
        struct signet_wire_reader r = {.data = bytes, .size = size};
        ck_assert(!signet_wire_get_header(&r, &decoded));
        ck_assert(r.failed);
    }
    for (unsigned version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        struct signet_wire_reader r = {.data = bytes, .size = sizeof(bytes)};
        ck_assert_int_eq(signet_wire_get_header(&r, &decoded), version == SIGNET_WIRE_VERSION);
    }
}
END_TEST

START_TEST(a_sign_request_has_the_documented_bytes)
{
    static const uint8_t expected[] = {4, 'w', 'i', 'f', 'i', 0, 0, 0, 7,    3,
                                       3, 3,   0,   32,  0,   0, 0, 2, 0xca, 0xfe};
    static const uint8_t data[] = {0xca, 0xfe};
    struct signet_wire_sign_request request = {.identity = signet_bytes_from_string("wifi"),
                                               .generation = 7,
                                               .scheme = SIGNET_SCHEME_RSA_PSS,
                                               .hash = SIGNET_HASH_SHA256,
                                               .mgf1_hash = SIGNET_HASH_SHA256,
                                               .salt_len = 32,
                                               .data = {data, sizeof(data)}};
    struct signet_wire_writer w = writer();
    signet_wire_put_sign_request(&w, &request);
    ck_assert(!w.failed);
    ck_assert_uint_eq(w.size, sizeof(expected));
    ck_assert_mem_eq(packet, expected, sizeof(expected));
}
END_TEST

START_TEST(a_failed_writer_writes_nothing_more)
{
    struct signet_wire_header header = {.version = SIGNET_WIRE_VERSION};
    struct signet_wire_writer w = {.data = packet, .capacity = 9};
    signet_wire_put_header(&w, &header);
    signet_wire_put_header(&w, &header);
    ck_assert(w.failed);
    size_t size = w.size;
    signet_wire_put_error_text(&w, "");
    ck_assert(w.failed);
    ck_assert_uint_eq(w.size, size);
}
END_TEST

START_TEST(a_refused_message_leaves_the_result_alone)
{
    struct signet_wire_sign_reply reply = {.signature = {packet, 3}};
    struct signet_wire_reader r = {.data = packet, .size = 2};
    ck_assert(!signet_wire_get_sign_reply(&r, &reply));
    ck_assert_ptr_eq(reply.signature.data, packet);
    ck_assert_uint_eq(reply.signature.size, 3);
}
END_TEST

static const struct {
    const char *text;
    bool is_name;
} names[] = {
    {"wifi", true},    {"0", true},       {"a_b.c-d", true}, {"9.", true},     {"", false},
    {"-wifi", false},  {".wifi", false},  {"_wifi", false},  {"Wifi", false},  {"wi fi", false},
    {"wi/fi", false},  {"wifi\n", false}, {"..", false},     {"wifi;", false}, {"w\xc3\xa4", false},
    {"wi\x7f", false}, {"wi\x80", false}, {"wi`", false},    {"wi{", false},   {"wi:", false},
};

START_TEST(names_keep_to_their_alphabet)
{
    struct signet_bytes name = signet_bytes_from_string(names[_i].text);
    ck_assert_int_eq(signet_wire_name_is_valid(names[_i].text, name.size), names[_i].is_name);

    /* the empty name is for the receiver to judge */
    bool is_accepted = names[_i].is_name || name.size == 0;
    struct signet_wire_list_request request = {.after = name}, decoded;
    struct signet_wire_writer w = writer();
    signet_wire_put_list_request(&w, &request);
    ck_assert_int_eq(!w.failed, is_accepted);
    packet[0] = (uint8_t)name.size;
    memcpy(packet + 1, name.data, name.size);
    struct signet_wire_reader r = {.data = packet, .size = name.size + 1};
    ck_assert_int_eq(signet_wire_get_list_request(&r, &decoded), is_accepted);
}
END_TEST

START_TEST(names_have_at_most_64_characters_and_no_zero)
{
    char name[SIGNET_WIRE_NAME_MAX + 1];
    memset(name, 'n', sizeof(name));
    ck_assert(signet_wire_name_is_valid(name, SIGNET_WIRE_NAME_MAX));
    ck_assert(!signet_wire_name_is_valid(name, SIGNET_WIRE_NAME_MAX + 1));
    ck_assert(!signet_wire_name_is_valid("wi\0fi", 5));
}
END_TEST

static const struct {
    const char *text;
    bool is_text;
} texts[] = {
    {"", true},
    {"plain", true},
    {"gr\xc3\xbc\xc3\x9f", true},
    {"\xc2\xa0", true},         /* the first after the controls */
    {"\xe0\xa0\x80", true},     /* the first of three bytes */
    {"\xed\x9f\xbf", true},     /* the last before the surrogates */
    {"\xee\x80\x80", true},     /* the first after them */
    {"\xf0\x90\x80\x80", true}, /* the first of four bytes */
    {"\xf4\x8f\xbf\xbf", true}, /* the last of all */
    {"a\nb", false},
    {"a\tb", false},
    {"\x1b[31m", false},
    {"\x7f", false},
    {"\xc2\x80", false}, /* C1 controls */
    {"\xc2\x9f", false},
    {"\x80", false}, /* a continuation without a start */
    {"\xc3", false}, /* starts without an end */
    {"\xc3(", false},
    {"\xe2\x82", false},
    {"\xf0\x9f\x98", false},
    {"\xc0\xaf", false}, /* overlong */
    {"\xc1\xbf", false},
    {"\xe0\x9f\xbf", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xed\xa0\x80", false}, /* surrogates */
    {"\xed\xbf\xbf", false},
    {"\xf4\x90\x80\x80", false}, /* beyond the last */
    {"\xf5\x80\x80\x80", false},
    {"\xf8\x88\x80\x80\x80", false},
    {"\xff", false},
    {"\xfe", false},
};

START_TEST(texts_are_utf8_without_controls)
{
    struct signet_bytes text = signet_bytes_from_string(texts[_i].text);
    ck_assert_int_eq(signet_wire_text_is_valid(text), texts[_i].is_text);
    struct signet_wire_error_reply reply = {.message = text}, decoded;
    struct signet_wire_writer w = writer();
    signet_wire_put_error_reply(&w, &reply);
    ck_assert_int_eq(!w.failed, texts[_i].is_text);
    packet[0] = 0;
    packet[1] = (uint8_t)text.size;
    memcpy(packet + 2, text.data, text.size);
    struct signet_wire_reader r = {.data = packet, .size = text.size + 2};
    ck_assert_int_eq(signet_wire_get_error_reply(&r, &decoded), texts[_i].is_text);
}
END_TEST

START_TEST(a_text_with_a_zero_is_refused)
{
    ck_assert(!signet_wire_text_is_valid((struct signet_bytes) {(const uint8_t *)"a\0b", 3}));
}
END_TEST

static const char *
error_text_of(const char *text)
{
    static char decoded[SIGNET_WIRE_TEXT_MAX + 1];
    struct signet_wire_writer w = writer();
    struct signet_wire_error_reply reply;
    signet_wire_put_error_text(&w, text);
    ck_assert(!w.failed);
    struct signet_wire_reader r = {.data = packet, .size = w.size};
    ck_assert(signet_wire_get_error_reply(&r, &reply));
    snprintf(decoded, sizeof(decoded), "%.*s", (int)reply.message.size,
             (const char *)reply.message.data);
    return decoded;
}

START_TEST(any_text_becomes_a_refusal)
{
    ck_assert_str_eq(error_text_of(""), "");
    ck_assert_str_eq(error_text_of("'wifi' is gr\xc3\xbcn"), "'wifi' is gr\xc3\xbcn");
    ck_assert_str_eq(error_text_of("two\nlines \xff\xc3"), "two?lines ??");
    char longer[SIGNET_WIRE_TEXT_MAX + 2];
    memset(longer, 'x', sizeof(longer));
    memcpy(longer + SIGNET_WIRE_TEXT_MAX - 1, "\xc3\xbc", 3);
    /* the last character does not fit: it is left out, not cut */
    ck_assert_uint_eq(strlen(error_text_of(longer)), SIGNET_WIRE_TEXT_MAX - 1);
}
END_TEST

START_TEST(a_list_of_names_is_read_back)
{
    static const char *const expected[] = {"a", "wifi", "zebra-1"};
    struct signet_wire_writer w = writer();
    for (int i = 0; i < 3; i++)
        signet_wire_put_list_name(&w, expected[i]);
    ck_assert(!w.failed);
    struct signet_bytes list = {packet, w.size}, name;
    size_t offset = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert(signet_wire_next_list_name(list, &offset, &name));
        ck_assert(signet_bytes_equal_string(name, expected[i]));
    }
    ck_assert(!signet_wire_next_list_name(list, &offset, &name));
    ck_assert_uint_eq(offset, list.size);
}
END_TEST

START_TEST(the_longest_list_fits)
{
    char name[SIGNET_WIRE_NAME_MAX + 1] = {0};
    memset(name, 'n', SIGNET_WIRE_NAME_MAX);
    static uint8_t names_only[60000];
    struct signet_wire_writer list = {.data = names_only, .capacity = sizeof(names_only)};
    for (unsigned i = 0; i < SIGNET_WIRE_LIST_MAX; i++)
        signet_wire_put_list_name(&list, name);
    ck_assert(!list.failed);
    struct signet_wire_list_reply reply = {.names = {names_only, list.size}};
    struct signet_wire_writer w = writer();
    signet_wire_put_list_reply(&w, &reply);
    ck_assert(!w.failed);
}
END_TEST

static const struct {
    const char *bytes;
    size_t size;
} bad_lists[] = {{"\0", 1}, {"\5wifi", 5}, {"\4WIFI", 5}, {"\xff", 1}, {"\1a\0", 3}, {"\1a\2b", 4}};

START_TEST(a_malformed_list_ends_before_its_end)
{
    struct signet_bytes list = {(const uint8_t *)bad_lists[_i].bytes, bad_lists[_i].size}, name;
    size_t offset = 0;
    while (signet_wire_next_list_name(list, &offset, &name))
        ck_assert_uint_le(name.size, SIGNET_WIRE_NAME_MAX);
    ck_assert_uint_lt(offset, list.size);
}
END_TEST

START_TEST(bad_names_are_not_put_into_a_list)
{
    static const char *const bad[] = {"", "A", "a b"};
    struct signet_wire_writer w = writer();
    signet_wire_put_list_name(&w, bad[_i]);
    ck_assert(w.failed);
}
END_TEST

START_TEST(a_message_without_fields_has_no_body)
{
    struct signet_wire_reader empty = {.data = packet}, one = {.data = packet, .size = 1};
    ck_assert(signet_wire_get_end(&empty));
    ck_assert(!signet_wire_get_end(&one));
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
primitives_suite(void)
{
    Suite *suite = suite_create("wire primitives");
    TCase *tc = tcase_create("primitives");
    tcase_add_test(tc, the_header_has_the_documented_bytes);
    tcase_add_test(tc, a_short_header_or_another_version_is_refused);
    tcase_add_test(tc, a_sign_request_has_the_documented_bytes);
    tcase_add_test(tc, a_failed_writer_writes_nothing_more);
    tcase_add_test(tc, a_refused_message_leaves_the_result_alone);
    tcase_add_loop_test(tc, names_keep_to_their_alphabet, 0, COUNT(names));
    tcase_add_test(tc, names_have_at_most_64_characters_and_no_zero);
    tcase_add_loop_test(tc, texts_are_utf8_without_controls, 0, COUNT(texts));
    tcase_add_test(tc, a_text_with_a_zero_is_refused);
    tcase_add_test(tc, any_text_becomes_a_refusal);
    tcase_add_test(tc, a_list_of_names_is_read_back);
    tcase_add_test(tc, the_longest_list_fits);
    tcase_add_loop_test(tc, a_malformed_list_ends_before_its_end, 0, COUNT(bad_lists));
    tcase_add_loop_test(tc, bad_names_are_not_put_into_a_list, 0, 3);
    tcase_add_test(tc, a_message_without_fields_has_no_body);
    suite_add_tcase(suite, tc);
    return suite;
}
