/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The test signature: does the token really hold the private half? */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "agent/rotate/private.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

SignetKeyScheme
signet_verify_scheme(const SignetKey *key)
{
    switch ((enum signet_family)signet_key_type_family(key->type)) {
    case SIGNET_FAMILY_ED25519:
        return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_EDDSA};
    case SIGNET_FAMILY_RSA:
        return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA256};
    case SIGNET_FAMILY_EC:
        break;
    }
    return (SignetKeyScheme) {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
}

GBytes *
signet_verify_make_digest(void)
{
    guint8 random[32], digest[32];

    if (RAND_bytes(random, sizeof(random)) != 1 ||
        !EVP_Digest(random, sizeof(random), digest, NULL, EVP_sha256(), NULL))
        g_error("libcrypto has no random bytes");
    return g_bytes_new(digest, sizeof(digest));
}

static gboolean
verify_digest(EVP_PKEY *public, GBytes *digest, GBytes *signature)
{
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new(public, NULL);

    return context && EVP_PKEY_verify_init(context) > 0 &&
           (!EVP_PKEY_is_a(public, "RSA") ||
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0) &&
           EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
           EVP_PKEY_verify(context, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                           g_bytes_get_data(digest, NULL), g_bytes_get_size(digest)) == 1;
}

static gboolean
verify_message(EVP_PKEY *public, GBytes *message, GBytes *signature)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

    return context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) > 0 &&
           EVP_DigestVerify(context, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                            g_bytes_get_data(message, NULL), g_bytes_get_size(message)) == 1;
}

gboolean
signet_verify_signature(const SignetKey *key, GBytes *digest, GBytes *signature)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(key->spki, &size);
    g_autoptr(EVP_PKEY) public = d2i_PUBKEY(NULL, &der, (long)size);
    gboolean is_good =
        public && (EVP_PKEY_is_a(public, "ED25519") ? verify_message(public, digest, signature)
                                                    : verify_digest(public, digest, signature));

    ERR_clear_error();
    return is_good;
}
