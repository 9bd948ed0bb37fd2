/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* RSA decryption by the agent; encryption is software's work. The RSA key exchange of TLS up
 * to 1.2, for which libssl has a padding of its own, is not offered: it would make the agent an
 * oracle for whoever can connect to a server. */

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "provider/openssl/key.h"
#include "provider/openssl/params.h"

#define DEFAULT_DIGEST "SHA1" /* RFC 8017 A.2.1 */

struct cipher {
    struct signet_provider *provider;
    struct signet_key *key; /* (owned) (nullable) */
    int padding;
    char digest[SIGNET_DIGEST_NAME_SIZE];
    char mgf1_digest[SIGNET_DIGEST_NAME_SIZE]; /* empty: as digest */
    uint8_t label[SIGNET_WIRE_LABEL_MAX];
    size_t label_size;
};

static void *
newctx(void *context)
{
    struct cipher *c = OPENSSL_zalloc(sizeof(*c));
    if (c == NULL)
        return NULL;
    c->provider = context;
    c->padding = RSA_PKCS1_PADDING;
    strcpy(c->digest, DEFAULT_DIGEST);
    return c;
}

static void
freectx(void *context)
{
    struct cipher *c = context;
    if (c == NULL)
        return;
    signet_key_unref(c->key);
    OPENSSL_free(c);
}

static void *
dupctx(void *context)
{
    struct cipher *copy = OPENSSL_memdup(context, sizeof(struct cipher));
    if (copy != NULL)
        signet_key_ref(copy->key);
    return copy;
}

static const struct signet_mode paddings[] = {{RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15},
                                              {RSA_PKCS1_OAEP_PADDING, OSSL_PKEY_RSA_PAD_MODE_OAEP},
                                              {0, NULL}};

static bool
take_padding(struct cipher *c, const OSSL_PARAM params[])
{
    int padding = c->padding;
    bool ok = signet_params_take_mode(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE, paddings, &padding);
    for (const struct signet_mode *mode = paddings; ok && mode->name != NULL; mode++) {
        if (mode->value == padding) {
            c->padding = padding;
            return true;
        }
    }
    signet_raise(c->provider, UNSUPPORTED, "decryption knows padding 'pkcs1' and 'oaep'");
    return false;
}

static bool
take_label(struct cipher *c, const OSSL_PARAM params[])
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    if (param == NULL)
        return true;
    if (param->data_type != OSSL_PARAM_OCTET_STRING || param->data_size > sizeof(c->label)) {
        signet_raise(c->provider, UNSUPPORTED, "an OAEP label has at most %u bytes",
                     SIGNET_WIRE_LABEL_MAX);
        return false;
    }
    c->label_size = param->data_size;
    if (param->data_size > 0)
        memcpy(c->label, param->data, param->data_size);
    return true;
}

static int
set_ctx_params(void *context, const OSSL_PARAM params[])
{
    struct cipher *c = context;
    return params == NULL ||
           (take_padding(c, params) && take_label(c, params) &&
            signet_params_take_text(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, c->digest) &&
            signet_params_take_text(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, c->mgf1_digest));
}

static const char *
mgf1_digest(const struct cipher *c)
{
    return c->mgf1_digest[0] != '\0' ? c->mgf1_digest : c->digest;
}

static int
get_ctx_params(void *context, OSSL_PARAM params[])
{
    struct cipher *c = context;
    OSSL_PARAM *label = OSSL_PARAM_locate(params, OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL);
    return signet_params_give_mode(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE, paddings, c->padding) &&
           signet_params_give_text(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, c->digest) &&
           signet_params_give_text(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf1_digest(c)) &&
           (label == NULL || OSSL_PARAM_set_octet_ptr(label, c->label, c->label_size));
}

static const OSSL_PARAM *
ctx_params(void *context, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0), OSSL_PARAM_END};
    return types;
}

static int
init(void *context, void *key, const OSSL_PARAM params[])
{
    struct cipher *c = context;
    if (key != NULL) {
        signet_key_unref(c->key);
        c->key = signet_key_ref(key);
    }
    return c->key != NULL && set_ctx_params(c, params);
}

static int
encrypt(void *context, unsigned char *out, size_t *size, size_t capacity, const unsigned char *data,
        size_t data_size)
{
    struct cipher *c = context;
    int padding = c->padding;
    OSSL_PARAM params[5], *p = params;
    *p++ = OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &padding);
    if (padding == RSA_PKCS1_OAEP_PADDING) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, c->digest, 0);
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST,
                                                (char *)mgf1_digest(c), 0);
        *p++ = OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, c->label,
                                                 c->label_size);
    }
    *p = OSSL_PARAM_construct_end();

    EVP_PKEY_CTX *software = signet_key_begin_public(c->key, EVP_PKEY_encrypt_init, params);
    *size = capacity;
    int ok = software != NULL && EVP_PKEY_encrypt(software, out, size, data, data_size) > 0;
    EVP_PKEY_CTX_free(software);
    return ok;
}

static int
decrypt(void *context, unsigned char *out, size_t *size, size_t capacity, const unsigned char *data,
        size_t data_size)
{
    struct cipher *c = context;
    if (out == NULL) {
        *size = signet_key_output_max(c->key);
        return 1;
    }
    struct signet_wire_decrypt_request request = {.scheme = SIGNET_SCHEME_RSA_PKCS1,
                                                  .ciphertext = {data, data_size}};
    if (c->padding == RSA_PKCS1_OAEP_PADDING) {
        request.scheme = SIGNET_SCHEME_RSA_OAEP;
        request.hash = (uint8_t)signet_hash_from_name(c->digest);
        request.mgf1_hash = (uint8_t)signet_hash_from_name(mgf1_digest(c));
        request.label = (struct signet_bytes) {c->label, c->label_size};
        if (request.hash == SIGNET_HASH_NONE || request.mgf1_hash == SIGNET_HASH_NONE) {
            signet_raise(c->provider, UNSUPPORTED, "the agent does not know OAEP with '%s'",
                         c->digest);
            return 0;
        }
    }
    struct signet_output output = {out, capacity, size};
    return signet_key_decrypt(c->key, &request, &output);
}

#define ROW(name, NAME, fn) DISPATCH(asym_cipher, ASYM_CIPHER, name, NAME, fn)

static const OSSL_DISPATCH rsa_functions[] = {
    ROW(newctx, NEWCTX, newctx),
    ROW(freectx, FREECTX, freectx),
    ROW(dupctx, DUPCTX, dupctx),
    ROW(encrypt_init, ENCRYPT_INIT, init),
    ROW(encrypt, ENCRYPT, encrypt),
    ROW(decrypt_init, DECRYPT_INIT, init),
    ROW(decrypt, DECRYPT, decrypt),
    ROW(get_ctx_params, GET_CTX_PARAMS, get_ctx_params),
    ROW(gettable_ctx_params, GETTABLE_CTX_PARAMS, ctx_params),
    ROW(set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    ROW(settable_ctx_params, SETTABLE_CTX_PARAMS, ctx_params),
    DISPATCH_END};

const OSSL_ALGORITHM signet_asym_cipher_algorithms[] = {
    {SIGNET_NAME_RSA, SIGNET_PROPERTIES, rsa_functions, "RSA decryption by the Signet agent"},
    {NULL, NULL, NULL, NULL}};
