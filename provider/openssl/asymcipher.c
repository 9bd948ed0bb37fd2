/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* RSA decryption by the agent; encryption is software's work. */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>
#include <openssl/rand.h>
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
    unsigned tls_client_version;     /* RSA key exchange of TLS up to 1.2, RFC 5246 7.4.7.1 */
    unsigned tls_negotiated_version; /* 0: only the client's version is right */
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

static const struct signet_mode paddings[] = {
    {RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15},
    {RSA_PKCS1_OAEP_PADDING, OSSL_PKEY_RSA_PAD_MODE_OAEP},
    {RSA_PKCS1_WITH_TLS_PADDING, "tls"}, /* libssl sets it by number */
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
    if (params == NULL)
        return 1;
    if (!take_padding(c, params) || !take_label(c, params) ||
        !signet_params_take_text(params, OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, c->digest) ||
        !signet_params_take_text(params, OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, c->mgf1_digest))
        return 0;
    const OSSL_PARAM *param =
        OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION);
    if (param != NULL && !OSSL_PARAM_get_uint(param, &c->tls_client_version))
        return 0;
    param = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION);
    return param == NULL || OSSL_PARAM_get_uint(param, &c->tls_negotiated_version);
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

/* The first two cannot be read. */
static const OSSL_PARAM ctx_params[] = {
    OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, NULL),
    OSSL_PARAM_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, NULL),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, NULL, 0),
    OSSL_PARAM_END};

static const OSSL_PARAM *
settable_ctx_params(void *context, void *provider)
{
    return ctx_params;
}

static const OSSL_PARAM *
gettable_ctx_params(void *context, void *provider)
{
    return ctx_params + 2;
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

/* A plaintext on its way out. */
struct plaintext {
    uint8_t data[SIGNET_WIRE_CIPHERTEXT_MAX];
    size_t size;
};

static bool
ask_agent(const struct cipher *c, struct signet_bytes ciphertext, struct plaintext *ret_plaintext,
          struct signet_channel_failure *ret_failure)
{
    struct signet_wire_decrypt_request request = {.scheme = SIGNET_SCHEME_RSA_PKCS1,
                                                  .ciphertext = ciphertext};
    if (c->padding == RSA_PKCS1_OAEP_PADDING) {
        request.scheme = SIGNET_SCHEME_RSA_OAEP;
        request.hash = (uint8_t)signet_hash_from_name(c->digest);
        request.mgf1_hash = (uint8_t)signet_hash_from_name(mgf1_digest(c));
        request.label = (struct signet_bytes) {c->label, c->label_size};
        if (request.hash == SIGNET_HASH_NONE || request.mgf1_hash == SIGNET_HASH_NONE) {
            signet_raise(c->provider, UNSUPPORTED, "the agent does not know OAEP with '%s'",
                         c->digest);
            return false;
        }
    }
    struct signet_output output = {ret_plaintext->data, sizeof(ret_plaintext->data),
                                   &ret_plaintext->size};
    return signet_key_decrypt(c->key, &request, &output, ret_failure);
}

/* Whether the secret is one that the client made: 48 bytes that begin with its version. */
static bool
is_premaster(const struct cipher *c, const struct plaintext *plaintext)
{
    if (plaintext->size != SSL_MAX_MASTER_KEY_LENGTH)
        return false;
    unsigned version = (unsigned)plaintext->data[0] << 8 | plaintext->data[1];
    return version == c->tls_client_version ||
           (c->tls_negotiated_version != 0 && version == c->tls_negotiated_version);
}

/* RFC 5246 7.4.7.1: whoever sends a bad secret must learn nothing from how it was bad, and gets a
 * random one. */
static int
decrypt_premaster(struct cipher *c, unsigned char *out, size_t *size,
                  struct signet_bytes ciphertext)
{
    uint8_t random[SSL_MAX_MASTER_KEY_LENGTH];
    OSSL_LIB_CTX *software = signet_provider_software(c->provider);
    if (software == NULL || RAND_priv_bytes_ex(software, random, sizeof(random), 0) <= 0)
        return 0;
    struct plaintext plaintext = {.size = 0};
    struct signet_channel_failure failure = {0};
    ERR_set_mark();
    bool ok = ask_agent(c, ciphertext, &plaintext, &failure);
    bool is_the_peers_fault = !ok && failure.error == SIGNET_CHANNEL_REFUSED &&
                              (failure.status == SIGNET_WIRE_STATUS_BAD_REQUEST ||
                               failure.status == SIGNET_WIRE_STATUS_TOKEN_FAILED);
    if (!ok && !is_the_peers_fault) {
        ERR_clear_last_mark();
        return 0;
    }
    ERR_pop_to_mark();
    memcpy(out, ok && is_premaster(c, &plaintext) ? plaintext.data : random, sizeof(random));
    *size = sizeof(random);
    OPENSSL_cleanse(&plaintext, sizeof(plaintext));
    return 1;
}

static int
decrypt(void *context, unsigned char *out, size_t *size, size_t capacity, const unsigned char *data,
        size_t data_size)
{
    struct cipher *c = context;
    bool is_tls = c->padding == RSA_PKCS1_WITH_TLS_PADDING;
    if (out == NULL) {
        *size = is_tls ? SSL_MAX_MASTER_KEY_LENGTH : signet_key_output_max(c->key);
        return 1;
    }
    struct signet_bytes ciphertext = {data, data_size};
    if (data_size > SIGNET_WIRE_CIPHERTEXT_MAX ||
        (is_tls && capacity < SSL_MAX_MASTER_KEY_LENGTH)) {
        signet_raise(c->provider, BAD_ARGUMENT, "a ciphertext or buffer of the wrong length");
        return 0;
    }
    if (is_tls)
        return decrypt_premaster(c, out, size, ciphertext);

    struct plaintext plaintext = {.size = 0};
    struct signet_channel_failure failure = {0};
    if (!ask_agent(c, ciphertext, &plaintext, &failure))
        return 0;
    bool fits = plaintext.size <= capacity;
    if (fits) {
        memcpy(out, plaintext.data, plaintext.size);
        *size = plaintext.size;
    } else {
        signet_raise(c->provider, BUFFER_TOO_SMALL, "the plaintext has %zu bytes", plaintext.size);
    }
    OPENSSL_cleanse(&plaintext, sizeof(plaintext));
    return fits;
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
    ROW(gettable_ctx_params, GETTABLE_CTX_PARAMS, gettable_ctx_params),
    ROW(set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    ROW(settable_ctx_params, SETTABLE_CTX_PARAMS, settable_ctx_params),
    DISPATCH_END};

const OSSL_ALGORITHM signet_asym_cipher_algorithms[] = {
    {SIGNET_NAME_RSA, SIGNET_PROPERTIES, rsa_functions, "RSA decryption by the Signet agent"},
    {NULL, NULL, NULL, NULL}};
