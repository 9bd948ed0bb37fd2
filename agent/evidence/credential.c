/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Credentials: a seed for the endorsement key, and what is encrypted and authenticated by it. */

#include "agent/evidence/credential.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/evidence/crypto.h"

#define DIGEST_MAX 64
#define EC_MAX     66

/* How seeds for an endorsement key are made, and what is done with them. */
typedef struct {
    const char *type; /* libcrypto's */
    int bits;
    const char *digest; /* its nameAlg */
    gsize digest_size;
    const char *cipher;
    gsize key_size;
} Kind;

static const Kind KINDS[] = {
    {"RSA", 2048, "SHA2-256", 32, "AES-128-CFB", 16},
    {"RSA", 3072, "SHA2-384", 48, "AES-256-CFB", 32},
    {"RSA", 4096, "SHA2-384", 48, "AES-256-CFB", 32},
    {"EC", 256, "SHA2-256", 32, "AES-128-CFB", 16},
    {"EC", 384, "SHA2-384", 48, "AES-256-CFB", 32},
    {"EC", 521, "SHA2-512", 64, "AES-256-CFB", 32},
};

static const char IDENTITY[] = "IDENTITY"; /* with its zero */

static const Kind *
find_kind(const EVP_PKEY *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
        if (EVP_PKEY_is_a(key, KINDS[i].type) && EVP_PKEY_get_bits(key) == KINDS[i].bits)
            return &KINDS[i];
    }
    return NULL;
}

static void
append_sized(GByteArray *array, gconstpointer data, gsize size)
{
    const guint8 length[] = {(guint8)(size >> 8), (guint8)size};

    g_byte_array_append(array, length, sizeof length);
    g_byte_array_append(array, data, (guint)size);
}

/* --- key derivation (part 1, 11.4.10) --- */

/* KDFa is SP 800-108 in counter mode over HMAC. */
static gboolean
derive(const Kind *kind, const guint8 *seed, const char *label, const SignetTpmName *context,
       guint8 *key, gsize size)
{
    g_autoptr(EVP_KDF) kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
    g_autoptr(EVP_KDF_CTX) ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, (char *)"HMAC", 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)kind->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)seed, kind->digest_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)label, strlen(label)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
                                          context ? (void *)context->bytes : (void *)"",
                                          context ? context->size : 0),
        OSSL_PARAM_construct_end(),
    };

    return ctx && EVP_KDF_derive(ctx, key, size, params) > 0;
}

/* KDFe is the one of SP 800-56A; x coordinates as long as the curve's field. */
static gboolean
derive_shared(const Kind *kind, const guint8 *z, const guint8 *ours, const guint8 *theirs,
              gsize field, guint8 *seed)
{
    g_autoptr(EVP_KDF) kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
    g_autoptr(EVP_KDF_CTX) ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    g_autoptr(GByteArray) info = g_byte_array_new();

    g_byte_array_append(info, (const guint8 *)IDENTITY, sizeof IDENTITY);
    g_byte_array_append(info, ours, (guint)field);
    g_byte_array_append(info, theirs, (guint)field);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)kind->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)z, field),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info->data, info->len),
        OSSL_PARAM_construct_end(),
    };
    return ctx && EVP_KDF_derive(ctx, seed, kind->digest_size, params) > 0;
}

/* --- the seed --- */

static gboolean
wrap_rsa(const Kind *kind, EVP_PKEY *endorsement, guint8 *seed, GByteArray *secret)
{
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_pkey(NULL, endorsement, NULL);
    guint8 wrapped[512];
    size_t size = sizeof wrapped;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
                                         (char *)OSSL_PKEY_RSA_PAD_MODE_OAEP, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, (char *)kind->digest,
                                         0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, (char *)kind->digest,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, (void *)IDENTITY,
                                          sizeof IDENTITY),
        OSSL_PARAM_construct_end(),
    };

    if (RAND_bytes(seed, (int)kind->digest_size) != 1 || !ctx ||
        EVP_PKEY_encrypt_init_ex(ctx, params) <= 0 ||
        EVP_PKEY_encrypt(ctx, wrapped, &size, seed, kind->digest_size) <= 0)
        return FALSE;
    append_sized(secret, wrapped, size);
    return TRUE;
}

static gboolean
get_coordinate(const EVP_PKEY *key, const char *name, guint8 *to, gsize field)
{
    BIGNUM *number = NULL;
    gboolean is_good =
        EVP_PKEY_get_bn_param(key, name, &number) > 0 && BN_bn2binpad(number, to, (int)field) >= 0;

    BN_free(number);
    return is_good;
}

static EVP_PKEY *
make_ephemeral(const EVP_PKEY *like)
{
    char group[32];

    if (EVP_PKEY_get_group_name(like, group, sizeof group, NULL) <= 0)
        return NULL;
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
}

