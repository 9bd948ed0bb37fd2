/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* As much of DER (X.690) as it takes to find the fields of public keys, requests, certificates and
 * ECDSA signatures. Allocates nothing; what it returns points into what it was given. libc only. */

#pragma once

#include "provider/wire/wire.h"

#define SIGNET_DER_INTEGER      0x02
#define SIGNET_DER_BIT_STRING   0x03
#define SIGNET_DER_OCTET_STRING 0x04
#define SIGNET_DER_OID          0x06
#define SIGNET_DER_UTC_TIME     0x17
#define SIGNET_DER_TIME         0x18
#define SIGNET_DER_SEQUENCE     0x30
#define SIGNET_DER_SET          0x31
#define SIGNET_DER_CONTEXT(n)   (0xa0 | (n)) /* constructed */

struct signet_der {
    uint8_t tag;
    struct signet_bytes content;
    struct signet_bytes whole; /* with tag and length */
};

/* Takes the next element off the front of *rest. False, with *rest as it was, when there is none,
 * or one that is cut short, has a tag above 30, or a length that is not in its shortest form. */
bool signet_der_next(struct signet_bytes *rest, struct signet_der *ret_element);
/* The same, and false unless it has this tag. */
bool signet_der_expect(struct signet_bytes *rest, uint8_t tag, struct signet_der *ret_element);

/* Is the whole of it one well-formed SEQUENCE or SET, down to the leaves (at most 16 levels)? */
bool signet_der_is_document(struct signet_bytes data);

/* An INTEGER that is not negative, without the zero byte in front. */
bool signet_der_unsigned(struct signet_bytes *rest, struct signet_bytes *ret_number);

/* ECDSA-Sig-Value (RFC 3279 2.2.3) to r and s, each 'width' bytes (PKCS#11 2.3.1). False when it is
 * malformed or a number is too long. */
bool signet_der_split_ecdsa(struct signet_bytes signature, size_t width, uint8_t *ret_raw);
