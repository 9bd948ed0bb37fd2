/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A libcrypto of our own: 'default' and Signet's provider, never openssl.cnf; keys are used through
 * the provider only. */

#pragma once

#include "agent/enroll/openssl.h"

typedef struct SignetCrypto SignetCrypto;

/* provider: path of signet.so, or NULL for the module "signet" where OpenSSL looks for modules. */
SignetCrypto *signet_crypto_new(const char *provider, GError **error);
void signet_crypto_free(SignetCrypto *crypto);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetCrypto, signet_crypto_free)

OSSL_LIB_CTX *signet_crypto_get_library(const SignetCrypto *crypto);

/* The key that signs as this identity; generation 0: the current one. Free all with
 * EVP_PKEY_free(). */
EVP_PKEY *signet_crypto_load_key(SignetCrypto *crypto, const char *identity, guint32 generation,
                                 GError **error);
/* The same, and its certificates: leaf first. ret_chain: nullable. */
gboolean
signet_crypto_load_identity(SignetCrypto *crypto, const char *identity, guint32 generation,
                            EVP_PKEY **ret_key, SignetX509Stack **ret_chain, GError **error);
/* A public key in software. */
EVP_PKEY *signet_crypto_read_public(SignetCrypto *crypto, GBytes *spki, GError **error);

/* Ready for X509_sign_ctx() and its like, with the digest that fits the key's strength. */
EVP_MD_CTX *signet_crypto_new_signing(SignetCrypto *crypto, EVP_PKEY *key, GError **error);
/* The same with another digest, unless the key signs without one. digest (nullable): the name. */
EVP_MD_CTX *signet_crypto_new_signing_with(SignetCrypto *crypto, EVP_PKEY *key, const char *digest,
                                           GError **error);
/* RFC 7093 section 2, method 1: the leftmost 160 bits of the key's SHA-256. NULL when it cannot be
 * made. */
ASN1_OCTET_STRING *signet_crypto_make_key_id(const SignetCrypto *crypto, X509_PUBKEY *key);

/* Sets FAILED: "what: the reason in libcrypto's error queue". Returns FALSE. */
gboolean signet_crypto_fail(GError **error, const char *what);
