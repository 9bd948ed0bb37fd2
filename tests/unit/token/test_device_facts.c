/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is learned of real devices: a software TPM, SoftHSM, and SoftHSM behind a module with other
 * tokens' habits. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "agent/token/tpm/tpm.h"
#include "tests/support/softhsm.h"
#include "tests/support/swtpm.h"
#include "tests/support/token-calls.h"

static Swtpm *swtpm;
static SoftHsm *hsm;
static SignetToken *token;

static void
open_tpm(void)
{
    const SignetTokenSettings settings = {.name = "tpm"};

    g_clear_pointer(&token, signet_token_unref);
    token = signet_tpm_token_new(&settings, swtpm->tcti, TRUE);
}

static void
setup_tpm(void)
{
    swtpm = swtpm_new();
    open_tpm();
}

static void
open_hsm(const char *uri)
{
    const SignetTokenSettings settings = {.name = "card"};
    const SignetPkcs11Settings pkcs11 = {.uri = uri, .pin.file = hsm->pin_file};

    g_clear_pointer(&token, signet_token_unref);
    token = signet_pkcs11_token_new(&settings, &pkcs11);
}

static void
setup_hsm(void)
{
    hsm = softhsm_new();
    open_hsm(hsm->uri);
}

static void
setup_shim(void)
{
    g_autofree char *uri = NULL;

    hsm = softhsm_new();
    g_setenv("P11_SHIM_DIR", hsm->dir, TRUE);
    uri = softhsm_dup_uri(hsm, P11_SHIM);
    open_hsm(uri);
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&swtpm, swtpm_free);
    g_clear_pointer(&hsm, softhsm_free);
}

static void
on_learned(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_msg(result != NULL, "%s", error ? error->message : "");
    *(GVariant **)data = signet_token_facts_from_bytes(result);
}

static GVariant *
learn(SignetLesson lesson, SignetKey *key)
{
    GVariant *facts = NULL;

    signet_token_learn(token, NULL, lesson, key, on_learned, &facts);
    while (!facts)
        g_main_context_iteration(NULL, TRUE);
    return facts;
}

/* --- a TPM --- */

static gboolean
has_word(GVariant *facts, const char *name, const char *word)
{
    g_auto(GStrv) list = NULL;

    ck_assert_msg(g_variant_lookup(facts, name, "^as", &list), "%s", name);
    return g_strv_contains((const char *const *)list, word);
}

START_TEST(what_it_says_it_makes_it_makes_and_nothing_else)
{
    static const guint32 types[] = {SIGNET_KEY_EC_P256, SIGNET_KEY_EC_P384, SIGNET_KEY_EC_P521,
                                    SIGNET_KEY_RSA_2048, SIGNET_KEY_RSA_4096};
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_CAPABILITIES, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(SignetKey) key = token_generate(token, types[i], TRUE, NULL);
        const char *name = signet_key_type_name(types[i]);

        ck_assert_msg(has_word(facts, "keys", name) == (key != NULL), "%s", name);
        ck_assert(has_word(facts, "decrypt", name) == (key && signet_key_type_is_rsa(types[i])));
        ck_assert(has_word(facts, "derive", name) == (key && signet_key_type_is_ec(types[i])));
    }
}
END_TEST

START_TEST(capabilities_are_told_in_words_and_numbers)
{
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_CAPABILITIES, NULL);
    guint32 objects = 0, limit = 0, commands = 0;
    const char *protection = NULL, *maker = NULL;

    ck_assert(has_word(facts, "curves", "P-256") && has_word(facts, "curves", "P-384"));
    ck_assert(has_word(facts, "rsa_sizes", "2048") && has_word(facts, "hashes", "sha256"));
    ck_assert(has_word(facts, "algorithms", "rsapss"));
    ck_assert(g_variant_lookup(facts, "max_objects", "u", &objects) && objects >= 3);
    ck_assert(g_variant_lookup(facts, "lockout_limit", "u", &limit) && limit > 0);
    ck_assert(g_variant_lookup(facts, "commands", "u", &commands) && commands > 80);
    ck_assert(g_variant_lookup(facts, "protection", "&s", &protection));
    ck_assert_str_eq(protection, "software");
    ck_assert(g_variant_lookup(facts, "manufacturer", "&s", &maker));
    ck_assert_str_eq(maker, "IBM");
}
END_TEST

