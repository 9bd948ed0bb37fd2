/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* ECDH with a key of the agent, SP 800-56A 5.7.1.2: the x coordinate, without a key derivation
 * function. */

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "provider/openssl/key.h"
#include "provider/openssl/params.h"

#define SHARED_INFO_MAX 1024

struct exchange {
    struct signet_provider *provider;
    struct signet_key *key;  /* (owned) (nullable) */
    struct signet_key *peer; /* (owned) (nullable) */

    bool has_kdf;
    char kdf_digest[SIGNET_DIGEST_NAME_SIZE];
    uint8_t shared_info[SHARED_INFO_MAX]; /* libcrypto calls it UKM */
    size_t shared_info_size;
    size_t kdf_size; /* bytes to derive */
};

static void *
newctx(void *context)
{
    struct exchange *x = OPENSSL_zalloc(sizeof(*x));
    if (x != NULL)
        x->provider = context;
    return x;
}

static void
freectx(void *context)
{
    struct exchange *x = context;
    if (x == NULL)
        return;
    signet_key_unref(x->key);
    signet_key_unref(x->peer);
    OPENSSL_free(x);
}

static void *
dupctx(void *context)
{
    struct exchange *copy = OPENSSL_memdup(context, sizeof(struct exchange));
    if (copy == NULL)
        return NULL;
    signet_key_ref(copy->key);
    signet_key_ref(copy->peer);
    return copy;
}

static bool
take_kdf(struct exchange *x, const OSSL_PARAM params[])
{
    char type[SIGNET_DIGEST_NAME_SIZE] = "";
    if (OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_TYPE) == NULL)
        return true;
    if (!signet_params_take_text(params, OSSL_EXCHANGE_PARAM_KDF_TYPE, type))
        return false;
    x->has_kdf = OPENSSL_strcasecmp(type, OSSL_KDF_NAME_X963KDF) == 0;
    if (x->has_kdf || *type == '\0')
        return true;
    signet_raise(x->provider, UNSUPPORTED, "ECDH knows no key derivation function '%s'", type);
    return false;
}

/* The cofactor mode is accepted and changes nothing: the curves we know have cofactor 1. */
static int
set_ctx_params(void *context, const OSSL_PARAM params[])
{
    struct exchange *x = context;
    if (params == NULL)
        return 1;
    if (!take_kdf(x, params) ||
        !signet_params_take_text(params, OSSL_EXCHANGE_PARAM_KDF_DIGEST, x->kdf_digest))
        return 0;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_OUTLEN);
    if (param != NULL && !OSSL_PARAM_get_size_t(param, &x->kdf_size))
        return 0;
    void *shared_info = x->shared_info;
    param = OSSL_PARAM_locate_const(params, OSSL_EXCHANGE_PARAM_KDF_UKM);
    return param == NULL ||
           OSSL_PARAM_get_octet_string(param, &shared_info, SHARED_INFO_MAX, &x->shared_info_size);
}

static const OSSL_PARAM *
settable_ctx_params(void *context, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_int(OSSL_EXCHANGE_PARAM_EC_ECDH_COFACTOR_MODE, NULL),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, NULL, 0),
        OSSL_PARAM_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, NULL),
        OSSL_PARAM_octet_string(OSSL_EXCHANGE_PARAM_KDF_UKM, NULL, 0),
        OSSL_PARAM_END};
    return types;
}

