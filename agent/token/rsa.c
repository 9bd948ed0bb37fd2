/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* RSA paddings by libcrypto. Its low-level functions are deprecated but are the only ones that pad
 * without a private key. */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "agent/token/rsa.h"
#include "agent/base/secret.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define MAX_BYTES 1024 /* RSA-8192 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RSA, RSA_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_SIG, X509_SIG_free)

static const EVP_MD *
message_digest(guint32 hash)
{
    switch ((enum signet_hash)hash) {
    case SIGNET_HASH_SHA1:
        return EVP_sha1();
    case SIGNET_HASH_SHA224:
        return EVP_sha224();
    case SIGNET_HASH_SHA256:
        return EVP_sha256();
    case SIGNET_HASH_SHA384:
        return EVP_sha384();
    case SIGNET_HASH_SHA512:
        return EVP_sha512();
    case SIGNET_HASH_NONE:
        break;
    }
    return NULL;
}

static RSA *
parse_spki(GBytes *spki, GError **error)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(spki, &size);
    RSA *rsa = d2i_RSA_PUBKEY(NULL, &der, (long)size);

    if (!rsa || RSA_size(rsa) > MAX_BYTES) {
        RSA_free(rsa);
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "the stored public key is not an RSA key");
        return NULL;
    }
    return rsa;
}

/* DigestInfo, RFC 8017 A.2.4 */
static GBytes *
digest_info(const EVP_MD *md, GBytes *digest)
{
    g_autoptr(X509_SIG) sig = X509_SIG_new();
    unsigned char *der = NULL;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *octets;
    GBytes *info;
    int size;

    X509_SIG_getm(sig, &algorithm, &octets);
    X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(md)), V_ASN1_NULL, NULL);
    ASN1_OCTET_STRING_set(octets, g_bytes_get_data(digest, NULL), (int)g_bytes_get_size(digest));
    size = i2d_X509_SIG(sig, &der);
    info = g_bytes_new(der, size > 0 ? (gsize)size : 0);
    OPENSSL_free(der);
    return info;
}

GBytes *
signet_rsa_digest_info(const SignetKeyScheme *scheme, GBytes *digest)
{
    const EVP_MD *md = message_digest(scheme->hash);

    return md ? digest_info(md, digest) : g_bytes_ref(digest);
}

static gboolean
pad_pkcs1(guint8 *block, int size, const SignetKeyScheme *scheme, GBytes *digest)
{
    g_autoptr(GBytes) info = signet_rsa_digest_info(scheme, digest);

    return RSA_padding_add_PKCS1_type_1(block, size, g_bytes_get_data(info, NULL),
                                        (int)g_bytes_get_size(info)) == 1;
}

GBytes *
signet_rsa_pad(const SignetKeyScheme *scheme, GBytes *digest, GBytes *spki, GError **error)
{
    g_autoptr(RSA) rsa = parse_spki(spki, error);
    const EVP_MD *md = message_digest(scheme->hash);
    const EVP_MD *mgf1 = message_digest(scheme->mgf1_hash);
    guint8 block[MAX_BYTES];
    gboolean padded = FALSE;

    if (!rsa)
        return NULL;
    if (md && g_bytes_get_size(digest) != (gsize)EVP_MD_get_size(md)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "a digest of %zu bytes is not one of %s",
                         g_bytes_get_size(digest), signet_hash_name(scheme->hash));
        return NULL;
    }

    if (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1)
        padded = pad_pkcs1(block, RSA_size(rsa), scheme, digest);
    else if (scheme->scheme == SIGNET_SCHEME_RSA_PSS && md)
        padded = RSA_padding_add_PKCS1_PSS_mgf1(rsa, block, g_bytes_get_data(digest, NULL), md,
                                                mgf1 ? mgf1 : md, scheme->salt_len) == 1;
    ERR_clear_error();
    if (!padded) {
        signet_error_set(
            error, SIGNET_ERROR_UNSUPPORTED,
            "an RSA key of %d bits cannot sign with %s, digest %s and a salt of %u bytes",
            RSA_bits(rsa), signet_scheme_name(scheme->scheme), signet_hash_name(scheme->hash),
            scheme->salt_len);
        return NULL;
    }
    return g_bytes_new(block, (gsize)RSA_size(rsa));
}

static int
unpad(const SignetKeyScheme *scheme, GBytes *block, guint8 *plain)
{
    const guint8 *data = g_bytes_get_data(block, NULL);
    int size = (int)g_bytes_get_size(block);
    const EVP_MD *md = message_digest(scheme->hash);
    const EVP_MD *mgf1 = message_digest(scheme->mgf1_hash);
    gsize label_size = 0;
    const guint8 *label = scheme->label ? g_bytes_get_data(scheme->label, &label_size) : NULL;

    if (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1)
        return RSA_padding_check_PKCS1_type_2(plain, MAX_BYTES, data, size, size);
    return RSA_padding_check_PKCS1_OAEP_mgf1(plain, MAX_BYTES, data, size, size, label,
                                             (int)label_size, md, mgf1 ? mgf1 : md);
}

GBytes *
signet_rsa_unpad(const SignetKeyScheme *scheme, GBytes *block, GError **error)
{
    guint8 plain[MAX_BYTES];
    GBytes *result = NULL;
    int size;

    if (scheme->scheme != SIGNET_SCHEME_RSA_PKCS1 &&
        (scheme->scheme != SIGNET_SCHEME_RSA_OAEP || !message_digest(scheme->hash))) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "an RSA key cannot decrypt with %s",
                         signet_scheme_name(scheme->scheme));
        return NULL;
    }
    size = g_bytes_get_size(block) <= MAX_BYTES ? unpad(scheme, block, plain) : -1;
    ERR_clear_error();
    if (size >= 0)
        result = signet_secret_bytes_new(plain, (gsize)size);
    else
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the ciphertext was not made for this key and this padding");
    OPENSSL_cleanse(plain, sizeof plain);
    return result;
}

gboolean
signet_rsa_check(GBytes *spki, GBytes *block, GBytes *signature, GError **error)
{
    g_autoptr(RSA) rsa = parse_spki(spki, error);
    guint8 opened[MAX_BYTES];
    gsize size;
    const guint8 *data = g_bytes_get_data(signature, &size);

    if (!rsa)
        return FALSE;
    if (size != (gsize)RSA_size(rsa) || g_bytes_get_size(block) != size ||
        RSA_public_encrypt((int)size, data, opened, rsa, RSA_NO_PADDING) != (int)size ||
        memcmp(opened, g_bytes_get_data(block, NULL), size) != 0) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "the token returned a signature that does not verify");
    }
    return TRUE;
}

int
signet_rsa_find_salt(GBytes *spki, guint32 hash, GBytes *digest, GBytes *signature)
{
    g_autoptr(RSA) rsa = parse_spki(spki, NULL);
    const EVP_MD *md = message_digest(hash);
    guint8 block[MAX_BYTES];
    int salt = -1;
    gsize size;
    const guint8 *data = g_bytes_get_data(signature, &size);

    if (!rsa || !md || size != (gsize)RSA_size(rsa) ||
        g_bytes_get_size(digest) != (gsize)EVP_MD_get_size(md) ||
        RSA_public_decrypt((int)size, data, block, rsa, RSA_NO_PADDING) != (int)size) {
        ERR_clear_error();
        return -1;
    }
    for (int length = 0; salt < 0 && length <= (int)size; length++) {
        if (RSA_verify_PKCS1_PSS_mgf1(rsa, g_bytes_get_data(digest, NULL), md, md, block, length))
            salt = length;
    }
    ERR_clear_error();
    return salt;
}
