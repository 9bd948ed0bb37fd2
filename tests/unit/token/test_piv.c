/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The PKCS#11 backend on PIV cards, with all that stands between: OpenSC, libpcsclite, pcscd. What
 * the cards sign is checked by libcrypto. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "agent/token/watch.h"
#include "tests/support/fake-token.h"
#include "tests/support/piv.h"
#include "tests/support/token-calls.h"

#define REOPEN_US (1050 * 1000) /* a little more than the worker waits */

static Piv *piv;
static SignetToken *token;

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
static const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1,
                                      .hash = SIGNET_HASH_SHA256};

/* --- fixtures --- */

static SignetToken *
open_token(const char *name)
{
    const SignetTokenSettings settings = {.name = name};
    const SignetPkcs11Settings pkcs11 = {.uri = piv->uri, .pin.file = piv->pin_file};

    return signet_pkcs11_token_new(&settings, &pkcs11);
}

static void
setup(void)
{
    g_autoptr(GError) error = NULL;

    piv = piv_new();
    token = open_token("card");
    for (guint i = 0; i < 20 && !token_probe(token, &error); i++, g_usleep(100000))
        g_clear_error(&error); /* until pcscd has noticed the card */
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&piv, piv_free);
}

/* OpenSC calls the keys in 9A, 9C, 9D and 9E 01 to 04. */
static SignetKey *
key_in(const char *slot, guint32 type)
{
    static const char *const slots[] = {"9a", "9c", "9d", "9e"};
    g_autoptr(GBytes) spki = piv_read_spki(piv, slot);
    g_autoptr(GBytes) blob = NULL;
    g_autofree char *uri = NULL;
    const char *description = signet_token_get_info(token).description;
    const char *serial = strstr(description, "serial ");
    guint id = 0;

    ck_assert_ptr_nonnull(serial);
    while (strcmp(slots[id], slot) != 0)
        id++;
    uri = g_strdup_printf("pkcs11:serial=%.16s;id=%%%02u;type=private", serial + 7, id + 1);
    blob = g_bytes_new(uri, strlen(uri));
    return signet_key_new(type, blob, NULL, spki);
}

/* --- signing --- */

START_TEST(a_card_is_called_what_it_is)
{
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    ck_assert_str_eq(signet_token_get_info(token).protection, "smartcard");
    ck_assert_ptr_nonnull(strstr(signet_token_get_info(token).description, "piv_II"));
}
END_TEST

START_TEST(ec_keys_sign_digests_of_every_size)
{
    static const gsize sizes[] = {20, 28, 32, 48, 64};
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        token_assert_signs(token, key, &ecdsa, sizes[i]);
}
END_TEST

static const SignetKeyScheme RSA_SCHEMES[] = {
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA1},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA256},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA512},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 32, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA384, SIGNET_HASH_SHA384, 48, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA512, SIGNET_HASH_SHA512, 64, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA1, 0, NULL},
};

START_TEST(rsa_keys_sign_every_scheme)
{
    g_autoptr(SignetKey) key = key_in("9c", SIGNET_KEY_RSA_2048);

    for (guint i = 0; i < G_N_ELEMENTS(RSA_SCHEMES); i++)
        token_assert_signs(token, key, &RSA_SCHEMES[i], signet_hash_size(RSA_SCHEMES[i].hash));
}
END_TEST

START_TEST(the_signature_key_gets_the_pin_each_time)
{
    g_autoptr(SignetKey) key = key_in("9c", SIGNET_KEY_RSA_2048);
    guint before = piv_ask_number(piv, "count verify");

    for (guint i = 0; i < 3; i++)
        token_assert_signs(token, key, &pkcs1, 32);
    ck_assert_uint_eq(piv_ask_number(piv, "count verify"), before + 3);
    ck_assert_uint_eq(piv_ask_number(piv, "count wrong"), 0);
}
END_TEST

START_TEST(other_keys_get_it_once)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);

    for (guint i = 0; i < 20; i++)
        token_assert_signs(token, key, &ecdsa, 32);
    ck_assert_uint_eq(piv_ask_number(piv, "count verify"), 1);
}
END_TEST

/* --- PINs --- */

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
assert_sign_fails(SignetKey *key, SignetErrorKind kind, const char *words)
{
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(token_sign(token, key, signet_key_type_is_rsa(key->type) ? &pkcs1 : &ecdsa,
                                  digest, &error));
    assert_error(&error, kind, words);
}

/* As after a restart of the agent, with the card in the reader. */
static void
start_again(const char *pin)
{
    g_clear_pointer(&token, signet_token_unref);
    piv_write_pin(piv, pin);
    token = open_token("card");
}

static void
count_refusal(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_PIN_NEEDED), "%s",
                  error ? error->message : "it worked");
    --*(guint *)data;
}

static void
count_absence(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT), "%s",
                  error ? error->message : "it worked");
    --*(guint *)data;
}

static void
count_success(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_msg(result != NULL, "%s", error ? error->message : "");
    --*(guint *)data;
}

