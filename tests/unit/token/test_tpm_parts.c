/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The parts of the TPM backend that need no TPM: key files, response codes, the list of loaded
 * keys. */

#include <check.h>
#include <openssl/evp.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/token/tpm/error.h"
#include "agent/token/tpm/keyfile.h"
#include "agent/token/tpm/loaded.h"
#include "agent/token/tpm/public.h"
#include "agent/token/tpm/recycle.h"

static SignetTpmKeyFile
sample(void)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256};
    SignetTpmKeyFile file = {.parent = TPM2_RH_OWNER, .private = {.size = 5, .buffer = "12345"}};

    ck_assert(signet_tpm_template(&template, &file.public));
    file.public.publicArea.unique.ecc.x = (TPM2B_ECC_PARAMETER) {.size = 32, .buffer = {1}};
    file.public.publicArea.unique.ecc.y = (TPM2B_ECC_PARAMETER) {.size = 32, .buffer = {2}};
    return file;
}

START_TEST(a_key_file_is_read_as_it_was_written)
{
    SignetTpmKeyFile file = sample(), again;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pem = signet_tpm_key_file_encode(&file);
    g_autoptr(GBytes) pem_again = NULL;

    ck_assert(g_str_has_prefix(g_bytes_get_data(pem, NULL), "-----BEGIN TSS2 PRIVATE KEY-----\n"));
    ck_assert_msg(signet_tpm_key_file_decode(pem, &again, &error), "%s",
                  error ? error->message : "");
    ck_assert_uint_eq(again.parent, TPM2_RH_OWNER);
    ck_assert(!again.empty_auth);
    ck_assert_mem_eq(again.private.buffer, "12345", 5);
    pem_again = signet_tpm_key_file_encode(&again);
    ck_assert(g_bytes_equal(pem, pem_again));
}
END_TEST

START_TEST(a_key_file_says_who_made_it)
{
    SignetTpmKeyFile file = sample(), again;
    g_autoptr(GBytes) pem = NULL;

    file.parent_name = (TPM2B_NAME) {.size = 34, .name = {0, 0x0b, 0xff, 1}};
    file.tpm_name = (TPM2B_NAME) {.size = 34, .name = {0, 0x0b, 0xfe, 2}};
    pem = signet_tpm_key_file_encode(&file);
    ck_assert(signet_tpm_key_file_decode(pem, &again, NULL));
    ck_assert_uint_eq(again.parent_name.size, 34);
    ck_assert_mem_eq(again.parent_name.name, file.parent_name.name, 34);
    ck_assert_uint_eq(again.tpm_name.size, 34);
    ck_assert_mem_eq(again.tpm_name.name, file.tpm_name.name, 34);
}
END_TEST

START_TEST(what_is_no_name_before_a_key_is_passed_over)
{
    static const char *const lines[] = {
        "Parent: \n", "Parent: 000", "Parent: 00zz\n", "Parent: 0\n", "Parent:", "TPM: 00 11\n",
    };
    SignetTpmKeyFile file = sample(), again;
    g_autoptr(GBytes) pem = signet_tpm_key_file_encode(&file);
    g_autofree char *text = g_strndup(g_bytes_get_data(pem, NULL), g_bytes_get_size(pem));
    g_autofree char *digits = g_strnfill(4 * sizeof file.parent_name.name, 'a');
    g_autofree char *overlong = g_strdup_printf("Parent: %s\n%s", digits, text);
    g_autoptr(GBytes) overlong_pem = g_bytes_new(overlong, strlen(overlong));

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *changed = g_strdup_printf("%s\n%s", lines[i], text);
        g_autoptr(GBytes) changed_pem = g_bytes_new(changed, strlen(changed));

        ck_assert(signet_tpm_key_file_decode(changed_pem, &again, NULL));
        ck_assert_uint_eq(again.parent_name.size + again.tpm_name.size, 0);
    }
    ck_assert(signet_tpm_key_file_decode(overlong_pem, &again, NULL));
    ck_assert_uint_eq(again.parent_name.size, 0);
}
END_TEST

/* That tpm2-tss's are handed out again shows in the benchmark; what must never happen shows here.
 */
START_TEST(a_library_context_of_others_is_not_handed_out_again)
{
    OSSL_LIB_CTX *context;

    signet_tpm_recycle_contexts();
    for (int i = 0; i < 32; i++) {
        context = OSSL_LIB_CTX_new();
        ck_assert(!EVP_default_properties_is_fips_enabled(context));
        ck_assert(EVP_default_properties_enable_fips(context, 1));
        OSSL_LIB_CTX_free(context);
    }
    OSSL_LIB_CTX_free(NULL);
}
END_TEST

START_TEST(no_beginning_of_a_key_file_is_one)
{
    SignetTpmKeyFile file = sample(), again;
    g_autoptr(GBytes) pem = signet_tpm_key_file_encode(&file);

    /* The last characters are the newline and the last dashes of the PEM. */
    for (gsize size = 0; size < g_bytes_get_size(pem) - 6; size++) {
        g_autoptr(GBytes) cut = g_bytes_new_from_bytes(pem, 0, size);
        g_autoptr(GError) error = NULL;

        ck_assert_msg(!signet_tpm_key_file_decode(cut, &again, &error), "%zu", size);
        ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
    }
}
END_TEST

