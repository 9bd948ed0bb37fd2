/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Signing, decrypting and agreeing through the agent, checked by software. */

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "provider/wire/limits.h"
#include "tests/unit/provider/common.h"

/* A key of ours and the software half of the same. */
struct pair {
    EVP_PKEY *key;
    X509 *cert;
    EVP_PKEY *public;
};

static struct pair
pair_new(const struct kind *kind)
{
    struct pair pair = {load_key(kind, 1), load_cert(kind, 1), NULL};
    pair.public = X509_get0_pubkey(pair.cert);
    return pair;
}

static void
pair_clear(struct pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->cert);
}

static int
verify(EVP_PKEY *public, const EVP_MD *md, const unsigned char *signature, size_t size,
       const unsigned char *data, size_t data_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = EVP_DigestVerifyInit(context, NULL, md, NULL, public) == 1 &&
             EVP_DigestVerify(context, signature, size, data, data_size) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

START_TEST(one_shot_signs_with_every_digest)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    const EVP_MD *digests[] = {EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    static const unsigned char data[] = "message";
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        unsigned char signature[1024];
        size_t size = 0;
        unsigned before = count_requests("sign-message");
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        ck_assert_int_eq(EVP_DigestSignInit(context, NULL, digests[i], NULL, pair.key), 1);
        ck_assert_int_eq(EVP_DigestSign(context, NULL, &size, data, sizeof(data)), 1);
        ck_assert_uint_eq(count_requests("sign-message"), before);
        ck_assert_uint_eq(size, (size_t)EVP_PKEY_get_size(pair.public));
        ck_assert_int_eq(EVP_DigestSign(context, signature, &size, data, sizeof(data)), 1);
        ck_assert_uint_eq(count_requests("sign-message"), before + 1);
        ck_assert(verify(pair.public, digests[i], signature, size, data, sizeof(data)));
        ck_assert(verify(pair.key, digests[i], signature, size, data, sizeof(data)));
        signature[size - 1] ^= 1;
        ck_assert(!verify(pair.key, digests[i], signature, size, data, sizeof(data)));
        EVP_MD_CTX_free(context);
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(streaming_signs_what_one_shot_would)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    unsigned char data[3000], signature[1024];
    memset(data, 'x', sizeof(data));
    size_t size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pair.key), 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(EVP_DigestSignUpdate(context, data + 1000 * i, 1000), 1);
    ck_assert_int_eq(EVP_DigestSignFinal(context, NULL, &size), 1);
    ck_assert_int_eq(EVP_DigestSignFinal(context, signature, &size), 1);
    EVP_MD_CTX_free(context);
    ck_assert(verify(pair.public, EVP_sha256(), signature, size, data, sizeof(data)));
    pair_clear(&pair);
}
END_TEST

START_TEST(a_long_message_goes_as_a_digest)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    const size_t sizes[] = {SIGNET_WIRE_MESSAGE_MAX, SIGNET_WIRE_MESSAGE_MAX + 1, 300000};
    for (int i = 0; i < 6; i++) {
        size_t data_size = sizes[i / 2], size = 1024;
        unsigned char *data = calloc(1, data_size), signature[1024];
        unsigned digests = count_requests("sign-digest");
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, pair.key), 1);
        if (i % 2 == 0) {
            ck_assert_int_eq(EVP_DigestSign(context, signature, &size, data, data_size), 1);
        } else {
            ck_assert_int_eq(EVP_DigestSignUpdate(context, data, 1), 1);
            ck_assert_int_eq(EVP_DigestSignUpdate(context, data + 1, data_size - 1), 1);
            ck_assert_int_eq(EVP_DigestSignFinal(context, signature, &size), 1);
        }
        EVP_MD_CTX_free(context);
        ck_assert_uint_eq(count_requests("sign-digest") - digests, i / 2 == 0 ? 0 : 1);
        ck_assert(verify(pair.public, EVP_sha384(), signature, size, data, data_size));
        free(data);
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(a_copied_context_goes_its_own_way)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    EVP_MD_CTX *a = EVP_MD_CTX_new(), *b = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    ck_assert_int_eq(EVP_DigestSignInit(a, NULL, EVP_sha256(), NULL, pair.key), 1);
    ck_assert_int_eq(EVP_DigestSignUpdate(a, "ab", 2), 1);
    ck_assert_int_eq(EVP_MD_CTX_copy(b, a), 1);
    ck_assert_int_eq(EVP_DigestSignUpdate(a, "c", 1), 1);
    ck_assert_int_eq(EVP_DigestSignUpdate(b, "d", 1), 1);
    ck_assert_int_eq(EVP_DigestSignFinal(a, signature, &size), 1);
    ck_assert(verify(pair.public, EVP_sha256(), signature, size, (const unsigned char *)"abc", 3));
    size = sizeof(signature);
    ck_assert_int_eq(EVP_DigestSignFinal(b, signature, &size), 1);
    ck_assert(verify(pair.public, EVP_sha256(), signature, size, (const unsigned char *)"abd", 3));
    EVP_MD_CTX_free(a);
    EVP_MD_CTX_free(b);
    pair_clear(&pair);
}
END_TEST

