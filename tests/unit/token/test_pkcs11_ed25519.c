/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Ed25519 on PKCS#11 tokens, which do not agree on how curve and point are written. */

#include <check.h>
#include <stdlib.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "agent/token/pkcs11/public.h"
#include "tests/support/softhsm.h"
#include "tests/support/token-calls.h"

#ifdef __SANITIZE_ADDRESS__
/* SoftHSM 2.6 leaks what it has parsed with each Ed25519 operation. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void)
{
    return "leak:libsofthsm2.so";
}
#endif

static const SignetKeyScheme eddsa = {.scheme = SIGNET_SCHEME_EDDSA};

static SignetToken *
open_token(const SoftHsm *hsm, const char *uri)
{
    const SignetTokenSettings settings = {.name = "card"};
    const SignetPkcs11Settings pkcs11 = {.uri = uri, .pin.file = hsm->pin_file};

    return signet_pkcs11_token_new(&settings, &pkcs11);
}

static SignetKey *
generate(SignetToken *token, guint32 type)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = token_generate(token, type, TRUE, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

static void
assert_signs(const SoftHsm *hsm, const char *uri)
{
    g_autoptr(SignetToken) token = open_token(hsm, uri);
    g_autoptr(SignetKey) key = generate(token, SIGNET_KEY_ED25519);
    g_autoptr(SignetToken) again = NULL;

    for (gsize size = 0; size <= 64; size += 16)
        token_assert_signs(token, key, &eddsa, size);
    /* found again, its public half compared */
    again = open_token(hsm, uri);
    token_assert_signs(again, key, &eddsa, 32);
}

START_TEST(softhsm_names_the_curve_by_its_oid)
{
    g_autoptr(SoftHsm) hsm = softhsm_new();

    assert_signs(hsm, hsm->uri);
}
END_TEST

START_TEST(others_name_the_curve_in_words_and_have_bare_points)
{
    g_autoptr(SoftHsm) hsm = softhsm_new();
    g_autofree char *uri = softhsm_dup_uri(hsm, P11_SHIM);
    g_autofree char *path = g_build_filename(hsm->dir, "edwards", NULL);

    g_setenv("P11_SHIM_DIR", hsm->dir, TRUE);
    ck_assert(g_file_set_contents(path, "", 0, NULL));
    assert_signs(hsm, uri);
}
END_TEST

START_TEST(keys_do_what_is_theirs_and_nothing_else)
{
    static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA,
                                          .hash = SIGNET_HASH_SHA256};
    g_autoptr(SoftHsm) hsm = softhsm_new();
    g_autoptr(SignetToken) token = open_token(hsm, hsm->uri);
    g_autoptr(SignetKey) key = generate(token, SIGNET_KEY_ED25519);
    g_autoptr(SignetKey) ec = generate(token, SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    g_clear_error(&error);
    ck_assert_ptr_null(token_sign(token, ec, &eddsa, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    g_clear_error(&error);
    ck_assert_ptr_null(token_derive(token, key, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
}
END_TEST

#define OID "\x06\x03\x2b\x65\x70"
#define NAME   \
    "\x13\x0c" \
    "edwards25519"
#define POINT "0123456789abcdef0123456789abcdef"
#define ROW(params, point, is_read)                                   \
    {                                                                 \
        params, sizeof(params) - 1, point, sizeof(point) - 1, is_read \
    }

static const struct {
    const char *params;
    gsize params_size;
    const char *point;
    gsize point_size;
    gboolean is_read;
} forms[] = {
    ROW(OID, POINT, TRUE),
    ROW(OID, "\x04\x20" POINT, TRUE),
    ROW(OID, "\x03\x21\x00" POINT, TRUE),
    ROW(NAME, POINT, TRUE),
    ROW(NAME, "\x04\x20" POINT, TRUE),
    ROW(OID, "\x04\x20" POINT "x", FALSE),
    ROW(OID, "\x05\x20" POINT, FALSE),
    ROW(OID, "\x03\x20" POINT, FALSE),
    ROW(OID, "", FALSE),
    ROW("\x06\x03\x2b\x65\x71", POINT, FALSE), /* Ed448 */
    ROW("\x13\x0a"
        "edwards448",
        POINT, FALSE),
    ROW("", POINT, FALSE),
};

START_TEST(every_form_gives_the_same_public_key)
{
    g_autoptr(GBytes) params = g_bytes_new_static(forms[_i].params, forms[_i].params_size);
    g_autoptr(GBytes) point = g_bytes_new_static(forms[_i].point, forms[_i].point_size);
    g_autoptr(GBytes) spki = signet_pkcs11_spki_of_ec(params, point);
    /* RFC 8410 section 4 */
    g_autoptr(GBytes) expected = g_bytes_new_static(
        "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" POINT, 12 + sizeof(POINT) - 1);

    ck_assert_int_eq(spki != NULL, forms[_i].is_read);
    ck_assert(!spki || g_bytes_equal(spki, expected));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pkcs11 ed25519");
    TCase *tcase = tcase_create("ed25519");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, softhsm_names_the_curve_by_its_oid);
    tcase_add_test(tcase, others_name_the_curve_in_words_and_have_bare_points);
    tcase_add_test(tcase, keys_do_what_is_theirs_and_nothing_else);
    tcase_add_loop_test(tcase, every_form_gives_the_same_public_key, 0, G_N_ELEMENTS(forms));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
