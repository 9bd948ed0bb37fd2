/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Attributes: constants from tables, the rest from the identity. */

#include "provider/pkcs11/object.h"

#include <stdio.h>
#include <string.h>

#define CATEGORY_TOKEN_USER 1u
#define CATEGORY_AUTHORITY  2u

/* An attribute's value; it may point into itself, so it is not copied. */
struct value {
    const void *data;
    size_t size;
    union {
        CK_ULONG number;
        CK_BBOOL boolean;
        char text[SIGNET_WIRE_NAME_MAX + 8];
    } room;
};

struct constant {
    CK_ATTRIBUTE_TYPE type;
    enum { BOOLEAN, NUMBER, EMPTY, SENSITIVE } kind;
    CK_ULONG value;
};

#define END                          \
    {                                \
        CKA_VENDOR_DEFINED, EMPTY, 0 \
    }
#define FLAG(name, on)          \
    {                           \
        CKA_##name, BOOLEAN, on \
    }

static const struct constant of_tokens[] = {
    FLAG(TOKEN, 1),       FLAG(PRIVATE, 0),           FLAG(MODIFIABLE, 0),      FLAG(COPYABLE, 0),
    FLAG(DESTROYABLE, 0), {CKA_START_DATE, EMPTY, 0}, {CKA_END_DATE, EMPTY, 0}, END};

static const struct constant of_private_keys[] = {
    {CKA_CLASS, NUMBER, CKO_PRIVATE_KEY},
    FLAG(LOCAL, 1),
    {CKA_KEY_GEN_MECHANISM, NUMBER, CK_UNAVAILABLE_INFORMATION},
    FLAG(SENSITIVE, 1),
    FLAG(ALWAYS_SENSITIVE, 1),
    FLAG(EXTRACTABLE, 0),
    FLAG(NEVER_EXTRACTABLE, 1),
    FLAG(ALWAYS_AUTHENTICATE, 0),
    FLAG(WRAP_WITH_TRUSTED, 0),
    FLAG(SIGN, 1),
    FLAG(SIGN_RECOVER, 0),
    FLAG(UNWRAP, 0),
    {CKA_VALUE, SENSITIVE, 0},
    {CKA_PRIVATE_EXPONENT, SENSITIVE, 0},
    {CKA_PRIME_1, SENSITIVE, 0},
    {CKA_PRIME_2, SENSITIVE, 0},
    {CKA_EXPONENT_1, SENSITIVE, 0},
    {CKA_EXPONENT_2, SENSITIVE, 0},
    {CKA_COEFFICIENT, SENSITIVE, 0},
    END};

/* Nothing is done with public keys in the token. */
static const struct constant of_public_keys[] = {
    {CKA_CLASS, NUMBER, CKO_PUBLIC_KEY},
    FLAG(LOCAL, 1),
    {CKA_KEY_GEN_MECHANISM, NUMBER, CK_UNAVAILABLE_INFORMATION},
    FLAG(TRUSTED, 0),
    FLAG(VERIFY, 0),
    FLAG(VERIFY_RECOVER, 0),
    FLAG(ENCRYPT, 0),
    FLAG(WRAP, 0),
    FLAG(DERIVE, 0),
    END};

static const struct constant of_certificates[] = {{CKA_CLASS, NUMBER, CKO_CERTIFICATE},
                                                  {CKA_CERTIFICATE_TYPE, NUMBER, CKC_X_509},
                                                  FLAG(TRUSTED, 0),
                                                  {CKA_URL, EMPTY, 0},
                                                  {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, EMPTY, 0},
                                                  {CKA_HASH_OF_ISSUER_PUBLIC_KEY, EMPTY, 0},
                                                  {CKA_JAVA_MIDP_SECURITY_DOMAIN, NUMBER, 0},
                                                  END};

static const struct constant of_secrets[] = {
    {CKA_CLASS, NUMBER, CKO_SECRET_KEY},
    FLAG(TOKEN, 0),
    FLAG(PRIVATE, 0),
    FLAG(MODIFIABLE, 0),
    FLAG(COPYABLE, 0),
    FLAG(DESTROYABLE, 1),
    FLAG(LOCAL, 0),
    {CKA_KEY_GEN_MECHANISM, NUMBER, CK_UNAVAILABLE_INFORMATION},
    FLAG(SENSITIVE, 0),
    FLAG(ALWAYS_SENSITIVE, 0),
    FLAG(EXTRACTABLE, 1),
    FLAG(NEVER_EXTRACTABLE, 0),
    {CKA_ID, EMPTY, 0},
    END};

