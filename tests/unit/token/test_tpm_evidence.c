/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a software TPM says of its keys, judged by other code than ours. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/tpm/tpm.h"
#include "tests/support/swtpm.h"
#include "tests/support/token-calls.h"
#include "tests/support/tpm-challenge.h"

static Swtpm *swtpm;
static SignetToken *token;

static void
open_token(gboolean bus_encryption)
{
    token =
        signet_tpm_token_new(&(SignetTokenSettings) {.name = "tpm"}, swtpm->tcti, bus_encryption);
}

static void
setup(void)
{
    swtpm = swtpm_new();
    open_token(TRUE);
}

static void
teardown(void)
{
    signet_token_unref(token);
    swtpm_free(swtpm);
}

/* The token would be in the way of other programs: an swtpm serves one at a time. */
static char *
shell(const char *command)
{
    char *text;

    g_clear_pointer(&token, signet_token_unref);
    text = swtpm_shell(swtpm, command);
    ck_assert_msg(text != NULL, "failed: %s", command);
    open_token(TRUE);
    return text;
}

static GBytes *
bytes_of(GVariant *evidence, const char *word)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(evidence, word, G_VARIANT_TYPE_BYTESTRING);

    ck_assert_msg(value != NULL, "there is no '%s'", word);
    return g_variant_get_data_as_bytes(value);
}

static GVariant *
certify(SignetKey *attester, SignetKey *key, const char *data, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, strlen(data));
    g_autoptr(GBytes) result = token_certify(token, attester, key, bytes, error);

    return result ? signet_token_facts_from_bytes(result) : NULL;
}

static void
write_file(const char *name, GBytes *bytes)
{
    g_autofree char *path = g_build_filename(swtpm->dir, name, NULL);

    ck_assert(g_file_set_contents(path, g_bytes_get_data(bytes, NULL),
                                  (gssize)g_bytes_get_size(bytes), NULL));
}

static void
write_evidence(GVariant *evidence)
{
    static const char *const words[] = {SIGNET_EVIDENCE_ATTESTATION, SIGNET_EVIDENCE_SIGNATURE,
                                        SIGNET_EVIDENCE_KEY, SIGNET_EVIDENCE_ATTESTER};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(GBytes) bytes = bytes_of(evidence, words[i]);

        write_file(words[i], bytes);
    }
}

/* tpm2-tools 5 does not know certifications. */
static void
assert_good(GVariant *evidence, SignetKey *attester, SignetKey *key, const char *data)
{
    GString *digits = g_string_new(NULL);
    g_autofree char *command = NULL, *text = NULL;

    for (const char *p = data; *p; p++)
        g_string_append_printf(digits, "%02x", (guint8)*p);
    write_evidence(evidence);
    write_file("attester.der", attester->spki);
    write_file("key.der", key->spki);
    command = g_strdup_printf(TPMATTEST " \"$dir\" '%s'", digits->str);
    g_string_free(digits, TRUE);
    text = swtpm_shell(swtpm, command);
    ck_assert_msg(g_strcmp0(text, "good\n") == 0, "%s", text ? text : "");
}

START_TEST(a_key_is_certified)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(SignetKey) key = token_generate(token, _i, FALSE, &error);
    g_autoptr(GVariant) evidence = NULL;

    ck_assert_msg(attester && key, "%s", error ? error->message : "");
    evidence = certify(attester, key, "nonce", &error);
    ck_assert_msg(evidence != NULL, "%s", error ? error->message : "");
    assert_good(evidence, attester, key, "nonce");
}
END_TEST

START_TEST(a_key_is_certified_without_bus_encryption)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = NULL;
    g_autoptr(SignetKey) key = NULL;
    g_autoptr(GVariant) evidence = NULL;

    signet_token_unref(token);
    open_token(FALSE);
    attester = token_generate_attester(token, &error);
    key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    evidence = certify(attester, key, "", &error);
    ck_assert_msg(evidence != NULL, "%s", error ? error->message : "");
}
END_TEST

START_TEST(an_attester_signs_nothing_else)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(GBytes) digest = token_digest(32);
    const SignetKeyScheme scheme = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
    g_autoptr(GBytes) signature = token_sign(token, attester, &scheme, digest, &error);

    ck_assert_ptr_null(signature);
    ck_assert_ptr_nonnull(error);
}
END_TEST

/* More keys than a TPM holds, and every operation between two others. */
START_TEST(nothing_stays_loaded)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func((GDestroyNotify)signet_key_unref);
    const SignetKeyScheme scheme = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

    for (guint i = 0; i < 5; i++)
        g_ptr_array_add(keys, token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error));
    for (guint i = 0; i < 20; i++) {
        g_autoptr(GVariant) evidence =
            certify(attester, g_ptr_array_index(keys, i % 5), "again", &error);

        ck_assert_msg(evidence != NULL, "round %u: %s", i, error ? error->message : "");
        token_assert_signs(token, g_ptr_array_index(keys, (i + 2) % 5), &scheme, 32);
    }
}
END_TEST

