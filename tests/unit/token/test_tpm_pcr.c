/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that are bound to PCRs, on a software TPM whose PCRs change. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/tpm/keyfile.h"
#include "agent/token/tpm/tpm.h"
#include "tests/support/swtpm.h"
#include "tests/support/token-calls.h"

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
static const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1,
                                      .hash = SIGNET_HASH_SHA256};

static Swtpm *swtpm;
static SignetToken *token;
static gboolean bus_encryption;

static void
open_token(void)
{
    token =
        signet_tpm_token_new(&(SignetTokenSettings) {.name = "tpm"}, swtpm->tcti, bus_encryption);
}

static void
setup(void)
{
    swtpm = swtpm_new();
    bus_encryption = TRUE;
    open_token();
}

static void
teardown(void)
{
    signet_token_unref(token);
    swtpm_free(swtpm);
}

static char *
shell(const char *command)
{
    char *out;

    signet_token_unref(token);
    out = swtpm_shell(swtpm, command);
    open_token();
    ck_assert_msg(out != NULL, "failed: %s", command);
    return out;
}

static void
extend(const char *pcr)
{
    g_autofree char *command =
        g_strdup_printf("tpm2_pcrextend %s:sha256="
                        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                        pcr);
    g_autofree char *out G_GNUC_UNUSED = shell(command);
}

typedef struct {
    gboolean is_done;
    SignetKey *key;
    GError *error;
} Made;

static void
on_made(SignetKey *key, const GError *error, gpointer data)
{
    Made *made = data;

    made->is_done = TRUE;
    made->key = key ? signet_key_ref(key) : NULL;
    made->error = error ? g_error_copy(error) : NULL;
}

static SignetKey *
generate(guint32 type, guint bank, guint32 pcrs, GError **error)
{
    const SignetKeyTemplate template = {.type = type, .pcr_bank = bank, .pcrs = pcrs};
    Made made = {0};

    signet_token_generate(token, NULL, &template, on_made, &made);
    while (!made.is_done)
        g_main_context_iteration(NULL, TRUE);
    if (made.error)
        g_propagate_error(error, made.error);
    return made.key;
}

static SignetKey *
generate_ok(guint32 type, guint32 pcrs)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = generate(type, 256, pcrs, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

static void
assert_refused(SignetKey *key, const char *words)
{
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_POLICY) && strstr(error->message, words),
                  "'%s' was expected, found: %s", words, error->message);
}

START_TEST(a_bound_key_signs_as_long_as_nothing_changes)
{
    bus_encryption = _i;
    signet_token_unref(token);
    open_token();
    g_autoptr(SignetKey) ec = generate_ok(SIGNET_KEY_EC_P256, 1 << 7);
    g_autoptr(SignetKey) rsa = generate_ok(SIGNET_KEY_RSA_2048, 1 << 0 | 1 << 7);
    g_autoptr(SignetKey) free_key = generate_ok(SIGNET_KEY_EC_P256, 0);

    for (guint i = 0; i < 3; i++) {
        token_assert_signs(token, ec, &ecdsa, 32);
        token_assert_signs(token, rsa, &pkcs1, 32);
        token_assert_signs(token, free_key, &ecdsa, 32);
    }
    extend("8");
    token_assert_signs(token, ec, &ecdsa, 32);
    token_assert_signs(token, rsa, &pkcs1, 32);
}
END_TEST

START_TEST(it_does_not_sign_in_another_state_and_says_which_register_changed)
{
    bus_encryption = _i;
    signet_token_unref(token);
    open_token();
    g_autoptr(SignetKey) seven = generate_ok(SIGNET_KEY_EC_P256, 1 << 7);
    g_autoptr(SignetKey) both = generate_ok(SIGNET_KEY_EC_P256, 1 << 4 | 1 << 7);
    g_autoptr(SignetKey) free_key = generate_ok(SIGNET_KEY_EC_P256, 0);

    extend("7");
    for (guint i = 0; i < 100; i++) /* no session is left behind */
        assert_refused(seven, "the machine's boot state differs from the one that the key was made "
                              "in: PCR 7 changed");
    assert_refused(both, ": PCR 7 changed");
    extend("4");
    assert_refused(both, ": PCR 4, 7 changed");
    token_assert_signs(token, free_key, &ecdsa, 32);
    g_autoptr(SignetKey) new = generate_ok(SIGNET_KEY_EC_P256, 1 << 7);
    token_assert_signs(token, new, &ecdsa, 32);
}
END_TEST

START_TEST(its_auth_value_alone_does_not_use_it)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, 1 << 7);
    SignetTpmKeyFile file;
    g_autoptr(GBytes) digest = token_digest(32);

    ck_assert(signet_tpm_key_file_decode(key->blob, &file, NULL));
    ck_assert(!(file.public.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH));
    ck_assert_uint_eq(file.public.publicArea.authPolicy.size, 32);
    file.pcrs = (SignetTpmPcrs) {0};
    g_autoptr(GBytes) bare = signet_tpm_key_file_encode(&file);
    g_autoptr(SignetKey) stripped = signet_key_new(key->type, bare, key->auth, key->spki);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(token_sign(token, stripped, &ecdsa, digest, &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

START_TEST(the_file_names_the_policy_as_the_format_has_it)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, 1 << 7);
    g_autofree char *path = g_build_filename(swtpm->dir, "key.pem", NULL);
    g_autofree char *out = NULL;

    ck_assert(g_file_set_contents(path, g_bytes_get_data(key->blob, NULL),
                                  (gssize)g_bytes_get_size(key->blob), NULL));
    /* [1] { SEQUENCE { SEQUENCE { [0] PolicyPCR, [1] parameters }, SEQUENCE { [0] PolicyAuthValue …
     */
    out = shell("cd \"$dir\" && openssl asn1parse -in key.pem | sed 's/.*: *//' | head -n 16");
    ck_assert_msg(strstr(out, "017F") && strstr(out, "016B"), "%s", out);
    ck_assert(g_strstr_len(g_bytes_get_data(key->blob, NULL), -1, "PCR 7: 00"));
}
END_TEST

START_TEST(a_bank_that_the_tpm_has_not_is_said)
{
    g_autofree char *out G_GNUC_UNUSED =
        shell("tpm2_pcrallocate -Q sha256:all+sha384:none+sha1:none >/dev/null");
    g_autoptr(GError) error = NULL;

    swtpm_kill(swtpm);
    swtpm_start(swtpm);
    ck_assert_ptr_null(generate(SIGNET_KEY_EC_P256, 384, 1 << 7, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED) &&
                      strstr(error->message, "no PCRs with digests of 384 bits"),
                  "%s", error->message);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token/tpm_pcr");
    TCase *tests = tcase_create("pcr");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_bound_key_signs_as_long_as_nothing_changes, 0, 2);
    tcase_add_loop_test(tests, it_does_not_sign_in_another_state_and_says_which_register_changed, 0,
                        2);
    tcase_add_test(tests, its_auth_value_alone_does_not_use_it);
    tcase_add_test(tests, the_file_names_the_policy_as_the_format_has_it);
    tcase_add_test(tests, a_bank_that_the_tpm_has_not_is_said);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
