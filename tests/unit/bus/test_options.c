/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Options and schemes: what is known is taken, anything else is refused by name. */

#include "agent/bus/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static gboolean
parse(const char *scheme, const char *text, SignetSignOptions *ret_options, GError **error)
{
    g_autoptr(GVariant) options = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

    ck_assert_ptr_nonnull(options);
    return signet_sign_options_parse(scheme, options, ret_options, error);
}

static const struct {
    const char *name;
    guint32 scheme;
    guint32 hash;
    guint salt_len;
} schemes[] = {
    {"ecdsa-sha256", SIGNET_SCHEME_ECDSA, SIGNET_HASH_SHA256, 0},
    {"ecdsa-sha512", SIGNET_SCHEME_ECDSA, SIGNET_HASH_SHA512, 0},
    {"rsa-pkcs1-sha384", SIGNET_SCHEME_RSA_PKCS1, SIGNET_HASH_SHA384, 0},
    {"ed25519", SIGNET_SCHEME_EDDSA, SIGNET_HASH_NONE, 0},
    {"rsa-pss-sha256", SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, 32},
    {"rsa-pss-sha512", SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA512, 64},
};

START_TEST(a_scheme_is_understood)
{
    SignetSignOptions options = {0};

    ck_assert(parse(schemes[_i].name, "{}", &options, NULL));
    ck_assert_uint_eq(options.scheme.scheme, schemes[_i].scheme);
    ck_assert_uint_eq(options.scheme.hash, schemes[_i].hash);
    ck_assert_uint_eq(options.scheme.salt_len, schemes[_i].salt_len);
    ck_assert_uint_eq(options.scheme.mgf1_hash, schemes[_i].salt_len ? schemes[_i].hash : 0);
}
END_TEST

static const char *const no_schemes[] = {
    "",        "ecdsa",      "ecdsa-",        "ecdsa-sha1",    "ecdsa-md5",       "ECDSA-SHA256",
    "rsa",     "rsa-sha256", "rsa-pss",       "rsa-pss-sha25", "rsa-pss-sha2566", "ecdsa-none",
    "-sha256", "ed448",      " ecdsa-sha256",
};

START_TEST(another_scheme_is_refused_by_name)
{
    SignetSignOptions options = {.generation = 77};
    g_autoptr(GError) error = NULL;

    ck_assert(!parse(no_schemes[_i], "{}", &options, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert_ptr_nonnull(strstr(error->message, no_schemes[_i]));
    ck_assert_uint_eq(options.generation, 77);
}
END_TEST

START_TEST(options_are_taken)
{
    SignetSignOptions options = {0};

    ck_assert(parse("rsa-pss-sha256",
                    "{'generation': <uint32 9>, 'digest': <true>, 'salt_length': <uint32 20>}",
                    &options, NULL));
    ck_assert_uint_eq(options.generation, 9);
    ck_assert(options.is_digest);
    ck_assert_uint_eq(options.scheme.salt_len, 20);
}
END_TEST

static const struct {
    const char *scheme;
    const char *options;
    const char *named;
} wrong[] = {
    {"ecdsa-sha256", "{'generatoin': <uint32 9>}", "generatoin"},
    {"ecdsa-sha256", "{'generation': <'9'>}", "generation"},
    {"ecdsa-sha256", "{'generation': <int32 9>}", "generation"},
    {"ecdsa-sha256", "{'digest': <uint32 1>}", "digest"},
    {"ecdsa-sha256", "{'salt_length': <uint32 32>}", "salt_length"},
    {"rsa-pkcs1-sha256", "{'salt_length': <uint32 32>}", "salt_length"},
    {"rsa-pss-sha256", "{'salt_length': <uint32 70000>}", "70000"},
    {"rsa-pss-sha256", "{'salt_length': <uint32 65536>}", "65536"},
};

START_TEST(a_wrong_option_is_refused_by_name)
{
    SignetSignOptions options = {0};
    g_autoptr(GError) error = NULL;

    ck_assert(!parse(wrong[_i].scheme, wrong[_i].options, &options, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert_ptr_nonnull(strstr(error->message, wrong[_i].named));
}
END_TEST

START_TEST(rotating_takes_no_wait_and_nothing_else)
{
    g_autoptr(GVariant) none = g_variant_parse(G_VARIANT_TYPE_VARDICT, "{}", NULL, NULL, NULL);
    g_autoptr(GVariant) one =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, "{'no_wait': <true>}", NULL, NULL, NULL);
    g_autoptr(GVariant) other =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, "{'force': <true>}", NULL, NULL, NULL);
    g_autoptr(GError) error = NULL;
    gboolean no_wait = TRUE;

    ck_assert(signet_rotate_options_parse(none, &no_wait, NULL) && !no_wait);
    ck_assert(signet_rotate_options_parse(one, &no_wait, NULL) && no_wait);
    ck_assert(!signet_rotate_options_parse(other, &no_wait, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, a_scheme_is_understood, 0, G_N_ELEMENTS(schemes));
    tcase_add_loop_test(tests, another_scheme_is_refused_by_name, 0, G_N_ELEMENTS(no_schemes));
    tcase_add_test(tests, options_are_taken);
    tcase_add_loop_test(tests, a_wrong_option_is_refused_by_name, 0, G_N_ELEMENTS(wrong));
    tcase_add_test(tests, rotating_takes_no_wait_and_nothing_else);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
