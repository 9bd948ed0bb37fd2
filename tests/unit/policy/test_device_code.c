/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The device code: what it is for known bytes, and that it depends on all of them. */

#include "policy/device-code.h"

#include <string.h>

#include "tests/unit/policy/support.h"

/* Made with: printf %s TEXT | openssl dgst -sha256 -binary | head -c 10 | basenc --base32hex |
 * tr 0-9A-V 0-9A-HJKMNP-TV-Z */
static const struct {
    const char *text;
    const char *code;
} known[] = {
    {"", "WERC-8GMR-ZGE1-96QV"},
    {"abc", "Q9W1-DFWF-077Y-MGA1"},
    {"signet", "RZQ8-5SFW-RHH2-69DK"},
};

START_TEST(a_code_is_the_beginning_of_a_digest)
{
    g_autofree char *code = signet_device_code(known[_i].text, strlen(known[_i].text));

    ck_assert_str_eq(code, known[_i].code);
    ck_assert_uint_eq(strlen(code) + 1, SIGNET_DEVICE_CODE_SIZE);
}
END_TEST

START_TEST(each_bit_of_a_key_changes_it)
{
    guint8 key[91] = {0x30};
    g_autofree char *before = signet_device_code(key, sizeof(key));

    for (gsize bit = 0; bit < 8 * sizeof(key); bit++) {
        key[bit / 8] ^= (guint8)(1 << bit % 8);
        g_autofree char *after = signet_device_code(key, sizeof(key));

        ck_assert_str_ne(before, after);
        key[bit / 8] ^= (guint8)(1 << bit % 8);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy/device-code");
    TCase *cases = tcase_create("code");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(cases, a_code_is_the_beginning_of_a_digest, 0, G_N_ELEMENTS(known));
    tcase_add_test(cases, each_bit_of_a_key_changes_it);
    suite_add_tcase(suite, cases);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
