/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every way in which programs get hold of a key, and what they may ask it. */

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/provider/common.h"

START_TEST(d2i_auto_moves_the_pointer_behind_the_reference)
{
    const struct kind *kind = begin_row(_i);
    size_t size;
    unsigned char *der = read_file(live(kind, 1, "key.der"), &size);
    memset(der + size, 0x5a, 100);
    const unsigned char *p = der;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)size + 100);
    ck_assert_ptr_nonnull(key);
    ck_assert_ptr_eq(p, der + size);
    assert_no_errors();
    EVP_PKEY_free(key);
    free(der);
}
END_TEST

START_TEST(d2i_with_a_type_takes_only_that_type)
{
    const struct kind *kind = begin_row(_i);
    size_t size;
    unsigned char *der = read_file(live(kind, 1, "key.der"), &size);
    const unsigned char *p = der;
    EVP_PKEY *key = d2i_PrivateKey(kind->nid, NULL, &p, (long)size);
    ck_assert_ptr_nonnull(key);
    EVP_PKEY_free(key);
    p = der;
    int other = kind->is_rsa ? EVP_PKEY_EC : EVP_PKEY_RSA;
    ck_assert_ptr_null(d2i_PrivateKey(other, NULL, &p, (long)size));
    free(der);
}
END_TEST

START_TEST(d2i_from_a_bio_and_pkcs8_work)
{
    const struct kind *kind = begin_row(_i);
    BIO *file = BIO_new_file(live(kind, 1, "key.der"), "r");
    EVP_PKEY *key = d2i_PrivateKey_bio(file, NULL);
    ck_assert_ptr_nonnull(key);
    EVP_PKEY_free(key);
    ck_assert_int_eq(BIO_reset(file), 0);
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO_bio(file, NULL);
    ck_assert_ptr_nonnull(info);
    key = EVP_PKCS82PKEY(info);
    ck_assert_ptr_nonnull(key);
    assert_signs(key, kind, 1);
    EVP_PKEY_free(key);
    PKCS8_PRIV_KEY_INFO_free(info);
    BIO_free(file);
}
END_TEST

/* type: any, or this one; structure: any, or this one; input: any, PEM, DER */
START_TEST(the_decoder_takes_every_combination)
{
    const struct kind *kind = begin_row(_i);
    const char *types[] = {NULL, kind->algorithm};
    static const char *const structures[] = {NULL, "PrivateKeyInfo"};
    static const char *const inputs[] = {"PEM", "DER", NULL};
    for (int i = 0; i < 12; i++) {
        const char *input = inputs[i % 3];
        for (int pem = 0; pem < 2; pem++) {
            if (input != NULL && (strcmp(input, "PEM") == 0) != (pem == 1))
                continue;
            EVP_PKEY *key = NULL;
            OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
                &key, input, structures[i / 3 % 2], types[i / 6], EVP_PKEY_KEYPAIR, NULL, NULL);
            BIO *file = BIO_new_file(live(kind, 1, pem ? "key.pem" : "key.der"), "r");
            ck_assert_msg(OSSL_DECODER_from_bio(decoder, file) == 1 && key != NULL,
                          "combination %d, pem %d", i, pem);
            BIO_free(file);
            OSSL_DECODER_CTX_free(decoder);
            EVP_PKEY_free(key);
        }
    }
}
END_TEST

struct found {
    int keys;
    int certificates;
    EVP_PKEY *key;
    X509 *leaf;
};

