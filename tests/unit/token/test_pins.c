/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PINs of PKCS#11 tokens: where they come from, how often they are sent, who may insist; on SoftHSM
 * behind a module that counts tries and has a reader with keys. */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "tests/support/softhsm.h"
#include "tests/support/token-calls.h"

#define REOPEN_US (1050 * 1000) /* a little more than the worker waits */

static SoftHsm *hsm;
static SignetToken *token;
static SignetPinAttempts *attempts;
static GBytes *saved;

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

/* --- fixtures --- */

static GBytes *
load(gpointer data, GError **error)
{
    return saved ? g_bytes_ref(saved) : NULL;
}

static gboolean
save(GBytes *content, gpointer data, GError **error)
{
    g_clear_pointer(&saved, g_bytes_unref);
    saved = g_bytes_ref(content);
    return TRUE;
}

static SignetToken *
make_token(const char *name, SignetPkcs11PinSource source)
{
    g_autofree char *uri = softhsm_dup_uri(hsm, P11_SHIM);
    const SignetTokenSettings settings = {.name = name};
    const SignetPkcs11Settings pkcs11 = {.uri = uri, .pin = source, .attempts = attempts};

    return signet_pkcs11_token_new(&settings, &pkcs11);
}

/* The agent's next life. */
static void
restart(SignetPkcs11PinSource source)
{
    static const SignetPinRecord record = {.load = load, .save = save};

    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&attempts, signet_pin_attempts_unref);
    attempts = signet_pin_attempts_new(&record, NULL);
    ck_assert_ptr_nonnull(attempts);
    token = make_token("card", source);
}

static void
restart_with_file(void)
{
    restart((SignetPkcs11PinSource) {.file = hsm->pin_file});
}

static void
restart_asking(void)
{
    restart((SignetPkcs11PinSource) {0});
}

static void
setup(void)
{
    hsm = softhsm_new();
    g_setenv("P11_SHIM_DIR", hsm->dir, TRUE);
    softhsm_turn(hsm, "tries", "3");
    restart_with_file();
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&attempts, signet_pin_attempts_unref);
    g_clear_pointer(&saved, g_bytes_unref);
    g_clear_pointer(&hsm, softhsm_free);
}

static void
assert_file(const char *name, const char *expected)
{
    g_autofree char *text = softhsm_read(hsm, name);

    ck_assert_str_eq(text, expected);
}

/* error is cleared */
static void
assert_error(GError **error, SignetErrorKind kind, const char *words)
{
    ck_assert_ptr_nonnull(*error);
    ck_assert_msg(signet_error_is(*error, kind), "another kind: %s", (*error)->message);
    ck_assert_msg(strstr((*error)->message, words) != NULL, "'%s' is not in: %s", words,
                  (*error)->message);
    ck_assert_msg(strstr((*error)->message, "'card'") != NULL, "no name: %s", (*error)->message);
    g_clear_error(error);
}

static void
assert_locked(const char *words)
{
    g_autoptr(GError) error = NULL;

    g_usleep(REOPEN_US);
    ck_assert(!token_probe(token, &error));
    assert_error(&error, SIGNET_ERROR_PIN_NEEDED, words);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_LOCKED);
}

static void
assert_lock(const char *unlock_by, const char *tries)
{
    SignetTokenInfo info = signet_token_get_info(token);

    ck_assert_str_eq(info.kind, "pkcs11");
    ck_assert_str_eq(info.lock.unlock_by, unlock_by);
    ck_assert_str_eq(info.lock.tries, tries);
}

static void
assert_opens(void)
{
    g_autoptr(GError) error = NULL;

    g_usleep(REOPEN_US);
    ck_assert_msg(token_probe(token, &error), "%s", error ? error->message : "");
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}

static void
assert_unlocks(const char *pin)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(token_unlock(token, pin, &error), "%s", error ? error->message : "");
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}

