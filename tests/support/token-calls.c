/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* For tests only: errors end the test. */

#include "tests/support/token-calls.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define TIMEOUT_MS 300000

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static const SignetTokenWait patient = {.timeout_ms = TIMEOUT_MS};

typedef struct {
    gboolean answered;
    GError *error;
    GBytes *result;
    SignetKey *key;
} Answer;

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->result = result ? g_bytes_ref(result) : NULL;
}

static void
on_key(SignetKey *key, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->key = key ? signet_key_ref(key) : NULL;
}

/* TRUE: no error */
static gboolean
wait_for(Answer *answer, GError **error)
{
    while (!answer->answered)
        g_main_context_iteration(NULL, TRUE);
    if (!answer->error)
        return TRUE;
    g_propagate_error(error, answer->error);
    return FALSE;
}

SignetKey *
token_generate(SignetToken *token, guint32 type, gboolean can_decrypt, GError **error)
{
    const SignetKeyTemplate template = {.type = type, .can_decrypt = can_decrypt};
    Answer answer = {0};

    signet_token_generate(token, &patient, &template, on_key, &answer);
    wait_for(&answer, error);
    return answer.key;
}

SignetKey *
token_generate_attester(SignetToken *token, GError **error)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256, .is_attester = TRUE};
    Answer answer = {0};

    signet_token_generate(token, &patient, &template, on_key, &answer);
    wait_for(&answer, error);
    return answer.key;
}

GBytes *
token_certify(SignetToken *token, SignetKey *attester, SignetKey *key, GBytes *data, GError **error)
{
    Answer answer = {0};

    signet_token_certify(token, &patient, attester, key, data, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

GBytes *
token_activate(SignetToken *token, SignetKey *attester, const SignetTokenChallenge *challenge,
               GError **error)
{
    Answer answer = {0};

    signet_token_activate(token, &patient, attester, challenge, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

GBytes *
token_sign(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
           GError **error)
{
    Answer answer = {0};

    signet_token_sign(token, &patient, key, scheme, digest, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

GBytes *
token_decrypt(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext,
              GError **error)
{
    Answer answer = {0};

    signet_token_decrypt(token, &patient, key, scheme, ciphertext, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

GBytes *
token_derive(SignetToken *token, SignetKey *key, GBytes *peer_point, GError **error)
{
    Answer answer = {0};

    signet_token_derive(token, &patient, key, peer_point, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

static void
on_adopted(SignetKey *key, GBytes *certificate, const GError *error, gpointer data)
{
    Answer *answer = data;

    on_key(key, error, data);
    answer->result = certificate ? g_bytes_ref(certificate) : NULL;
}

SignetKey *
token_adopt(SignetToken *token, GBytes *name, SignetSecret *auth, GBytes **ret_certificate,
            GError **error)
{
    Answer answer = {0};

    signet_token_adopt(token, &patient, name, auth, on_adopted, &answer);
    wait_for(&answer, error);
    *ret_certificate = answer.result;
    return answer.key;
}

gboolean
token_destroy(SignetToken *token, SignetKey *key, GError **error)
{
    Answer answer = {0};

    signet_token_destroy(token, &patient, key, on_done, &answer);
    return wait_for(&answer, error);
}

gboolean
token_probe(SignetToken *token, GError **error)
{
    Answer answer = {0};

    signet_token_probe(token, &patient, on_done, &answer);
    return wait_for(&answer, error);
}

gboolean
token_unlock_with(SignetToken *token, const SignetTokenUnlock *unlock, GError **error)
{
    Answer answer = {0};

    signet_token_unlock(token, &patient, unlock, on_done, &answer);
    return wait_for(&answer, error);
}

gboolean
token_unlock(SignetToken *token, const char *pin, GError **error)
{
    g_autoptr(SignetSecret) secret = pin ? signet_secret_new(pin, strlen(pin)) : NULL;
    const SignetTokenUnlock unlock = {.pin = secret};

    return token_unlock_with(token, &unlock, error);
}

gboolean
token_lock(SignetToken *token, GError **error)
{
    Answer answer = {0};

    signet_token_lock(token, &patient, on_done, &answer);
    return wait_for(&answer, error);
}

/* --- libcrypto --- */

static EVP_PKEY *
public_key(const SignetKey *key)
{
    const unsigned char *der = g_bytes_get_data(key->spki, NULL);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &der, (long)g_bytes_get_size(key->spki));

    ck_assert_ptr_nonnull(pkey);
    return pkey;
}

GBytes *
token_digest(gsize size)
{
    guint8 bytes[64];

    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8)(0xc0 + i);
    return g_bytes_new(bytes, size);
}

static void
set_padding(EVP_PKEY_CTX *ctx, const SignetKeyScheme *scheme)
{
    const EVP_MD *md = EVP_get_digestbyname(signet_hash_name(scheme->hash));

    if (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1) {
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 0);
        if (md)
            ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, md), 0);
    } else if (scheme->scheme == SIGNET_SCHEME_RSA_PSS) {
        const EVP_MD *mgf1 = EVP_get_digestbyname(signet_hash_name(scheme->mgf1_hash));

        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, md), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt_len), 0);
    }
}

static gboolean
verifies_message(EVP_PKEY *pkey, GBytes *message, GBytes *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    gboolean ok =
        EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) > 0 &&
        EVP_DigestVerify(ctx, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                         g_bytes_get_data(message, NULL), g_bytes_get_size(message)) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

void
token_assert_signs(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme,
                   gsize digest_size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) digest = token_digest(digest_size);
    g_autoptr(GBytes) signature = token_sign(token, key, scheme, digest, &error);
    g_autoptr(EVP_PKEY) pkey = public_key(key);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);

    ck_assert_msg(signature != NULL, "%s", error ? error->message : "");
    if (scheme->scheme == SIGNET_SCHEME_EDDSA) {
        ck_assert(verifies_message(pkey, digest, signature));
        return;
    }
    ck_assert_int_gt(EVP_PKEY_verify_init(ctx), 0);
    set_padding(ctx, scheme);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, g_bytes_get_data(signature, NULL),
                                     g_bytes_get_size(signature), g_bytes_get_data(digest, NULL),
                                     g_bytes_get_size(digest)),
                     1);
}

