/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The catalogue's words and numbers. */

#include <string.h>

#include "provider/wire/wire.h"
#include "tests/unit/wire/suites.h"

START_TEST(numbers_have_their_names)
{
    ck_assert_str_eq(signet_wire_op_name(SIGNET_WIRE_OP_SIGN_MESSAGE), "sign-message");
    ck_assert_str_eq(signet_wire_op_name(SIGNET_WIRE_OP_RESULT), "result");
    ck_assert_str_eq(signet_wire_status_name(SIGNET_WIRE_STATUS_PIN_NEEDED), "PIN needed");
    ck_assert_str_eq(signet_key_type_name(SIGNET_KEY_RSA_3072), "rsa:3072");
    ck_assert_str_eq(signet_scheme_name(SIGNET_SCHEME_RSA_PSS), "rsa-pss");
    ck_assert_str_eq(signet_hash_name(SIGNET_HASH_SHA256), "SHA2-256");
}
END_TEST

START_TEST(unknown_numbers_are_called_unknown)
{
    static const uint32_t unknown[] = {0, 200, 256, 65536, UINT32_MAX};
    ck_assert_str_eq(signet_wire_op_name(unknown[_i]), "unknown");
    ck_assert_str_eq(signet_wire_status_name(unknown[_i] + 99), "unknown");
    ck_assert_str_eq(signet_key_type_name(unknown[_i]), "unknown");
    ck_assert_str_eq(signet_scheme_name(unknown[_i]), "unknown");
    ck_assert_str_eq(signet_hash_name(unknown[_i] + 99), "unknown");
    ck_assert_uint_eq(signet_key_type_bits(unknown[_i]), 0);
    ck_assert_uint_eq(signet_key_type_signature_max(unknown[_i]), 0);
    ck_assert(!signet_key_type_is_rsa(unknown[_i]) && !signet_key_type_is_ec(unknown[_i]));
    ck_assert_uint_eq(signet_key_type_family(unknown[_i]), 0);
    ck_assert_uint_eq(signet_scheme_family(unknown[_i]), 0);
    ck_assert_str_eq(signet_family_name(unknown[_i]), "unknown");
    ck_assert_uint_eq(signet_hash_size(unknown[_i] + 99), 0);
}
END_TEST

