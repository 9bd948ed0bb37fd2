/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The mechanisms of the token as data, and from a mechanism's parameters and the bytes it is used
 * on to a request of the wire. */

#pragma once

#include <p11-kit/pkcs11.h>

#include "provider/wire/wire.h"

struct signet_mechanism {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags;
    uint8_t scheme; /* enum signet_scheme; RSA_PKCS1 also decrypts */
    uint8_t hash;   /* enum signet_hash; NONE: the application has hashed */
};

extern const struct signet_mechanism signet_mechanisms[];
extern const size_t signet_mechanism_count;

/* NULL: not offered. */
const struct signet_mechanism *signet_mechanism_find(CK_MECHANISM_TYPE type);

/* A mechanism with its parameters, copied. */
struct signet_method {
    const struct signet_mechanism *mechanism; /* (unowned): static */
    uint8_t hash; /* enum signet_hash; of the message, PSS or OAEP; NONE: see the data */
    uint8_t mgf1_hash;
    uint16_t salt_len;
    uint16_t label_size;
    uint8_t label[SIGNET_WIRE_LABEL_MAX];
};

/* usage: CKF_SIGN or CKF_DECRYPT. CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID. */
CK_RV signet_method_parse(const CK_MECHANISM *from, CK_FLAGS usage, struct signet_method *ret);

/* What to ask the agent for: fills all of *ret but identity and generation. 'width' is that of the
 * key. CKR_DATA_LEN_RANGE when the data does not fit the mechanism, the key or a packet. */
CK_RV signet_method_sign(const struct signet_method *method, struct signet_bytes data, size_t width,
                         enum signet_wire_op *ret_op, struct signet_wire_sign_request *ret);

/* The peer's point in the parameters of CKM_ECDH1_DERIVE, as a point or as an OCTET STRING with one
 * in it: PKCS#11 allows both. Borrowed from the parameters. */
CK_RV
signet_method_peer(const CK_MECHANISM *from, size_t width, struct signet_bytes *ret_point);
