/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Signatures. The agent gets the message itself, since it wants to know what it signs; only one
 * that is too long for a packet, or that the caller has hashed already, goes there as a digest.
 * Verification is software's work. */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "provider/openssl/key.h"

#define DIGEST_NAME_MAX 49
#define DEFAULT_DIGEST  "SHA256"

/* RSA_PSS_SALTLEN_AUTO_DIGEST_MAX, which OpenSSL 3.0 does not know */
#define SALT_AUTO_DIGEST_MAX (-4)

struct signature {
    struct signet_provider *provider;
    struct signet_key *key; /* (owned) (nullable) */
    bool has_digest_op;     /* digest_sign or digest_verify: the digest is fixed */
    char digest[DIGEST_NAME_MAX + 1];
    char mgf1_digest[DIGEST_NAME_MAX + 1]; /* empty: as digest */
    int padding;
    int salt_len;

    uint8_t *message; /* (owned) (nullable): what digest_sign was given so far */
    size_t size;
    size_t capacity;
    EVP_MD_CTX *md; /* (owned) (nullable): instead of message, when verifying or when that became
                       too long */
};

static void *
newctx(void *context, const char *properties)
{
    struct signature *s = OPENSSL_zalloc(sizeof(*s));
    if (s == NULL)
        return NULL;
    s->provider = context;
    s->padding = RSA_PKCS1_PADDING;
    s->salt_len =
        OpenSSL_version_num() >= 0x30100000L ? SALT_AUTO_DIGEST_MAX : RSA_PSS_SALTLEN_AUTO;
    return s;
}

static void
forget_message(struct signature *s)
{
    OPENSSL_clear_free(s->message, s->capacity);
    s->message = NULL;
    s->size = s->capacity = 0;
    EVP_MD_CTX_free(s->md);
    s->md = NULL;
}

static void
freectx(void *context)
{
    struct signature *s = context;
    if (s == NULL)
        return;
    forget_message(s);
    signet_key_unref(s->key);
    OPENSSL_free(s);
}

static void *
dupctx(void *context)
{
    const struct signature *from = context;
    struct signature *to = OPENSSL_memdup(from, sizeof(*from));
    if (to == NULL)
        return NULL;
    signet_key_ref(to->key);
    to->message = NULL;
    to->capacity = to->size;
    to->md = NULL;
    bool ok = true;
    if (from->size > 0)
        ok = (to->message = OPENSSL_memdup(from->message, from->size)) != NULL;
    if (ok && from->md != NULL)
        ok = (to->md = EVP_MD_CTX_new()) != NULL && EVP_MD_CTX_copy_ex(to->md, from->md);
    if (ok)
        return to;
    freectx(to);
    return NULL;
}

static const char *
mgf1_digest(const struct signature *s)
{
    return s->mgf1_digest[0] != '\0' ? s->mgf1_digest : s->digest;
}

/* The number of salt bytes that a mode stands for; -1 when the key is too short. */
static int
resolve_salt(const struct signature *s)
{
    int digest_size = (int)signet_hash_size(signet_hash_from_name(s->digest));
    int bits = (int)signet_key_field_size(s->key) * 8;
    int longest = (bits - 1 + 7) / 8 - digest_size - 2;
    int wanted = s->salt_len;
    switch (s->salt_len) {
    case RSA_PSS_SALTLEN_DIGEST:
        wanted = digest_size;
        break;
    case RSA_PSS_SALTLEN_MAX:
    case RSA_PSS_SALTLEN_AUTO:
        wanted = longest;
        break;
    case SALT_AUTO_DIGEST_MAX:
        wanted = digest_size < longest ? digest_size : longest;
        break;
    }
    return wanted > longest ? -1 : wanted;
}