START_TEST(without_a_digest_there_is_a_default)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, pair.key), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (const unsigned char *)"a", 1), 1);
    ck_assert(verify(pair.public, EVP_sha256(), signature, size, (const unsigned char *)"a", 1));
    EVP_MD_CTX_free(context);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_digest_can_be_signed)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    unsigned char digest[32], signature[1024];
    memset(digest, 7, sizeof(digest));
    for (int with_md = 0; with_md < 2; with_md++) {
        size_t size = sizeof(signature);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pair.key, NULL);
        ck_assert_int_eq(EVP_PKEY_sign_init(context), 1);
        ck_assert(!with_md || EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
        ck_assert_int_eq(EVP_PKEY_sign(context, signature, &size, digest, sizeof(digest)), 1);
        /* a digest of the wrong length is refused before it is sent */
        unsigned before = count_requests("sign-digest");
        size_t room = sizeof(signature);
        ck_assert(!with_md || EVP_PKEY_sign(context, signature + 0, &room, digest, 31) <= 0);
        ck_assert_uint_eq(count_requests("sign-digest"), before);
        EVP_PKEY_CTX_free(context);

        context = EVP_PKEY_CTX_new(pair.public, NULL);
        ck_assert_int_eq(EVP_PKEY_verify_init(context), 1);
        ck_assert(!with_md || EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1);
        ck_assert_int_eq(EVP_PKEY_verify(context, signature, size, digest, sizeof(digest)), 1);
        EVP_PKEY_CTX_free(context);
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(sign_final_works)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    unsigned char signature[1024];
    unsigned size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_SignInit(context, EVP_sha256()), 1);
    ck_assert_int_eq(EVP_SignUpdate(context, "abc", 3), 1);
    ck_assert_int_eq(EVP_SignFinal(context, signature, &size, pair.key), 1);
    ck_assert(verify(pair.public, EVP_sha256(), signature, size, (const unsigned char *)"abc", 3));
    EVP_MD_CTX_free(context);
    pair_clear(&pair);
}
END_TEST

START_TEST(ed25519_signs_messages_and_only_those)
{
    begin_row(4 + _i * KINDS);
    struct pair pair = pair_new(&kinds[4]);
    static unsigned char data[SIGNET_WIRE_MESSAGE_MAX + 1];
    static const size_t sizes[] = {0, 1, 130, SIGNET_WIRE_MESSAGE_MAX};
    unsigned char signature[64];
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t size = sizeof(signature), data_size = sizes[i / 2];
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        ck_assert_int_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, pair.key), 1);
        if (i % 2 == 0) {
            ck_assert_int_eq(EVP_DigestSign(context, signature, &size, data, data_size), 1);
        } else {
            ck_assert_int_eq(EVP_DigestSignUpdate(context, data, data_size), 1);
            ck_assert_int_eq(EVP_DigestSignFinal(context, signature, &size), 1);
        }
        EVP_MD_CTX_free(context);
        ck_assert_uint_eq(size, sizeof(signature));
        ck_assert(verify(pair.public, NULL, signature, size, data, data_size));
        ck_assert(verify(pair.key, NULL, signature, size, data, data_size));
        signature[0] ^= 1;
        ck_assert(!verify(pair.key, NULL, signature, size, data, data_size));
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(ed25519_refuses_digests_and_what_no_packet_holds)
{
    begin_row(4 + _i * KINDS);
    struct pair pair = pair_new(&kinds[4]);
    static unsigned char data[SIGNET_WIRE_MESSAGE_MAX + 1];
    unsigned char signature[64];
    size_t size = sizeof(signature);
    unsigned before = count_requests("sign-");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_ne(EVP_DigestSignInit(context, NULL, EVP_sha512(), NULL, pair.key), 1);
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, pair.key), 1);
    ck_assert_int_ne(EVP_DigestSign(context, signature, &size, data, sizeof(data)), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_CTX *bare = EVP_PKEY_CTX_new(pair.key, NULL);
    ck_assert_int_ne(EVP_PKEY_sign_init(bare), 1);
    EVP_PKEY_CTX_free(bare);
    ck_assert_uint_eq(count_requests("sign-"), before);
    pair_clear(&pair);
}
END_TEST