static int
init(void *context, void *key, const OSSL_PARAM params[])
{
    struct exchange *x = context;
    if (key == NULL || !signet_key_has(key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) {
        signet_raise(x->provider, NO_PRIVATE_KEY, "ECDH needs a key of the agent");
        return 0;
    }
    signet_key_unref(x->key);
    x->key = signet_key_ref(key);
    return set_ctx_params(x, params);
}

static int
set_peer(void *context, void *key)
{
    struct exchange *x = context;
    if (key == NULL || !signet_key_has(key, OSSL_KEYMGMT_SELECT_PUBLIC_KEY)) {
        signet_raise(x->provider, BAD_ARGUMENT, "the peer has no public key");
        return 0;
    }
    signet_key_unref(x->peer);
    x->peer = signet_key_ref(key);
    return 1;
}

/* Bytes of the peer's uncompressed point, SEC 1 2.3.3; 0 on failure. */
static size_t
peer_point(const struct exchange *x, uint8_t point[SIGNET_WIRE_POINT_MAX])
{
    size_t size = 0;
    EVP_PKEY *ours = signet_key_dup_public(x->key), *peer = signet_key_dup_public(x->peer);
    EVP_PKEY *copy = ours != NULL && peer != NULL && EVP_PKEY_parameters_eq(ours, peer) == 1
                         ? EVP_PKEY_dup(peer)
                         : NULL;
    if (copy == NULL ||
        !EVP_PKEY_set_utf8_string_param(copy, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                        OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) ||
        !EVP_PKEY_get_octet_string_param(copy, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         SIGNET_WIRE_POINT_MAX, &size))
        size = 0;
    EVP_PKEY_free(copy);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(ours);
    return size;
}

static int
agree(struct exchange *x, const struct signet_output *output)
{
    uint8_t point[SIGNET_WIRE_POINT_MAX];
    size_t size = peer_point(x, point);
    if (size == 0) {
        signet_raise(x->provider, BAD_ARGUMENT, "the peer's key is on another curve");
        return 0;
    }
    return signet_key_derive(x->key, (struct signet_bytes) {point, size}, output);
}

static int
agree_and_expand(struct exchange *x, uint8_t *out)
{
    uint8_t secret[SIGNET_WIRE_POINT_MAX];
    size_t size = 0;
    struct signet_output output = {secret, sizeof(secret), &size};
    if (!agree(x, &output))
        return 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, x->kdf_digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, x->shared_info, x->shared_info_size),
        OSSL_PARAM_construct_end()};
    OSSL_LIB_CTX *software = signet_provider_software(x->provider);
    EVP_KDF *kdf = EVP_KDF_fetch(software, OSSL_KDF_NAME_X963KDF, NULL);
    EVP_KDF_CTX *work = EVP_KDF_CTX_new(kdf);
    int ok = work != NULL && EVP_KDF_derive(work, out, x->kdf_size, params) > 0;
    EVP_KDF_CTX_free(work);
    EVP_KDF_free(kdf);
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int
derive(void *context, unsigned char *secret, size_t *size, size_t capacity)
{
    struct exchange *x = context;
    if (x->key == NULL || x->peer == NULL) {
        signet_raise(x->provider, BAD_ARGUMENT, "ECDH needs a key and a peer");
        return 0;
    }
    size_t length = x->has_kdf ? x->kdf_size : signet_key_field_size(x->key);
    if (secret == NULL) {
        *size = length;
        return 1;
    }
    if (capacity < length) {
        signet_raise(x->provider, BUFFER_TOO_SMALL, "the secret has %zu bytes", length);
        return 0;
    }
    if (x->has_kdf) {
        *size = length;
        return agree_and_expand(x, secret);
    }
    struct signet_output output = {secret, capacity, size};
    return agree(x, &output);
}

#define ROW(name, NAME, fn) DISPATCH(keyexch, KEYEXCH, name, NAME, fn)

static const OSSL_DISPATCH ecdh_functions[] = {
    ROW(newctx, NEWCTX, newctx),
    ROW(freectx, FREECTX, freectx),
    ROW(dupctx, DUPCTX, dupctx),
    ROW(init, INIT, init),
    ROW(set_peer, SET_PEER, set_peer),
    ROW(derive, DERIVE, derive),
    ROW(set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    ROW(settable_ctx_params, SETTABLE_CTX_PARAMS, settable_ctx_params),
    DISPATCH_END};

const OSSL_ALGORITHM signet_keyexch_algorithms[] = {
    {SIGNET_NAME_ECDH, SIGNET_PROPERTIES, ecdh_functions, "ECDH by the Signet agent"},
    {NULL, NULL, NULL, NULL}};
