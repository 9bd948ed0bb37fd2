/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Mechanisms, their parameters, and DigestInfo. */

#include "provider/pkcs11/mechanism.h"

#include <string.h>

#include "provider/wire/der.h"

#define EC_FLAGS (CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

#define SIGN(type, more, scheme, hash)                                      \
    {                                                                       \
        type, CKF_SIGN | (more), SIGNET_SCHEME_##scheme, SIGNET_HASH_##hash \
    }

const struct signet_mechanism signet_mechanisms[] = {
    SIGN(CKM_ECDSA, EC_FLAGS, ECDSA, NONE),
    SIGN(CKM_ECDSA_SHA1, EC_FLAGS, ECDSA, SHA1),
    SIGN(CKM_ECDSA_SHA224, EC_FLAGS, ECDSA, SHA224),
    SIGN(CKM_ECDSA_SHA256, EC_FLAGS, ECDSA, SHA256),
    SIGN(CKM_ECDSA_SHA384, EC_FLAGS, ECDSA, SHA384),
    SIGN(CKM_ECDSA_SHA512, EC_FLAGS, ECDSA, SHA512),
    {CKM_ECDH1_DERIVE, CKF_DERIVE | EC_FLAGS, SIGNET_SCHEME_ECDH, SIGNET_HASH_NONE},
    {CKM_RSA_PKCS, CKF_SIGN | CKF_DECRYPT, SIGNET_SCHEME_RSA_PKCS1, SIGNET_HASH_NONE},
    SIGN(CKM_SHA1_RSA_PKCS, 0, RSA_PKCS1, SHA1),
    SIGN(CKM_SHA224_RSA_PKCS, 0, RSA_PKCS1, SHA224),
    SIGN(CKM_SHA256_RSA_PKCS, 0, RSA_PKCS1, SHA256),
    SIGN(CKM_SHA384_RSA_PKCS, 0, RSA_PKCS1, SHA384),
    SIGN(CKM_SHA512_RSA_PKCS, 0, RSA_PKCS1, SHA512),
    SIGN(CKM_RSA_PKCS_PSS, 0, RSA_PSS, NONE),
    SIGN(CKM_SHA1_RSA_PKCS_PSS, 0, RSA_PSS, SHA1),
    SIGN(CKM_SHA224_RSA_PKCS_PSS, 0, RSA_PSS, SHA224),
    SIGN(CKM_SHA256_RSA_PKCS_PSS, 0, RSA_PSS, SHA256),
    SIGN(CKM_SHA384_RSA_PKCS_PSS, 0, RSA_PSS, SHA384),
    SIGN(CKM_SHA512_RSA_PKCS_PSS, 0, RSA_PSS, SHA512),
    {CKM_RSA_PKCS_OAEP, CKF_DECRYPT, SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_NONE},
    SIGN(CKM_EDDSA, EC_FLAGS, EDDSA, NONE),
};
const size_t signet_mechanism_count = sizeof(signet_mechanisms) / sizeof(signet_mechanisms[0]);

/* What PKCS#11 calls a hash, and its OID's content (RFC 8017 B.1). */
struct hash_names {
    uint8_t hash;
    CK_MECHANISM_TYPE mechanism;
    CK_ULONG mgf;
    uint8_t oid_size;
    uint8_t oid[9];
};
static const struct hash_names hashes[] = {
    {SIGNET_HASH_SHA1, CKM_SHA_1, CKG_MGF1_SHA1, 5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}},
#define SHA2(bits, last)                                             \
    {                                                                \
        SIGNET_HASH_SHA##bits, CKM_SHA##bits, CKG_MGF1_SHA##bits, 9, \
        {                                                            \
            0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last     \
        }                                                            \
    }
    SHA2(224, 4),
    SHA2(256, 1),
    SHA2(384, 2),
    SHA2(512, 3),
#undef SHA2
};
#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

const struct signet_mechanism *
signet_mechanism_find(CK_MECHANISM_TYPE type)
{
    for (size_t i = 0; i < signet_mechanism_count; i++)
        if (signet_mechanisms[i].type == type)
            return &signet_mechanisms[i];
    return NULL;
}

/* False when one of them is not known. */
static bool
parse_hashes(struct signet_method *ret, CK_MECHANISM_TYPE hash, CK_ULONG mgf)
{
    ret->hash = SIGNET_HASH_NONE;
    for (size_t i = 0; i < HASHES; i++) {
        ret->hash = hashes[i].mechanism == hash ? hashes[i].hash : ret->hash;
        ret->mgf1_hash = hashes[i].mgf == mgf ? hashes[i].hash : ret->mgf1_hash;
    }
    return ret->hash != SIGNET_HASH_NONE && ret->mgf1_hash != SIGNET_HASH_NONE;
}