START_TEST(an_unknown_digest_is_refused_in_words)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_ne(EVP_DigestSignInit(context, NULL, EVP_sha3_256(), NULL, pair.key), 1);
    const char *data = NULL;
    int flags;
    ck_assert_uint_ne(ERR_get_error_all(NULL, NULL, NULL, &data, &flags), 0);
    ck_assert_ptr_nonnull(strstr(data, "SHA3-256"));
    EVP_MD_CTX_free(context);
    pair_clear(&pair);
}
END_TEST

static int
set_pss(EVP_PKEY_CTX *context, int salt_len, const EVP_MD *mgf1)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_len) == 1 &&
           (mgf1 == NULL || EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf1) == 1);
}

/* salt asked for, salt expected; with SHA-256 and 2048 bits the longest is 222 */
static const int salts[][2] = {{RSA_PSS_SALTLEN_DIGEST, 32},
                               {RSA_PSS_SALTLEN_MAX, 222},
                               {RSA_PSS_SALTLEN_AUTO, 222},
                               {0, 0},
                               {20, 20},
                               {222, 222}};
#define SALTS ((int)(sizeof(salts) / sizeof(salts[0])))

START_TEST(pss_resolves_the_salt_length)
{
    const struct kind *kind = begin_row(3 + (_i / SALTS) * KINDS);
    struct pair pair = pair_new(kind);
    const int *salt = salts[_i % SALTS];
    for (int i = 0; i < 2; i++) {
        const EVP_MD *mgf1 = i == 0 ? NULL : EVP_sha1();
        unsigned char signature[256];
        size_t size = sizeof(signature);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *parameters = NULL;
        ck_assert_int_eq(EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, pair.key), 1);
        ck_assert(set_pss(parameters, salt[0], mgf1));
        ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (const unsigned char *)"a", 1),
                         1);
        EVP_MD_CTX_free(context);
        for (int own = 0; own < 2; own++) {
            EVP_PKEY *verifier = own ? pair.key : pair.public;
            context = EVP_MD_CTX_new();
            ck_assert_int_eq(
                EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, verifier), 1);
            ck_assert(set_pss(parameters, salt[1], mgf1));
            ck_assert_int_eq(
                EVP_DigestVerify(context, signature, size, (const unsigned char *)"a", 1), 1);
            EVP_MD_CTX_free(context);
        }
    }
    pair_clear(&pair);
}
END_TEST