/* A software context on the public half with our parameters, made by one of EVP_PKEY_*_init. */
static EVP_PKEY_CTX *
software_context(const struct signature *s, int (*init)(EVP_PKEY_CTX *), int salt_len)
{
    OSSL_LIB_CTX *software = signet_provider_software(s->provider);
    EVP_PKEY *public = s->key == NULL ? NULL : signet_key_dup_public(s->key);
    if (software == NULL || public == NULL) {
        EVP_PKEY_free(public);
        return NULL;
    }
    int padding = s->padding;
    OSSL_PARAM params[5], *p = params;
    if (s->digest[0] != '\0')
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)s->digest, 0);
    if (signet_key_is_rsa(s->key))
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding);
    if (signet_key_is_rsa(s->key) && padding == RSA_PKCS1_PSS_PADDING) {
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_len);
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
                                                (char *)mgf1_digest(s), 0);
    }
    *p = OSSL_PARAM_construct_end();

    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(software, public, NULL);
    EVP_PKEY_free(public);
    if (context != NULL && init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) > 0)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static bool
set_digest(struct signature *s, const char *name)
{
    if (strlen(name) > DIGEST_NAME_MAX) {
        signet_raise(s->provider, UNSUPPORTED, "digest '%.60s' is not known", name);
        return false;
    }
    strcpy(s->digest, name);
    return true;
}

struct mode {
    int value;
    const char *name;
};

static const struct mode salt_modes[] = {
    {RSA_PSS_SALTLEN_DIGEST, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST},
    {RSA_PSS_SALTLEN_MAX, OSSL_PKEY_RSA_PSS_SALT_LEN_MAX},
    {RSA_PSS_SALTLEN_AUTO, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO},
    {SALT_AUTO_DIGEST_MAX, "auto-digestmax"},
    {0, NULL}};

static const struct mode padding_modes[] = {{RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15},
                                            {RSA_PKCS1_PSS_PADDING, OSSL_PKEY_RSA_PAD_MODE_PSS},
                                            {0, NULL}};

/* libcrypto passes modes as numbers or as words. */
static bool
mode_from_param(const OSSL_PARAM *param, const struct mode *modes, int *ret_value)
{
    if (param->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(param, ret_value);
    for (; modes->name != NULL; modes++) {
        if (strcmp(param->data, modes->name) == 0) {
            *ret_value = modes->value;
            return true;
        }
    }
    char *end = NULL;
    long number = strtol(param->data, &end, 10);
    if (end == param->data || *end != '\0' || number < 0 || number > UINT16_MAX)
        return false;
    *ret_value = (int)number;
    return true;
}

static int
mode_to_param(OSSL_PARAM *param, const struct mode *modes, int value)
{
    if (param->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_set_int(param, value);
    for (; modes->name != NULL; modes++)
        if (modes->value == value)
            return OSSL_PARAM_set_utf8_string(param, modes->name);
    char number[16];
    snprintf(number, sizeof(number), "%d", value);
    return OSSL_PARAM_set_utf8_string(param, number);
}

static int
set_digest_param(struct signature *s, const OSSL_PARAM params[])
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (param == NULL)
        return 1;
    const char *name = NULL;
    if (!OSSL_PARAM_get_utf8_string_ptr(param, &name))
        return 0;
    /* of a digest operation, the digest was chosen when it began */
    if (s->has_digest_op)
        return OPENSSL_strcasecmp(name, s->digest) == 0 ||
               (signet_hash_from_name(name) != SIGNET_HASH_NONE &&
                signet_hash_from_name(name) == signet_hash_from_name(s->digest));
    return set_digest(s, name);
}

static int
set_rsa_params(struct signature *s, const OSSL_PARAM params[])
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (param != NULL) {
        int padding;
        if (!mode_from_param(param, padding_modes, &padding) ||
            (padding != RSA_PKCS1_PADDING && padding != RSA_PKCS1_PSS_PADDING)) {
            signet_raise(s->provider, UNSUPPORTED,
                         "signatures have padding 'pkcs1' or 'pss', and no other");
            return 0;
        }
        s->padding = padding;
    }
    param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (param != NULL) {
        int salt_len;
        if (!mode_from_param(param, salt_modes, &salt_len) || salt_len < SALT_AUTO_DIGEST_MAX ||
            s->padding != RSA_PKCS1_PSS_PADDING) {
            signet_raise(s->provider, BAD_ARGUMENT, "not a salt length, or not PSS");
            return 0;
        }
        s->salt_len = salt_len;
    }
    param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    char *name = s->mgf1_digest;
    return param == NULL || OSSL_PARAM_get_utf8_string(param, &name, sizeof(s->mgf1_digest));
}

