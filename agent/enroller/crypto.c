/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Providers, keys and signatures. */

#include "agent/enroller/crypto.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include "agent/base/error.h"

struct SignetCrypto {
    OSSL_LIB_CTX *library;   /* (owned) */
    OSSL_PROVIDER *software; /* (owned) */
    OSSL_PROVIDER *signet;   /* (owned) */
};

gboolean
signet_crypto_fail(GError **error, const char *what)
{
    g_autofree char *reason = signet_openssl_dup_reason();

    return signet_error_set(error, SIGNET_ERROR_FAILED, "%s: %s", what, reason);
}

SignetCrypto *
signet_crypto_new(const char *provider, GError **error)
{
    /* For what libcrypto does in its default context behind our back: the system's configuration
     * would load our provider there. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

    g_autoptr(SignetCrypto) crypto = g_new0(SignetCrypto, 1);
    crypto->library = OSSL_LIB_CTX_new();
    crypto->software = OSSL_PROVIDER_load(crypto->library, "default");
    crypto->signet = OSSL_PROVIDER_load(crypto->library, provider ? provider : "signet");
    if (!crypto->software || !crypto->signet) {
        signet_crypto_fail(error, "cannot load the OpenSSL providers 'default' and 'signet'");
        return NULL;
    }
    return g_steal_pointer(&crypto);
}

void
signet_crypto_free(SignetCrypto *crypto)
{
    if (crypto->signet)
        OSSL_PROVIDER_unload(crypto->signet);
    if (crypto->software)
        OSSL_PROVIDER_unload(crypto->software);
    OSSL_LIB_CTX_free(crypto->library);
    g_free(crypto);
}

OSSL_LIB_CTX *
signet_crypto_get_library(const SignetCrypto *crypto)
{
    return crypto->library;
}

/* The first private key that the store gives, and its certificates. */
static void
read_store(OSSL_STORE_CTX *store, EVP_PKEY **ret_key, SignetX509Stack *chain)
{
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (!info)
            break;
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY && !*ret_key)
            *ret_key = OSSL_STORE_INFO_get1_PKEY(info);
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT)
            sk_X509_push(chain, OSSL_STORE_INFO_get1_CERT(info));
        OSSL_STORE_INFO_free(info);
    }
}

gboolean
signet_crypto_load_identity(SignetCrypto *crypto, const char *identity, guint32 generation,
                            EVP_PKEY **ret_key, SignetX509Stack **ret_chain, GError **error)
{
    g_autofree char *what =
        g_strdup_printf("cannot load the key of '%s', generation %u", identity, generation);
    g_autofree char *uri = generation
                               ? g_strdup_printf("signet:%s;generation=%u", identity, generation)
                               : g_strdup_printf("signet:%s", identity);
    g_autoptr(EVP_PKEY) key = NULL;
    g_autoptr(SignetX509Stack) chain = sk_X509_new_null();

    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, crypto->library, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store) {
        read_store(store, &key, chain);
        OSSL_STORE_close(store);
    }
    if (!key)
        return signet_crypto_fail(error, what);
    if (ret_chain && sk_X509_num(chain) == 0)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "'%s' has no certificate yet",
                                identity);
    ERR_clear_error();
    *ret_key = g_steal_pointer(&key);
    if (ret_chain)
        *ret_chain = g_steal_pointer(&chain);
    return TRUE;
}

EVP_PKEY *
signet_crypto_load_key(SignetCrypto *crypto, const char *identity, guint32 generation,
                       GError **error)
{
    EVP_PKEY *key = NULL;

    signet_crypto_load_identity(crypto, identity, generation, &key, NULL, error);
    return key;
}

EVP_PKEY *
signet_crypto_read_public(SignetCrypto *crypto, GBytes *spki, GError **error)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(spki, &size);
    const guint8 *end = at + size;
    g_autoptr(EVP_PKEY) key =
        d2i_PUBKEY_ex(NULL, &at, (long)size, crypto->library, "provider=default");

    if (!key || at != end) {
        signet_crypto_fail(error, "cannot read the job's public key");
        return NULL;
    }
    return g_steal_pointer(&key);
}

/* NULL: the key signs without one. */
static const char *
digest_for(EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519"))
        return NULL;
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) <= 256)
        return "SHA256";
    return EVP_PKEY_get_bits(key) <= 384 ? "SHA384" : "SHA512";
}

EVP_MD_CTX *
signet_crypto_new_signing_with(SignetCrypto *crypto, EVP_PKEY *key, const char *digest,
                               GError **error)
{
    g_autoptr(EVP_MD_CTX) signing = EVP_MD_CTX_new();
    const char *fitting = digest_for(key);

    if (!signing || EVP_DigestSignInit_ex(signing, NULL, digest && fitting ? digest : fitting,
                                          crypto->library, NULL, key, NULL) <= 0) {
        signet_crypto_fail(error, "cannot begin to sign");
        return NULL;
    }
    return g_steal_pointer(&signing);
}

EVP_MD_CTX *
signet_crypto_new_signing(SignetCrypto *crypto, EVP_PKEY *key, GError **error)
{
    return signet_crypto_new_signing_with(crypto, key, NULL, error);
}

ASN1_OCTET_STRING *
signet_crypto_make_key_id(const SignetCrypto *crypto, X509_PUBKEY *key)
{
    g_autoptr(ASN1_OCTET_STRING) id = ASN1_OCTET_STRING_new();
    guint8 digest[EVP_MAX_MD_SIZE];
    gsize digest_size = 0;
    const guint8 *bits = NULL;
    int size = 0;

    if (!id || !X509_PUBKEY_get0_param(NULL, &bits, &size, NULL, key) ||
        !EVP_Q_digest(crypto->library, "SHA256", NULL, bits, (gsize)size, digest, &digest_size) ||
        !ASN1_OCTET_STRING_set(id, digest, 20))
        return NULL;
    return g_steal_pointer(&id);
}
