/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The key reference's DER. */

#include <stdlib.h>
#include <string.h>

#include "provider/wire/reference.h"
#include "tests/unit/wire/suites.h"

static uint8_t der[SIGNET_REFERENCE_DER_MAX + 16];
static struct signet_reference decoded;
static size_t consumed;

static size_t
encode(const char *identity, uint32_t generation, int family)
{
    struct signet_reference reference = {.generation = generation, .family = (uint8_t)family};
    strncpy(reference.identity, identity, sizeof(reference.identity) - 1);
    return signet_reference_to_der(&reference, der, sizeof(der));
}

static enum signet_reference_verdict
decode(size_t size)
{
    return signet_reference_from_der(der, size, &decoded, &consumed);
}

static const uint32_t generations[] = {0,     1,     127,     128,        255,        256,
                                       32767, 32768, 8388608, 0x7fffffff, 0x80000000, UINT32_MAX};

START_TEST(a_reference_is_read_back)
{
    for (int family = 1; family <= SIGNET_FAMILY_MAX; family++) {
        size_t size = encode("wifi", generations[_i], family);
        ck_assert_uint_gt(size, 0);
        ck_assert_int_eq(decode(size), SIGNET_REFERENCE_OURS);
        ck_assert_str_eq(decoded.identity, "wifi");
        ck_assert_uint_eq(decoded.generation, generations[_i]);
        ck_assert_int_eq(decoded.family, family);
        ck_assert_uint_eq(consumed, size);
        /* a caller may hold more than the reference */
        ck_assert_int_eq(decode(size + 16), SIGNET_REFERENCE_OURS);
        ck_assert_uint_eq(consumed, size);
    }
}
END_TEST

START_TEST(the_bytes_are_those_of_the_documented_structure)
{
    static const uint8_t expected[] = {
        0x30, 0x2c, 0x02, 0x01, 0x00,                                     /* version */
        0x30, 0x16, 0x06, 0x14, 0x69, 0xe7, 0x88, 0xb2, 0xc8, 0xd9, 0xe3, /* algorithm */
        0xc2, 0xb9, 0xf3, 0xa9, 0xd1, 0x9a, 0x81, 0x8b, 0xa9, 0x98, 0xb3, 0x4e, 0x01, 0x04, 0x0f,
        0x30, 0x0d, 0x0c, 0x07, 'n',  'g',  'i',  'n',  'x',  '-',  '1',  0x02, 0x02, 0x00, 0x80};
    ck_assert_uint_eq(encode("nginx-1", 128, SIGNET_FAMILY_EC), sizeof(expected));
    ck_assert_mem_eq(der, expected, sizeof(expected));
}
END_TEST

/* X.690 8.19 of a dotted OID whose second arc fits 2.25.<up to 128 bits>.<n> */
static size_t
encode_oid(const char *text, uint8_t *out)
{
    size_t size = 0;
    for (const char *p = text + 2; p != NULL && *p != '\0';) {
        unsigned __int128 arc = p == text + 2 ? 80 : 0;
        unsigned __int128 value = 0;
        for (; *p >= '0' && *p <= '9'; p++)
            value = value * 10 + (unsigned)(*p - '0');
        arc += value;
        uint8_t digits[20];
        size_t n = 0;
        do {
            digits[n++] = (uint8_t)(arc & 0x7f);
            arc >>= 7;
        } while (arc != 0);
        while (n-- > 0)
            out[size++] = digits[n] | (n != 0 ? 0x80 : 0);
        p = *p == '.' ? p + 1 : NULL;
    }
    return size;
}

static const char *const oids[] = {
    [SIGNET_FAMILY_EC] = SIGNET_REFERENCE_OID_EC,
    [SIGNET_FAMILY_RSA] = SIGNET_REFERENCE_OID_RSA,
    [SIGNET_FAMILY_ED25519] = SIGNET_REFERENCE_OID_ED25519,
};