static char *
dup_device(void)
{
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_IDENTITY, NULL);
    char *device = NULL;

    ck_assert(g_variant_lookup(facts, "device", "s", &device));
    return device;
}

START_TEST(another_tpm_is_another_device_and_a_reset_one_the_same)
{
    g_autofree char *first = dup_device();
    g_autofree char *again = NULL, *other = NULL;

    swtpm_reset(swtpm);
    again = dup_device();
    ck_assert_str_eq(first, again);
    g_clear_pointer(&token, signet_token_unref);
    swtpm_replace(swtpm);
    open_tpm();
    other = dup_device();
    ck_assert_str_ne(first, other);
}
END_TEST

START_TEST(the_certificate_of_an_endorsement_key_is_read)
{
    g_autofree char *out = NULL;
    g_autoptr(GVariant) facts = NULL, certificates = NULL, one = NULL;
    const char *subject, *sha256, *until;

    g_clear_pointer(&token, signet_token_unref);
    out = swtpm_shell(swtpm,
                      "cd \"$dir\" && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj "
                      "'/CN=Endorsed chip/O=Example' -days 30 -outform DER -out c 2>/dev/null && "
                      "cp c padded && head -c 100 /dev/zero >> padded && "
                      "tpm2_nvdefine -Q 0x01c00002 -C o -s $(stat -c %s padded) -a "
                      "'ownerread|ownerwrite|authread|no_da' && "
                      "tpm2_nvwrite -Q 0x01c00002 -C o -i padded && sha256sum c | cut -c1-64");
    ck_assert_ptr_nonnull(out);
    open_tpm();
    facts = learn(SIGNET_LESSON_IDENTITY, NULL);
    certificates = g_variant_lookup_value(facts, "certificates", G_VARIANT_TYPE("aa{ss}"));
    ck_assert_uint_eq(g_variant_n_children(certificates), 1);
    one = g_variant_get_child_value(certificates, 0);
    ck_assert(g_variant_lookup(one, "subject", "&s", &subject));
    ck_assert_str_eq(subject, "O=Example,CN=Endorsed chip");
    ck_assert(g_variant_lookup(one, "sha256", "&s", &sha256));
    ck_assert_str_eq(sha256, g_strchomp(out));
    ck_assert(g_variant_lookup(one, "not_after", "&s", &until) && until[4] == '-');
}
END_TEST

START_TEST(how_it_pads_rsa_pss_is_seen_in_a_signature)
{
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_RSA_2048, FALSE, NULL);
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_PSS, key);
    const char *words = NULL;

    ck_assert(g_variant_lookup(facts, "pss", "&s", &words));
    printf("# %s\n", words);
    ck_assert(g_str_has_prefix(words, "TPM2_Sign takes a salt of "));
    ck_assert(g_str_has_suffix(words, "the agent pads by itself, over the raw RSA operation"));
}
END_TEST

/* --- PKCS#11 --- */

static void
assert_list(GVariant *facts, const char *name, const char *expected)
{
    g_auto(GStrv) list = NULL;
    g_autofree char *text = NULL;

    ck_assert_msg(g_variant_lookup(facts, name, "^as", &list), "%s", name);
    text = g_strjoinv(" ", list);
    ck_assert_str_eq(text, expected);
}

#define RSA_KEYS "rsa:2048 rsa:3072 rsa:4096"
#define EC_KEYS  "ec:P-256 ec:P-384 ec:P-521"

