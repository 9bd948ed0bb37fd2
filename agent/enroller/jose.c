/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* JSON Web Signatures. */

#include "agent/enroller/jose.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/jwk.h"

#define MAC_KEY_MAX 1024

struct SignetJose {
    SignetCrypto *crypto; /* (unowned): outlives us */
    EVP_PKEY *key;        /* (owned) */
    const char *algorithm;
    gsize part_size;  /* of r and s; 0: not ECDSA */
    json_t *jwk;      /* (owned) */
    char *thumbprint; /* (owned) */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

/* --- the key --- */

static gboolean
choose_algorithm(SignetJose *jose, const EVP_PKEY *key)
{
    static const struct {
        int bits;
        const char *algorithm;
    } curves[] = {{256, "ES256"}, {384, "ES384"}, {521, "ES512"}};
    int bits = EVP_PKEY_get_bits(key);

    if (EVP_PKEY_is_a(key, "RSA"))
        jose->algorithm = "RS256";
    for (gsize i = 0; EVP_PKEY_is_a(key, "EC") && i < G_N_ELEMENTS(curves); i++) {
        if (curves[i].bits != bits)
            continue;
        jose->algorithm = curves[i].algorithm;
        jose->part_size = (gsize)(bits + 7) / 8;
    }
    return jose->algorithm != NULL;
}

SignetJose *
signet_jose_new(SignetCrypto *crypto, const char *identity, GError **error)
{
    g_autoptr(SignetJose) jose = g_new0(SignetJose, 1);
    guint8 *der = NULL;

    jose->crypto = crypto;
    jose->key = signet_crypto_load_key(crypto, identity, 0, error);
    if (!jose->key)
        return NULL;
    /* numbers are read from a copy of its public half: not every key in a token tells them */
    int size = i2d_PUBKEY(jose->key, &der);
    g_autoptr(GBytes) spki = g_bytes_new(der, (gsize)MAX(size, 0));
    OPENSSL_free(der);
    g_autoptr(EVP_PKEY) key = signet_crypto_read_public(crypto, spki, error);
    if (!key)
        return NULL;
    if (choose_algorithm(jose, key))
        jose->jwk = signet_jwk_new(key);
    if (jose->jwk)
        jose->thumbprint = signet_jwk_dup_thumbprint(jose->jwk, signet_crypto_get_library(crypto));
    ERR_clear_error();
    if (jose->thumbprint)
        return g_steal_pointer(&jose);
    signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                     "the key of '%s' is of a type that ACME accounts have not; write "
                     "Key=ec:P-256 for the CA",
                     identity);
    return NULL;
}

void
signet_jose_free(SignetJose *jose)
{
    EVP_PKEY_free(jose->key);
    json_decref(jose->jwk);
    g_free(jose->thumbprint);
    g_free(jose);
}

json_t *
signet_jose_get_jwk(const SignetJose *jose)
{
    return jose->jwk;
}

const char *
signet_jose_get_thumbprint(const SignetJose *jose)
{
    return jose->thumbprint;
}

/* --- signing --- */

GBytes *
signet_jose_unwrap_ecdsa(const guint8 *der, gsize size, gsize part_size)
{
    const guint8 *at = der;
    g_autoptr(ECDSA_SIG) signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
    g_autofree guint8 *both = g_malloc0(2 * part_size);

    if (signature && at == der + size &&
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), both, (int)part_size) >= 0 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), both + part_size, (int)part_size) >= 0)
        return g_bytes_new_take(g_steal_pointer(&both), 2 * part_size);
    ERR_clear_error();
    return NULL;
}

static char *
encode_json(const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    char *encoded = signet_base64url_encode(text ? text : "", text ? strlen(text) : 0);

    free(text);
    return encoded;
}

static char *
encode_header(const json_t *header, const char *algorithm)
{
    g_autoptr(json_t) whole = json_copy((json_t *)header);

    json_object_set_new(whole, "alg", json_string(algorithm));
    return encode_json(whole);
}

static json_t *
join(const char *header, const char *payload, GBytes *signature)
{
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(signature, &size);
    g_autofree char *encoded = signet_base64url_encode(data, size);

    return json_pack("{s:s, s:s, s:s}", "protected", header, "payload", payload, "signature",
                     encoded);
}

static GBytes *
sign_text(const SignetJose *jose, const char *text, GError **error)
{
    g_autoptr(EVP_MD_CTX) signing = signet_crypto_new_signing(jose->crypto, jose->key, error);
    guint8 raw[1024];
    gsize size = sizeof(raw);

    if (!signing)
        return NULL;
    if (EVP_DigestSign(signing, raw, &size, (const guint8 *)text, strlen(text)) <= 0) {
        signet_crypto_fail(error, "cannot sign with the account's key");
        return NULL;
    }
    GBytes *signature = jose->part_size ? signet_jose_unwrap_ecdsa(raw, size, jose->part_size)
                                        : g_bytes_new(raw, size);
    if (!signature)
        signet_error_set(error, SIGNET_ERROR_FAILED, "the account's key makes no ECDSA signatures");
    return signature;
}

GBytes *
signet_jose_sign(const SignetJose *jose, const json_t *header, const json_t *payload,
                 GError **error)
{
    g_autofree char *head = encode_header(header, jose->algorithm);
    g_autofree char *body = encode_json(payload);
    g_autofree char *text = g_strconcat(head, ".", body, NULL);
    g_autoptr(GBytes) signature = sign_text(jose, text, error);
    g_autoptr(json_t) whole = signature ? join(head, body, signature) : NULL;

    if (!whole)
        return NULL;
    char *json = json_dumps(whole, JSON_COMPACT);
    return g_bytes_new_with_free_func(json, strlen(json), free, json);
}

/* base64url or base64, whichever the CA's page shows. NULL when it is neither. */
static GBytes *
decode_mac_key(SignetSecret *secret)
{
    gsize size = 0;
    const char *text = signet_secret_get(secret, &size);
    char plain[MAC_KEY_MAX];
    GBytes *key;

    if (size == 0 || size > sizeof(plain))
        return NULL;
    memcpy(plain, text, size);
    while (size > 0 && plain[size - 1] == '=')
        size--;
    for (gsize i = 0; i < size; i++)
        plain[i] = plain[i] == '+' ? '-' : plain[i] == '/' ? '_' : plain[i];
    key = signet_base64url_decode(plain, size);
    OPENSSL_cleanse(plain, sizeof(plain));
    return key;
}

json_t *
signet_jose_mac(SignetSecret *secret, const json_t *header, const json_t *payload, GError **error)
{
    g_autofree char *head = encode_header(header, "HS256");
    g_autofree char *body = encode_json(payload);
    g_autofree char *text = g_strconcat(head, ".", body, NULL);
    g_autoptr(GBytes) key = decode_mac_key(secret);
    gsize size = 0;
    guint8 *data = key ? (guint8 *)g_bytes_get_data(key, &size) : NULL;
    guint8 mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    gboolean is_made = size > 0 && HMAC(EVP_sha256(), data, (int)size, (const guint8 *)text,
                                        strlen(text), mac, &mac_size);

    if (data)
        OPENSSL_cleanse(data, size);
    if (!is_made) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the CA's secret is not the key of an external account: base64url");
        return NULL;
    }
    g_autoptr(GBytes) signature = g_bytes_new(mac, mac_size);
    return join(head, body, signature);
}