static int
set_ctx_params(void *context, const OSSL_PARAM params[])
{
    struct signature *s = context;
    if (params == NULL)
        return 1;
    if (!set_digest_param(s, params))
        return 0;
    return s->key == NULL || !signet_key_is_rsa(s->key) || set_rsa_params(s, params);
}

static int
get_algorithm_id(const struct signature *s, OSSL_PARAM *param)
{
    OSSL_PARAM query[] = {*param, OSSL_PARAM_construct_end()};
    int salt_len = s->padding == RSA_PKCS1_PSS_PADDING ? resolve_salt(s) : 0;
    ERR_set_mark();
    EVP_PKEY_CTX *software = software_context(s, EVP_PKEY_verify_init, salt_len);
    int ok = software != NULL && EVP_PKEY_CTX_get_params(software, query) > 0;
    EVP_PKEY_CTX_free(software);
    ERR_pop_to_mark();
    param->return_size = query[0].return_size;
    return ok;
}

static int
get_ctx_params(void *context, OSSL_PARAM params[])
{
    const struct signature *s = context;
    OSSL_PARAM *param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    if (param != NULL && !get_algorithm_id(s, param))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
    if (param != NULL && !OSSL_PARAM_set_utf8_string(param, s->digest))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST_SIZE);
    if (param != NULL &&
        !OSSL_PARAM_set_size_t(param, signet_hash_size(signet_hash_from_name(s->digest))))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
    if (param != NULL && !mode_to_param(param, padding_modes, s->padding))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (param != NULL && !mode_to_param(param, salt_modes, s->salt_len))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST);
    return param == NULL || OSSL_PARAM_set_utf8_string(param, mgf1_digest(s));
}

static const OSSL_PARAM *
gettable_ctx_params(void *context, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END};
    return types;
}

static const OSSL_PARAM *
settable_ctx_params(void *context, void *provider)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0), OSSL_PARAM_END};
    return types;
}

/* A NULL key means the one of the operation before. */
static int
begin(struct signature *s, struct signet_key *key, const char *digest, const OSSL_PARAM params[])
{
    forget_message(s);
    if (key != NULL) {
        signet_key_unref(s->key);
        s->key = signet_key_ref(key);
    }
    if (s->key == NULL) {
        signet_raise(s->provider, BAD_ARGUMENT, "no key");
        return 0;
    }
    s->has_digest_op = false;
    if (digest != NULL && !set_digest(s, *digest != '\0' ? digest : DEFAULT_DIGEST))
        return 0;
    s->has_digest_op = digest != NULL;
    return set_ctx_params(s, params);
}

static bool
require_private(const struct signature *s)
{
    if (signet_key_has(s->key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY))
        return true;
    signet_raise(s->provider, NO_PRIVATE_KEY, "cannot sign with a public key");
    return false;
}

static int
sign_init(void *context, void *key, const OSSL_PARAM params[])
{
    return begin(context, key, NULL, params) && require_private(context);
}

static int
verify_init(void *context, void *key, const OSSL_PARAM params[])
{
    return begin(context, key, NULL, params);
}

/* A digest that came without its name: ECDSA does not care which it was. */
static enum signet_hash
hash_from_size(size_t size)
{
#define X(symbol, number, name, bytes)   \
    if (size == (bytes) && (bytes) != 0) \
        return SIGNET_HASH_##symbol;
    SIGNET_HASHES(X)
#undef X
    return SIGNET_HASH_NONE;
}

