/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Attestation keys: made once, written down, made anew when the device does not know them, and what
 * those hear who wait. */

#include <check.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/broker/attester.h"

/* A device that knows its attestation keys from the nth on. */
static struct {
    guint n_made;
    guint first_known;
    gboolean makes_none;
    EVP_PKEY *last; /* (owned, nullable) what it made last */
} device;

static char *root;
static SignetStore *store;
static SignetTokens *tokens;
static SignetAttester *attester;
static SignetKey *key;

/* --- the device --- */

static gboolean
device_open(gpointer backend, SignetTokenInfo *ret_info, GError **error)
{
    *ret_info = (SignetTokenInfo) {.kind = "tpm", .protection = "tpm", .description = "test"};
    return TRUE;
}

static SignetKey *
device_generate(gpointer backend, const SignetKeyTemplate *template, GError **error)
{
    g_autofree char *text = NULL;
    guint8 *der = NULL;

    if (device.makes_none) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "it cannot prove anything");
        return NULL;
    }
    g_assert(template->is_attester);
    EVP_PKEY_free(device.last);
    device.last = EVP_EC_gen("P-256");
    int size = i2d_PUBKEY(device.last, &der);
    text = g_strdup_printf("%u", ++device.n_made);
    g_autoptr(GBytes) blob = g_bytes_new(text, strlen(text));
    g_autoptr(GBytes) spki = g_bytes_new(der, (gsize)size);
    g_autoptr(SignetSecret) auth = signet_secret_new("auth", 4);
    OPENSSL_free(der);
    return signet_key_new(template->type, blob, auth, spki);
}

static guint
number_of(const SignetKey *made)
{
    g_autofree char *text =
        g_strndup(g_bytes_get_data(made->blob, NULL), g_bytes_get_size(made->blob));

    return (guint)atoi(text);
}

static gboolean
is_known(const SignetKey *made, GError **error)
{
    gsize size = 0;

    if (number_of(made) < device.first_known)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "never seen that one");
    ck_assert(memcmp(signet_secret_get(made->auth, &size), "auth", 4) == 0 && size == 4);
    return TRUE;
}

static gboolean
device_certify(gpointer backend, SignetKey *by, SignetKey *what, GBytes *data,
               GVariantDict *evidence, GError **error)
{
    if (!is_known(by, error))
        return FALSE;
    g_variant_dict_insert(evidence, "by", "u", number_of(by));
    return TRUE;
}

static GBytes *
device_activate(gpointer backend, SignetKey *by, const SignetTokenChallenge *challenge,
                GError **error)
{
    return is_known(by, error) ? g_bytes_ref(challenge->secret) : NULL;
}

static gboolean
device_destroy(gpointer backend, SignetKey *made, GError **error)
{
    return TRUE;
}

static void
device_free(gpointer backend)
{
}

/* --- the rest of the world --- */

static void
start(void)
{
    attester = signet_attester_new(store, tokens);
}

static void
restart(void)
{
    signet_attester_free(attester);
    start();
}

static void
setup(void)
{
    static const SignetTokenBackend vtable = {.open = device_open,
                                              .generate = device_generate,
                                              .certify = device_certify,
                                              .activate = device_activate,
                                              .destroy = device_destroy,
                                              .free = device_free};
    g_autofree char *tree = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_static("key", 3);
    g_autoptr(SignetToken) token =
        signet_token_new(&(SignetTokenSettings) {.name = "tpm"}, &vtable, &device);

    root = g_dir_make_tmp("signet-attester-XXXXXX", NULL);
    tree = g_build_filename(root, "state", NULL);
    store = signet_store_open(tree, NULL);
    ck_assert_ptr_nonnull(store);
    tokens = signet_tokens_new();
    signet_tokens_add(tokens, g_steal_pointer(&token));
    key = signet_key_new(SIGNET_KEY_EC_P256, bytes, NULL, bytes);
    start();
}

static void
teardown(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", root);

    g_clear_pointer(&attester, signet_attester_free);
    signet_tokens_free(tokens);
    signet_store_free(store);
    signet_key_unref(key);
    g_clear_pointer(&device.last, EVP_PKEY_free);
    ck_assert_int_eq(system(command), 0);
    g_free(root);
}

