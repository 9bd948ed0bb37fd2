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

SignetKeyScheme
signet_verify_scheme(const SignetKey *key)
{
    return (SignetKeyScheme) {
        .scheme = signet_key_type_is_rsa(key->type) ? SIGNET_SCHEME_RSA_PKCS1 : SIGNET_SCHEME_ECDSA,
        .hash = SIGNET_HASH_SHA256,
    };
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

gboolean
signet_verify_signature(const SignetKey *key, GBytes *digest, GBytes *signature)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(key->spki, &size);
    g_autoptr(EVP_PKEY) public = d2i_PUBKEY(NULL, &der, (long)size);
    g_autoptr(EVP_PKEY_CTX) context = public ? EVP_PKEY_CTX_new(public, NULL) : NULL;
    gboolean is_good =
        context && EVP_PKEY_verify_init(context) > 0 &&
        (!signet_key_type_is_rsa(key->type) ||
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0) &&
        EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
        EVP_PKEY_verify(context, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                        g_bytes_get_data(digest, NULL), g_bytes_get_size(digest)) == 1;

    ERR_clear_error();
    return is_good;
}