/* What kind of signature to ask for; data and hash are still open. False: raised. */
static bool
prepare_request(const struct signature *s, struct signet_wire_sign_request *request)
{
    request->scheme = SIGNET_SCHEME_ECDSA;
    if (!signet_key_is_rsa(s->key))
        return true;
    request->scheme = SIGNET_SCHEME_RSA_PKCS1;
    if (s->padding != RSA_PKCS1_PSS_PADDING)
        return true;
    int salt_len = resolve_salt(s);
    if (salt_len < 0) {
        signet_raise(s->provider, BAD_ARGUMENT, "the key is too short for this salt and digest");
        return false;
    }
    request->scheme = SIGNET_SCHEME_RSA_PSS;
    request->salt_len = (uint16_t)salt_len;
    request->mgf1_hash = (uint8_t)signet_hash_from_name(mgf1_digest(s));
    if (request->mgf1_hash != SIGNET_HASH_NONE)
        return true;
    signet_raise(s->provider, UNSUPPORTED, "the agent does not sign with the MGF1 digest '%s'",
                 mgf1_digest(s));
    return false;
}

/* Answers a question for the length without a round trip. */
static bool
room_for_signature(const struct signature *s, const uint8_t *out, size_t *size, size_t capacity)
{
    size_t longest = signet_key_output_max(s->key);
    if (out == NULL) {
        *size = longest;
        return true;
    }
    if (capacity >= longest)
        return true;
    signet_raise(s->provider, BUFFER_TOO_SMALL, "a signature needs %zu bytes", longest);
    return false;
}

static int
sign(void *context, unsigned char *out, size_t *size, size_t capacity, const unsigned char *digest,
     size_t digest_size)
{
    struct signature *s = context;
    if (!room_for_signature(s, out, size, capacity))
        return 0;
    if (out == NULL)
        return 1;
    enum signet_hash hash = signet_hash_from_name(s->digest);
    if (s->digest[0] == '\0' && !signet_key_is_rsa(s->key))
        hash = hash_from_size(digest_size);
    /* PKCS #1 padding around what the caller has made himself, which is no digest */
    bool is_raw =
        s->digest[0] == '\0' && signet_key_is_rsa(s->key) && s->padding == RSA_PKCS1_PADDING;
    if (!is_raw && (hash == SIGNET_HASH_NONE || digest_size != signet_hash_size(hash))) {
        signet_raise(s->provider, UNSUPPORTED, "%zu bytes are not a digest '%s' that can be signed",
                     digest_size, s->digest);
        return 0;
    }
    struct signet_wire_sign_request request = {.hash = (uint8_t)hash,
                                               .data = {digest, digest_size}};
    struct signet_output output = {out, capacity, size};
    return prepare_request(s, &request) &&
           signet_key_sign(s->key, SIGNET_WIRE_OP_SIGN_DIGEST, &request, &output);
}

static int
verify(void *context, const unsigned char *signature, size_t size, const unsigned char *digest,
       size_t digest_size)
{
    struct signature *s = context;
    int salt_len = s->salt_len == SALT_AUTO_DIGEST_MAX ? RSA_PSS_SALTLEN_AUTO : s->salt_len;
    EVP_PKEY_CTX *software = software_context(s, EVP_PKEY_verify_init, salt_len);
    int result =
        software == NULL ? 0 : EVP_PKEY_verify(software, signature, size, digest, digest_size);
    EVP_PKEY_CTX_free(software);
    return result > 0;
}

static int
verify_recover(void *context, unsigned char *out, size_t *size, size_t capacity,
               const unsigned char *signature, size_t signature_size)
{
    struct signature *s = context;
    EVP_PKEY_CTX *software = software_context(s, EVP_PKEY_verify_recover_init, 0);
    *size = capacity;
    int result = software == NULL
                     ? 0
                     : EVP_PKEY_verify_recover(software, out, size, signature, signature_size);
    EVP_PKEY_CTX_free(software);
    return result > 0;
}