START_TEST(a_salt_that_does_not_fit_is_refused)
{
    const struct kind *kind = begin_row(3 + _i * KINDS);
    EVP_PKEY *key = load_key(kind, 1);
    unsigned char signature[256];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    ck_assert_int_eq(EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key), 1);
    ck_assert(set_pss(parameters, 223, NULL));
    ck_assert_int_ne(EVP_DigestSign(context, signature, &size, (const unsigned char *)"a", 1), 1);
    ck_assert_int_le(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_NO_PADDING), 0);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_request_is_signed_and_verifies)
{
    const struct kind *kind = begin_row(_i);
    struct pair pair = pair_new(kind);
    X509_REQ *request = X509_REQ_new();
    ck_assert_int_eq(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    ck_assert_int_eq(X509_REQ_set_pubkey(request, pair.key), 1);
    ck_assert_int_gt(X509_REQ_sign(request, pair.key, digest_for(kind, EVP_sha256())), 0);
    ck_assert_int_eq(X509_REQ_verify(request, pair.public), 1);
    assert_no_errors();
    X509_REQ_free(request);
    pair_clear(&pair);
}
END_TEST

START_TEST(cms_signs_and_decrypts)
{
    const struct kind *kind = begin_digest_row(_i);
    struct pair pair = pair_new(kind);
    BIO *data = BIO_new_mem_buf("hello", 5), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(pair.cert, pair.key, NULL, data, CMS_BINARY);
    ck_assert_ptr_nonnull(cms);
    ck_assert_int_eq(CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY), 1);
    CMS_ContentInfo_free(cms);
    BIO_free(data);
    BIO_free(out);

    data = BIO_new_mem_buf("hello", 5);
    out = BIO_new(BIO_s_mem());
    STACK_OF(X509) *recipients = sk_X509_new_null();
    sk_X509_push(recipients, pair.cert);
    cms = CMS_encrypt(recipients, data, EVP_aes_128_cbc(), CMS_BINARY);
    ck_assert_ptr_nonnull(cms);
    ck_assert_int_eq(CMS_decrypt(cms, pair.key, pair.cert, NULL, out, CMS_BINARY), 1);
    char *text = NULL;
    ck_assert_int_eq((int)BIO_get_mem_data(out, &text), 5);
    ck_assert_mem_eq(text, "hello", 5);
    CMS_ContentInfo_free(cms);
    sk_X509_free(recipients);
    BIO_free(data);
    BIO_free(out);
    pair_clear(&pair);
}
END_TEST

static void
set_oaep(EVP_PKEY_CTX *context, const EVP_MD *md, const EVP_MD *mgf1, const char *label)
{
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), 1);
    ck_assert(md == NULL || EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1);
    ck_assert(mgf1 == NULL || EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf1) == 1);
    ck_assert(label == NULL || EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_strdup(label),
                                                                (int)strlen(label)) == 1);
}

/* The padding in five variants; encrypted by software or by our public half. */
START_TEST(rsa_decrypts)
{
    const struct kind *kind = begin_row(3 + (_i % 2) * KINDS);
    struct pair pair = pair_new(kind);
    EVP_PKEY_CTX *contexts[] = {EVP_PKEY_CTX_new(_i / 2 % 2 ? pair.key : pair.public, NULL),
                                EVP_PKEY_CTX_new(pair.key, NULL)};
    ck_assert_int_eq(EVP_PKEY_encrypt_init(contexts[0]), 1);
    ck_assert_int_eq(EVP_PKEY_decrypt_init(contexts[1]), 1);
    for (int i = 0; i < 2; i++) {
        if (_i / 4 == 1)
            set_oaep(contexts[i], NULL, NULL, NULL);
        else if (_i / 4 == 2)
            set_oaep(contexts[i], EVP_sha256(), NULL, "label");
        else if (_i / 4 == 3)
            set_oaep(contexts[i], EVP_sha512(), EVP_sha1(), NULL);
    }
    unsigned char ciphertext[256], plaintext[256];
    size_t size = sizeof(ciphertext), plain_size = 0;
    ck_assert_int_eq(
        EVP_PKEY_encrypt(contexts[0], ciphertext, &size, (const unsigned char *)"hello", 5), 1);
    ck_assert_int_eq(EVP_PKEY_decrypt(contexts[1], NULL, &plain_size, ciphertext, size), 1);
    ck_assert_uint_eq(plain_size, 256);
    ck_assert_int_eq(EVP_PKEY_decrypt(contexts[1], plaintext, &plain_size, ciphertext, size), 1);
    ck_assert_uint_eq(plain_size, 5);
    ck_assert_mem_eq(plaintext, "hello", 5);
    EVP_PKEY_CTX_free(contexts[0]);
    EVP_PKEY_CTX_free(contexts[1]);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_broken_ciphertext_is_an_error)
{
    const struct kind *kind = begin_row(3 + _i * KINDS);
    EVP_PKEY *key = load_key(kind, 1);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    unsigned char ciphertext[256] = {1, 2, 3}, plaintext[256];
    size_t size = sizeof(plaintext);
    ck_assert_int_eq(EVP_PKEY_decrypt_init(context), 1);
    set_oaep(context, NULL, NULL, NULL);
    ck_assert_int_le(EVP_PKEY_decrypt(context, plaintext, &size, ciphertext, 256), 0);
    ck_assert_int_le(EVP_PKEY_decrypt(context, plaintext, &size, ciphertext, 5), 0);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}
