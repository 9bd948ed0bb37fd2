/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that are none of our business, with the provider loaded, in either order of providers. */

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <string.h>

#include "tests/unit/provider/common.h"
#include "tests/unit/provider/handshake.h"

static void
assert_is_defaults(EVP_PKEY *key)
{
    ck_assert_ptr_nonnull(key);
    ck_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "default");
}

/* What a process does first decides in which order libcrypto learns of the providers: try each way.
 */
static void
do_first(int what)
{
    EVP_PKEY_CTX *context = NULL;
    EVP_PKEY *key = NULL;
    switch (what) {
    case 0: /* decode a reference */
        EVP_PKEY_free(load_key(&kinds[0], 1));
        return;
    case 1: /* name a key type */
        context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        EVP_PKEY_CTX_free(context);
        return;
    case 2: /* ask for ours */
        context = EVP_PKEY_CTX_new_from_name(NULL, "EC", "provider=signet");
        EVP_PKEY_CTX_free(context);
        return;
    case 3: /* a public key */
        X509_free(load_cert(&kinds[0], 1));
        return;
    case 4: /* TLS */
        SSL_CTX_free(SSL_CTX_new(TLS_method()));
        return;
    case 5: /* a soft key */
        key = load_pem_key(scratch("live/keys/p256-1.pem"));
        EVP_PKEY_free(key);
        return;
    }
}
#define FIRSTS 6

START_TEST(no_key_type_is_ever_fetched_from_us_by_name)
{
    begin_row(_i / FIRSTS * KINDS);
    do_first(_i % FIRSTS);
    static const char *const names[] = {"EC", "RSA", "id-ecPublicKey", "rsaEncryption"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        EVP_KEYMGMT *keymgmt = EVP_KEYMGMT_fetch(NULL, names[i], NULL);
        ck_assert_ptr_nonnull(keymgmt);
        ck_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(keymgmt)), "default");
        EVP_KEYMGMT_free(keymgmt);
    }
    /* and yet our keys load */
    EVP_PKEY *key = load_key(&kinds[0], 1);
    ck_assert_str_eq(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "signet");
    assert_signs(key, &kinds[0], 1);
    EVP_PKEY_free(key);
    EVP_PKEY *soft = generate_like(&kinds[0]);
    assert_is_defaults(soft);
    EVP_PKEY_free(soft);
}
END_TEST

START_TEST(new_keys_are_made_by_default)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = generate_like(kind);
    assert_is_defaults(key);
    EVP_PKEY_free(key);

    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(kind->nid, NULL);
    key = NULL;
    ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
    if (kind->nid == EVP_PKEY_EC)
        ck_assert_int_eq(EVP_PKEY_CTX_set_group_name(context, kind->type + strlen("ec:")), 1);
    ck_assert_int_eq(EVP_PKEY_keygen(context, &key), 1);
    assert_is_defaults(key);
    assert_no_errors();
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}
END_TEST

START_TEST(keys_from_data_are_defaults)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *soft = generate_like(kind), *copy = NULL;
    OSSL_PARAM *params = NULL;
    ck_assert_int_eq(EVP_PKEY_todata(soft, EVP_PKEY_KEYPAIR, &params), 1);
    for (int public = 0; public < 2; public ++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind->algorithm, NULL);
        ck_assert_int_eq(EVP_PKEY_fromdata_init(context), 1);
        ck_assert_int_eq(EVP_PKEY_fromdata(context, &copy,
                                           public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, params),
                         1);
        assert_is_defaults(copy);
        ck_assert_int_eq(EVP_PKEY_eq(soft, copy), 1);
        EVP_PKEY_free(copy);
        copy = NULL;
        EVP_PKEY_CTX_free(context);
    }
    assert_no_errors();
    OSSL_PARAM_free(params);
    EVP_PKEY_free(soft);
}
END_TEST

START_TEST(a_soft_key_is_read_signs_and_verifies_without_us)
{
    const struct kind *kind = begin_row(_i);
    char path[64];
    snprintf(path, sizeof(path), "live/keys/%s-1.pem", kind->name);
    unsigned before = count_requests("");
    EVP_PKEY *soft = load_pem_key(scratch(path));
    assert_is_defaults(soft);
    assert_signs(soft, kind, 1);
    BIO *memory = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(memory, soft), 1);
    EVP_PKEY *public = PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL);
    assert_is_defaults(public);
    ck_assert_int_eq(EVP_PKEY_eq(public, soft), 1);
    assert_no_errors();
    ck_assert_uint_eq(count_requests(""), before);
    EVP_PKEY_free(public);
    EVP_PKEY_free(soft);
    BIO_free(memory);
}
END_TEST