static struct found
open_store(const char *uri)
{
    struct found found = {0};
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    ck_assert_msg(store != NULL, "cannot open %s", uri);
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL)
            continue;
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            found.keys++;
            EVP_PKEY_free(found.key);
            found.key = OSSL_STORE_INFO_get1_PKEY(info);
        } else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT) {
            if (found.certificates++ == 0)
                found.leaf = OSSL_STORE_INFO_get1_CERT(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    ck_assert_int_eq(OSSL_STORE_close(store), 1);
    return found;
}

static void
found_clear(struct found *found)
{
    EVP_PKEY_free(found->key);
    X509_free(found->leaf);
}

START_TEST(store_reads_files)
{
    const struct kind *kind = begin_row(_i);
    static const char *const files[] = {"key.pem", "key.der", "identity.pem"};
    for (int i = 0; i < 6; i++) {
        char uri[300];
        snprintf(uri, sizeof(uri), "%s%s", i < 3 ? "" : "file:", live(kind, 1, files[i % 3]));
        struct found found = open_store(uri);
        ck_assert_int_eq(found.keys, 1);
        ck_assert_int_eq(found.certificates, i % 3 == 2 ? 2 : 0);
        assert_signs(found.key, kind, 1);
        found_clear(&found);
    }
}
END_TEST

START_TEST(a_signet_uri_gives_key_leaf_and_chain_of_one_generation)
{
    const struct kind *kind = begin_row(_i);
    for (unsigned generation = 0; generation <= 2; generation++) {
        char uri[64];
        snprintf(uri, sizeof(uri), generation == 0 ? "signet:%s" : "signet:%s;generation=%u",
                 kind->name, generation);
        struct found found = open_store(uri);
        ck_assert_int_eq(found.keys, 1);
        ck_assert_int_eq(found.certificates, 2);
        unsigned expected = generation == 0 ? 2 : generation;
        assert_signs(found.key, kind, expected);
        X509 *cert = load_cert(kind, expected);
        ck_assert_int_eq(X509_cmp(cert, found.leaf), 0);
        ck_assert_int_eq(X509_check_private_key(found.leaf, found.key), 1);
        X509_free(cert);
        found_clear(&found);
    }
    assert_no_errors();
}
END_TEST

START_TEST(a_signet_uri_gives_what_is_expected_and_no_more)
{
    const struct kind *kind = begin_row(_i);
    static const int types[] = {OSSL_STORE_INFO_PKEY, OSSL_STORE_INFO_CERT, OSSL_STORE_INFO_CRL};
    static const int counts[] = {1, 2, 0};
    char uri[64];
    snprintf(uri, sizeof(uri), "signet:%s", kind->name);
    for (int i = 0; i < 3; i++) {
        OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
        ck_assert_int_eq(OSSL_STORE_expect(store, types[i]), 1);
        int count = 0;
        while (!OSSL_STORE_eof(store)) {
            OSSL_STORE_INFO *info = OSSL_STORE_load(store);
            if (info != NULL) {
                count++;
                ck_assert_int_eq(OSSL_STORE_INFO_get_type(info), types[i]);
            }
            OSSL_STORE_INFO_free(info);
        }
        ck_assert_int_eq(count, counts[i]);
        OSSL_STORE_close(store);
    }
}
END_TEST

START_TEST(a_bad_signet_uri_is_refused)
{
    begin_row(_i);
    static const char *const uris[] = {"signet:",
                                       "signet:Upper",
                                       "signet:p256;generation=",
                                       "signet:p256;generation=x",
                                       "signet:p256;generation=0",
                                       "signet:p256;generation=4294967296",
                                       "signet:p256;other=1",
                                       "signet:p256;generation=1;",
                                       "signet:nobody",
                                       "signet:p256;generation=7"};
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
        ck_assert_msg(OSSL_STORE_open(uris[i], NULL, NULL, NULL, NULL) == NULL, "%s", uris[i]);
}
END_TEST

START_TEST(libssl_takes_pem_and_der)
{
    const struct kind *kind = begin_row(_i);
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    ck_assert_int_eq(
        SSL_CTX_use_certificate_file(context, live(kind, 1, "cert.pem"), SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(
        SSL_CTX_use_PrivateKey_file(context, live(kind, 1, "key.der"), SSL_FILETYPE_ASN1), 1);
    ck_assert_int_eq(
        SSL_CTX_use_PrivateKey_file(context, live(kind, 1, "key.pem"), SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(SSL_CTX_check_private_key(context), 1);
    assert_no_errors();
    SSL_CTX_free(context);
}
END_TEST

START_TEST(a_key_that_does_not_match_is_refused)
{
    const struct kind *kind = begin_row(_i);
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    EVP_PKEY *soft = generate_like(kind);
    X509 *cert = load_cert(kind, 1);
    ck_assert_int_eq(X509_set_pubkey(cert, soft), 1);
    ck_assert_int_eq(SSL_CTX_use_certificate(context, cert), 1);
    ck_assert_int_ne(
        SSL_CTX_use_PrivateKey_file(context, live(kind, 1, "key.pem"), SSL_FILETYPE_PEM), 1);
    X509_free(cert);
    EVP_PKEY_free(soft);
    SSL_CTX_free(context);
}
END_TEST

START_TEST(a_key_says_what_it_is)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    EVP_PKEY *public = X509_get0_pubkey(cert);
    ck_assert_int_eq(EVP_PKEY_get_id(key), kind->nid);
    ck_assert_int_eq(EVP_PKEY_get_base_id(key), kind->nid);
    ck_assert_int_eq(EVP_PKEY_get_bits(key), kind->bits);
    ck_assert_int_eq(EVP_PKEY_get_security_bits(key), EVP_PKEY_get_security_bits(public));
    ck_assert_int_eq(EVP_PKEY_get_size(key), EVP_PKEY_get_size(public));
    char group[32] = "", digest[32] = "";
    size_t size;
    ck_assert_int_eq(EVP_PKEY_get_group_name(key, group, sizeof(group), &size),
                     strcmp(kind->algorithm, "EC") == 0);
    /* 2: it must be this one */
    ck_assert_int_eq(EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)),
                     kind->digest == NULL ? 2 : 1);
    ck_assert_str_eq(digest, kind->digest == NULL ? "UNDEF" : kind->digest);
    unsigned char *a = NULL, *b = NULL;
    size_t size_a = EVP_PKEY_get1_encoded_public_key(key, &a);
    size_t size_b = EVP_PKEY_get1_encoded_public_key(public, &b);
    ck_assert_uint_eq(size_a, size_b);
    ck_assert(size_a == 0 || memcmp(a, b, size_a) == 0);
    OPENSSL_free(a);
    OPENSSL_free(b);
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_key_gives_its_public_half)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    unsigned char *a = NULL, *b = NULL;
    int size = i2d_PUBKEY(X509_get0_pubkey(cert), &a);
    ck_assert_int_eq(i2d_PUBKEY(key, &b), size);
    ck_assert_mem_eq(a, b, (size_t)size);
    X509_PUBKEY *public = NULL;
    ck_assert_int_eq(X509_PUBKEY_set(&public, key), 1);
    X509_PUBKEY_free(public);
    BIO *memory = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(memory, key), 1);
    EVP_PKEY *read = PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL);
    ck_assert_int_eq(EVP_PKEY_eq(key, read), 1);
    assert_no_errors();
    EVP_PKEY_free(read);
    BIO_free(memory);
    OPENSSL_free(a);
    OPENSSL_free(b);
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_copy_signs_too)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1), *copy = EVP_PKEY_dup(key);
    ck_assert_ptr_nonnull(copy);
    ck_assert_int_eq(EVP_PKEY_eq(key, copy), 1);
    EVP_PKEY_free(key);
    assert_signs(copy, kind, 1);
    EVP_PKEY_free(copy);
}
END_TEST