static void
assert_does_not_unlock(const char *pin, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert(!token_unlock(token, pin, &error));
    assert_error(&error, SIGNET_ERROR_PIN_NEEDED, words);
}

static SignetKey *
generate(void)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

/* --- a wrong one --- */

static void
count_answer(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_PIN_NEEDED), "%s",
                  error ? error->message : "it worked");
    --*(guint *)data;
}

static void
put_under_load(SignetKey *key)
{
    g_autoptr(GBytes) digest = token_digest(32);
    guint waiting = 0;

    for (; waiting < 100; waiting++)
        signet_token_sign(token, NULL, key, &ecdsa, digest, count_answer, &waiting);
    while (waiting > 0)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(a_wrong_pin_is_sent_once_whatever_the_load_and_in_however_many_lives)
{
    g_autoptr(SignetKey) key = generate();

    softhsm_turn(hsm, "logins", NULL);
    softhsm_write_pin(hsm, "9999", 0600);
    for (guint life = 0; life < 3; life++) {
        restart_with_file();
        for (guint round = 0; round < 2; round++) {
            put_under_load(key);
            g_usleep(REOPEN_US);
        }
        assert_locked("which is not sent again");
    }
    assert_file("logins", "wrong\n");
    assert_file("tries", "2");

    softhsm_write_pin(hsm, SOFTHSM_PIN, 0600);
    assert_opens();
    token_assert_signs(token, key, &ecdsa, 32);
    assert_file("logins", "wrong\nright\n");
    assert_file("tries", "3");
}
END_TEST

START_TEST(two_tokens_that_are_one_device_send_it_once)
{
    g_autoptr(SignetToken) other =
        make_token("other", (SignetPkcs11PinSource) {.file = hsm->pin_file});

    softhsm_write_pin(hsm, "9999", 0600);
    assert_locked("which is not sent again");
    ck_assert(!token_probe(other, NULL));
    assert_file("logins", "wrong\n");
}
END_TEST

START_TEST(after_a_second_wrong_one_a_person_is_needed)
{
    softhsm_write_pin(hsm, "9999", 0600);
    assert_locked("which is not sent again");
    softhsm_write_pin(hsm, "8888", 0600);
    softhsm_turn(hsm, "tries", "5"); /* a token that says nothing of its last try */
    assert_locked("which is not sent again");
    softhsm_write_pin(hsm, SOFTHSM_PIN, 0600);
    assert_locked("refused two PINs in a row");
    assert_file("logins", "wrong\nwrong\n");
    assert_unlocks(NULL); /* the one in the file */
    assert_file("logins", "wrong\nwrong\nright\n");
}
END_TEST

START_TEST(a_module_that_says_nothing_of_the_pin_gets_it_twice)
{
    softhsm_write_pin(hsm, "9999", 0600);
    softhsm_turn(hsm, "tries", "5"); /* a token that says nothing of its last try */
    softhsm_turn(hsm, "mute", "");
    for (guint i = 0; i < 4; i++) {
        g_usleep(REOPEN_US);
        ck_assert(!token_probe(token, NULL));
    }
    assert_locked("gave no answer");
    restart_with_file();
    assert_locked("gave no answer");
    assert_file("logins", "wrong\nwrong\n");
    softhsm_turn(hsm, "mute", NULL);
    assert_unlocks(SOFTHSM_PIN);
}
END_TEST

static void
note_problem(SignetToken *changed, gpointer data)
{
    g_string_append_printf(data, "%s\n", signet_token_get_problem(changed));
}

START_TEST(every_new_problem_is_told)
{
    g_autoptr(GString) problems = g_string_new(NULL);

    signet_token_set_listener(token, note_problem, problems);
    softhsm_turn(hsm, "tries", "1");
    assert_locked("only one try");
    assert_lock("configuration", "last");
    softhsm_turn(hsm, "tries", "0");
    assert_locked("refused too often");
    assert_lock("configuration", "none");
    ck_assert_ptr_nonnull(strstr(problems->str, "only one try"));
    ck_assert_ptr_nonnull(strstr(problems->str, "refused too often"));
    signet_token_set_listener(token, NULL, NULL);
}
END_TEST

START_TEST(the_last_try_is_not_spent)
{
    softhsm_turn(hsm, "tries", "1");
    assert_locked("only one try is left");
    assert_locked("only one try is left");
    softhsm_turn(hsm, "tries", "0");
    assert_locked("its PIN was refused too often");
    assert_file("logins", "");
    softhsm_turn(hsm, "tries", "2");
    assert_opens();
}
END_TEST

START_TEST(the_last_try_is_spent_by_who_says_so)
{
    g_autoptr(SignetSecret) pin = signet_secret_new(SOFTHSM_PIN, strlen(SOFTHSM_PIN));
    const SignetTokenUnlock unlock = {.pin = pin, .last_try = TRUE};

    softhsm_turn(hsm, "tries", "1");
    assert_does_not_unlock(SOFTHSM_PIN, "unlock --last-try card");
    assert_file("logins", "");
    ck_assert(token_unlock_with(token, &unlock, NULL));
    assert_file("logins", "right\n");
}
END_TEST

/* --- given by a person --- */

START_TEST(a_token_without_a_configured_pin_is_locked_until_a_person_unlocks_it)
{
    g_autoptr(SignetKey) key = generate();

    restart_asking();
    assert_locked("run 'signetctl unlock card'");
    assert_lock("pin", "");
    assert_unlocks(SOFTHSM_PIN);
    token_assert_signs(token, key, &ecdsa, 32);
    assert_unlocks("9999"); /* it is open: nothing is sent */
    assert_file("tries", "3");
}
END_TEST

START_TEST(a_wrong_pin_of_a_person_is_sent_once_too)
{
    const SignetTokenUnlock again = {.pin = signet_secret_new("9999", 4), .again = TRUE};

    restart_asking();
    assert_does_not_unlock("9999", "refused the PIN that was given");
    assert_does_not_unlock("9999", "--again");
    assert_file("logins", "wrong\n");
    restart_asking();
    assert_does_not_unlock("9999", "--again");
    assert_lock("pin", "low");
    assert_file("logins", "wrong\n");
    ck_assert(!token_unlock_with(token, &again, NULL));
    assert_file("logins", "wrong\nwrong\n");
    softhsm_turn(hsm, "tries", "2");
    assert_unlocks(SOFTHSM_PIN);
    signet_secret_unref(again.pin);
}
END_TEST

START_TEST(unlocking_without_a_pin_sends_nothing)
{
    g_autoptr(GError) error = NULL;

    restart_asking();
    ck_assert(!token_unlock(token, NULL, &error));
    assert_error(&error, SIGNET_ERROR_BAD_REQUEST, "no PIN was given");
    assert_file("logins", "");
}
END_TEST

START_TEST(a_pin_given_by_a_person_serves_until_it_is_locked)
{
    g_autoptr(SignetKey) key = generate();
    g_autoptr(GBytes) digest = token_digest(32);

    restart_asking();
    assert_unlocks(SOFTHSM_PIN);
    softhsm_turn(hsm, "out", "");
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, NULL));
    softhsm_turn(hsm, "out", NULL);
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);

    ck_assert(token_lock(token, NULL));
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_LOCKED);
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, NULL));
    assert_locked("'signetctl lock' did so");
    assert_unlocks(SOFTHSM_PIN);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