START_TEST(a_wrong_pin_costs_one_try_whatever_the_load)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);
    guint waiting = 0;

    start_again("654321");
    for (guint round = 0; round < 3; round++) {
        g_autoptr(GBytes) digest = token_digest(32);

        for (guint i = 0; i < 100; i++, waiting++)
            signet_token_sign(token, NULL, key, &ecdsa, digest, count_refusal, &waiting);
        while (waiting > 0)
            g_main_context_iteration(NULL, TRUE);
        g_usleep(REOPEN_US);
    }
    ck_assert_uint_eq(piv_ask_number(piv, "count wrong"), 1);
    ck_assert_uint_eq(piv_ask_number(piv, "tries"), 2);
    piv_write_pin(piv, PIV_PIN);
    token_assert_signs(token, key, &ecdsa, 32);
    ck_assert_uint_eq(piv_ask_number(piv, "count wrong"), 1);
    ck_assert_uint_eq(piv_ask_number(piv, "tries"), 3);
}
END_TEST

START_TEST(a_pin_that_became_wrong_costs_one_try)
{
    g_autoptr(SignetKey) key = key_in("9c", SIGNET_KEY_RSA_2048);

    token_assert_signs(token, key, &pkcs1, 32);
    piv_tell(piv, "pin 222222");
    for (guint i = 0; i < 10; i++)
        assert_sign_fails(key, SIGNET_ERROR_PIN_NEEDED, "PIN");
    ck_assert_uint_eq(piv_ask_number(piv, "count wrong"), 1);
    piv_write_pin(piv, "222222");
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &pkcs1, 32);
}
END_TEST

START_TEST(the_last_try_is_not_spent)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);
    guint before = piv_ask_number(piv, "count verify");

    piv_tell(piv, "tries 1");
    start_again(PIV_PIN);
    assert_sign_fails(key, SIGNET_ERROR_PIN_NEEDED, "only one try is left");
    piv_tell(piv, "tries 0");
    start_again(PIV_PIN);
    assert_sign_fails(key, SIGNET_ERROR_PIN_NEEDED, "is locked");
    ck_assert_uint_eq(piv_ask_number(piv, "count verify"), before);
    piv_tell(piv, "tries 2");
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

/* --- here and gone --- */

static gint64
ms_since(gint64 start_us)
{
    return (g_get_monotonic_time() - start_us) / 1000;
}

/* A person takes longer for it than pcscd to notice. */
static void
take_out(void)
{
    piv_tell(piv, "remove");
    g_usleep(REOPEN_US);
}

static void
insert_again(SignetKey *key, const char *order)
{
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GBytes) signature = NULL;
    g_autoptr(GError) error = NULL;
    gint64 start_us;

    piv_tell(piv, order);
    for (start_us = g_get_monotonic_time(); !signature && ms_since(start_us) < 5000;
         g_usleep(5000)) {
        g_clear_error(&error);
        signature = token_sign(token, key, &ecdsa, digest, &error);
    }
    ck_assert_msg(signature != NULL, "%s", error ? error->message : "");
    ck_assert_int_lt(ms_since(start_us), 1000);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}

START_TEST(a_removed_card_is_missed_at_once_and_works_soon_after_its_return)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);

    for (guint round = 0; round < 10; round++) {
        gint64 start_us;

        token_assert_signs(token, key, &ecdsa, 32);
        g_usleep(g_random_int_range(0, 300000));
        piv_tell(piv, "remove");
        for (guint i = 0; i < 20; i++) {
            start_us = g_get_monotonic_time();
            assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
            /* a busy machine may take a while, but not the seconds of a deadline */
            ck_assert_int_lt(ms_since(start_us), 1000);
            g_usleep(g_random_int_range(0, 50000));
        }
        ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_ABSENT);
        insert_again(key, "insert");
    }
    ck_assert_uint_eq(piv_ask_number(piv, "count wrong"), 0);
}
END_TEST

START_TEST(a_card_that_is_removed_while_it_signs_ends_the_signature)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = token_digest(32);
    guint waiting = 1;

    piv_tell(piv, "delay 3");
    signet_token_sign(token, NULL, key, &ecdsa, digest, count_absence, &waiting);
    g_usleep(500000);
    piv_tell(piv, "yank");
    piv_tell(piv, "delay 0");
    gint64 start_us = g_get_monotonic_time();
    while (waiting > 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_lt(ms_since(start_us), 200);
    insert_again(key, "insert");
}
END_TEST