START_TEST(a_key_can_be_checked)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    ck_assert_int_eq(EVP_PKEY_public_check(context), 1);
    ck_assert_int_eq(EVP_PKEY_check(context), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}
END_TEST

/* Programs that want the old structures get the public half, or nothing, but do not crash. */
START_TEST(old_structures_hold_no_private_value)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    const BIGNUM *d = NULL;
    if (rsa != NULL)
        RSA_get0_key(rsa, NULL, NULL, &d);
    ck_assert_ptr_null(d);
    RSA_free(rsa);
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);
    ck_assert(ec == NULL || EC_KEY_get0_private_key(ec) == NULL);
    EC_KEY_free(ec);
#pragma GCC diagnostic pop
    EVP_PKEY_free(key);
}
END_TEST

Suite *
keys_suite(void)
{
    Suite *suite = suite_create("keys");
    TCase *rows = tcase_create("ways to a key");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, d2i_auto_moves_the_pointer_behind_the_reference, 0, ROWS);
    tcase_add_loop_test(rows, d2i_with_a_type_takes_only_that_type, 0, ROWS);
    tcase_add_loop_test(rows, d2i_from_a_bio_and_pkcs8_work, 0, ROWS);
    tcase_add_loop_test(rows, the_decoder_takes_every_combination, 0, ROWS);
    tcase_add_loop_test(rows, store_reads_files, 0, ROWS);
    tcase_add_loop_test(rows, a_signet_uri_gives_key_leaf_and_chain_of_one_generation, 0, ROWS);
    tcase_add_loop_test(rows, a_signet_uri_gives_what_is_expected_and_no_more, 0, ROWS);
    tcase_add_loop_test(rows, a_bad_signet_uri_is_refused, 0, ROWS);
    tcase_add_loop_test(rows, libssl_takes_pem_and_der, 0, ROWS);
    tcase_add_loop_test(rows, a_key_that_does_not_match_is_refused, 0, ROWS);
    tcase_add_loop_test(rows, a_key_says_what_it_is, 0, ROWS);
    tcase_add_loop_test(rows, a_key_gives_its_public_half, 0, ROWS);
    tcase_add_loop_test(rows, a_copy_signs_too, 0, ROWS);
    tcase_add_loop_test(rows, a_key_can_be_checked, 0, ROWS);
    tcase_add_loop_test(rows, old_structures_hold_no_private_value, 0, ROWS);
    suite_add_tcase(suite, rows);
    return suite;
}