START_TEST(a_token_tells_its_keys_and_who_it_is)
{
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_CAPABILITIES, NULL);
    g_autoptr(GVariant) identity = learn(SIGNET_LESSON_IDENTITY, NULL);
    const char *maker = NULL, *device = NULL, *serial = NULL;

    assert_list(facts, "decrypt", RSA_KEYS);
    assert_list(facts, "derive", EC_KEYS);
    assert_list(facts, "keys", EC_KEYS " ed25519 " RSA_KEYS);
    ck_assert(g_variant_lookup(facts, "manufacturer", "&s", &maker));
    ck_assert_str_eq(maker, "SoftHSM project");
    ck_assert(g_variant_lookup(facts, "serial", "&s", &serial));
    ck_assert(g_variant_lookup(identity, "device", "&s", &device) && strstr(device, serial));
}
END_TEST

/* softhsm2.conf(5): slots.mechanisms */
START_TEST(a_token_without_a_mechanism_does_not_offer_it)
{
    g_autofree char *out = NULL;
    g_autoptr(GVariant) facts = NULL;

    g_clear_pointer(&token, signet_token_unref);
    out = softhsm_shell(hsm, "printf 'slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS,"
                             "CKM_ECDSA\\n' >> \"$SOFTHSM2_CONF\"");
    open_hsm(hsm->uri);
    facts = learn(SIGNET_LESSON_CAPABILITIES, NULL);
    assert_list(facts, "keys", RSA_KEYS);
    assert_list(facts, "uses", EC_KEYS " " RSA_KEYS);
    assert_list(facts, "derive", "");
}
END_TEST

START_TEST(how_a_token_pads_rsa_pss_is_seen_in_a_signature)
{
    g_autoptr(SignetKey) key = token_generate(token, SIGNET_KEY_RSA_2048, FALSE, NULL);
    g_autoptr(GVariant) facts = learn(SIGNET_LESSON_PSS, key);
    const char *words = NULL;

    ck_assert(g_variant_lookup(facts, "pss", "&s", &words));
    ck_assert_str_eq(words, "CKM_RSA_PKCS_PSS takes a salt of 32 bytes when asked for 32");
}
END_TEST

START_TEST(without_rsa_pss_the_facts_say_who_pads)
{
    g_autofree char *path = NULL;
    g_autoptr(SignetKey) key = NULL;
    g_autoptr(GVariant) facts = NULL;
    const char *words = NULL;

    path = g_build_filename(hsm->dir, "no-pss", NULL);
    ck_assert(g_file_set_contents(path, "", -1, NULL));
    key = token_generate(token, SIGNET_KEY_RSA_2048, FALSE, NULL);
    facts = learn(SIGNET_LESSON_PSS, key);
    ck_assert(g_variant_lookup(facts, "pss", "&s", &words));
    ck_assert_ptr_nonnull(strstr(words, "the agent pads by itself"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("device facts");
    TCase *tpm = tcase_create("tpm");
    TCase *softhsm = tcase_create("softhsm");
    TCase *shim = tcase_create("shim");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tpm, setup_tpm, teardown);
    tcase_add_checked_fixture(softhsm, setup_hsm, teardown);
    tcase_add_checked_fixture(shim, setup_shim, teardown);
    tcase_set_timeout(tpm, 300);
    tcase_set_timeout(softhsm, 120);
    tcase_set_timeout(shim, 120);
    tcase_add_test(tpm, what_it_says_it_makes_it_makes_and_nothing_else);
    tcase_add_test(tpm, capabilities_are_told_in_words_and_numbers);
    tcase_add_test(tpm, another_tpm_is_another_device_and_a_reset_one_the_same);
    tcase_add_test(tpm, the_certificate_of_an_endorsement_key_is_read);
    tcase_add_test(tpm, how_it_pads_rsa_pss_is_seen_in_a_signature);
    tcase_add_test(softhsm, a_token_tells_its_keys_and_who_it_is);
    tcase_add_test(softhsm, a_token_without_a_mechanism_does_not_offer_it);
    tcase_add_test(softhsm, how_a_token_pads_rsa_pss_is_seen_in_a_signature);
    tcase_add_test(shim, without_rsa_pss_the_facts_say_who_pads);
    suite_add_tcase(suite, tpm);
    suite_add_tcase(suite, softhsm);
    suite_add_tcase(suite, shim);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