START_TEST(soft_keys_do_tls_without_us)
{
    const struct kind *kind = begin_row(_i % ROWS);
    char path[64];
    snprintf(path, sizeof(path), "live/keys/%s-1.pem", kind->name);
    SSL_CTX *ends[2];
    unsigned before = count_requests("");
    for (int i = 0; i < 2; i++) {
        ends[i] = handshake_context(i == 0 ? TLS_server_method() : TLS_client_method());
        ck_assert_int_eq(
            SSL_CTX_use_certificate_chain_file(ends[i], live(kind, 1, "fullchain.pem")), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(ends[i], scratch(path), SSL_FILETYPE_PEM), 1);
    }
    /* TLS 1.2 also asks for the certificate's curve among the groups */
    static const char *const groups[] = {NULL, "P-256:P-384:P-521", "P-521:P-384:P-256"};
    for (int i = 0; i < 3; i++) {
        struct handshake handshake = {.version = _i < ROWS ? TLS1_2_VERSION : TLS1_3_VERSION,
                                      .groups = groups[i],
                                      .server = ends[0],
                                      .client = ends[1]};
        ck_assert(handshake_run(&handshake));
    }
    ck_assert_uint_eq(count_requests(""), before);
    SSL_CTX_free(ends[0]);
    SSL_CTX_free(ends[1]);
}
END_TEST

START_TEST(old_structures_of_soft_keys_work)
{
    const struct kind *kind = begin_digest_row(_i);
    EVP_PKEY *soft = generate_like(kind), *wrapped = EVP_PKEY_new();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    if (kind->is_rsa) {
        RSA *rsa = EVP_PKEY_get1_RSA(soft);
        ck_assert_int_eq(EVP_PKEY_set1_RSA(wrapped, rsa), 1);
        RSA_free(rsa);
    } else {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(soft);
        ck_assert_int_eq(EVP_PKEY_set1_EC_KEY(wrapped, ec), 1);
        EC_KEY_free(ec);
    }
#pragma GCC diagnostic pop
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, wrapped), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (const unsigned char *)"a", 1), 1);
    ck_assert_int_eq(EVP_PKEY_eq(wrapped, soft), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(wrapped);
    EVP_PKEY_free(soft);
}
END_TEST

START_TEST(an_unfilled_type_is_usable)
{
    const struct kind *kind = begin_digest_row(_i);
    if (kind->is_rsa)
        return;
    EVP_PKEY *ours = load_key(kind, 1), *peer = EVP_PKEY_new();
    unsigned char *point = NULL;
    EVP_PKEY *soft = generate_like(kind);
    size_t size = EVP_PKEY_get1_encoded_public_key(soft, &point);
    ck_assert_int_eq(EVP_PKEY_copy_parameters(peer, ours), 1);
    ck_assert_int_eq(EVP_PKEY_set1_encoded_public_key(peer, point, size), 1);
    ck_assert_int_eq(EVP_PKEY_eq(peer, soft), 1);
    /* but nobody changes the point of a key that the agent holds */
    ck_assert_int_le(EVP_PKEY_set1_encoded_public_key(ours, point, size), 0);
    assert_signs(ours, kind, 1);
    OPENSSL_free(point);
    EVP_PKEY_free(soft);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(ours);
}
END_TEST

Suite *
bystanders_suite(void)
{
    Suite *suite = suite_create("bystanders");
    TCase *rows = tcase_create("other keys");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, no_key_type_is_ever_fetched_from_us_by_name, 0, FIRSTS * ORDERS);
    tcase_add_loop_test(rows, new_keys_are_made_by_default, 0, ROWS);
    tcase_add_loop_test(rows, keys_from_data_are_defaults, 0, ROWS);
    tcase_add_loop_test(rows, a_soft_key_is_read_signs_and_verifies_without_us, 0, ROWS);
    tcase_add_loop_test(rows, soft_keys_do_tls_without_us, 0, 2 * ROWS);
    tcase_add_loop_test(rows, old_structures_of_soft_keys_work, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, an_unfilled_type_is_usable, 0, DIGEST_ROWS);
    suite_add_tcase(suite, rows);
    return suite;
}