START_TEST(a_removal_is_noticed_while_nobody_asks)
{
    g_autoptr(SignetKey) key G_GNUC_UNUSED = key_in("9a", SIGNET_KEY_EC_P256);
    g_autoptr(SignetWatch) watch G_GNUC_UNUSED = signet_watch_new(token);
    guint64 done = signet_token_get_counts(token).done;

    for (guint round = 0; round < 2; round++) {
        gint64 start_us = g_get_monotonic_time();

        piv_tell(piv, "remove");
        while (signet_token_get_state(token) != SIGNET_TOKEN_STATE_ABSENT)
            g_main_context_iteration(NULL, TRUE);
        ck_assert_int_lt(ms_since(start_us), 3000);
        ck_assert_ptr_nonnull(strstr(signet_token_get_problem(token), "insert it"));
        piv_tell(piv, "insert");
        start_us = g_get_monotonic_time();
        while (signet_token_get_state(token) != SIGNET_TOKEN_STATE_READY)
            g_main_context_iteration(NULL, TRUE);
        ck_assert_int_lt(ms_since(start_us), 4000);
    }
    ck_assert_uint_eq(signet_token_get_counts(token).done, done);
}
END_TEST

/* Nor does it see more than one PIN, although it has another one. */
START_TEST(another_card_is_not_used_and_does_not_harm)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);

    token_assert_signs(token, key, &ecdsa, 32);
    take_out();
    piv_tell(piv, "insert other");
    g_usleep(REOPEN_US);
    for (guint i = 0; i < 10; i++)
        assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "");
    assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "is another one than the one with the key");
    ck_assert_uint_eq(piv_ask_number(piv, "count sign"), 0);
    take_out();
    insert_again(key, "insert");
    take_out();
    piv_tell(piv, "insert other");
    piv_tell(piv, "pin 222222");
    for (guint i = 0; i < 10; i++, g_usleep(300000)) {
        g_autoptr(GBytes) digest = token_digest(32);

        ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, NULL));
    }
    ck_assert_uint_eq(piv_ask_number(piv, "tries"), 2);
    take_out();
    insert_again(key, "insert");
}
END_TEST

START_TEST(a_key_that_was_replaced_is_not_used)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);
    g_autoptr(SignetKey) other = key_in("9e", SIGNET_KEY_EC_P256);

    token_assert_signs(token, key, &ecdsa, 32);
    take_out();
    piv_tell(piv, "rekey 9a ec:P-256");
    insert_again(other, "insert");
    assert_sign_fails(key, SIGNET_ERROR_CORRUPT, "has another public key");
}
END_TEST

static const struct {
    const char *slot;
    const char *order;
    guint32 type;
} REPLACED[] = {{"9a", "rekey 9a ec:P-256", SIGNET_KEY_EC_P256},
                {"9c", "rekey 9c rsa:2048", SIGNET_KEY_RSA_2048}};

START_TEST(what_a_key_signs_that_was_replaced_unseen_is_not_given_out)
{
    g_autoptr(SignetKey) key = key_in(REPLACED[_i].slot, REPLACED[_i].type);
    const SignetKeyScheme *scheme = signet_key_type_is_rsa(key->type) ? &pkcs1 : &ecdsa;

    token_assert_signs(token, key, scheme, 32);
    piv_tell(piv, REPLACED[_i].order);
    g_usleep(REOPEN_US);
    assert_sign_fails(key, SIGNET_ERROR_CORRUPT, "has another public key");
}
END_TEST

START_TEST(a_slow_card_delays_nobody_else)
{
    g_autoptr(SignetKey) key = key_in("9a", SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = token_digest(32);
    const SignetTokenSettings settings = {.name = "other"};
    g_autoptr(SignetToken) fake = fake_token_new(&settings, NULL);
    gint64 start_us = g_get_monotonic_time();
    guint waiting = 1;

    piv_tell(piv, "delay 2");
    signet_token_sign(token, NULL, key, &ecdsa, digest, count_success, &waiting);
    for (guint i = 0; i < 100; i++)
        ck_assert(token_probe(fake, NULL));
    ck_assert_int_lt(ms_since(start_us), 1000);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    while (waiting > 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_ge(ms_since(start_us), 2000);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("piv");
    TCase *tc = tcase_create("piv");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_card_is_called_what_it_is);
    tcase_add_test(tc, ec_keys_sign_digests_of_every_size);
    tcase_add_test(tc, rsa_keys_sign_every_scheme);
    tcase_add_test(tc, the_signature_key_gets_the_pin_each_time);
    tcase_add_test(tc, other_keys_get_it_once);
    tcase_add_test(tc, a_wrong_pin_costs_one_try_whatever_the_load);
    tcase_add_test(tc, a_pin_that_became_wrong_costs_one_try);
    tcase_add_test(tc, the_last_try_is_not_spent);
    tcase_add_test(tc, a_removed_card_is_missed_at_once_and_works_soon_after_its_return);
    tcase_add_test(tc, a_card_that_is_removed_while_it_signs_ends_the_signature);
    tcase_add_test(tc, a_removal_is_noticed_while_nobody_asks);
    tcase_add_test(tc, another_card_is_not_used_and_does_not_harm);
    tcase_add_test(tc, a_key_that_was_replaced_is_not_used);
    tcase_add_loop_test(tc, what_a_key_signs_that_was_replaced_unseen_is_not_given_out, 0, 2);
    tcase_add_test(tc, a_slow_card_delays_nobody_else);
    suite_add_tcase(suite, tc);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(make_suite());
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