static const struct {
    uint32_t type;
    const char *name;
    unsigned bits;
    size_t signature_max;
    uint32_t family;
} key_types[] = {
#define X(symbol, number, name, family, bits, sig_max) \
    {number, name, bits, sig_max, SIGNET_FAMILY_##family},
    SIGNET_KEY_TYPES(X)
#undef X
};

START_TEST(key_types_are_found_by_name_and_number)
{
    uint32_t type = key_types[_i].type;
    ck_assert_uint_eq(signet_key_type_from_name(key_types[_i].name), type);
    ck_assert_uint_eq(signet_key_type_bits(type), key_types[_i].bits);
    ck_assert_uint_eq(signet_key_type_signature_max(type), key_types[_i].signature_max);
    ck_assert_uint_le(key_types[_i].signature_max, SIGNET_WIRE_SIGNATURE_MAX);
    ck_assert_uint_eq(signet_key_type_family(type), key_types[_i].family);
    ck_assert_int_eq(signet_key_type_is_rsa(type), strncmp(key_types[_i].name, "rsa:", 4) == 0);
    ck_assert_int_eq(signet_key_type_is_ec(type), strncmp(key_types[_i].name, "ec:", 3) == 0);
}
END_TEST

START_TEST(schemes_are_of_the_family_that_they_are_named_after)
{
    ck_assert_uint_eq(signet_scheme_family(SIGNET_SCHEME_ECDSA), SIGNET_FAMILY_EC);
    ck_assert_uint_eq(signet_scheme_family(SIGNET_SCHEME_ECDH), SIGNET_FAMILY_EC);
    ck_assert_uint_eq(signet_scheme_family(SIGNET_SCHEME_EDDSA), SIGNET_FAMILY_ED25519);
    ck_assert_uint_eq(signet_scheme_family(SIGNET_SCHEME_RSA_OAEP), SIGNET_FAMILY_RSA);
    ck_assert_str_eq(signet_family_name(SIGNET_FAMILY_ED25519), "ED25519");
}
END_TEST

/* EC: DER ECDSA-Sig-Value: SEQUENCE of two INTEGERs of up to n bytes and a sign byte */
START_TEST(signatures_have_the_room_their_encoding_needs)
{
    unsigned bits = key_types[_i].bits;
    size_t expected = key_types[_i].family == SIGNET_FAMILY_ED25519 ? 2 * bits / 8 : bits / 8;
    if (key_types[_i].family == SIGNET_FAMILY_EC) {
        size_t integer = (bits + 7) / 8 + (bits % 8 == 0);
        size_t sequence = 2 * (2 + integer);
        expected = sequence + (sequence < 128 ? 2 : 3);
    }
    ck_assert_uint_eq(signet_key_type_signature_max(key_types[_i].type), expected);
}
END_TEST

static const struct {
    const char *name;
    uint32_t hash;
} hashes[] = {
    {"SHA256", SIGNET_HASH_SHA256},     {"SHA2-256", SIGNET_HASH_SHA256},
    {"sha256", SIGNET_HASH_SHA256},     {"SHA-256", SIGNET_HASH_SHA256},
    {"sha2-256", SIGNET_HASH_SHA256},   {"SHA1", SIGNET_HASH_SHA1},
    {"sha-1", SIGNET_HASH_SHA1},        {"SHA224", SIGNET_HASH_SHA224},
    {"SHA2-384", SIGNET_HASH_SHA384},   {"SHA512", SIGNET_HASH_SHA512},
    {"SHA2-512/256", SIGNET_HASH_NONE}, {"SHA512-256", SIGNET_HASH_NONE},
    {"SHA3-256", SIGNET_HASH_NONE},     {"MD5-SHA1", SIGNET_HASH_NONE},
    {"NONE", SIGNET_HASH_NONE},         {"", SIGNET_HASH_NONE},
    {"SHA", SIGNET_HASH_NONE},          {"SHA-", SIGNET_HASH_NONE},
};

START_TEST(digests_are_found_by_their_usual_names)
{
    ck_assert_uint_eq(signet_hash_from_name(hashes[_i].name), hashes[_i].hash);
}
END_TEST

START_TEST(digests_have_their_sizes)
{
    static const size_t sizes[] = {0, 20, 28, 32, 48, 64};
    ck_assert_uint_eq(signet_hash_size((uint32_t)_i), sizes[_i]);
    ck_assert_uint_le(sizes[_i], SIGNET_WIRE_DIGEST_MAX);
    ck_assert_uint_eq(signet_hash_from_size(sizes[_i]), (uint32_t)_i);
    ck_assert_uint_eq(signet_hash_from_size(sizes[_i] + 1), SIGNET_HASH_NONE);
}
END_TEST

START_TEST(an_unknown_key_type_is_not_found)
{
    static const char *const unknown[] = {"", "ec", "EC:P-256", "rsa:1024", "rsa:2048 ", "unknown"};
    ck_assert_uint_eq(signet_key_type_from_name(unknown[_i]), 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

Suite *
catalogue_suite(void)
{
    Suite *suite = suite_create("wire catalogue");
    TCase *tc = tcase_create("catalogue");
    tcase_add_test(tc, numbers_have_their_names);
    tcase_add_test(tc, schemes_are_of_the_family_that_they_are_named_after);
    tcase_add_loop_test(tc, unknown_numbers_are_called_unknown, 0, 4);
    tcase_add_loop_test(tc, key_types_are_found_by_name_and_number, 0, COUNT(key_types));
    tcase_add_loop_test(tc, signatures_have_the_room_their_encoding_needs, 0, COUNT(key_types));
    tcase_add_loop_test(tc, digests_are_found_by_their_usual_names, 0, COUNT(hashes));
    tcase_add_loop_test(tc, digests_have_their_sizes, 0, 6);
    tcase_add_loop_test(tc, an_unknown_key_type_is_not_found, 0, 6);
    suite_add_tcase(suite, tc);
    return suite;
}