typedef struct {
    gboolean is_called;
    guint by;
    gsize n_certificates;
    GError *error; /* (owned, nullable) */
} Answer;

static void
on_certified(GVariant *evidence, const GError *error, gpointer data)
{
    Answer *answer = data;

    ck_assert(!answer->is_called);
    answer->is_called = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    if (!evidence)
        return;
    g_autoptr(GVariant) list =
        g_variant_lookup_value(evidence, SIGNET_EVIDENCE_ATTESTERS, G_VARIANT_TYPE("aay"));
    g_variant_lookup(evidence, "by", "u", &answer->by);
    answer->n_certificates = g_variant_n_children(list);
}

static void
on_activated(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->is_called = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->n_certificates = result ? g_bytes_get_size(result) : 0;
}

static void
on_imported(const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->is_called = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
}

static guint64
ask(Answer *answer)
{
    g_autoptr(GBytes) nonce = g_bytes_new_static("nonce", 5);

    return signet_attester_certify(attester, "tpm", key, nonce, on_certified, answer);
}

static void
wait_for(const Answer *answer)
{
    while (!answer->is_called)
        g_main_context_iteration(NULL, TRUE);
}

static Answer
certify(void)
{
    Answer answer = {0};

    ask(&answer);
    wait_for(&answer);
    return answer;
}

static void
assert_made_by(guint number)
{
    Answer answer = certify();

    ck_assert_msg(!answer.error, "%s", answer.error ? answer.error->message : "");
    ck_assert_uint_eq(answer.by, number);
}

static char *
file_path(void)
{
    return g_build_filename(root, "state", "attesters", "tpm", NULL);
}

START_TEST(those_who_ask_at_once_get_one_key)
{
    Answer answers[5] = {0};

    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        ask(&answers[i]);
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        wait_for(&answers[i]);
        ck_assert_ptr_null(answers[i].error);
        ck_assert_uint_eq(answers[i].by, 1);
    }
    ck_assert_uint_eq(device.n_made, 1);
}
END_TEST

START_TEST(a_key_outlives_the_agent)
{
    assert_made_by(1);
    restart();
    assert_made_by(1);
}
END_TEST

START_TEST(a_key_that_the_device_does_not_know_is_made_anew)
{
    Answer answers[3] = {0};

    assert_made_by(1);
    device.first_known = 2;
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        ask(&answers[i]);
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
        wait_for(&answers[i]);
        ck_assert_ptr_null(answers[i].error);
        ck_assert_uint_eq(answers[i].by, 2);
    }
    restart();
    assert_made_by(2);
}
END_TEST

START_TEST(but_not_for_ever)
{
    Answer answer;

    device.first_known = 100;
    answer = certify();
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
    ck_assert_uint_eq(device.n_made, 2);
    g_error_free(answer.error);
}
END_TEST

START_TEST(a_damaged_file_is_replaced)
{
    g_autofree char *path = file_path();

    assert_made_by(1);
    ck_assert(g_file_set_contents(path, "[Attester]\nVersion=7\n", -1, NULL));
    restart();
    assert_made_by(2);
    restart();
    assert_made_by(2);
}
END_TEST

START_TEST(what_cannot_be_written_is_not_used)
{
    g_autofree char *directory = g_build_filename(root, "state", "attesters", NULL);
    Answer answer;

    ck_assert(g_file_set_contents(directory, "in the way", -1, NULL));
    answer = certify();
    ck_assert(answer.error != NULL);
    g_clear_error(&answer.error);
    ck_assert_int_eq(unlink(directory), 0);
    answer = certify();
    ck_assert_msg(!answer.error, "%s", answer.error ? answer.error->message : "");
}
END_TEST

START_TEST(a_token_that_makes_none_says_so_to_all)
{
    Answer answers[2] = {0};

    device.makes_none = TRUE;
    for (guint i = 0; i < 2; i++)
        ask(&answers[i]);
    for (guint i = 0; i < 2; i++) {
        wait_for(&answers[i]);
        ck_assert(signet_error_is(answers[i].error, SIGNET_ERROR_UNSUPPORTED));
        g_error_free(answers[i].error);
    }
}
END_TEST

