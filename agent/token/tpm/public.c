/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TPMT_PUBLIC ↔ libcrypto. */

#include "agent/token/tpm/public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <string.h>

#define RSA_DEFAULT_EXPONENT 65537

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

static const struct {
    enum signet_key_type type;
    TPMI_ECC_CURVE curve;
    const char *group;
    gsize bytes;
} CURVES[] = {
    {SIGNET_KEY_EC_P256, TPM2_ECC_NIST_P256, "P-256", 32},
    {SIGNET_KEY_EC_P384, TPM2_ECC_NIST_P384, "P-384", 48},
    {SIGNET_KEY_EC_P521, TPM2_ECC_NIST_P521, "P-521", 66},
};

#define FIXED_ATTRIBUTES                                                                \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
     TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA)

/* TCG TPM 2.0 part 1, 25.1: restricted, so that it signs nothing that does not come from the TPM.
 */
static void
restrict_to_attest(TPMT_PUBLIC *public)
{
    public->objectAttributes |= TPMA_OBJECT_RESTRICTED;
    public->objectAttributes &= ~TPMA_OBJECT_DECRYPT;
    if (public->type == TPM2_ALG_RSA) {
        public->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
        public->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    } else {
        public->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
        public->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    }
}

/* RSA keys decrypt always: their signatures are padded here and made by the raw private operation,
 * because many TPMs know only the maximal salt length, which TLS 1.3 rejects. */
gboolean
signet_tpm_template(const SignetKeyTemplate *key, TPM2B_PUBLIC *ret_template)
{
    TPMT_PUBLIC *public = &ret_template->publicArea;

    *ret_template = (TPM2B_PUBLIC) {0};
    public->nameAlg = TPM2_ALG_SHA256;
    public->objectAttributes = FIXED_ATTRIBUTES | TPMA_OBJECT_SIGN_ENCRYPT;
    if (signet_key_type_is_rsa(key->type)) {
        public->type = TPM2_ALG_RSA;
        public->objectAttributes |= TPMA_OBJECT_DECRYPT;
        public->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
        public->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
        public->parameters.rsaDetail.keyBits = (TPMI_RSA_KEY_BITS)signet_key_type_bits(key->type);
        if (key->is_attester)
            restrict_to_attest(public);
        return TRUE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(CURVES); i++) {
        if (CURVES[i].type != key->type)
            continue;
        public->type = TPM2_ALG_ECC;
        public->objectAttributes |= key->can_decrypt ? TPMA_OBJECT_DECRYPT : 0;
        public->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
        public->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
        public->parameters.eccDetail.curveID = CURVES[i].curve;
        public->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
        if (key->is_attester)
            restrict_to_attest(public);
        return TRUE;
    }
    return FALSE;
}

TPM2B_PUBLIC
signet_tpm_primary_template(void)
{
    TPM2B_PUBLIC template = {0};
    TPMS_ECC_PARMS *ecc = &template.publicArea.parameters.eccDetail;

    template.publicArea.type = TPM2_ALG_ECC;
    template.publicArea.nameAlg = TPM2_ALG_SHA256;
    template.publicArea.objectAttributes =
        FIXED_ATTRIBUTES | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    ecc->symmetric.algorithm = TPM2_ALG_AES;
    ecc->symmetric.keyBits.aes = 128;
    ecc->symmetric.mode.aes = TPM2_ALG_CFB;
    ecc->scheme.scheme = TPM2_ALG_NULL;
    ecc->curveID = TPM2_ECC_NIST_P256;
    ecc->kdf.scheme = TPM2_ALG_NULL;
    return template;
}

gboolean
signet_tpm_is_storage_key(const TPMT_PUBLIC *public)
{
    const TPMA_OBJECT needed = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                               TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED |
                               TPMA_OBJECT_DECRYPT | TPMA_OBJECT_NODA;

    if ((public->objectAttributes & needed) != needed ||
        public->objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT || public->nameAlg != TPM2_ALG_SHA256)
        return FALSE;
    if (public->type == TPM2_ALG_ECC)
        return public->parameters.eccDetail.curveID == TPM2_ECC_NIST_P256;
    return public->type == TPM2_ALG_RSA && public->parameters.rsaDetail.keyBits >= 2048;
}

gsize
signet_tpm_curve_bytes(TPMI_ECC_CURVE curve)
{
    for (guint i = 0; i < G_N_ELEMENTS(CURVES); i++) {
        if (CURVES[i].curve == curve)
            return CURVES[i].bytes;
    }
    return 0;
}

static const char *
push_rsa(OSSL_PARAM_BLD *build, const TPMT_PUBLIC *public, BIGNUM **ret_n)
{
    guint32 exponent = public->parameters.rsaDetail.exponent;

    *ret_n = BN_bin2bn(public->unique.rsa.buffer, public->unique.rsa.size, NULL);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, *ret_n);
    OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E,
                               exponent ? exponent : RSA_DEFAULT_EXPONENT);
    return "RSA";
}

/* point: room for an uncompressed one */
static const char *
push_ec(OSSL_PARAM_BLD *build, const TPMT_PUBLIC *public, guint8 *point)
{
    const TPM2B_ECC_PARAMETER *x = &public->unique.ecc.x;
    const TPM2B_ECC_PARAMETER *y = &public->unique.ecc.y;

    for (guint i = 0; i < G_N_ELEMENTS(CURVES); i++) {
        gsize bytes = CURVES[i].bytes;

        if (CURVES[i].curve != public->parameters.eccDetail.curveID || x->size > bytes ||
            y->size > bytes)
            continue;
        memset(point, 0, 1 + 2 * bytes);
        point[0] = POINT_CONVERSION_UNCOMPRESSED;
        memcpy(point + 1 + bytes - x->size, x->buffer, x->size);
        memcpy(point + 1 + 2 * bytes - y->size, y->buffer, y->size);
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, CURVES[i].group, 0);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * bytes);
        return "EC";
    }
    return NULL;
}

GBytes *
signet_tpm_spki(const TPMT_PUBLIC *public)
{
    g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    g_autoptr(OSSL_PARAM) params = NULL;
    g_autoptr(EVP_PKEY_CTX) ctx = NULL;
    g_autoptr(EVP_PKEY) pkey = NULL;
    g_autoptr(BIGNUM) n = NULL;
    guint8 point[1 + 2 * TPM2_MAX_ECC_KEY_BYTES];
    unsigned char *der = NULL;
    const char *kind =
        public->type == TPM2_ALG_RSA ? push_rsa(build, public, &n) : push_ec(build, public, point);
    GBytes *spki = NULL;
    int size;

    if (!kind)
        return NULL;
    params = OSSL_PARAM_BLD_to_param(build);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (EVP_PKEY_fromdata_init(ctx) > 0)
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    size = pkey ? i2d_PUBKEY(pkey, &der) : -1;
    if (size > 0)
        spki = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    ERR_clear_error();
    return spki;
}
