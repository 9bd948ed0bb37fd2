/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TPM structures by hand: there are four, and whoever checks evidence needs no TPM software. */

#include "agent/evidence/structure.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/evidence/crypto.h"

#define RSA_MIN_BITS         2048
#define RSA_MAX_BYTES        512
#define RSA_DEFAULT_EXPONENT 65537u
#define EC_MAX_BYTES         66
#define DIGEST_MAX           64
#define NAME_SIZE_MAX        (2 + DIGEST_MAX)

/* TPM_ALG_ID (6.3), TPM_ST (6.9), TPM_GENERATED (6.2), TPM_ECC_CURVE (6.4) */
#define ALG_RSA    0x0001
#define ALG_AES    0x0006
#define ALG_NULL   0x0010
#define ALG_RSASSA 0x0014
#define ALG_RSAES  0x0015
#define ALG_RSAPSS 0x0016
#define ALG_OAEP   0x0017
#define ALG_ECDSA  0x0018
#define ALG_ECDH   0x0019
#define ALG_ECC    0x0023
#define ST_CERTIFY 0x8017
#define GENERATED  0xff544347u

static const struct {
    guint16 number;
    const char *name;
    gsize size;
} DIGESTS[] = {{0x000b, "SHA2-256", 32}, {0x000c, "SHA2-384", 48}, {0x000d, "SHA2-512", 64}};

static const struct {
    guint16 number;
    const char *group;
    gsize size;
} CURVES[] = {{3, "P-256", 32}, {4, "P-384", 48}, {5, "P-521", EC_MAX_BYTES}};

/* --- reading --- */

/* Sticky: after the first failure everything is zero. */
typedef struct {
    const guint8 *at;
    gsize left;
    gboolean is_bad;
} Reader;

typedef struct {
    const guint8 *data;
    gsize size;
} Span;

static Reader
reader_of(GBytes *bytes)
{
    Reader reader = {0};

    reader.at = g_bytes_get_data(bytes, &reader.left);
    return reader;
}

static Span
take(Reader *reader, gsize size)
{
    Span span = {0};

    if (reader->is_bad || reader->left < size) {
        reader->is_bad = TRUE;
        return span;
    }
    span = (Span) {reader->at, size};
    reader->at += size;
    reader->left -= size;
    return span;
}

static guint64
take_number(Reader *reader, gsize size)
{
    Span span = take(reader, size);
    guint64 number = 0;

    for (gsize i = 0; i < span.size; i++)
        number = number << 8 | span.data[i];
    return number;
}

static guint16
take_16(Reader *reader)
{
    return (guint16)take_number(reader, 2);
}

/* TPM2B of at most so many bytes. */
static Span
take_sized(Reader *reader, gsize max)
{
    gsize size = take_16(reader);

    if (size > max)
        reader->is_bad = TRUE;
    return take(reader, size);
}

static gboolean
is_read(const Reader *reader)
{
    return !reader->is_bad && reader->left == 0;
}

static const char *
find_digest(guint16 number, gsize *ret_size)
{
    for (gsize i = 0; i < G_N_ELEMENTS(DIGESTS); i++) {
        if (DIGESTS[i].number != number)
            continue;
        *ret_size = DIGESTS[i].size;
        return DIGESTS[i].name;
    }
    return NULL;
}

static gboolean
take_name(Reader *reader, SignetTpmName *ret_name)
{
    Span span = take_sized(reader, NAME_SIZE_MAX);
    gsize size = 0;

    if (span.size < 2 || !find_digest((guint16)(span.data[0] << 8 | span.data[1]), &size) ||
        span.size != 2 + size)
        return FALSE;
    memcpy(ret_name->bytes, span.data, span.size);
    ret_name->size = span.size;
    return TRUE;
}