START_TEST(the_oid_in_the_bytes_is_the_documented_one)
{
    for (int family = 1; family <= SIGNET_FAMILY_MAX; family++) {
        uint8_t oid[64];
        size_t size = encode_oid(oids[family], oid);
        ck_assert_uint_gt(encode("wifi", 1, family), 9 + size);
        ck_assert_uint_eq(der[8], size);
        ck_assert_mem_eq(der + 9, oid, size);
    }
}
END_TEST

START_TEST(the_oids_texts_survive_libcrypto)
{
    for (int family = 1; family <= SIGNET_FAMILY_MAX; family++)
        ck_assert_uint_le(strlen(oids[family]), 49);
}
END_TEST

START_TEST(the_longest_reference_fits_exactly)
{
    char longest[SIGNET_WIRE_NAME_MAX + 1] = {0};
    memset(longest, 'n', SIGNET_WIRE_NAME_MAX);
    struct signet_reference reference = {.generation = UINT32_MAX, .family = SIGNET_FAMILY_EC};
    memcpy(reference.identity, longest, sizeof(longest));
    size_t size = signet_reference_to_der(&reference, der, sizeof(der));
    ck_assert_uint_eq(size, 106);
    ck_assert_uint_eq(signet_reference_to_der(&reference, der, size), size);
    ck_assert_uint_eq(signet_reference_to_der(&reference, der, size - 1), 0);
    ck_assert_int_eq(decode(size), SIGNET_REFERENCE_OURS);
    ck_assert_str_eq(decoded.identity, longest);
}
END_TEST

START_TEST(a_bad_name_is_not_encoded)
{
    static const char *const bad[] = {"", "Wifi", "../etc", "a b"};
    ck_assert_uint_eq(encode(bad[_i], 1, SIGNET_FAMILY_EC), 0);
}
END_TEST

START_TEST(a_name_without_an_end_is_not_encoded)
{
    struct signet_reference reference = {.generation = 1, .family = SIGNET_FAMILY_EC};
    memset(reference.identity, 'n', sizeof(reference.identity));
    ck_assert_uint_eq(signet_reference_to_der(&reference, der, sizeof(der)), 0);
}
END_TEST

START_TEST(a_cut_reference_is_never_accepted)
{
    size_t size = encode("wifi", 7, SIGNET_FAMILY_RSA);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + (cut == 0));
        memcpy(copy, der, cut);
        ck_assert_int_ne(signet_reference_from_der(copy, cut, &decoded, &consumed),
                         SIGNET_REFERENCE_OURS);
        free(copy);
    }
    /* once the OID is there, it is ours and broken */
    ck_assert_int_eq(decode(28), SIGNET_REFERENCE_FOREIGN);
    ck_assert_int_eq(decode(29), SIGNET_REFERENCE_BROKEN);
    ck_assert_int_eq(decode(size - 1), SIGNET_REFERENCE_BROKEN);
}
END_TEST

START_TEST(a_changed_byte_never_gives_the_same_reference)
{
    size_t size = encode("wifi", 7, SIGNET_FAMILY_RSA);
    for (size_t i = 0; i < size; i++) {
        for (unsigned change = 1; change < 256; change++) {
            der[i] ^= (uint8_t)change;
            if (decode(size) == SIGNET_REFERENCE_OURS)
                ck_assert(strcmp(decoded.identity, "wifi") != 0 || decoded.generation != 7 ||
                          decoded.family != SIGNET_FAMILY_RSA);
            der[i] ^= (uint8_t)change;
        }
    }
}
END_TEST

/* EC P-256 and RSA keys as openssl genpkey writes them (their beginnings), and other things people
 * put into key files. */
static const struct {
    const char *bytes;
    size_t size;
} foreign[] = {
    {"", 0},
    {"\x30", 1},
    {"\x30\x80", 2},
    {"\x30\x84\xff\xff\xff\xff\x02\x01\x00", 9},
    {"\x30\x85\x01\x01\x01\x01\x01\x02\x01\x00", 10},
    {"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce"
     "\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20",
     36},
    {"\x30\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04"
     "\x82\x04\xa7",
     26},
    {"\x30\x77\x02\x01\x01\x04\x20", 7}, /* RFC 5915 */
    {"-----BEGIN PRIVATE KEY-----", 27},
    {"\xff\xff\xff\xff", 4},
};

