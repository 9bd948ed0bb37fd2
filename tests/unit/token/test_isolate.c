/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PKCS#11 modules that hang and crash: inside this process, and in one of their own; and what other
 * tokens notice of it. */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "tests/support/softhsm.h"
#include "tests/support/token-calls.h"

#define REOPEN_US   (1050 * 1000) /* a little more than the worker waits */
#define PATIENCE_MS 300

static SoftHsm *hsm;
static SignetToken *token; /* isolated */
static SignetToken *other; /* in this process, another module */

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

/* --- fixtures --- */

static SignetToken *
make(const char *name, const char *module, const char *program)
{
    g_autofree char *uri = softhsm_dup_uri(hsm, module);
    const SignetTokenSettings settings = {.name = name, .patience_ms = PATIENCE_MS};
    const SignetPkcs11Settings pkcs11 = {
        .uri = uri, .pin.file = hsm->pin_file, .module_program = program};

    return signet_pkcs11_token_new(&settings, &pkcs11);
}

static void
setup(void)
{
    hsm = softhsm_new();
    g_setenv("P11_SHIM_DIR", hsm->dir, TRUE);
    token = make("apart", P11_SHIM, MODULE_PROGRAM);
    other = make("other", SOFTHSM_MODULE, NULL);
}

static void
assert_no_process_is_left(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&other, signet_token_unref);
    ck_assert(signet_token_wait_left(10000));
    assert_no_process_is_left();
    g_clear_pointer(&hsm, softhsm_free);
}

/* A switch of the module. */
static void
turn(const char *name, gboolean on)
{
    g_autofree char *path = g_build_filename(hsm->dir, name, NULL);

    if (on)
        ck_assert(g_file_set_contents(path, "", -1, NULL));
    else
        ck_assert_int_eq(g_unlink(path), 0);
}

static SignetKey *
generate(guint32 type, gboolean can_decrypt)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = token_generate(token, type, can_decrypt, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

static void
assert_words(const char *text, const char *words)
{
    ck_assert_msg(text && strstr(text, words), "'%s' is not in: %s", words, text);
}

typedef struct {
    gboolean answered;
    SignetErrorKind kind;
    char message[512];
} Answer;

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->kind = error ? signet_error_kind(error) : 0;
    g_strlcpy(answer->message, error ? error->message : "", sizeof answer->message);
}

static Answer
sign_within(SignetToken *with, SignetKey *key, guint timeout_ms)
{
    const SignetTokenWait wait = {.timeout_ms = timeout_ms};
    g_autoptr(GBytes) digest = token_digest(32);
    Answer answer = {0};

    signet_token_sign(with, &wait, key, &ecdsa, digest, on_done, &answer);
    while (!answer.answered)
        g_main_context_iteration(NULL, TRUE);
    return answer;
}

static void
run_main_for(guint ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)ms * 1000;

    while (g_get_monotonic_time() < end_us) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
}

/* --- apart --- */

START_TEST(a_module_apart_does_all_that_one_inside_does)
{
    static const SignetKeyScheme pss = {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256,
                                        SIGNET_HASH_SHA256, 32, NULL};
    static const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1,
                                          .hash = SIGNET_HASH_SHA256};
    static const SignetKeyScheme oaep = {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA1, SIGNET_HASH_SHA1,
                                         0, NULL};
    g_autoptr(SignetKey) ec = generate(SIGNET_KEY_EC_P256, TRUE);
    g_autoptr(SignetKey) rsa = generate(SIGNET_KEY_RSA_2048, TRUE);
    g_autoptr(GBytes) ciphertext = token_encrypt_for(rsa, &oaep, "attack at dawn");
    g_autoptr(GBytes) plain = NULL;
    g_autofree char *maps = NULL;

    token_assert_signs(token, ec, &ecdsa, 32);
    token_assert_signs(token, rsa, &pss, 32);
    token_assert_signs(token, rsa, &pkcs1, 32);
    plain = token_decrypt(token, rsa, &oaep, ciphertext, NULL);
    ck_assert_ptr_nonnull(plain);
    ck_assert(token_destroy(token, ec, NULL));
    ck_assert_str_eq(signet_token_get_info(token).protection, "software");
    ck_assert(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    ck_assert_ptr_null(strstr(maps, "p11-shim"));
    ck_assert_ptr_null(strstr(maps, "softhsm"));
}
END_TEST

START_TEST(tokens_apart_do_not_know_of_each_other)
{
    g_autoptr(SignetToken) third = make("third", SOFTHSM_MODULE, MODULE_PROGRAM);
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);

    for (guint i = 0; i < 5; i++) {
        token_assert_signs(token, key, &ecdsa, 32);
        token_assert_signs(third, key, &ecdsa, 32);
    }
    g_usleep(REOPEN_US);
    turn("crash-once", TRUE);
    token_assert_signs(third, key, &ecdsa, 32);
    token_assert_signs(token, key, &ecdsa, 32);
    token_assert_signs(third, key, &ecdsa, 32);
}
END_TEST