static CK_RV
parse_pss(const CK_MECHANISM *from, struct signet_method *ret)
{
    const CK_RSA_PKCS_PSS_PARAMS *params = from->pParameter;
    if (params == NULL || from->ulParameterLen != sizeof(*params))
        return CKR_MECHANISM_PARAM_INVALID;
    ret->salt_len = (uint16_t)params->sLen;
    uint8_t wanted = ret->mechanism->hash;
    bool ok = parse_hashes(ret, params->hashAlg, params->mgf) && params->sLen <= UINT16_MAX &&
              (wanted == SIGNET_HASH_NONE || wanted == ret->hash);
    return ok ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

static CK_RV
parse_oaep(const CK_MECHANISM *from, struct signet_method *ret)
{
    const CK_RSA_PKCS_OAEP_PARAMS *params = from->pParameter;
    if (params == NULL || from->ulParameterLen != sizeof(*params))
        return CKR_MECHANISM_PARAM_INVALID;
    bool has_label = params->ulSourceDataLen > 0;
    bool ok = parse_hashes(ret, params->hashAlg, params->mgf) &&
              (params->source == CKZ_DATA_SPECIFIED || (params->source == 0 && !has_label)) &&
              params->ulSourceDataLen <= sizeof(ret->label) &&
              (!has_label || params->pSourceData != NULL);
    if (!ok)
        return CKR_MECHANISM_PARAM_INVALID;
    ret->label_size = (uint16_t)params->ulSourceDataLen;
    if (has_label)
        memcpy(ret->label, params->pSourceData, ret->label_size);
    return CKR_OK;
}

CK_RV
signet_method_parse(const CK_MECHANISM *from, CK_FLAGS usage, struct signet_method *ret)
{
    const struct signet_mechanism *mechanism = signet_mechanism_find(from->mechanism);
    if (mechanism == NULL || (mechanism->flags & usage) == 0)
        return CKR_MECHANISM_INVALID;
    *ret = (struct signet_method) {.mechanism = mechanism, .hash = mechanism->hash};
    if (mechanism->scheme == SIGNET_SCHEME_RSA_PSS)
        return parse_pss(from, ret);
    if (mechanism->scheme == SIGNET_SCHEME_RSA_OAEP)
        return parse_oaep(from, ret);
    return from->ulParameterLen == 0 ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

/* The hash whose DigestInfo (RFC 8017 9.2) starts with exactly these bytes up to the digest, which
 * is what the token would put there; NONE: something else, to be signed as it is. */
static uint8_t
hash_of_digest_info(struct signet_bytes data, struct signet_bytes *ret_digest)
{
    for (size_t i = 0; i < HASHES; i++) {
        uint8_t prefix[2 + 4 + sizeof(hashes[i].oid) + 4], oid = hashes[i].oid_size;
        uint8_t digest = (uint8_t)signet_hash_size(hashes[i].hash);
        const uint8_t head[] = {SIGNET_DER_SEQUENCE, (uint8_t)(oid + digest + 8),
                                SIGNET_DER_SEQUENCE, (uint8_t)(oid + 4),
                                SIGNET_DER_OID,      oid};
        const uint8_t tail[] = {0x05, 0x00, SIGNET_DER_OCTET_STRING, digest};
        size_t size = sizeof(head) + oid + sizeof(tail);
        memcpy(prefix, head, sizeof(head));
        memcpy(prefix + sizeof(head), hashes[i].oid, oid);
        memcpy(prefix + sizeof(head) + oid, tail, sizeof(tail));
        if (data.size != size + digest || memcmp(data.data, prefix, size) != 0)
            continue;
        *ret_digest = (struct signet_bytes) {data.data + size, digest};
        return hashes[i].hash;
    }
    return SIGNET_HASH_NONE;
}

CK_RV
signet_method_sign(const struct signet_method *method, struct signet_bytes data, size_t width,
                   enum signet_wire_op *ret_op, struct signet_wire_sign_request *ret)
{
    *ret = (struct signet_wire_sign_request) {
        .scheme = method->mechanism->scheme,
        .hash = method->hash,
        .mgf1_hash = method->mgf1_hash,
        .salt_len = method->salt_len,
        .data = data,
    };
    if (method->mechanism->hash != SIGNET_HASH_NONE || ret->scheme == SIGNET_SCHEME_EDDSA) {
        *ret_op = SIGNET_WIRE_OP_SIGN_MESSAGE;
        return data.size <= SIGNET_WIRE_MESSAGE_MAX ? CKR_OK : CKR_DATA_LEN_RANGE;
    }
    *ret_op = SIGNET_WIRE_OP_SIGN_DIGEST;
    if (ret->scheme == SIGNET_SCHEME_RSA_PKCS1) {
        ret->hash = hash_of_digest_info(data, &ret->data);
        return data.size + 11 <= width ? CKR_OK : CKR_DATA_LEN_RANGE;
    }
    if (ret->scheme == SIGNET_SCHEME_ECDSA)
        ret->hash = (uint8_t)signet_hash_from_size(data.size);
    bool fits = ret->hash != SIGNET_HASH_NONE && signet_hash_size(ret->hash) == data.size;
    return fits ? CKR_OK : CKR_DATA_LEN_RANGE;
}

CK_RV
signet_method_peer(const CK_MECHANISM *from, size_t width, struct signet_bytes *ret_point)
{
    const CK_ECDH1_DERIVE_PARAMS *params = from->pParameter;
    if (from->mechanism != CKM_ECDH1_DERIVE)
        return CKR_MECHANISM_INVALID;
    if (params == NULL || from->ulParameterLen != sizeof(*params) || params->kdf != CKD_NULL ||
        params->ulSharedDataLen != 0 || params->pPublicData == NULL)
        return CKR_MECHANISM_PARAM_INVALID;
    struct signet_bytes point = {params->pPublicData, params->ulPublicDataLen}, rest = point;
    struct signet_der wrapped;
    /* both begin with 04: the size decides */
    if (point.size != 1 + 2 * width &&
        signet_der_expect(&rest, SIGNET_DER_OCTET_STRING, &wrapped) && rest.size == 0)
        point = wrapped.content;
    *ret_point = point;
    return point.size == 1 + 2 * width ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}