START_TEST(no_changed_byte_crashes_the_reader)
{
    SignetTpmKeyFile file = sample(), again;
    g_autoptr(GBytes) pem = signet_tpm_key_file_encode(&file);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(pem, &size);

    for (gsize i = 0; i < size; i++) {
        for (guint bit = 0; bit < 8; bit++) {
            g_autofree guint8 *copy = g_memdup2(bytes, size);
            g_autoptr(GBytes) changed = NULL;

            copy[i] ^= (guint8)(1u << bit);
            changed = g_bytes_new(copy, size);
            (void)signet_tpm_key_file_decode(changed, &again, NULL);
        }
    }
}
END_TEST

START_TEST(response_codes_lead_to_the_right_repair)
{
    static const struct {
        TSS2_RC rc;
        SignetTpmFate fate;
    } rows[] = {
        {TSS2_RC_SUCCESS, SIGNET_TPM_FATE_OK},
        {TPM2_RC_OBJECT_MEMORY, SIGNET_TPM_FATE_MAKE_ROOM},
        {TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_OBJECT_MEMORY, SIGNET_TPM_FATE_MAKE_ROOM},
        {TPM2_RC_RETRY, SIGNET_TPM_FATE_AGAIN},
        {TPM2_RC_TESTING, SIGNET_TPM_FATE_AGAIN},
        {TPM2_RC_INITIALIZE, SIGNET_TPM_FATE_REOPEN},
        {TPM2_RC_REFERENCE_H0, SIGNET_TPM_FATE_REOPEN},
        {TPM2_RC_REFERENCE_S0 + 2, SIGNET_TPM_FATE_REOPEN},
        {TPM2_RC_HANDLE + TPM2_RC_1, SIGNET_TPM_FATE_REOPEN},
        {TPM2_RC_VALUE + TPM2_RC_S + TPM2_RC_1, SIGNET_TPM_FATE_REOPEN},
        {TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_1, SIGNET_TPM_FATE_FINAL},
        {TPM2_RC_LOCKOUT, SIGNET_TPM_FATE_FINAL},
        {TPM2_RC_INTEGRITY + TPM2_RC_P + TPM2_RC_1, SIGNET_TPM_FATE_FINAL},
        {TSS2_TCTI_RC_IO_ERROR, SIGNET_TPM_FATE_LOST},
        {TSS2_ESYS_RC_RSP_AUTH_FAILED, SIGNET_TPM_FATE_REOPEN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(signet_tpm_fate(rows[i].rc) == rows[i].fate, "0x%x", rows[i].rc);
}
END_TEST

START_TEST(response_codes_become_words)
{
    static const struct {
        TSS2_RC rc;
        SignetErrorKind kind;
        const char *words;
    } rows[] = {
        {TPM2_RC_LOCKOUT, SIGNET_ERROR_BUSY, "tpm2_dictionarylockout"},
        {TPM2_RC_INTEGRITY + TPM2_RC_P + TPM2_RC_1, SIGNET_ERROR_CORRUPT, "enrol"},
        {TPM2_RC_FAILURE, SIGNET_ERROR_TOKEN_FAILED, "off and on"},
        {TSS2_TCTI_RC_IO_ERROR, SIGNET_ERROR_TOKEN_ABSENT, "connection"},
        {TPM2_RC_NV_SPACE, SIGNET_ERROR_TOKEN_FAILED, "0x14b"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        ck_assert(!signet_tpm_error_set(&error, "tpm", "sign", rows[i].rc));
        ck_assert(signet_error_is(error, rows[i].kind));
        ck_assert(g_str_has_prefix(error->message, "token 'tpm' cannot sign: "));
        ck_assert_msg(strstr(error->message, rows[i].words) != NULL, "%s", error->message);
    }
}
END_TEST

START_TEST(the_least_recently_used_key_goes_first)
{
    g_autoptr(SignetTpmLoaded) loaded = signet_tpm_loaded_new();
    g_autoptr(GBytes) a = g_bytes_new_static("a", 1);
    g_autoptr(GBytes) b = g_bytes_new_static("b", 1);
    g_autoptr(GBytes) c = g_bytes_new_static("c", 1);
    g_autoptr(GBytes) same_as_a = g_bytes_new("a", 1);

    signet_tpm_loaded_add(loaded, a, 1);
    signet_tpm_loaded_add(loaded, b, 2);
    signet_tpm_loaded_add(loaded, c, 3);
    ck_assert_uint_eq(signet_tpm_loaded_find(loaded, same_as_a), 1);
    ck_assert_uint_eq(signet_tpm_loaded_take_oldest(loaded), 2);
    ck_assert_uint_eq(signet_tpm_loaded_take(loaded, c), 3);
    ck_assert_uint_eq(signet_tpm_loaded_find(loaded, b), ESYS_TR_NONE);
    ck_assert_uint_eq(signet_tpm_loaded_get_length(loaded), 1);
    ck_assert_uint_eq(signet_tpm_loaded_take_oldest(loaded), 1);
    ck_assert_uint_eq(signet_tpm_loaded_take_oldest(loaded), ESYS_TR_NONE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("tpm-parts");
    TCase *tc = tcase_create("tpm-parts");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, a_key_file_is_read_as_it_was_written);
    tcase_add_test(tc, a_key_file_says_who_made_it);
    tcase_add_test(tc, what_is_no_name_before_a_key_is_passed_over);
    tcase_add_test(tc, a_library_context_of_others_is_not_handed_out_again);
    tcase_add_test(tc, no_beginning_of_a_key_file_is_one);
    tcase_add_test(tc, no_changed_byte_crashes_the_reader);
    tcase_add_test(tc, response_codes_lead_to_the_right_repair);
    tcase_add_test(tc, response_codes_become_words);
    tcase_add_test(tc, the_least_recently_used_key_goes_first);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