static CK_RV
give(struct value *ret, const void *data, size_t size)
{
    ret->data = data;
    ret->size = size;
    return CKR_OK;
}

static CK_RV
give_bytes(struct value *ret, struct signet_bytes bytes)
{
    return bytes.data == NULL ? CKR_ATTRIBUTE_TYPE_INVALID : give(ret, bytes.data, bytes.size);
}

static CK_RV
give_number(struct value *ret, CK_ULONG number)
{
    ret->room.number = number;
    return give(ret, &ret->room.number, sizeof(ret->room.number));
}

static CK_RV
give_boolean(struct value *ret, bool boolean)
{
    ret->room.boolean = boolean ? CK_TRUE : CK_FALSE;
    return give(ret, &ret->room.boolean, sizeof(ret->room.boolean));
}

static CK_RV
give_constant(const struct constant *constants, CK_ATTRIBUTE_TYPE type, struct value *ret)
{
    for (; constants->type != CKA_VENDOR_DEFINED; constants++) {
        if (constants->type != type)
            continue;
        switch (constants->kind) {
        case BOOLEAN:
            return give_boolean(ret, constants->value != 0);
        case NUMBER:
            return give_number(ret, constants->value);
        case EMPTY:
            return give(ret, "", 0);
        case SENSITIVE:
            return CKR_ATTRIBUTE_SENSITIVE;
        }
    }
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

/* CKA_ID and CKA_LABEL: the name, and for the rest of the chain "name/1". */
static CK_RV
give_name(const struct signet_object *object, struct value *ret)
{
    const char *name = object->identity->name;
    if (object->part <= SIGNET_PART_CERTIFICATE)
        return give(ret, name, strlen(name));
    int size = snprintf(ret->room.text, sizeof(ret->room.text), "%s/%u", name,
                        object->part - SIGNET_PART_CERTIFICATE);
    return give(ret, ret->room.text, (size_t)size);
}

static CK_RV
give_of_key(const struct signet_object *object, CK_ATTRIBUTE_TYPE type, struct value *ret)
{
    const struct signet_identity *identity = object->identity;
    uint32_t family = signet_identity_family(identity);
    bool is_private = object->part == SIGNET_PART_PRIVATE_KEY;
    switch (type) {
    case CKA_KEY_TYPE:
        return give_number(ret, family == SIGNET_FAMILY_RSA  ? CKK_RSA
                                : family == SIGNET_FAMILY_EC ? CKK_EC
                                                             : CKK_EC_EDWARDS);
    case CKA_SUBJECT:
        return identity->certificate_count == 0
                   ? give(ret, "", 0)
                   : give_bytes(ret, identity->certificates[0].subject);
    case CKA_PUBLIC_KEY_INFO:
        return give_bytes(ret, identity->spki);
    case CKA_EC_PARAMS:
        return give_bytes(ret, identity->ec_params);
    case CKA_EC_POINT:
        return give_bytes(ret, identity->ec_point);
    case CKA_MODULUS:
        return give_bytes(ret, identity->modulus);
    case CKA_PUBLIC_EXPONENT:
        return give_bytes(ret, identity->exponent);
    case CKA_MODULUS_BITS:
        return family == SIGNET_FAMILY_RSA && !is_private
                   ? give_number(ret, signet_key_type_bits(identity->key_type))
                   : CKR_ATTRIBUTE_TYPE_INVALID;
    }
    if (is_private && (type == CKA_DECRYPT || type == CKA_DERIVE))
        return give_boolean(ret,
                            family == (type == CKA_DECRYPT ? SIGNET_FAMILY_RSA : SIGNET_FAMILY_EC));
    return give_constant(is_private ? of_private_keys : of_public_keys, type, ret);
}

static CK_RV
give_of_certificate(const struct signet_object *object, CK_ATTRIBUTE_TYPE type, struct value *ret)
{
    unsigned number = object->part - SIGNET_PART_CERTIFICATE;
    const struct signet_certificate *certificate = &object->identity->certificates[number];
    switch (type) {
    case CKA_VALUE:
        return give_bytes(ret, certificate->der);
    case CKA_SUBJECT:
        return give_bytes(ret, certificate->subject);
    case CKA_ISSUER:
        return give_bytes(ret, certificate->issuer);
    case CKA_SERIAL_NUMBER:
        return give_bytes(ret, certificate->serial);
    case CKA_PUBLIC_KEY_INFO:
        return give_bytes(ret, certificate->spki);
    case CKA_CERTIFICATE_CATEGORY:
        return give_number(ret, number == 0 ? CATEGORY_TOKEN_USER : CATEGORY_AUTHORITY);
    }
    return give_constant(of_certificates, type, ret);
}

static CK_RV
give_of_secret(const struct signet_secret *secret, CK_ATTRIBUTE_TYPE type, struct value *ret)
{
    switch (type) {
    case CKA_KEY_TYPE:
        return give_number(ret, secret->key_type);
    case CKA_LABEL:
        return give(ret, secret->label, secret->label_size);
    case CKA_VALUE:
        return give(ret, secret->value, secret->size);
    case CKA_VALUE_LEN:
        return give_number(ret, secret->size);
    }
    return give_constant(of_secrets, type, ret);
}

static CK_RV
give_attribute(const struct signet_object *object, CK_ATTRIBUTE_TYPE type, struct value *ret)
{
    if (object->secret != NULL)
        return give_of_secret(object->secret, type, ret);
    if (type == CKA_ID || type == CKA_LABEL)
        return give_name(object, ret);
    CK_RV rv = give_constant(of_tokens, type, ret);
    bool is_certificate = object->part >= SIGNET_PART_CERTIFICATE;
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID)
        rv = is_certificate ? give_of_certificate(object, type, ret)
                            : give_of_key(object, type, ret);
    return rv;
}

