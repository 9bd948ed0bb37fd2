/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The rules that make a reference work in every program; each test names the one it holds. */

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "provider/wire/reference.h"
#include "tests/unit/provider/common.h"

START_TEST(the_oid_is_an_alias_of_the_algorithm)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    ck_assert(EVP_PKEY_is_a(key, kind->oid));
    ck_assert(EVP_PKEY_is_a(key, kind->algorithm));
    EVP_PKEY_free(key);

    /* what fails without the alias: DER of unknown structure */
    size_t size;
    unsigned char *der = read_file(live(kind, 1, "key.der"), &size);
    const unsigned char *p = der;
    key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, "DER", NULL, NULL, 0, NULL, NULL);
    ck_assert_int_eq(OSSL_DECODER_from_data(decoder, &p, &size), 1);
    ck_assert_ptr_nonnull(key);
    OSSL_DECODER_CTX_free(decoder);
    EVP_PKEY_free(key);
    free(der);
}
END_TEST

START_TEST(the_oid_has_at_most_49_characters)
{
    for (int i = 0; i < KINDS; i++)
        ck_assert_uint_le(strlen(kinds[i].oid), 49);
}
END_TEST

START_TEST(comparing_with_a_certificate_leaves_no_errors)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    ck_assert_int_eq(EVP_PKEY_eq(key, X509_get0_pubkey(cert)), 1);
    ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(cert), key), 1);
    ck_assert_int_eq(X509_check_private_key(cert, key), 1);
    assert_no_errors();
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(key_first_and_chain_second_load)
{
    const struct kind *kind = begin_row(_i);
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    ck_assert_int_eq(
        SSL_CTX_use_PrivateKey_file(context, live(kind, 1, "key.pem"), SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, live(kind, 1, "fullchain.pem")),
                     1);
    ck_assert_int_eq(SSL_CTX_check_private_key(context), 1);
    SSL_CTX_free(context);

    context = SSL_CTX_new(TLS_method());
    const char *both = live(kind, 1, "identity.pem");
    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, both), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, both, SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(SSL_CTX_check_private_key(context), 1);
    assert_no_errors();
    SSL_CTX_free(context);
}
END_TEST

START_TEST(an_empty_key_of_ours_answers_no)
{
    const struct kind *kind = begin_row(_i);
    EVP_KEYMGMT *keymgmt = EVP_KEYMGMT_fetch(NULL, kind->algorithm, "provider=signet");
    ck_assert_ptr_nonnull(keymgmt);
    EVP_PKEY *ours = load_key(kind, 1), *empty = EVP_PKEY_new();
    ck_assert_int_eq(EVP_PKEY_set_type_by_keymgmt(empty, keymgmt), 1);
    ck_assert_int_ne(EVP_PKEY_eq(ours, empty), 1);
    ck_assert_int_ne(EVP_PKEY_eq(empty, ours), 1);
    ck_assert_int_le(EVP_PKEY_get_bits(empty), 0);
    EVP_PKEY_free(empty);
    EVP_PKEY_free(ours);
    EVP_KEYMGMT_free(keymgmt);
}
END_TEST

START_TEST(signatures_have_names_of_their_own)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    unsigned before = count_requests("sign-message");
    assert_signs(key, kind, 1);
    ck_assert_uint_eq(count_requests("sign-message"), before + 1);
    EVP_PKEY_free(key);

    EVP_SIGNATURE *signature =
        EVP_SIGNATURE_fetch(NULL, kind->digest == NULL ? kind->algorithm : kind->signature, NULL);
    ck_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_SIGNATURE_get0_provider(signature)), "default");
    EVP_SIGNATURE_free(signature);
    char name[32];
    snprintf(name, sizeof(name), "SIGNET-%s", kind->signature);
    signature = EVP_SIGNATURE_fetch(NULL, name, NULL);
    ck_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_SIGNATURE_get0_provider(signature)), "signet");
    EVP_SIGNATURE_free(signature);
}
END_TEST