static gboolean
wrap_ec(const Kind *kind, EVP_PKEY *endorsement, guint8 *seed, GByteArray *secret)
{
    gsize field = ((gsize)kind->bits + 7) / 8;
    g_autoptr(EVP_PKEY) ephemeral = make_ephemeral(endorsement);
    g_autoptr(EVP_PKEY_CTX) ctx =
        ephemeral ? EVP_PKEY_CTX_new_from_pkey(NULL, ephemeral, NULL) : NULL;
    g_autoptr(GByteArray) point = g_byte_array_new();
    guint8 x[EC_MAX], y[EC_MAX], theirs[EC_MAX], z[EC_MAX];
    size_t size = sizeof z;
    gboolean is_good = ctx && get_coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_X, x, field) &&
                       get_coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_Y, y, field) &&
                       get_coordinate(endorsement, OSSL_PKEY_PARAM_EC_PUB_X, theirs, field) &&
                       EVP_PKEY_derive_init(ctx) > 0 &&
                       EVP_PKEY_derive_set_peer(ctx, endorsement) > 0 &&
                       EVP_PKEY_derive(ctx, z, &size) > 0 && size == field &&
                       derive_shared(kind, z, x, theirs, field, seed);

    OPENSSL_cleanse(z, sizeof z);
    if (!is_good)
        return FALSE;
    append_sized(point, x, field);
    append_sized(point, y, field);
    append_sized(secret, point->data, point->len);
    return TRUE;
}

/* --- the credential --- */

static gboolean
encrypt(const Kind *kind, const guint8 *key, const GByteArray *plain, guint8 *cipher)
{
    static const guint8 iv[16] = {0};
    g_autoptr(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, kind->cipher, NULL);
    int size = 0;
    gboolean is_good = aes && EVP_EncryptInit_ex2(ctx, aes, key, iv, NULL) > 0 &&
                       EVP_EncryptUpdate(ctx, cipher, &size, plain->data, (int)plain->len) > 0 &&
                       size == (int)plain->len;

    EVP_CIPHER_free(aes);
    return is_good;
}

/* What is encrypted, and an HMAC over it and the name. */
static gboolean
seal(const Kind *kind, const guint8 *seed, const SignetTpmName *name, const guint8 *answer,
     GByteArray *credential)
{
    g_autoptr(GByteArray) plain = g_byte_array_new();
    g_autoptr(GByteArray) covered = g_byte_array_new();
    g_autoptr(GByteArray) object = g_byte_array_new();
    guint8 key[32], mac_key[DIGEST_MAX], mac[DIGEST_MAX];
    guint8 cipher[2 + SIGNET_CREDENTIAL_ANSWER_BYTES];
    size_t mac_size = 0;

    append_sized(plain, answer, SIGNET_CREDENTIAL_ANSWER_BYTES);
    gboolean is_good = derive(kind, seed, "STORAGE", name, key, kind->key_size) &&
                       derive(kind, seed, "INTEGRITY", NULL, mac_key, kind->digest_size) &&
                       encrypt(kind, key, plain, cipher);
    if (is_good) {
        g_byte_array_append(covered, cipher, sizeof cipher);
        g_byte_array_append(covered, name->bytes, (guint)name->size);
        is_good = EVP_Q_mac(NULL, "HMAC", NULL, kind->digest, NULL, mac_key, kind->digest_size,
                            covered->data, covered->len, mac, sizeof mac, &mac_size) != NULL;
    }
    OPENSSL_cleanse(plain->data, plain->len);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(mac_key, sizeof mac_key);
    if (!is_good)
        return FALSE;
    append_sized(object, mac, mac_size);
    g_byte_array_append(object, cipher, sizeof cipher);
    append_sized(credential, object->data, object->len);
    return TRUE;
}

gboolean
signet_credential_make(SignetCredential *credential, GBytes *endorsement, const SignetTpmName *name,
                       const guint8 answer[SIGNET_CREDENTIAL_ANSWER_BYTES], GError **error)
{
    gsize size = 0;
    const guint8 *der = g_bytes_get_data(endorsement, &size);
    g_autoptr(EVP_PKEY) key = d2i_PUBKEY(NULL, &der, (long)size);
    const Kind *kind = key ? find_kind(key) : NULL;
    g_autoptr(GByteArray) secret = g_byte_array_new();
    g_autoptr(GByteArray) object = g_byte_array_new();
    guint8 seed[DIGEST_MAX];

    ERR_clear_error();
    if (!kind)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the endorsement key is neither RSA of 2048, 3072 or 4096 bits nor "
                                "on P-256, P-384 or P-521");
    gboolean is_good = (EVP_PKEY_is_a(key, "RSA") ? wrap_rsa(kind, key, seed, secret)
                                                  : wrap_ec(kind, key, seed, secret)) &&
                       seal(kind, seed, name, answer, object);
    OPENSSL_cleanse(seed, sizeof seed);
    if (!is_good) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_FAILED, "libcrypto cannot make a challenge");
    }
    credential->credential = g_bytes_new(object->data, object->len);
    credential->secret = g_bytes_new(secret->data, secret->len);
    return TRUE;
}

void
signet_credential_clear(SignetCredential *credential)
{
    g_clear_pointer(&credential->credential, g_bytes_unref);
    g_clear_pointer(&credential->secret, g_bytes_unref);
}