START_TEST(another_agent_goes_on_with_the_attester)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    g_autoptr(GVariant) evidence = NULL;

    signet_token_unref(token);
    swtpm_kill(swtpm);
    swtpm_start(swtpm);
    open_token(TRUE);
    evidence = certify(attester, key, "later", &error);
    ck_assert_msg(evidence != NULL, "%s", error ? error->message : "");
    assert_good(evidence, attester, key, "later");
}
END_TEST

START_TEST(a_cleared_tpm_wants_another_attester)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autofree char *out G_GNUC_UNUSED = shell("tpm2_clear -c p");
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    g_autoptr(GVariant) evidence = certify(attester, key, "", &error);
    g_autoptr(SignetKey) other = NULL;

    ck_assert_ptr_null(evidence);
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_NOT_FOUND), "%s", error->message);
    g_clear_error(&error);
    other = token_generate_attester(token, &error);
    evidence = certify(other, key, "", &error);
    ck_assert_msg(evidence != NULL, "%s", error ? error->message : "");
}
END_TEST

static void
make_challenge(GVariant *evidence, const char *endorsement, SignetTokenChallenge *ret_challenge)
{
    g_autoptr(GBytes) attester = bytes_of(evidence, SIGNET_EVIDENCE_ATTESTER);

    g_clear_pointer(&token, signet_token_unref);
    tpm_challenge_make(swtpm, attester, endorsement, ret_challenge);
    open_token(TRUE);
}

static const char *const endorsement_keys[] = {"rsa", "ecc", "ecc384"};

START_TEST(a_challenge_is_answered)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    g_autoptr(GVariant) evidence = certify(attester, key, "", &error);
    SignetTokenChallenge challenge = {0};

    make_challenge(evidence, endorsement_keys[_i], &challenge);
    for (guint i = 0; i < 4; i++) { /* nothing is left behind */
        g_autoptr(GBytes) answer = token_activate(token, attester, &challenge, &error);

        ck_assert_msg(answer != NULL, "%s", error ? error->message : "");
        ck_assert_uint_eq(g_bytes_get_size(answer), 16);
        ck_assert_mem_eq(g_bytes_get_data(answer, NULL), TPM_CHALLENGE_ANSWER, 16);
        g_clear_pointer(&evidence, g_variant_unref);
        evidence = certify(attester, key, "", &error);
        ck_assert_msg(evidence != NULL, "%s", error ? error->message : "");
    }
    tpm_challenge_clear(&challenge);
}
END_TEST

START_TEST(a_challenge_for_another_attester_is_not)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(SignetKey) other = token_generate_attester(token, &error);
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    g_autoptr(GVariant) evidence = certify(attester, key, "", &error);
    g_autoptr(GBytes) answer = NULL;
    SignetTokenChallenge challenge = {0};

    make_challenge(evidence, endorsement_keys[0], &challenge);
    answer = token_activate(token, other, &challenge, &error);
    ck_assert_ptr_null(answer);
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST) &&
                      strstr(error->message, "was not made for the attestation key"),
                  "%s", error->message);
    tpm_challenge_clear(&challenge);
}
END_TEST

START_TEST(a_challenge_for_another_tpm_is_not)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) attester = token_generate_attester(token, &error);
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error);
    g_autoptr(GVariant) evidence = certify(attester, key, "", &error);
    g_autoptr(GBytes) answer = NULL;
    SignetTokenChallenge challenge = {0};

    make_challenge(evidence, endorsement_keys[1], &challenge);
    g_bytes_unref(challenge.endorsement);
    challenge.endorsement = g_bytes_ref(key->spki);
    answer = token_activate(token, attester, &challenge, &error);
    ck_assert_ptr_null(answer);
    ck_assert_msg(strstr(error->message, "does not have") != NULL, "%s", error->message);
    tpm_challenge_clear(&challenge);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("tpm evidence");
    TCase *tcase = tcase_create("certify");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_key_is_certified, SIGNET_KEY_EC_P256, SIGNET_KEY_EC_P384 + 1);
    tcase_add_loop_test(tcase, a_key_is_certified, SIGNET_KEY_RSA_2048, SIGNET_KEY_RSA_2048 + 1);
    tcase_add_test(tcase, a_key_is_certified_without_bus_encryption);
    tcase_add_test(tcase, an_attester_signs_nothing_else);
    tcase_add_test(tcase, nothing_stays_loaded);
    tcase_add_test(tcase, another_agent_goes_on_with_the_attester);
    tcase_add_test(tcase, a_cleared_tpm_wants_another_attester);
    suite_add_tcase(suite, tcase);

    tcase = tcase_create("activate");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_challenge_is_answered, 0, G_N_ELEMENTS(endorsement_keys));
    tcase_add_test(tcase, a_challenge_for_another_attester_is_not);
    tcase_add_test(tcase, a_challenge_for_another_tpm_is_not);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(make_suite());

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
