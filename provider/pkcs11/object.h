/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Objects and their attributes: what an identity looks like in PKCS#11. */

#pragma once

#include <p11-kit/pkcs11.h>

#include "provider/pkcs11/identity.h"

/* What one identity is made of: a handle's low bits. */
enum signet_part {
    SIGNET_PART_SECRET = 0, /* not an identity's: made by C_DeriveKey */
    SIGNET_PART_PRIVATE_KEY = 1,
    SIGNET_PART_PUBLIC_KEY = 2,
    SIGNET_PART_CERTIFICATE = 3, /* the leaf; the rest of the chain follows */
};
#define SIGNET_PART_BITS 5u

/* The outcome of a key agreement, for as long as its session lives. Readable: whoever may derive
 * gets the secret itself. */
struct signet_secret {
    CK_KEY_TYPE key_type;
    size_t size;
    uint8_t value[SIGNET_WIRE_POINT_MAX];
    char label[SIGNET_WIRE_NAME_MAX];
    size_t label_size;
};

/* Either of an identity or a secret. */
struct signet_object {
    struct signet_identity *identity; /* (nullable) */
    struct signet_secret *secret;     /* (nullable) */
    unsigned part;                    /* enum signet_part, and the certificates above */
};

/* C_GetAttributeValue: fills every attribute that it can, and returns the last failure. */
CK_RV
signet_object_read(const struct signet_object *object, CK_ATTRIBUTE *attributes, CK_ULONG count);
/* Has all these attributes, with these values. */
bool signet_object_matches(const struct signet_object *object, const CK_ATTRIBUTE *attributes,
                           CK_ULONG count);
/* Which objects of identities are searched for. CKO_CERTIFICATE: also when it may be any of them;
 * CKO_DATA: none. */
CK_OBJECT_CLASS signet_class_of(const CK_ATTRIBUTE *attributes, CK_ULONG count);
/* False when CKA_ID or CKA_LABEL in the attributes already rule out every object of an identity of
 * this name. */
bool signet_name_may_match(const char *name, const CK_ATTRIBUTE *attributes, CK_ULONG count);
