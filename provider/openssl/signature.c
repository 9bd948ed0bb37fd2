/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Signatures. The agent gets the message itself, since it wants to know what it signs; only one
 * that is too long for a packet, or that the caller has hashed already, goes there as a digest.
 * Verification is software's work. */

#include <openssl/buffer.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "provider/openssl/key.h"
#include "provider/openssl/params.h"

#define DEFAULT_DIGEST "SHA256"

/* RSA_PSS_SALTLEN_AUTO_DIGEST_MAX, which OpenSSL 3.0 does not know */
#define SALT_AUTO_DIGEST_MAX (-4)

struct signature {
    struct signet_provider *provider;
    struct signet_key *key; /* (owned) (nullable) */
    bool has_digest_op;     /* digest_sign or digest_verify: the digest is fixed */
    char digest[SIGNET_DIGEST_NAME_SIZE];
    char mgf1_digest[SIGNET_DIGEST_NAME_SIZE]; /* empty: as digest */
    int padding;
    int salt_len;

    /* digest_sign keeps the message while it fits into a packet; then, and for digest_verify, there
     * is md instead */
    BUF_MEM *message; /* (owned) (nullable) */
    EVP_MD_CTX *md;   /* (owned) (nullable) */
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
    BUF_MEM_free(s->message);
    s->message = NULL;
    EVP_MD_CTX_free(s->md);
    s->md = NULL;
}

static bool
keep_message(struct signature *s, const void *data, size_t size)
{
    size_t have = s->message == NULL ? 0 : s->message->length;
    if (s->message == NULL)
        s->message = BUF_MEM_new();
    if (s->message == NULL || BUF_MEM_grow_clean(s->message, have + size) != have + size) {
        signet_raise(s->provider, NO_MEMORY, "no memory for the message to be signed");
        return false;
    }
    if (size > 0)
        memcpy(s->message->data + have, data, size);
    return true;
}

static struct signet_bytes
kept_message(const struct signature *s)
{
    return s->message == NULL
               ? (struct signet_bytes) {NULL, 0}
               : (struct signet_bytes) {(uint8_t *)s->message->data, s->message->length};
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
    to->md = NULL;
    bool ok = from->message == NULL || keep_message(to, from->message->data, from->message->length);
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

static bool
is_rsa(const struct signature *s)
{
    return signet_key_family(s->key) == SIGNET_FAMILY_RSA;
}

/* Ed25519 signs the message itself: there is no digest, and the whole message is needed. */
static bool
is_eddsa(const struct signature *s)
{
    return signet_key_family(s->key) == SIGNET_FAMILY_ED25519;
}

/* A software context on the public half with our parameters. */
static EVP_PKEY_CTX *
begin_software(const struct signature *s, int (*init)(EVP_PKEY_CTX *), int salt_len)
{
    int padding = s->padding;
    OSSL_PARAM params[5], *p = params;
    if (s->digest[0] != '\0')
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)s->digest, 0);
    if (is_rsa(s))
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding);
    if (is_rsa(s) && padding == RSA_PKCS1_PSS_PADDING) {
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt_len);
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
                                                (char *)mgf1_digest(s), 0);
    }
    *p = OSSL_PARAM_construct_end();
    return signet_key_begin_public(s->key, init, params);
}

static const struct signet_mode salt_modes[] = {
    {RSA_PSS_SALTLEN_DIGEST, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST},
    {RSA_PSS_SALTLEN_MAX, OSSL_PKEY_RSA_PSS_SALT_LEN_MAX},
    {RSA_PSS_SALTLEN_AUTO, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO},
    {SALT_AUTO_DIGEST_MAX, "auto-digestmax"},
    {0, NULL}};

static const struct signet_mode padding_modes[] = {
    {RSA_PKCS1_PADDING, OSSL_PKEY_RSA_PAD_MODE_PKCSV15},
    {RSA_PKCS1_PSS_PADDING, OSSL_PKEY_RSA_PAD_MODE_PSS},
    {0, NULL}};

