/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that tpm2-openssl and tpm2-tools made with a software TPM, in the hands of the TPM backend.
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/tpm/tpm.h"
#include "tests/support/swtpm.h"
#include "tests/support/token-calls.h"

#define STORAGE_KEY \
    "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'"
/* A parent at 0x81000007 that is not the SRK. */
#define PARENT                                                                    \
    "cd \"$dir\" && tpm2_createprimary -Q -C o -G ecc " STORAGE_KEY " -c par && " \
    "tpm2_evictcontrol -Q -C o -c par 0x81000007 && tpm2_flushcontext -t && "
#define FIXED "fixedtpm|fixedparent|sensitivedataorigin|userwithauth"
/* CREATE(options of tpm2_create, options of tpm2_encodeobject) prints the key file. */
#define CREATE(create, encode)                                                                  \
    PARENT "tpm2_create -Q -C 0x81000007 " create " -u pub -r priv && tpm2_flushcontext -t && " \
           "tpm2_encodeobject -C 0x81000007 -u pub -r priv " encode " -o key.pem && cat key.pem"

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
static const SignetKeyScheme pss = {.scheme = SIGNET_SCHEME_RSA_PSS,
                                    .hash = SIGNET_HASH_SHA256,
                                    .mgf1_hash = SIGNET_HASH_SHA256,
                                    .salt_len = 32};

static Swtpm *swtpm;
static SignetToken *token;

static void
open_token(void)
{
    token = signet_tpm_token_new(&(SignetTokenSettings) {.name = "tpm"}, swtpm->tcti, TRUE);
}

static void
setup(void)
{
    swtpm = swtpm_new();
    open_token();
}

static void
teardown(void)
{
    signet_token_unref(token);
    swtpm_free(swtpm);
}

/* The token would be in the way of other programs: an swtpm serves one at a time. */
static GBytes *
make(const char *command)
{
    char *text;

    signet_token_unref(token);
    text = swtpm_shell(swtpm, command);
    ck_assert_msg(text != NULL, "failed: %s", command);
    open_token();
    return g_bytes_new_take(text, strlen(text));
}

static SignetKey *
adopt(GBytes *file, const char *password, GError **error)
{
    g_autoptr(SignetSecret) auth = password ? signet_secret_new(password, strlen(password)) : NULL;
    g_autoptr(GBytes) certificate = NULL;
    SignetKey *key = token_adopt(token, file, auth, &certificate, error);

    ck_assert_ptr_null(certificate);
    return key;
}

static void
assert_refused(GBytes *file, SignetErrorKind kind, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(adopt(file, NULL, &error));
    ck_assert_msg(signet_error_is(error, kind) && strstr(error->message, words),
                  "'%s' was expected, found: %s", words, error->message);
}

static const struct {
    const char *command;
    guint32 type;
    const SignetKeyScheme *scheme;
} good[] = {
    {"cd \"$dir\" && openssl genpkey -provider tpm2 -provider default -algorithm EC "
     "-pkeyopt group:P-256",
     SIGNET_KEY_EC_P256, &ecdsa},
    {"cd \"$dir\" && openssl genpkey -provider tpm2 -provider default -algorithm RSA "
     "-pkeyopt bits:2048",
     SIGNET_KEY_RSA_2048, &pss},
    {PARENT "openssl genpkey -provider tpm2 -provider default -algorithm EC "
            "-pkeyopt group:P-384 -pkeyopt parent:0x81000007",
     SIGNET_KEY_EC_P384, &ecdsa},
    {CREATE("-G ecc256 -a '" FIXED "|sign'", ""), SIGNET_KEY_EC_P256, &ecdsa},
    {CREATE("-G ecc256:ecdsa-sha256 -a '" FIXED "|sign'", ""), SIGNET_KEY_EC_P256, &ecdsa},
    {CREATE("-G rsa2048 -a '" FIXED "|sign|decrypt'", ""), SIGNET_KEY_RSA_2048, &pss},
};

START_TEST(keys_of_other_programs_sign)
{
    g_autoptr(GBytes) file = make(good[_i].command);
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) key = adopt(file, NULL, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(key->type, good[_i].type);
    ck_assert(key->is_adopted);
    token_assert_signs(token, key, good[_i].scheme, 32);
}
END_TEST

static void
assert_does_not_sign(GBytes *file, const char *password)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(SignetKey) key = adopt(file, password, NULL);

    ck_assert_ptr_nonnull(key);
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    ck_assert_msg(strstr(error->message, "password of an adopted key") != NULL, "said: %s",
                  error->message);
}

START_TEST(a_password_is_needed_and_used)
{
    g_autoptr(GBytes) file = make(CREATE("-G ecc256 -p sesame -a 'noda|" FIXED "|sign'", "-p"));
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) key = adopt(file, "sesame", &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    token_assert_signs(token, key, &ecdsa, 32);
    signet_token_unref(token);
    open_token();
    token_assert_signs(token, key, &ecdsa, 32);
    assert_does_not_sign(file, "open");
    assert_does_not_sign(file, NULL);
}
END_TEST

static const struct {
    const char *command;
    const char *words;
} bad[] = {
    {CREATE("-G ecc256 -a 'sensitivedataorigin|userwithauth|sign'", ""), "not fixedTPM"},
    {PARENT "openssl ecparam -name prime256v1 -genkey -noout -out soft.pem && "
            "tpm2_import -Q -C 0x81000007 -G ecc -i soft.pem -u pub -r priv && "
            "tpm2_encodeobject -C 0x81000007 -u pub -r priv -o key.pem && cat key.pem",
     "not fixedTPM"},
    {CREATE("-G rsa2048 -a '" FIXED "|sign'", ""), "without the right to decrypt"},
    {CREATE("-G ecc256:ecdsa-sha256:null -a '" FIXED "|sign|restricted'", ""), "restricted"},
    {CREATE("-G ecc256:ecdh -a '" FIXED "|decrypt'", ""), "cannot sign"},
};

START_TEST(a_key_that_does_not_meet_the_demands_is_refused_in_words)
{
    g_autoptr(GBytes) file = make(bad[_i].command);

    assert_refused(file, SIGNET_ERROR_POLICY, bad[_i].words);
}
END_TEST

START_TEST(a_key_of_another_tpm_is_refused)
{
    g_autoptr(GBytes) file = make(good[0].command);

    signet_token_unref(token);
    swtpm_replace(swtpm);
    open_token();
    assert_refused(file, SIGNET_ERROR_CORRUPT, "not made by this TPM");
}
END_TEST

static const char *const names[] = {"", "pkcs11:id=%01",
                                    "-----BEGIN TSS2 PRIVATE KEY-----\nMA==\n"};

START_TEST(what_is_no_key_file_is_refused)
{
    g_autoptr(GBytes) name = g_bytes_new_static(names[_i], strlen(names[_i]));

    assert_refused(name, SIGNET_ERROR_BAD_REQUEST, "TSS2 PRIVATE KEY");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token/tpm_adopt");
    TCase *tests = tcase_create("adopt");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, keys_of_other_programs_sign, 0, G_N_ELEMENTS(good));
    tcase_add_test(tests, a_password_is_needed_and_used);
    tcase_add_loop_test(tests, a_key_that_does_not_meet_the_demands_is_refused_in_words, 0,
                        G_N_ELEMENTS(bad));
    tcase_add_test(tests, a_key_of_another_tpm_is_refused);
    tcase_add_loop_test(tests, what_is_no_key_file_is_refused, 0, G_N_ELEMENTS(names));
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