START_TEST(export_of_everything_gives_the_public_half)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    OSSL_PARAM *params = NULL;
    ck_assert_int_eq(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    ck_assert_ptr_nonnull(
        OSSL_PARAM_locate(params, kind->is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_PUB_KEY));
    static const char *const secrets[] = {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D,
                                          OSSL_PKEY_PARAM_RSA_FACTOR1,
                                          OSSL_PKEY_PARAM_RSA_EXPONENT1};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        BIGNUM *secret = NULL;
        ck_assert_ptr_null(OSSL_PARAM_locate(params, secrets[i]));
        ck_assert_int_eq(EVP_PKEY_get_bn_param(key, secrets[i], &secret), 0);
        ck_assert_ptr_null(secret);
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(nothing_private_can_be_imported)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *soft = generate_like(kind), *copy = NULL;
    OSSL_PARAM *params = NULL;
    ck_assert_int_eq(EVP_PKEY_todata(soft, EVP_PKEY_KEYPAIR, &params), 1);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind->algorithm, "provider=signet");
    ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
    ck_assert_int_le(EVP_PKEY_fromdata(context, &copy, EVP_PKEY_KEYPAIR, params), 0);
    ck_assert_ptr_null(copy);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);

    /* and a soft key compared with ours stays where it is */
    EVP_PKEY *ours = load_key(kind, 1);
    ERR_clear_error();
    ck_assert_int_eq(EVP_PKEY_eq(soft, ours), 0);
    ck_assert_int_eq(EVP_PKEY_eq(ours, soft), 0);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(soft);
}
END_TEST

START_TEST(a_key_is_written_back_as_its_reference)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    size_t size;
    unsigned char *reference = read_file(live(kind, 1, "key.der"), &size), *der = NULL;
    int der_size = i2d_PrivateKey(key, &der);
    ck_assert_int_eq(der_size, (int)size);
    ck_assert_mem_eq(der, reference, size);
    OPENSSL_free(der);

    BIO *memory = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
    EVP_PKEY *again = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
    ck_assert_int_eq(EVP_PKEY_eq(key, again), 1);
    assert_no_errors();
    EVP_PKEY_free(again);
    BIO_free(memory);
    free(reference);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_foreign_key_is_written_as_ever)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *soft = generate_like(kind);
    OSSL_LIB_CTX *plain = OSSL_LIB_CTX_new();
    BIO *memory = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PrivateKey(memory, soft, NULL, NULL, 0, NULL, NULL), 1);
    EVP_PKEY *there = PEM_read_bio_PrivateKey_ex(memory, NULL, NULL, NULL, plain, NULL);
    ck_assert_ptr_nonnull(there);
    unsigned char *a = NULL, *b = NULL;
    int size = i2d_PrivateKey(soft, &a);
    ck_assert_int_gt(size, kind->bits / 8);
    ck_assert_int_eq(i2d_PrivateKey(there, &b), size);
    ck_assert_mem_eq(a, b, (size_t)size);
    assert_no_errors();
    OPENSSL_free(a);
    OPENSSL_free(b);
    EVP_PKEY_free(there);
    EVP_PKEY_free(soft);
    BIO_free(memory);
    OSSL_LIB_CTX_free(plain);
}
END_TEST

static EVP_PKEY *
read_reference(const char *identity, uint32_t generation, uint8_t family)
{
    struct signet_reference reference = {.generation = generation, .family = family};
    strcpy(reference.identity, identity);
    unsigned char der[SIGNET_REFERENCE_DER_MAX];
    size_t size = signet_reference_to_der(&reference, der, sizeof(der));
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio(memory, PEM_STRING_PKCS8INF, "", der, (long)size);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
    BIO_free(memory);
    return key;
}

/* Exactly one entry of ours, the first, with a reason and the failure in words. */
static void
assert_first_error(const char *reason, const char *text)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    ck_assert_uint_ne(error, 0);
    int library = ERR_GET_LIB(error);
    ck_assert_ptr_nonnull(ERR_reason_error_string(error));
    ck_assert_str_eq(ERR_reason_error_string(error), reason);
    ck_assert_msg(strncmp(data, "signet: ", 8) == 0 && strstr(data, text) != NULL, "'%s'", data);
    while ((error = ERR_get_error()) != 0)
        ck_assert_int_ne(ERR_GET_LIB(error), library);
}

START_TEST(a_failure_is_one_error_and_the_first)
{
    begin_row(_i);
    unsigned before = count_requests("lookup nobody");
    ck_assert_ptr_null(read_reference("nobody", 1, SIGNET_FAMILY_EC));
    assert_first_error("not found", "'nobody'");
    ck_assert_uint_eq(count_requests("lookup nobody"), before + 1);
    ck_assert_ptr_null(read_reference("p256", 9, SIGNET_FAMILY_EC));
    assert_first_error("not found", "'p256'");
    ck_assert_ptr_null(read_reference("forbidden", 1, SIGNET_FAMILY_RSA));
    assert_first_error("denied", "identity 'forbidden': policy says no");
    ck_assert_ptr_null(read_reference("p256", 1, SIGNET_FAMILY_RSA));
    assert_first_error("the agent gave an answer that makes no sense", "'p256'");
}
END_TEST