static bool
start_md(struct signature *s)
{
    OSSL_LIB_CTX *software = signet_provider_software(s->provider);
    EVP_MD *md = software == NULL ? NULL : EVP_MD_fetch(software, s->digest, NULL);
    s->md = EVP_MD_CTX_new();
    bool ok = md != NULL && s->md != NULL && EVP_DigestInit_ex2(s->md, md, NULL);
    EVP_MD_free(md);
    return ok;
}

static int
digest_sign_init(void *context, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signature *s = context;
    if (!begin(s, key, digest != NULL ? digest : "", params) || !require_private(s))
        return 0;
    if (signet_hash_from_name(s->digest) != SIGNET_HASH_NONE)
        return 1;
    signet_raise(s->provider, UNSUPPORTED, "the agent does not sign with the digest '%s'",
                 s->digest);
    return 0;
}

static int
digest_verify_init(void *context, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signature *s = context;
    return begin(s, key, digest != NULL ? digest : "", params) && start_md(s);
}

static bool
reserve(struct signature *s, size_t more)
{
    if (s->size + more <= s->capacity)
        return true;
    size_t capacity = s->capacity == 0 ? 1024 : s->capacity;
    while (capacity < s->size + more)
        capacity *= 2;
    uint8_t *message = OPENSSL_clear_realloc(s->message, s->capacity, capacity);
    if (message == NULL) {
        signet_raise(s->provider, NO_MEMORY, "no memory for the message to be signed");
        return false;
    }
    s->message = message;
    s->capacity = capacity;
    return true;
}

static int
digest_sign_update(void *context, const unsigned char *data, size_t size)
{
    struct signature *s = context;
    if (size == 0)
        return 1;
    if (s->md == NULL && size <= SIGNET_WIRE_MESSAGE_MAX - s->size) {
        if (!reserve(s, size))
            return 0;
        memcpy(s->message + s->size, data, size);
        s->size += size;
        return 1;
    }
    if (s->md == NULL) {
        if (!start_md(s) || (s->size > 0 && !EVP_DigestUpdate(s->md, s->message, s->size)))
            return 0;
        OPENSSL_clear_free(s->message, s->capacity);
        s->message = NULL;
        s->size = s->capacity = 0;
    }
    return EVP_DigestUpdate(s->md, data, size);
}

static int
sign_message(struct signature *s, struct signet_bytes message, const struct signet_output *output)
{
    struct signet_wire_sign_request request = {.hash = (uint8_t)signet_hash_from_name(s->digest),
                                               .data = message};
    return prepare_request(s, &request) &&
           signet_key_sign(s->key, SIGNET_WIRE_OP_SIGN_MESSAGE, &request, output);
}

static int
digest_sign_final(void *context, unsigned char *out, size_t *size, size_t capacity)
{
    struct signature *s = context;
    if (!room_for_signature(s, out, size, capacity))
        return 0;
    if (out == NULL)
        return 1;
    if (s->md == NULL) {
        struct signet_output output = {out, capacity, size};
        return sign_message(s, (struct signet_bytes) {s->message, s->size}, &output);
    }
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    return EVP_DigestFinal_ex(s->md, digest, &digest_size) &&
           sign(s, out, size, capacity, digest, digest_size);
}

static int
digest_sign(void *context, unsigned char *out, size_t *size, size_t capacity,
            const unsigned char *data, size_t data_size)
{
    struct signature *s = context;
    if (out == NULL)
        return room_for_signature(s, out, size, capacity);
    bool goes_in_one_packet = s->md == NULL && s->size == 0 && data_size <= SIGNET_WIRE_MESSAGE_MAX;
    if (!goes_in_one_packet)
        return digest_sign_update(s, data, data_size) && digest_sign_final(s, out, size, capacity);
    struct signet_output output = {out, capacity, size};
    return room_for_signature(s, out, size, capacity) &&
           sign_message(s, (struct signet_bytes) {data, data_size}, &output);
}