static CK_RV
read_attribute(const struct signet_object *object, CK_ATTRIBUTE *to)
{
    struct value value;
    CK_RV rv = give_attribute(object, to->type, &value);
    if (rv == CKR_OK && to->pValue != NULL && to->ulValueLen < value.size)
        rv = CKR_BUFFER_TOO_SMALL;
    if (rv != CKR_OK) {
        to->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return rv;
    }
    if (to->pValue != NULL && value.size > 0)
        memcpy(to->pValue, value.data, value.size);
    to->ulValueLen = value.size;
    return CKR_OK;
}

CK_RV
signet_object_read(const struct signet_object *object, CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_RV result = CKR_OK;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_RV rv = read_attribute(object, &attributes[i]);
        if (rv != CKR_OK)
            result = rv;
    }
    return result;
}

bool
signet_object_matches(const struct signet_object *object, const CK_ATTRIBUTE *attributes,
                      CK_ULONG count)
{
    for (CK_ULONG i = 0; i < count; i++) {
        struct value value;
        if (give_attribute(object, attributes[i].type, &value) != CKR_OK ||
            value.size != attributes[i].ulValueLen ||
            (value.size > 0 && memcmp(value.data, attributes[i].pValue, value.size) != 0))
            return false;
    }
    return true;
}

CK_OBJECT_CLASS
signet_class_of(const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    for (CK_ULONG i = 0; i < count; i++)
        if (attributes[i].type == CKA_CLASS && attributes[i].ulValueLen == sizeof(class))
            memcpy(&class, attributes[i].pValue, sizeof(class));
    return class <= CKO_PRIVATE_KEY ? class : CKO_DATA;
}

bool
signet_name_may_match(const char *name, const CK_ATTRIBUTE *attributes, CK_ULONG count)
{
    size_t size = strlen(name);
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_ATTRIBUTE *a = &attributes[i];
        const char *value = a->pValue;
        if ((a->type == CKA_ID || a->type == CKA_LABEL) &&
            (a->ulValueLen < size || memcmp(value, name, size) != 0 ||
             (a->ulValueLen > size && value[size] != '/')))
            return false;
    }
    return true;
}
