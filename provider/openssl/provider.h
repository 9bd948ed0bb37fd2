/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The provider's context: what libcrypto gave us, the way to the agent, and the software that does
 * public-key work. */

#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "provider/openssl/core.h"

/* A row of a dispatch table whose function must have exactly the type that libcrypto calls it by.
 */
#define DISPATCH(op, OP, name, NAME, fn)                                        \
    {                                                                           \
        OSSL_FUNC_##OP##_##NAME, _Generic(&(fn), OSSL_FUNC_##op##_##name##_fn * \
                                          : (void (*)(void))(fn))               \
    }
#define DISPATCH_END \
    {                \
        0, NULL      \
    }

struct signet_provider;

/* What a decoder of one type of references knows. */
struct signet_reader {
    struct signet_provider *provider; /* (unowned): contains us */
    uint32_t family;
};

struct signet_provider {
    struct signet_core core;
    struct signet_channel *channel; /* (owned) */

    /* (unowned) (nullable): the application's library context, if it belongs to the libcrypto that
     * we are linked to */
    OSSL_LIB_CTX *application;
    CRYPTO_THREAD_LOCAL
    ordering; /* set in a thread that is putting other providers' keys before ours */

    struct signet_reader readers[SIGNET_FAMILY_MAX + 1]; /* by family */

    CRYPTO_RWLOCK *lock;             /* (owned): guards software and software_default */
    OSSL_LIB_CTX *software;          /* (owned) (nullable) */
    OSSL_PROVIDER *software_default; /* (owned) (nullable) */
};

/* A private library context with the default provider, for work with public keys; made at first
 * use. NULL: raised. */
OSSL_LIB_CTX *signet_provider_software(struct signet_provider *provider);

/* The algorithm tables; each ends with an entry without a name. */
extern const OSSL_ALGORITHM signet_keymgmt_algorithms[];
extern const OSSL_ALGORITHM signet_signature_algorithms[];
extern const OSSL_ALGORITHM signet_asym_cipher_algorithms[];
extern const OSSL_ALGORITHM signet_keyexch_algorithms[];
extern const OSSL_ALGORITHM signet_decoder_algorithms[];
extern const OSSL_ALGORITHM signet_encoder_algorithms[];
extern const OSSL_ALGORITHM signet_store_algorithms[];

/* Names that no other provider uses: libcrypto never takes our operations for another's key, nor
 * another's for ours. */
#define SIGNET_NAME_ECDSA "SIGNET-ECDSA"
#define SIGNET_NAME_RSA   "SIGNET-RSA"
#define SIGNET_NAME_EDDSA "SIGNET-EDDSA"
#define SIGNET_NAME_ECDH  "SIGNET-ECDH"

/* The keys' names. The OID is an alias, because libcrypto looks for the decoder of a PKCS#8 by it.
 */
#define SIGNET_NAMES(family, name) name ":" SIGNET_REFERENCE_OID_##family
#define SIGNET_PROPERTIES          "provider=signet"