gboolean
signet_tpm_name_equal(const SignetTpmName *a, const SignetTpmName *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* --- TPMT_PUBLIC --- */

/* TPMT_SYM_DEF_OBJECT: of storage keys */
static void
skip_symmetric(Reader *reader)
{
    guint16 algorithm = take_16(reader);

    if (algorithm == ALG_AES)
        take(reader, 4);
    else if (algorithm != ALG_NULL)
        reader->is_bad = TRUE;
}

/* TPMT_RSA_SCHEME, TPMT_ECC_SCHEME, TPMT_KDF_SCHEME: those that have a digest, or nothing */
static void
skip_scheme(Reader *reader)
{
    switch (take_16(reader)) {
    case ALG_NULL:
    case ALG_RSAES:
        break;
    case ALG_RSASSA:
    case ALG_RSAPSS:
    case ALG_OAEP:
    case ALG_ECDSA:
    case ALG_ECDH:
        take(reader, 2);
        break;
    default: /* not an enum of ours */
        reader->is_bad = TRUE;
        break;
    }
}

static GBytes *
encode_spki(const char *type, OSSL_PARAM_BLD *build)
{
    g_autoptr(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
    g_autoptr(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    g_autoptr(EVP_PKEY) key = NULL;
    guint8 *der = NULL;
    GBytes *bytes = NULL;
    int size = -1;

    if (params && context && EVP_PKEY_fromdata_init(context) > 0 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) > 0)
        size = i2d_PUBKEY(key, &der);
    if (size > 0)
        bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    ERR_clear_error();
    return bytes;
}

static GBytes *
take_rsa(Reader *reader)
{
    g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    g_autoptr(BIGNUM) n = NULL;

    skip_symmetric(reader);
    skip_scheme(reader);
    guint bits = take_16(reader);
    guint32 exponent = (guint32)take_number(reader, 4);
    Span modulus = take_sized(reader, RSA_MAX_BYTES);
    if (!is_read(reader) || bits < RSA_MIN_BITS || modulus.size != bits / 8)
        return NULL;
    n = BN_bin2bn(modulus.data, (int)modulus.size, NULL);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E,
                               exponent ? exponent : RSA_DEFAULT_EXPONENT);
    return encode_spki("RSA", build);
}

static void
copy_coordinate(guint8 *to, gsize size, Span from)
{
    memset(to, 0, size - from.size);
    if (from.size > 0)
        memcpy(to + size - from.size, from.data, from.size);
}

static GBytes *
take_ec(Reader *reader)
{
    g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    guint8 point[1 + 2 * EC_MAX_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    gsize i = 0;

    skip_symmetric(reader);
    skip_scheme(reader);
    guint16 curve = take_16(reader);
    skip_scheme(reader);
    Span x = take_sized(reader, EC_MAX_BYTES);
    Span y = take_sized(reader, EC_MAX_BYTES);
    while (i < G_N_ELEMENTS(CURVES) && CURVES[i].number != curve)
        i++;
    if (!is_read(reader) || i == G_N_ELEMENTS(CURVES) || x.size > CURVES[i].size ||
        y.size > CURVES[i].size)
        return NULL;
    copy_coordinate(point + 1, CURVES[i].size, x);
    copy_coordinate(point + 1 + CURVES[i].size, CURVES[i].size, y);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, CURVES[i].group, 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * CURVES[i].size);
    return encode_spki("EC", build);
}

/* Part 1, 16: the algorithm's number and the digest of the public area. */
static gboolean
make_name(SignetTpmName *name, guint16 algorithm, GBytes *bytes)
{
    gsize size = 0, length = 0;
    const char *digest = find_digest(algorithm, &size);
    gconstpointer data = g_bytes_get_data(bytes, &length);

    if (!digest || !EVP_Q_digest(NULL, digest, NULL, data, length, name->bytes + 2, NULL))
        return FALSE;
    name->bytes[0] = (guint8)(algorithm >> 8);
    name->bytes[1] = (guint8)algorithm;
    name->size = 2 + size;
    return TRUE;
}

gboolean
signet_tpm_public_read(SignetTpmPublic *area, GBytes *bytes, GError **error)
{
    Reader reader = reader_of(bytes);
    guint16 type = take_16(&reader);
    guint16 algorithm = take_16(&reader);

    area->attributes = (guint32)take_number(&reader, 4);
    take_sized(&reader, DIGEST_MAX); /* authPolicy */
    if (type == ALG_RSA)
        area->spki = take_rsa(&reader);
    else if (type == ALG_ECC)
        area->spki = take_ec(&reader);
    return (area->spki && make_name(&area->name, algorithm, bytes)) ||
           signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "it is not the public area of an RSA or EC key of a TPM");
}