static int
digest_verify_update(void *context, const unsigned char *data, size_t size)
{
    struct signature *s = context;
    return s->md != NULL && EVP_DigestUpdate(s->md, data, size);
}

static int
digest_verify_final(void *context, const unsigned char *signature, size_t size)
{
    struct signature *s = context;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    return s->md != NULL && EVP_DigestFinal_ex(s->md, digest, &digest_size) &&
           verify(s, signature, size, digest, digest_size);
}

#define SIGNATURE_ROWS                                                                           \
    DISPATCH(signature, SIGNATURE, newctx, NEWCTX, newctx),                                      \
        DISPATCH(signature, SIGNATURE, freectx, FREECTX, freectx),                               \
        DISPATCH(signature, SIGNATURE, dupctx, DUPCTX, dupctx),                                  \
        DISPATCH(signature, SIGNATURE, sign_init, SIGN_INIT, sign_init),                         \
        DISPATCH(signature, SIGNATURE, sign, SIGN, sign),                                        \
        DISPATCH(signature, SIGNATURE, verify_init, VERIFY_INIT, verify_init),                   \
        DISPATCH(signature, SIGNATURE, verify, VERIFY, verify),                                  \
        DISPATCH(signature, SIGNATURE, digest_sign_init, DIGEST_SIGN_INIT, digest_sign_init),    \
        DISPATCH(signature, SIGNATURE, digest_sign_update, DIGEST_SIGN_UPDATE,                   \
                 digest_sign_update),                                                            \
        DISPATCH(signature, SIGNATURE, digest_sign_final, DIGEST_SIGN_FINAL, digest_sign_final), \
        DISPATCH(signature, SIGNATURE, digest_sign, DIGEST_SIGN, digest_sign),                   \
        DISPATCH(signature, SIGNATURE, digest_verify_init, DIGEST_VERIFY_INIT,                   \
                 digest_verify_init),                                                            \
        DISPATCH(signature, SIGNATURE, digest_verify_update, DIGEST_VERIFY_UPDATE,               \
                 digest_verify_update),                                                          \
        DISPATCH(signature, SIGNATURE, digest_verify_final, DIGEST_VERIFY_FINAL,                 \
                 digest_verify_final),                                                           \
        DISPATCH(signature, SIGNATURE, get_ctx_params, GET_CTX_PARAMS, get_ctx_params),          \
        DISPATCH(signature, SIGNATURE, gettable_ctx_params, GETTABLE_CTX_PARAMS,                 \
                 gettable_ctx_params),                                                           \
        DISPATCH(signature, SIGNATURE, set_ctx_params, SET_CTX_PARAMS, set_ctx_params),          \
        DISPATCH(signature, SIGNATURE, settable_ctx_params, SETTABLE_CTX_PARAMS,                 \
                 settable_ctx_params)

static const OSSL_DISPATCH ecdsa_functions[] = {SIGNATURE_ROWS, DISPATCH_END};
static const OSSL_DISPATCH rsa_functions[] = {
    SIGNATURE_ROWS,
    DISPATCH(signature, SIGNATURE, verify_recover_init, VERIFY_RECOVER_INIT, verify_init),
    DISPATCH(signature, SIGNATURE, verify_recover, VERIFY_RECOVER, verify_recover), DISPATCH_END};

const OSSL_ALGORITHM signet_signature_algorithms[] = {
    {SIGNET_NAME_ECDSA, SIGNET_PROPERTIES, ecdsa_functions, "ECDSA by the Signet agent"},
    {SIGNET_NAME_RSA, SIGNET_PROPERTIES, rsa_functions, "RSA signatures by the Signet agent"},
    {NULL, NULL, NULL, NULL}};
