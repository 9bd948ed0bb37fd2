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

/* Sets FAILED: "what: the reason in libcrypto's error queue". Returns FALSE. */
gboolean signet_crypto_fail(GError **error, const char *what);