void
signet_tpm_public_clear(SignetTpmPublic *area)
{
    g_clear_pointer(&area->spki, g_bytes_unref);
}

/* --- TPMS_ATTEST --- */

gboolean
signet_tpm_attestation_read(SignetTpmAttestation *attestation, GBytes *bytes, GError **error)
{
    Reader reader = reader_of(bytes);
    SignetTpmName ignored;

    if (take_number(&reader, 4) != GENERATED)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "no TPM has made the attestation: it does not begin with "
                                "TPM_GENERATED");
    if (take_16(&reader) != ST_CERTIFY)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the attestation does not certify a key: it is of another type");
    gboolean is_good = take_name(&reader, &ignored); /* qualifiedSigner */
    Span extra = take_sized(&reader, NAME_SIZE_MAX);
    attestation->clock_ms = take_number(&reader, 8);
    attestation->reset_count = (guint32)take_number(&reader, 4);
    take(&reader, 4 + 1); /* restartCount, safe */
    attestation->firmware = take_number(&reader, 8);
    is_good = take_name(&reader, &attestation->name) && is_good;
    is_good = take_name(&reader, &ignored) && is_good; /* qualifiedName */
    if (!is_good || !is_read(&reader))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the attestation is malformed");
    attestation->extra = g_bytes_new(extra.data, extra.size);
    return TRUE;
}

void
signet_tpm_attestation_clear(SignetTpmAttestation *attestation)
{
    g_clear_pointer(&attestation->extra, g_bytes_unref);
}

/* --- TPMT_SIGNATURE --- */

static GBytes *
take_ecdsa(Reader *reader)
{
    Span r = take_sized(reader, EC_MAX_BYTES);
    Span s = take_sized(reader, EC_MAX_BYTES);
    g_autoptr(ECDSA_SIG) signature = ECDSA_SIG_new();
    guint8 *der = NULL;
    GBytes *bytes = NULL;

    if (!is_read(reader) || r.size == 0 || s.size == 0)
        return NULL;
    ECDSA_SIG_set0(signature, BN_bin2bn(r.data, (int)r.size, NULL),
                   BN_bin2bn(s.data, (int)s.size, NULL));
    int size = i2d_ECDSA_SIG(signature, &der);
    if (size > 0)
        bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    return bytes;
}

static GBytes *
take_rsa_signature(Reader *reader)
{
    Span signature = take_sized(reader, RSA_MAX_BYTES);

    return is_read(reader) && signature.size > 0 ? g_bytes_new(signature.data, signature.size)
                                                 : NULL;
}

gboolean
signet_tpm_signature_read(SignetTpmSignature *signature, GBytes *bytes, GError **error)
{
    Reader reader = reader_of(bytes);
    guint16 scheme = take_16(&reader);
    gsize size = 0;

    signature->digest = find_digest(take_16(&reader), &size);
    signature->is_pss = scheme == ALG_RSAPSS;
    signature->is_rsa = signature->is_pss || scheme == ALG_RSASSA;
    if (scheme == ALG_ECDSA)
        signature->signature = take_ecdsa(&reader);
    else if (signature->is_rsa)
        signature->signature = take_rsa_signature(&reader);
    return (signature->digest && signature->signature) ||
           signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the signature is malformed, or by an algorithm that does not count");
}

void
signet_tpm_signature_clear(SignetTpmSignature *signature)
{
    g_clear_pointer(&signature->signature, g_bytes_unref);
}