/* Of a digest operation, the digest was chosen when it began. */
static bool
take_digest(struct signature *s, const OSSL_PARAM params[])
{
    char digest[SIGNET_DIGEST_NAME_SIZE];
    strcpy(digest, s->digest);
    if (!signet_params_take_text(params, OSSL_SIGNATURE_PARAM_DIGEST, digest))
        return false;
    if (s->has_digest_op && OPENSSL_strcasecmp(digest, s->digest) != 0 &&
        (signet_hash_from_name(digest) == SIGNET_HASH_NONE ||
         signet_hash_from_name(digest) != signet_hash_from_name(s->digest)))
        return false;
    strcpy(s->digest, digest);
    return true;
}

static bool
take_rsa_params(struct signature *s, const OSSL_PARAM params[])
{
    int padding = s->padding, salt_len = s->salt_len;
    if (!signet_params_take_mode(params, OSSL_SIGNATURE_PARAM_PAD_MODE, padding_modes, &padding) ||
        (padding != RSA_PKCS1_PADDING && padding != RSA_PKCS1_PSS_PADDING)) {
        signet_raise(s->provider, UNSUPPORTED,
                     "signatures have padding 'pkcs1' or 'pss', and no other");
        return false;
    }
    s->padding = padding;
    bool has_salt = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN) != NULL;
    if (!signet_params_take_mode(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt_modes, &salt_len) ||
        salt_len < SALT_AUTO_DIGEST_MAX || (has_salt && padding != RSA_PKCS1_PSS_PADDING)) {
        signet_raise(s->provider, BAD_ARGUMENT, "not a salt length, or not PSS");
        return false;
    }
    s->salt_len = salt_len;
    return signet_params_take_text(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, s->mgf1_digest);
}

static int
set_ctx_params(void *context, const OSSL_PARAM params[])
{
    struct signature *s = context;
    if (params == NULL || s->key == NULL)
        return 1;
    return take_digest(s, params) && (!is_rsa(s) || take_rsa_params(s, params));
}

static bool
give_algorithm_id(const struct signature *s, OSSL_PARAM params[])
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
    if (param == NULL)
        return true;
    if (is_eddsa(s)) /* RFC 8410 section 3 */
        return OSSL_PARAM_set_octet_string(param, "\x30\x05\x06\x03\x2b\x65\x70", 7);
    OSSL_PARAM query[] = {*param, OSSL_PARAM_construct_end()};
    int salt_len = s->padding == RSA_PKCS1_PSS_PADDING ? resolve_salt(s) : 0;
    ERR_set_mark();
    EVP_PKEY_CTX *software = begin_software(s, EVP_PKEY_verify_init, salt_len);
    bool ok = software != NULL && EVP_PKEY_CTX_get_params(software, query) > 0;
    EVP_PKEY_CTX_free(software);
    ERR_pop_to_mark();
    param->return_size = query[0].return_size;
    return ok;
}

static int
get_ctx_params(void *context, OSSL_PARAM params[])
{
    const struct signature *s = context;
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST_SIZE);
    if (s->key == NULL ||
        (size != NULL &&
         !OSSL_PARAM_set_size_t(size, signet_hash_size(signet_hash_from_name(s->digest)))))
        return 0;
    return give_algorithm_id(s, params) &&
           signet_params_give_text(params, OSSL_SIGNATURE_PARAM_DIGEST, s->digest) &&
           signet_params_give_text(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1_digest(s)) &&
           signet_params_give_mode(params, OSSL_SIGNATURE_PARAM_PAD_MODE, padding_modes,
                                   s->padding) &&
           signet_params_give_mode(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt_modes,
                                   s->salt_len);
}

/* The first two can only be read. */
static const OSSL_PARAM ctx_params[] = {
    OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
    OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, NULL),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
    OSSL_PARAM_END};

static const OSSL_PARAM *
gettable_ctx_params(void *context, void *provider)
{
    return ctx_params;
}

static const OSSL_PARAM *
settable_ctx_params(void *context, void *provider)
{
    return ctx_params + 2;
}

