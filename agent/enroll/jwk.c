/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* JSON Web Keys. */

#include "agent/enroll/jwk.h"

#include <openssl/core_names.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"

#define TOKEN_MAX 256

static const struct {
    int bits;
    const char *name;
} curves[] = {{256, "P-256"}, {384, "P-384"}, {521, "P-521"}};

/* A number of the key in base64url; size 0: as short as can be. */
static json_t *
number_of(const EVP_PKEY *key, const char *name, gsize size)
{
    BIGNUM *number = NULL;
    guint8 bytes[1024];
    gsize length;

    if (EVP_PKEY_get_bn_param(key, name, &number) <= 0)
        return NULL;
    length = size ? size : (gsize)BN_num_bytes(number);
    gboolean fits = length <= sizeof(bytes) && BN_bn2binpad(number, bytes, (int)length) >= 0;
    BN_free(number);
    g_autofree char *text = fits ? signet_base64url_encode(bytes, length) : NULL;
    return text ? json_string(text) : NULL;
}

static json_t *
describe_ec(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    gsize size = ((gsize)bits + 7) / 8;

    for (gsize i = 0; i < G_N_ELEMENTS(curves); i++) {
        if (curves[i].bits == bits)
            return json_pack("{s:s, s:s, s:o, s:o}", "kty", "EC", "crv", curves[i].name, "x",
                             number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size), "y",
                             number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
    }
    return NULL;
}

json_t *
signet_jwk_new(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "EC"))
        return describe_ec(key);
    if (!EVP_PKEY_is_a(key, "RSA"))
        return NULL;
    return json_pack("{s:s, s:o, s:o}", "kty", "RSA", "n", number_of(key, OSSL_PKEY_PARAM_RSA_N, 0),
                     "e", number_of(key, OSSL_PKEY_PARAM_RSA_E, 0));
}

/* Its members in order, without white space. */
char *
signet_jwk_dup_thumbprint(const json_t *jwk, OSSL_LIB_CTX *library)
{
    char *text = json_dumps(jwk, JSON_COMPACT | JSON_SORT_KEYS);
    guint8 digest[EVP_MAX_MD_SIZE];
    gsize size = 0;
    gboolean is_made = EVP_Q_digest(library, "SHA256", NULL, text, strlen(text), digest, &size);

    free(text);
    return is_made ? signet_base64url_encode(digest, size) : NULL;
}

gboolean
signet_jwk_is_token(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return strlen(text) <= TOKEN_MAX && text[strspn(text, letters)] == '\0';
}

GBytes *
signet_jwk_digest_authorization(GBytes *spki, const char *token, GError **error)
{
    gsize size = 0;
    const guint8 *der = g_bytes_get_data(spki, &size);
    g_autoptr(EVP_PKEY) key = d2i_PUBKEY(NULL, &der, (long)size);
    g_autoptr(json_t) jwk = key ? signet_jwk_new(key) : NULL;
    g_autofree char *thumbprint = jwk ? signet_jwk_dup_thumbprint(jwk, NULL) : NULL;
    guint8 digest[EVP_MAX_MD_SIZE];

    ERR_clear_error();
    if (!*token || !signet_jwk_is_token(token)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "that is no token of a challenge");
        return NULL;
    }
    g_autofree char *text = thumbprint ? g_strconcat(token, ".", thumbprint, NULL) : NULL;
    if (text && EVP_Q_digest(NULL, "SHA256", NULL, text, strlen(text), digest, &size))
        return g_bytes_new(digest, size);
    signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                     "the account's key is of a type that ACME accounts have not");
    return NULL;
}