START_TEST(a_crash_costs_nobody_anything)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);

    for (guint i = 0; i < 3; i++) {
        g_usleep(REOPEN_US);
        turn("crash-once", TRUE);
        token_assert_signs(token, key, &ecdsa, 32);
        ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    }
}
END_TEST

START_TEST(a_module_that_crashes_each_time_is_told_in_words_until_it_does_not)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    Answer answer;

    turn("crash", TRUE);
    answer = sign_within(token, key, 10000);
    ck_assert_int_eq(answer.kind, SIGNET_ERROR_TOKEN_ABSENT);
    assert_words(answer.message, "crashed with signal 11");
    assert_words(answer.message, "started again at the next use");
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_ABSENT);
    assert_words(signet_token_get_problem(token), "crashed with signal 11");
    token_assert_signs(other, key, &ecdsa, 32);
    turn("crash", FALSE);
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_module_that_crashes_at_its_start_is_told_in_words)
{
    g_autoptr(GError) error = NULL;

    turn("crash-start", TRUE);
    ck_assert(!token_probe(token, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_TOKEN_FAILED));
    assert_words(error->message, "crashed with signal 11");
    turn("crash-start", FALSE);
    g_usleep(REOPEN_US);
    ck_assert(token_probe(token, NULL));
}
END_TEST

START_TEST(a_module_that_hangs_is_stopped_and_started_again)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    Answer answer;

    token_assert_signs(other, key, &ecdsa, 32);
    turn("hang", TRUE);
    answer = sign_within(token, key, 100);
    ck_assert_int_eq(answer.kind, SIGNET_ERROR_TIMED_OUT);
    token_assert_signs(other, key, &ecdsa, 32);
    run_main_for(PATIENCE_MS + 200);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_FAILED);
    assert_words(signet_token_get_problem(token), "was stopped, and is started again");
    turn("hang", FALSE);
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_token_whose_module_hangs_is_dropped_with_its_process)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    gint64 began_us;

    turn("hang", TRUE);
    ck_assert_int_eq(sign_within(token, key, 100).kind, SIGNET_ERROR_TIMED_OUT);
    began_us = g_get_monotonic_time();
    g_clear_pointer(&token, signet_token_unref);
    ck_assert(signet_token_wait_left(0));
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 3 * G_USEC_PER_SEC);
    assert_no_process_is_left();
}
END_TEST

START_TEST(without_the_program_it_says_so)
{
    g_autoptr(SignetToken) broken = make("broken", SOFTHSM_MODULE, "/nonexistent/signet-module");
    g_autoptr(GError) error = NULL;

    ck_assert(!token_probe(broken, &error));
    assert_words(error->message, "'/nonexistent/signet-module' cannot be started");
}
END_TEST

START_TEST(a_module_that_is_none_is_told)
{
    g_autoptr(SignetToken) broken = make("broken", "/dev/null", MODULE_PROGRAM);
    g_autoptr(GError) error = NULL;

    ck_assert(!token_probe(broken, &error));
    assert_words(error->message, "'/dev/null' ended with status 1 when it was started");
}
END_TEST

/* --- inside --- */

START_TEST(what_hangs_inside_does_not_stop_other_tokens)
{
    g_autoptr(SignetToken) inside = make("inside", P11_SHIM, NULL);
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    Answer answer;

    turn("hang", TRUE);
    answer = sign_within(inside, key, 100);
    ck_assert_int_eq(answer.kind, SIGNET_ERROR_TIMED_OUT);
    token_assert_signs(other, key, &ecdsa, 32);
    run_main_for(PATIENCE_MS + 200);
    ck_assert_int_eq(signet_token_get_state(inside), SIGNET_TOKEN_STATE_FAILED);
    assert_words(signet_token_get_problem(inside), "Isolate=yes");
    token_assert_signs(other, key, &ecdsa, 32);
    turn("hang", FALSE);
    run_main_for(200);
    token_assert_signs(inside, key, &ecdsa, 32);
    ck_assert_int_eq(signet_token_get_state(inside), SIGNET_TOKEN_STATE_READY);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("isolate");
    TCase *tc = tcase_create("isolate");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    g_unsetenv("OPENSSL_CONF");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_module_apart_does_all_that_one_inside_does);
    tcase_add_test(tc, tokens_apart_do_not_know_of_each_other);
    tcase_add_test(tc, a_crash_costs_nobody_anything);
    tcase_add_test(tc, a_module_that_crashes_each_time_is_told_in_words_until_it_does_not);
    tcase_add_test(tc, a_module_that_crashes_at_its_start_is_told_in_words);
    tcase_add_test(tc, a_module_that_hangs_is_stopped_and_started_again);
    tcase_add_test(tc, a_token_whose_module_hangs_is_dropped_with_its_process);
    tcase_add_test(tc, without_the_program_it_says_so);
    tcase_add_test(tc, a_module_that_is_none_is_told);
    tcase_add_test(tc, what_hangs_inside_does_not_stop_other_tokens);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