START_TEST(what_a_person_locked_the_configuration_does_not_open)
{
    assert_opens();
    ck_assert(token_lock(token, NULL));
    assert_locked("'signetctl lock' did so");
    assert_does_not_unlock("9999", "refused the PIN that was given");
    assert_locked("'signetctl lock' did so");
    assert_unlocks(NULL); /* with the file's */
    assert_opens();
}
END_TEST

START_TEST(another_device_of_the_same_name_does_not_get_the_pin)
{
    g_autoptr(SignetKey) key = generate();
    g_autoptr(GBytes) digest = token_digest(32);

    restart_asking();
    assert_unlocks(SOFTHSM_PIN);
    softhsm_turn(hsm, "logins", NULL);
    softhsm_turn(hsm, "out", "");
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, NULL));
    softhsm_replace(hsm);
    softhsm_turn(hsm, "out", NULL);
    assert_locked("it wants its PIN");
    assert_file("logins", "");
}
END_TEST

/* --- typed at the reader --- */

START_TEST(a_pin_typed_at_the_reader_unlocks_it)
{
    g_autoptr(SignetKey) key = generate();

    restart_asking();
    softhsm_turn(hsm, "keypad", SOFTHSM_PIN);
    assert_locked("typed at its reader; run 'signetctl unlock card'");
    assert_lock("reader", "");
    assert_unlocks(NULL);
    token_assert_signs(token, key, &ecdsa, 32);
    assert_file("logins", "right\nright\n");
}
END_TEST

