/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* libcrypto checks what tokens and peers say. */

#include "agent/token/pkcs11/public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#define RAW_MAX      132 /* P-521 */
#define ED25519_SIZE 32

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

typedef struct {
    guint32 type;
    const char *group;
    gsize point_size;
    const char *oid; /* DER */
    gsize oid_size;
    const char *name; /* (nullable) DER PrintableString (PKCS#11 3.0 2.3.5) */
    gsize name_size;
} Curve;

static const Curve CURVES[] = {
    {SIGNET_KEY_EC_P256, "P-256", 65, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, NULL, 0},
    {SIGNET_KEY_EC_P384, "P-384", 97, "\x06\x05\x2b\x81\x04\x00\x22", 7, NULL, 0},
    {SIGNET_KEY_EC_P521, "P-521", 133, "\x06\x05\x2b\x81\x04\x00\x23", 7, NULL, 0},
    {SIGNET_KEY_ED25519, NULL, ED25519_SIZE, "\x06\x03\x2b\x65\x70", 5,
     "\x13\x0c"
     "edwards25519",
     14},
};

static const Curve *
curve_of_type(guint32 type)
{
    for (guint i = 0; i < G_N_ELEMENTS(CURVES); i++) {
        if (CURVES[i].type == type)
            return &CURVES[i];
    }
    return NULL;
}

static gboolean
is_equal(GBytes *bytes, const char *der, gsize der_size)
{
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);

    return der && size == der_size && memcmp(data, der, size) == 0;
}

static const Curve *
curve_of_params(GBytes *params)
{
    for (guint i = 0; i < G_N_ELEMENTS(CURVES); i++) {
        if (is_equal(params, CURVES[i].oid, CURVES[i].oid_size) ||
            is_equal(params, CURVES[i].name, CURVES[i].name_size))
            return &CURVES[i];
    }
    return NULL;
}

const guint8 *
signet_pkcs11_curve_params(guint32 key_type, gboolean by_name, gsize *ret_size)
{
    static const Curve none = {0};
    const Curve *curve = curve_of_type(key_type);

    if (!curve)
        curve = &none;
    *ret_size = by_name ? curve->name_size : curve->oid_size;
    return (const guint8 *)(by_name ? curve->name : curve->oid);
}

/* params: NULL when they could not be made */
static EVP_PKEY *
make_public(const char *kind, OSSL_PARAM_BLD *build)
{
    g_autoptr(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *pkey = NULL;

    if (params && EVP_PKEY_fromdata_init(ctx) > 0)
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    ERR_clear_error();
    return pkey;
}

static GBytes *
encode(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    int size = pkey ? i2d_PUBKEY(pkey, &der) : -1;
    GBytes *spki = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;

    OPENSSL_free(der);
    ERR_clear_error();
    return spki;
}

static EVP_PKEY *
make_ec(const Curve *curve, const guint8 *point, gsize size)
{
    g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();

    if (curve->type == SIGNET_KEY_ED25519)
        return size == ED25519_SIZE
                   ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point, size)
                   : NULL;
    if (size != curve->point_size || point[0] != POINT_CONVERSION_UNCOMPRESSED)
        return NULL;
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, size);
    return make_public("EC", build);
}

GBytes *
signet_pkcs11_spki_of_ec(GBytes *params, GBytes *point)
{
    const Curve *curve = curve_of_params(params);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(point, &size);
    g_autoptr(EVP_PKEY) pkey = NULL;

    if (!curve)
        return NULL;
    if (size > curve->point_size) { /* in an OCTET STRING, or as in a certificate a BIT STRING */
        gboolean is_bits = bytes[0] == 0x03;
        gsize header = (curve->point_size < 0x80 ? 2 : 3) + is_bits;

        if (size != header + curve->point_size || (bytes[0] != 0x04 && !is_bits))
            return NULL;
        bytes += header;
        size -= header;
    }
    pkey = make_ec(curve, bytes, size);
    return encode(pkey);
}

GBytes *
signet_pkcs11_spki_of_rsa(GBytes *modulus, GBytes *exponent)
{
    g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    g_autoptr(BIGNUM) n =
        BN_bin2bn(g_bytes_get_data(modulus, NULL), (int)g_bytes_get_size(modulus), NULL);
    g_autoptr(BIGNUM) e =
        BN_bin2bn(g_bytes_get_data(exponent, NULL), (int)g_bytes_get_size(exponent), NULL);
    g_autoptr(EVP_PKEY) pkey = NULL;

    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    pkey = make_public("RSA", build);
    return encode(pkey);
}

gboolean
signet_pkcs11_is_point(guint32 key_type, GBytes *point)
{
    const Curve *curve = curve_of_type(key_type);
    gsize size;
    const guint8 *bytes = g_bytes_get_data(point, &size);
    g_autoptr(EVP_PKEY) pkey = signet_key_type_is_ec(key_type) ? make_ec(curve, bytes, size) : NULL;

    return pkey != NULL;
}

GBytes *
signet_pkcs11_ecdsa_der(const guint8 *raw, gsize size)
{
    g_autoptr(ECDSA_SIG) sig = ECDSA_SIG_new();
    unsigned char *der = NULL;
    GBytes *bytes = NULL;
    int half = (int)size / 2;
    int der_size;

    if (size == 0 || size % 2 != 0 || size > RAW_MAX)
        return NULL;
    ECDSA_SIG_set0(sig, BN_bin2bn(raw, half, NULL), BN_bin2bn(raw + half, half, NULL));
    der_size = i2d_ECDSA_SIG(sig, &der);
    if (der_size > 0)
        bytes = g_bytes_new(der, (gsize)der_size);
    OPENSSL_free(der);
    return bytes;
}

gboolean
signet_pkcs11_ecdsa_check(GBytes *spki, GBytes *digest, GBytes *der)
{
    gsize spki_size, digest_size, size;
    const unsigned char *p = g_bytes_get_data(spki, &spki_size);
    const unsigned char *tbs = g_bytes_get_data(digest, &digest_size);
    const unsigned char *signature = g_bytes_get_data(der, &size);
    EVP_PKEY *public_key = d2i_PUBKEY(NULL, &p, (long)spki_size);
    EVP_PKEY_CTX *ctx = public_key ? EVP_PKEY_CTX_new(public_key, NULL) : NULL;
    gboolean ok = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                  EVP_PKEY_verify(ctx, signature, size, tbs, digest_size) == 1;

    ERR_clear_error();
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(public_key);
    return ok;
}