/* A NULL key means the one of the operation before; a NULL digest, that the caller hashes. */
static int
begin(struct signature *s, struct signet_key *key, const char *digest, const OSSL_PARAM params[])
{
    forget_message(s);
    if (key != NULL) {
        signet_key_unref(s->key);
        s->key = signet_key_ref(key);
    }
    if (s->key == NULL || (digest != NULL && strlen(digest) >= sizeof(s->digest))) {
        signet_raise(s->provider, BAD_ARGUMENT, "no key, or no digest that is known");
        return 0;
    }
    if (is_eddsa(s) && (digest == NULL || *digest != '\0')) {
        signet_raise(s->provider, UNSUPPORTED, "Ed25519 signs messages, without a digest");
        return 0;
    }
    if (digest != NULL && *digest == '\0' && !is_eddsa(s))
        digest = DEFAULT_DIGEST;
    if (digest != NULL)
        strcpy(s->digest, digest);
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

/* What kind of signature to ask for; data and hash are still open. False: raised. */
static bool
prepare_request(const struct signature *s, struct signet_wire_sign_request *request)
{
    request->scheme = is_eddsa(s) ? SIGNET_SCHEME_EDDSA : SIGNET_SCHEME_ECDSA;
    if (!is_rsa(s))
        return true;
    request->scheme = SIGNET_SCHEME_RSA_PKCS1;
    if (s->padding != RSA_PKCS1_PSS_PADDING)
        return true;
    int salt_len = resolve_salt(s);
    request->scheme = SIGNET_SCHEME_RSA_PSS;
    request->salt_len = (uint16_t)salt_len;
    request->mgf1_hash = (uint8_t)signet_hash_from_name(mgf1_digest(s));
    if (salt_len >= 0 && request->mgf1_hash != SIGNET_HASH_NONE)
        return true;
    signet_raise(s->provider, UNSUPPORTED, "no PSS with this key, salt, digest '%s' and MGF1 '%s'",
                 s->digest, mgf1_digest(s));
    return false;
}

static int
give_length(const struct signature *s, size_t *ret_size)
{
    *ret_size = signet_key_output_max(s->key);
    return 1;
}

static int
sign(void *context, unsigned char *out, size_t *size, size_t capacity, const unsigned char *digest,
     size_t digest_size)
{
    struct signature *s = context;
    if (out == NULL)
        return give_length(s, size);
    uint32_t hash = signet_hash_from_name(s->digest);
    if (s->digest[0] == '\0' && !is_rsa(s)) /* ECDSA does not care which it was */
        hash = signet_hash_from_size(digest_size);
    /* PKCS #1 padding around what the caller has made himself, which is no digest */
    bool is_raw = s->digest[0] == '\0' && is_rsa(s) && s->padding == RSA_PKCS1_PADDING;
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
    EVP_PKEY_CTX *software = begin_software(s, EVP_PKEY_verify_init, salt_len);
    int result =
        software == NULL ? 0 : EVP_PKEY_verify(software, signature, size, digest, digest_size);
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
    if (is_eddsa(s) || signet_hash_from_name(s->digest) != SIGNET_HASH_NONE)
        return 1;
    signet_raise(s->provider, UNSUPPORTED, "the agent does not sign with the digest '%s'",
                 s->digest);
    return 0;
}

static int
digest_verify_init(void *context, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signature *s = context;
    return begin(s, key, digest != NULL ? digest : "", params) && (is_eddsa(s) || start_md(s));
}

static int
digest_sign_update(void *context, const unsigned char *data, size_t size)
{
    struct signature *s = context;
    size_t have = s->message == NULL ? 0 : s->message->length;
    if (s->md == NULL && size <= SIGNET_WIRE_MESSAGE_MAX - have)
        return keep_message(s, data, size);
    if (is_eddsa(s)) {
        signet_raise(s->provider, UNSUPPORTED, "Ed25519 signs at most %u bytes here",
                     SIGNET_WIRE_MESSAGE_MAX);
        return 0;
    }
    if (s->md == NULL) {
        if (!start_md(s) || (have > 0 && !EVP_DigestUpdate(s->md, s->message->data, have)))
            return 0;
        BUF_MEM_free(s->message);
        s->message = NULL;
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
    if (out == NULL)
        return give_length(s, size);
    if (s->md == NULL) {
        struct signet_output output = {out, capacity, size};
        return sign_message(s, kept_message(s), &output);
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
        return give_length(s, size);
    bool goes_in_one_packet =
        s->md == NULL && s->message == NULL && data_size <= SIGNET_WIRE_MESSAGE_MAX;
    if (!goes_in_one_packet)
        return digest_sign_update(s, data, data_size) && digest_sign_final(s, out, size, capacity);
    struct signet_output output = {out, capacity, size};
    return sign_message(s, (struct signet_bytes) {data, data_size}, &output);
}

static int
digest_verify_update(void *context, const unsigned char *data, size_t size)
{
    struct signature *s = context;
    if (is_eddsa(s))
        return keep_message(s, data, size);
    return s->md != NULL && EVP_DigestUpdate(s->md, data, size);
}

static int
verify_message(struct signature *s, const unsigned char *signature, size_t size)
{
    OSSL_LIB_CTX *software = signet_provider_software(s->provider);
    EVP_PKEY *public = software == NULL ? NULL : signet_key_dup_public(s->key);
    EVP_MD_CTX *work = EVP_MD_CTX_new();
    struct signet_bytes message = kept_message(s);
    int result = public != NULL && work != NULL &&
                 EVP_DigestVerifyInit_ex(work, NULL, NULL, software, NULL, public, NULL) > 0 &&
                 EVP_DigestVerify(work, signature, size, message.data, message.size) > 0;
    EVP_MD_CTX_free(work);
    EVP_PKEY_free(public);
    return result;
}

static int
digest_verify_final(void *context, const unsigned char *signature, size_t size)
{
    struct signature *s = context;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (is_eddsa(s))
        return verify_message(s, signature, size);
    return s->md != NULL && EVP_DigestFinal_ex(s->md, digest, &digest_size) &&
           verify(s, signature, size, digest, digest_size);
}

#define ROW(name, NAME, fn) DISPATCH(signature, SIGNATURE, name, NAME, fn)

static const OSSL_DISPATCH functions[] = {
    ROW(newctx, NEWCTX, newctx),
    ROW(freectx, FREECTX, freectx),
    ROW(dupctx, DUPCTX, dupctx),
    ROW(sign_init, SIGN_INIT, sign_init),
    ROW(sign, SIGN, sign),
    ROW(verify_init, VERIFY_INIT, verify_init),
    ROW(verify, VERIFY, verify),
    ROW(digest_sign_init, DIGEST_SIGN_INIT, digest_sign_init),
    ROW(digest_sign_update, DIGEST_SIGN_UPDATE, digest_sign_update),
    ROW(digest_sign_final, DIGEST_SIGN_FINAL, digest_sign_final),
    ROW(digest_sign, DIGEST_SIGN, digest_sign),
    ROW(digest_verify_init, DIGEST_VERIFY_INIT, digest_verify_init),
    ROW(digest_verify_update, DIGEST_VERIFY_UPDATE, digest_verify_update),
    ROW(digest_verify_final, DIGEST_VERIFY_FINAL, digest_verify_final),
    ROW(get_ctx_params, GET_CTX_PARAMS, get_ctx_params),
    ROW(gettable_ctx_params, GETTABLE_CTX_PARAMS, gettable_ctx_params),
    ROW(set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    ROW(settable_ctx_params, SETTABLE_CTX_PARAMS, settable_ctx_params),
    DISPATCH_END};

const OSSL_ALGORITHM signet_signature_algorithms[] = {
    {SIGNET_NAME_ECDSA, SIGNET_PROPERTIES, functions, "ECDSA by the Signet agent"},
    {SIGNET_NAME_RSA, SIGNET_PROPERTIES, functions, "RSA signatures by the Signet agent"},
    {SIGNET_NAME_EDDSA, SIGNET_PROPERTIES, functions, "Ed25519 signatures by the Signet agent"},
    {NULL, NULL, NULL, NULL}};