START_TEST(who_has_gone_is_not_answered)
{
    Answer gone = {0}, here = {0};
    guint64 id = ask(&gone);

    ask(&here);
    signet_attester_cancel(attester, id);
    signet_attester_cancel(attester, id);
    wait_for(&here);
    ck_assert(!gone.is_called);
}
END_TEST

START_TEST(it_may_end_at_any_time)
{
    for (guint n = 0; n < 12; n++) {
        Answer answer = {0};

        ask(&answer);
        for (guint i = 0; i < n && !answer.is_called; i++)
            g_main_context_iteration(NULL, TRUE);
        restart();
    }
    assert_made_by(certify().by);
}
END_TEST

START_TEST(a_challenge_is_answered_by_the_same_key)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("secret", 6);
    const SignetTokenChallenge challenge = {bytes, bytes, bytes};
    Answer answer = {0};

    assert_made_by(1);
    signet_attester_activate(attester, "tpm", &challenge, on_activated, &answer);
    wait_for(&answer);
    ck_assert_uint_eq(answer.n_certificates, 6);
    ck_assert_uint_eq(device.n_made, 1);
}
END_TEST

/* A certificate of a public key, by that of another. */
static GPtrArray *
make_certificates(EVP_PKEY *public)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    EVP_PKEY *issuer = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    guint8 *der = NULL;

    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, public);
    X509_sign(x509, issuer, EVP_sha256());
    int size = i2d_X509(x509, &der);
    g_ptr_array_add(list, g_bytes_new(der, (gsize)size));
    OPENSSL_free(der);
    X509_free(x509);
    EVP_PKEY_free(issuer);
    return list;
}

static Answer
import(EVP_PKEY *public)
{
    g_autoptr(GPtrArray) certificates = make_certificates(public);
    Answer answer = {0};

    signet_attester_import(attester, "tpm", certificates, on_imported, &answer);
    wait_for(&answer);
    return answer;
}

START_TEST(a_certificate_stays_with_its_key)
{
    EVP_PKEY *stranger = EVP_EC_gen("P-256");
    Answer answer;

    assert_made_by(1);
    answer = import(stranger);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
    g_error_free(answer.error);
    EVP_PKEY_free(stranger);
    ck_assert_uint_eq(device.n_made, 1);
    ck_assert_ptr_null(import(device.last).error);
    ck_assert_uint_eq(certify().n_certificates, 1);
    restart();
    ck_assert_uint_eq(certify().n_certificates, 1);
    device.first_known = 2;
    ck_assert_uint_eq(certify().n_certificates, 0);
}
END_TEST

START_TEST(a_token_that_is_not_there_is_not_waited_for)
{
    g_autoptr(GBytes) nonce = g_bytes_new(NULL, 0);
    Answer answer = {0};

    signet_attester_certify(attester, "nosuch", key, nonce, on_certified, &answer);
    wait_for(&answer);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
    g_error_free(answer.error);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("broker/attester");
    TCase *tests = tcase_create("attester");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, those_who_ask_at_once_get_one_key);
    tcase_add_test(tests, a_key_outlives_the_agent);
    tcase_add_test(tests, a_key_that_the_device_does_not_know_is_made_anew);
    tcase_add_test(tests, but_not_for_ever);
    tcase_add_test(tests, a_damaged_file_is_replaced);
    tcase_add_test(tests, what_cannot_be_written_is_not_used);
    tcase_add_test(tests, a_token_that_makes_none_says_so_to_all);
    tcase_add_test(tests, who_has_gone_is_not_answered);
    tcase_add_test(tests, it_may_end_at_any_time);
    tcase_add_test(tests, a_challenge_is_answered_by_the_same_key);
    tcase_add_test(tests, a_certificate_stays_with_its_key);
    tcase_add_test(tests, a_token_that_is_not_there_is_not_waited_for);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