START_TEST(a_damaged_reference_is_named_so)
{
    const struct kind *kind = begin_row(_i);
    size_t size;
    unsigned char *der = read_file(live(kind, 1, "key.der"), &size);
    der[size - 1 - 3 - strlen(kind->name)] = '!'; /* the name's length byte */
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio(memory, PEM_STRING_PKCS8INF, "", der, (long)size);
    ck_assert_ptr_null(PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL));
    BIO_free(memory);
    assert_first_error("damaged key reference", "copy it again");
    free(der);
}
END_TEST

START_TEST(foreign_data_is_left_to_others)
{
    begin_row(_i);
    static const unsigned char inputs[][8] = {{0x30, 0x00},
                                              {0x30, 0x06, 0x02, 0x01, 0x00},
                                              {0x30, 0x82, 0xff, 0xff},
                                              {0x31, 0x02},
                                              {0x30}};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        const unsigned char *p = inputs[i];
        ck_assert_ptr_null(d2i_AutoPrivateKey(NULL, &p, sizeof(inputs[i])));
        for (unsigned long error; (error = ERR_get_error()) != 0;)
            ck_assert_int_lt(ERR_GET_LIB(error), ERR_LIB_USER);
    }
}
END_TEST

START_TEST(an_absent_module_is_skipped)
{
    begin_row(_i);
    setenv("SIGNET_PROVIDER", "/nonexistent/signet.so", 1);
    begin_with(_i / KINDS == 0 ? "default" : "signet", NULL, "");
    EVP_PKEY *soft = generate_like(&kinds[_i % KINDS]);
    ck_assert_int_eq(OSSL_PROVIDER_available(NULL, "default"), 1);
    ck_assert_int_eq(OSSL_PROVIDER_available(NULL, "signet"), 0);
    EVP_PKEY_free(soft);
}
END_TEST

START_TEST(an_absent_agent_is_named_in_time_and_hurts_nobody_else)
{
    begin_with(_i == 0 ? "default" : "signet", "/nonexistent/agent.sock", "timeout = 300ms");
    EVP_PKEY *soft = generate_like(&kinds[0]);
    ck_assert_ptr_nonnull(soft);
    EVP_PKEY_free(soft);
    assert_no_errors();
    ck_assert_ptr_null(load_pem_key(live(&kinds[0], 1, "key.pem")));
    assert_first_error("the agent cannot be reached", "/nonexistent/agent.sock");
}
END_TEST

START_TEST(the_environment_overrides_the_socket)
{
    begin_with("default", "/nonexistent/agent.sock", "");
    setenv("SIGNET_SOCKET", fake_agent_socket(), 1);
    EVP_PKEY *key = load_key(&kinds[0], 1);
    EVP_PKEY_free(key);
}
END_TEST

Suite *
rules_suite(void)
{
    Suite *suite = suite_create("rules");
    TCase *rows = tcase_create("R1 to R7");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, the_oid_is_an_alias_of_the_algorithm, 0, ROWS);
    tcase_add_test(rows, the_oid_has_at_most_49_characters);
    tcase_add_loop_test(rows, comparing_with_a_certificate_leaves_no_errors, 0, ROWS);
    tcase_add_loop_test(rows, key_first_and_chain_second_load, 0, ROWS);
    tcase_add_loop_test(rows, an_empty_key_of_ours_answers_no, 0, ROWS);
    tcase_add_loop_test(rows, signatures_have_names_of_their_own, 0, ROWS);
    tcase_add_loop_test(rows, export_of_everything_gives_the_public_half, 0, ROWS);
    tcase_add_loop_test(rows, nothing_private_can_be_imported, 0, ROWS);
    tcase_add_loop_test(rows, a_key_is_written_back_as_its_reference, 0, ROWS);
    tcase_add_loop_test(rows, a_foreign_key_is_written_as_ever, 0, ROWS);
    tcase_add_loop_test(rows, a_failure_is_one_error_and_the_first, 0, ROWS);
    tcase_add_loop_test(rows, a_damaged_reference_is_named_so, 0, ROWS);
    tcase_add_loop_test(rows, foreign_data_is_left_to_others, 0, ROWS);
    tcase_add_loop_test(rows, an_absent_module_is_skipped, 0, ROWS);
    tcase_add_loop_test(rows, an_absent_agent_is_named_in_time_and_hurts_nobody_else, 0, ORDERS);
    tcase_add_test(rows, the_environment_overrides_the_socket);
    suite_add_tcase(suite, rows);
    return suite;
}
