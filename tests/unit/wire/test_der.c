/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The reader of DER: what it takes apart and, mostly, what it refuses. */

#include <string.h>

#include "provider/wire/der.h"
#include "tests/unit/wire/suites.h"

#define BYTES(...)                                           \
    ((struct signet_bytes) {(const uint8_t[]) {__VA_ARGS__}, \
                            sizeof((const uint8_t[]) {__VA_ARGS__})})

START_TEST(elements_are_taken_one_after_the_other)
{
    struct signet_bytes rest = BYTES(0x02, 0x01, 0x05, 0x04, 0x00);
    struct signet_der element;
    ck_assert(signet_der_next(&rest, &element));
    ck_assert_uint_eq(element.tag, SIGNET_DER_INTEGER);
    ck_assert_uint_eq(element.content.size, 1);
    ck_assert_uint_eq(element.whole.size, 3);
    ck_assert(!signet_der_expect(&rest, SIGNET_DER_INTEGER, &element));
    ck_assert(signet_der_expect(&rest, SIGNET_DER_OCTET_STRING, &element));
    ck_assert_uint_eq(element.content.size, 0);
    ck_assert(!signet_der_next(&rest, &element));
}
END_TEST

START_TEST(damaged_elements_are_refused)
{
    const struct signet_bytes damaged[] = {
        BYTES(0x02),                                           /* no length */
        BYTES(0x02, 0x02, 0x05),                               /* cut short */
        BYTES(0x1f, 0x20, 0x00),                               /* a high tag */
        BYTES(0x04, 0x80, 0x00, 0x00),                         /* no length at all */
        BYTES(0x04, 0x81, 0x01, 0x00),                         /* not the shortest */
        BYTES(0x04, 0x82, 0x00, 0x81, 0x00),                   /* not the shortest */
        BYTES(0x04, 0x82, 0x01),                               /* cut short in the length */
        BYTES(0x04, 0x84, 0xff, 0xff, 0xff, 0xff),             /* larger than memory */
        BYTES(0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00), /* too many bytes of length */
    };
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        struct signet_bytes rest = damaged[i];
        struct signet_der element;
        ck_assert_msg(!signet_der_next(&rest, &element), "row %zu", i);
        ck_assert_uint_eq(rest.size, damaged[i].size);
    }
}
END_TEST

START_TEST(numbers_lose_their_zero_and_may_not_be_negative)
{
    struct signet_bytes rest = BYTES(0x02, 0x02, 0x00, 0x80), number;
    ck_assert(signet_der_unsigned(&rest, &number));
    ck_assert_uint_eq(number.size, 1);
    ck_assert_uint_eq(number.data[0], 0x80);
    rest = BYTES(0x02, 0x01, 0x80);
    ck_assert(!signet_der_unsigned(&rest, &number));
    rest = BYTES(0x02, 0x00);
    ck_assert(!signet_der_unsigned(&rest, &number));
}
END_TEST

START_TEST(signatures_are_padded_to_their_width)
{
    uint8_t raw[4];
    ck_assert(signet_der_split_ecdsa(
        BYTES(0x30, 0x08, 0x02, 0x01, 0x07, 0x02, 0x03, 0x00, 0x81, 0x02), 2, raw));
    ck_assert_mem_eq(raw, ((const uint8_t[]) {0, 7, 0x81, 2}), 4);
}
END_TEST

START_TEST(signatures_that_do_not_fit_are_refused)
{
    uint8_t raw[4];
    const struct signet_bytes wrong[] = {
        BYTES(0x30, 0x06, 0x02, 0x01, 0x07, 0x02, 0x01),                         /* cut short */
        BYTES(0x30, 0x06, 0x02, 0x01, 0x07, 0x02, 0x01, 0x01, 0x00),             /* behind it */
        BYTES(0x30, 0x03, 0x02, 0x01, 0x07),                                     /* no s */
        BYTES(0x30, 0x09, 0x02, 0x01, 0x07, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01), /* three */
        BYTES(0x30, 0x08, 0x02, 0x03, 0x01, 0x02, 0x03, 0x02, 0x01, 0x01),       /* too long */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!signet_der_split_ecdsa(wrong[i], 2, raw), "row %zu", i);
}
END_TEST

Suite *
der_suite(void)
{
    Suite *suite = suite_create("der");
    TCase *tests = tcase_create("der");
    tcase_add_test(tests, elements_are_taken_one_after_the_other);
    tcase_add_test(tests, damaged_elements_are_refused);
    tcase_add_test(tests, numbers_lose_their_zero_and_may_not_be_negative);
    tcase_add_test(tests, signatures_are_padded_to_their_width);
    tcase_add_test(tests, signatures_that_do_not_fit_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