START_TEST(a_locked_token_has_forgotten_the_pin_it_was_given)
{
    g_autoptr(SignetKey) key = generate();
    g_autoptr(GBytes) digest = token_digest(32);

    restart_asking();
    softhsm_turn(hsm, "keypad", SOFTHSM_PIN);
    assert_unlocks(SOFTHSM_PIN);
    ck_assert(token_lock(token, NULL));
    assert_unlocks(NULL);
    softhsm_turn(hsm, "out", "");
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, NULL));
    softhsm_turn(hsm, "out", NULL);
    assert_locked("typed at its reader");
}
END_TEST

START_TEST(who_cancels_at_the_reader_has_tried_nothing)
{
    restart_asking();
    softhsm_turn(hsm, "keypad", "");
    for (guint i = 0; i < 5; i++)
        assert_does_not_unlock(NULL, "cancelled it at its reader");
    softhsm_turn(hsm, "keypad", SOFTHSM_PIN);
    assert_unlocks(NULL);
}
END_TEST

START_TEST(the_reader_is_not_asked_for_the_last_try_unless_a_person_says_so)
{
    const SignetTokenUnlock unlock = {.last_try = TRUE};

    restart_asking();
    softhsm_turn(hsm, "keypad", SOFTHSM_PIN);
    softhsm_turn(hsm, "tries", "1");
    assert_does_not_unlock(NULL, "only one try is left");
    assert_file("logins", "");
    ck_assert(token_unlock_with(token, &unlock, NULL));
}
END_TEST

START_TEST(a_wrong_pin_typed_at_the_reader_is_told)
{
    restart_asking();
    softhsm_turn(hsm, "keypad", "9999");
    assert_does_not_unlock(NULL, "it refused the PIN that was typed at its reader");
    assert_lock("reader", "low");
}
END_TEST

/* --- from the configuration --- */

#define TEN      "0123456789"
#define FIFTY    TEN TEN TEN TEN TEN
#define TOO_LONG FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct {
    const char *text;
    guint mode;
    const char *words;
} PIN_FILES[] = {
    {"1234", 0644, "others may read"}, {"1234", 0620, "others may read"},
    {"", 0600, "there is no PIN"},     {"\n", 0600, "there is no PIN"},
    {TOO_LONG, 0600, "too long"},
};

START_TEST(a_pin_file_that_others_may_read_or_without_pin_is_not_taken)
{
    softhsm_write_pin(hsm, PIN_FILES[_i].text, PIN_FILES[_i].mode);
    assert_locked(PIN_FILES[_i].words);
    assert_lock("configuration", "");
}
END_TEST