GBytes *
token_encrypt_for(const SignetKey *key, const SignetKeyScheme *scheme, const char *plain)
{
    g_autoptr(EVP_PKEY) pkey = public_key(key);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);
    guint8 out[512];
    size_t size = sizeof out;

    ck_assert_int_gt(EVP_PKEY_encrypt_init(ctx), 0);
    if (scheme->scheme == SIGNET_SCHEME_RSA_OAEP) {
        gsize label_size = 0;
        const void *label = scheme->label ? g_bytes_get_data(scheme->label, &label_size) : NULL;

        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbyname(signet_hash_name(scheme->hash)));
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx,
                                     EVP_get_digestbyname(signet_hash_name(scheme->mgf1_hash)));
        if (label)
            EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup(label, label_size),
                                             (int)label_size);
    }
    ck_assert_int_gt(EVP_PKEY_encrypt(ctx, out, &size, (const unsigned char *)plain, strlen(plain)),
                     0);
    return g_bytes_new(out, size);
}

void
token_assert_derives(SignetToken *token, SignetKey *key, const char *group)
{
    g_autoptr(EVP_PKEY) ours = public_key(key);
    g_autoptr(EVP_PKEY) peer = EVP_EC_gen(group);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(peer, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) point = NULL;
    g_autoptr(GBytes) shared = NULL;
    unsigned char *encoded = NULL;
    guint8 expected[66];
    size_t size = EVP_PKEY_get1_encoded_public_key(peer, &encoded);

    point = g_bytes_new(encoded, size);
    OPENSSL_free(encoded);
    shared = token_derive(token, key, point, &error);
    ck_assert_msg(shared != NULL, "%s", error ? error->message : "");

    size = sizeof expected;
    EVP_PKEY_derive_init(ctx);
    EVP_PKEY_derive_set_peer(ctx, ours);
    ck_assert_int_gt(EVP_PKEY_derive(ctx, expected, &size), 0);
    ck_assert_uint_eq(g_bytes_get_size(shared), size);
    ck_assert_mem_eq(g_bytes_get_data(shared, NULL), expected, size);
}