START_TEST(other_keys_are_foreign)
{
    struct signet_reference before = {.identity = "before", .generation = 3};
    decoded = before;
    const uint8_t *bytes = (const uint8_t *)foreign[_i].bytes;
    ck_assert_int_eq(signet_reference_from_der(bytes, foreign[_i].size, &decoded, &consumed),
                     SIGNET_REFERENCE_FOREIGN);
    ck_assert_mem_eq(&decoded, &before, sizeof(before));
}
END_TEST

START_TEST(our_arc_with_another_last_number_is_foreign)
{
    size_t size = encode("wifi", 1, SIGNET_FAMILY_EC);
    der[28] = SIGNET_FAMILY_MAX + 1;
    ck_assert_int_eq(decode(size), SIGNET_REFERENCE_FOREIGN);
}
END_TEST

/* Changes to the reference to "wifi", generation 7 (44 bytes with an EC key). */
static const struct {
    const char *what;
    size_t offset;
    const char *bytes;
    size_t size;
} damages[] = {
    {"version 1", 4, "\x01", 1},
    {"NULL for the octets", 29, "\x05\x00", 2},
    {"a name in capitals", 35, "WIFI", 4},
    {"a PrintableString", 33, "\x13", 1},
    {"a negative number", 41, "\x80", 1},
    {"an empty number", 40, "\x00", 1},
    {"a long inner length", 32, "\x0a", 1},
    {"a long name", 34, "\x40", 1},
    {"an empty name", 34, "\x00", 1},
    {"a SET for the payload", 31, "\x31", 1},
};

START_TEST(our_oid_with_anything_else_wrong_is_broken)
{
    size_t size = encode("wifi", 7, SIGNET_FAMILY_EC);
    ck_assert_uint_eq(size, 42);
    memcpy(der + damages[_i].offset, damages[_i].bytes, damages[_i].size);
    ck_assert_msg(decode(size) == SIGNET_REFERENCE_BROKEN, "%s", damages[_i].what);
}
END_TEST

START_TEST(a_longer_encoding_of_the_same_is_broken)
{
    /* the outer length in two bytes: BER, not DER */
    size_t size = encode("wifi", 7, SIGNET_FAMILY_EC);
    memmove(der + 3, der + 2, size - 2);
    der[2] = der[1];
    der[1] = 0x81;
    ck_assert_int_eq(decode(size + 1), SIGNET_REFERENCE_BROKEN);

    /* a number with a needless zero in front */
    size = encode("wifi", 7, SIGNET_FAMILY_EC);
    static const uint8_t number[] = {0x02, 0x02, 0x00, 0x07};
    memcpy(der + size - 3, number, sizeof(number));
    der[1]++, der[30]++, der[32]++;
    ck_assert_int_eq(decode(size + 1), SIGNET_REFERENCE_BROKEN);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
reference_suite(void)
{
    Suite *suite = suite_create("wire reference");
    TCase *tc = tcase_create("reference");
    tcase_add_loop_test(tc, a_reference_is_read_back, 0, COUNT(generations));
    tcase_add_test(tc, the_bytes_are_those_of_the_documented_structure);
    tcase_add_test(tc, the_oid_in_the_bytes_is_the_documented_one);
    tcase_add_test(tc, the_oids_texts_survive_libcrypto);
    tcase_add_test(tc, the_longest_reference_fits_exactly);
    tcase_add_loop_test(tc, a_bad_name_is_not_encoded, 0, 4);
    tcase_add_test(tc, a_name_without_an_end_is_not_encoded);
    tcase_add_test(tc, a_cut_reference_is_never_accepted);
    tcase_add_test(tc, a_changed_byte_never_gives_the_same_reference);
    tcase_add_loop_test(tc, other_keys_are_foreign, 0, COUNT(foreign));
    tcase_add_test(tc, our_arc_with_another_last_number_is_foreign);
    tcase_add_loop_test(tc, our_oid_with_anything_else_wrong_is_broken, 0, COUNT(damages));
    tcase_add_test(tc, a_longer_encoding_of_the_same_is_broken);
    suite_add_tcase(suite, tc);
    return suite;
}