END_TEST

static size_t
derive(EVP_PKEY *key, EVP_PKEY *peer, unsigned char *secret, size_t capacity)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t length = 0, size = capacity;
    ck_assert_int_eq(EVP_PKEY_derive_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_derive_set_peer(context, peer), 1);
    ck_assert_int_eq(EVP_PKEY_derive(context, NULL, &length), 1);
    ck_assert_int_eq(EVP_PKEY_derive(context, secret, &size), 1);
    ck_assert_uint_eq(size, length);
    EVP_PKEY_CTX_free(context);
    return size;
}

static EVP_PKEY *
public_half(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    const unsigned char *p = der;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &p, size);
    ck_assert_ptr_nonnull(public);
    OPENSSL_free(der);
    return public;
}

START_TEST(both_ends_agree)
{
    const struct kind *kind = begin_row((_i % 3) + (_i / 3) * KINDS);
    struct pair pair = pair_new(kind);
    EVP_PKEY *soft = generate_like(kind), *peer = public_half(soft);
    unsigned char a[80], b[80];
    size_t size = derive(pair.key, peer, a, sizeof(a));
    ck_assert_uint_eq(size, ((size_t)kind->bits + 7) / 8);
    ck_assert_uint_eq(derive(soft, pair.public, b, sizeof(b)), size);
    ck_assert_mem_eq(a, b, size);
    /* ours as the peer, too: the soft key's provider gets the public half */
    ck_assert_uint_eq(derive(soft, pair.key, b, sizeof(b)), size);
    ck_assert_mem_eq(a, b, size);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(soft);
    pair_clear(&pair);
}
END_TEST

START_TEST(a_peer_on_another_curve_is_refused)
{
    const struct kind *kind = begin_row((_i % 3) + (_i / 3) * KINDS);
    EVP_PKEY *key = load_key(kind, 1), *other = generate_like(&kinds[(_i + 1) % 3]);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    unsigned char secret[80];
    size_t size = sizeof(secret);
    ck_assert_int_eq(EVP_PKEY_derive_init(context), 1);
    ck_assert(EVP_PKEY_derive_set_peer(context, other) <= 0 ||
              EVP_PKEY_derive(context, secret, &size) <= 0);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
}
END_TEST

Suite *
operations_suite(void)
{
    Suite *suite = suite_create("operations");
    TCase *rows = tcase_create("by every key");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, one_shot_signs_with_every_digest, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, streaming_signs_what_one_shot_would, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, a_long_message_goes_as_a_digest, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, a_copied_context_goes_its_own_way, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, without_a_digest_there_is_a_default, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, a_digest_can_be_signed, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, sign_final_works, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, ed25519_signs_messages_and_only_those, 0, ORDERS);
    tcase_add_loop_test(rows, ed25519_refuses_digests_and_what_no_packet_holds, 0, ORDERS);
    tcase_add_loop_test(rows, an_unknown_digest_is_refused_in_words, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, pss_resolves_the_salt_length, 0, SALTS * ORDERS);
    tcase_add_loop_test(rows, a_salt_that_does_not_fit_is_refused, 0, ORDERS);
    tcase_add_loop_test(rows, a_request_is_signed_and_verifies, 0, ROWS);
    tcase_add_loop_test(rows, cms_signs_and_decrypts, 0, DIGEST_ROWS);
    tcase_add_loop_test(rows, rsa_decrypts, 0, 16);
    tcase_add_loop_test(rows, a_broken_ciphertext_is_an_error, 0, ORDERS);
    tcase_add_loop_test(rows, both_ends_agree, 0, 3 * ORDERS);
    tcase_add_loop_test(rows, a_peer_on_another_curve_is_refused, 0, 3 * ORDERS);
    suite_add_tcase(suite, rows);
    return suite;
}