START_TEST(a_pin_file_that_is_none_is_told)
{
    restart((SignetPkcs11PinSource) {.file = "/nonexistent/pin"});
    assert_locked("'/nonexistent/pin'");
    restart((SignetPkcs11PinSource) {.file = hsm->dir});
    assert_locked("not a regular file");
}
END_TEST

START_TEST(a_pin_comes_from_a_credential)
{
    const SignetPkcs11PinSource source = {.credential = "pin", .credentials_dir = hsm->dir};

    restart(source);
    assert_opens();
    ck_assert_int_eq(g_chmod(hsm->pin_file, 0440), 0); /* as an ACL looks */
    restart(source);
    assert_opens();
    ck_assert_int_eq(g_chmod(hsm->pin_file, 0444), 0);
    restart(source);
    assert_locked("from the credential 'pin': others may read");
}
END_TEST

START_TEST(a_credential_that_the_agent_was_not_given_is_told)
{
    restart((SignetPkcs11PinSource) {.credential = "card-pin", .credentials_dir = hsm->dir});
    assert_locked("LoadCredential=card-pin:/PATH");
    restart((SignetPkcs11PinSource) {.credential = "card-pin"});
    assert_locked("LoadCredential=card-pin:/PATH");
}
END_TEST

START_TEST(a_wrong_credential_is_sent_once)
{
    const SignetPkcs11PinSource source = {.credential = "pin", .credentials_dir = hsm->dir};

    softhsm_write_pin(hsm, "9999", 0600);
    for (guint life = 0; life < 3; life++) {
        restart(source);
        assert_locked("the PIN in the credential 'pin'");
    }
    assert_file("logins", "wrong\n");
}
END_TEST

static void
add_tests(TCase *tc)
{
    tcase_add_test(tc, a_wrong_pin_is_sent_once_whatever_the_load_and_in_however_many_lives);
    tcase_add_test(tc, two_tokens_that_are_one_device_send_it_once);
    tcase_add_test(tc, after_a_second_wrong_one_a_person_is_needed);
    tcase_add_test(tc, a_module_that_says_nothing_of_the_pin_gets_it_twice);
    tcase_add_test(tc, every_new_problem_is_told);
    tcase_add_test(tc, the_last_try_is_not_spent);
    tcase_add_test(tc, the_last_try_is_spent_by_who_says_so);
    tcase_add_test(tc, a_token_without_a_configured_pin_is_locked_until_a_person_unlocks_it);
    tcase_add_test(tc, a_wrong_pin_of_a_person_is_sent_once_too);
    tcase_add_test(tc, unlocking_without_a_pin_sends_nothing);
    tcase_add_test(tc, a_pin_given_by_a_person_serves_until_it_is_locked);
    tcase_add_test(tc, what_a_person_locked_the_configuration_does_not_open);
    tcase_add_test(tc, another_device_of_the_same_name_does_not_get_the_pin);
    tcase_add_test(tc, a_pin_typed_at_the_reader_unlocks_it);
    tcase_add_test(tc, a_locked_token_has_forgotten_the_pin_it_was_given);
    tcase_add_test(tc, who_cancels_at_the_reader_has_tried_nothing);
    tcase_add_test(tc, the_reader_is_not_asked_for_the_last_try_unless_a_person_says_so);
    tcase_add_test(tc, a_wrong_pin_typed_at_the_reader_is_told);
    tcase_add_loop_test(tc, a_pin_file_that_others_may_read_or_without_pin_is_not_taken, 0,
                        G_N_ELEMENTS(PIN_FILES));
    tcase_add_test(tc, a_pin_file_that_is_none_is_told);
    tcase_add_test(tc, a_pin_comes_from_a_credential);
    tcase_add_test(tc, a_credential_that_the_agent_was_not_given_is_told);
    tcase_add_test(tc, a_wrong_credential_is_sent_once);
}

int
main(void)
{
    Suite *suite = suite_create("pins");
    TCase *tc = tcase_create("pins");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    add_tests(tc);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
