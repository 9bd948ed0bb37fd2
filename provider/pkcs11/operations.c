/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Cryptoki's functions that use a private key: sign, decrypt, derive. An operation is taken out of
 * its session while the agent is asked, so that no lock is held then. */

#include <stdlib.h>
#include <string.h>

#include "provider/pkcs11/agent.h"
#include "provider/wire/der.h"
#include "provider/pkcs11/state.h"

/* A private key of a handle, to be unreferenced. Needs the lock. */
static CK_RV
find_private_key(CK_OBJECT_HANDLE handle, struct signet_identity **ret_identity)
{
    struct signet_object object;
    if (!signet_state_find(handle, &object) || object.part != SIGNET_PART_PRIVATE_KEY) {
        signet_object_release(&object);
        return CKR_KEY_HANDLE_INVALID;
    }
    *ret_identity = object.identity;
    return CKR_OK;
}

/* Needs the lock. */
static CK_RV
begin(struct signet_operation *operation, const CK_MECHANISM *mechanism, CK_FLAGS usage,
      CK_OBJECT_HANDLE key)
{
    if (operation->identity != NULL)
        return CKR_OPERATION_ACTIVE;
    struct signet_identity *identity;
    struct signet_method method;
    CK_RV rv = find_private_key(key, &identity);
    if (rv != CKR_OK)
        return rv;
    rv = signet_method_parse(mechanism, usage, &method);
    if (rv == CKR_OK &&
        signet_scheme_family(method.mechanism->scheme) != signet_identity_family(identity))
        rv = CKR_KEY_TYPE_INCONSISTENT;
    if (rv == CKR_OK)
        *operation = (struct signet_operation) {.identity = identity, .method = method};
    else
        signet_identity_unref(identity);
    return rv;
}

static CK_RV
init(CK_SESSION_HANDLE handle, const CK_MECHANISM *mechanism, CK_FLAGS usage, CK_OBJECT_HANDLE key)
{
    struct signet_session *session;
    if (mechanism == NULL)
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    rv = begin(usage == CKF_SIGN ? &session->sign : &session->decrypt, mechanism, usage, key);
    signet_state_unlock();
    return rv;
}

CK_RV
C_SignInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return init(handle, mechanism, CKF_SIGN, key);
}

CK_RV
C_DecryptInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return init(handle, mechanism, CKF_DECRYPT, key);
}

static CK_RV
append(struct signet_operation *operation, struct signet_bytes part)
{
    if (part.size > SIGNET_WIRE_MESSAGE_MAX - operation->size)
        return CKR_DATA_LEN_RANGE;
    if (operation->data == NULL)
        operation->data = malloc(SIGNET_WIRE_MESSAGE_MAX);
    if (operation->data == NULL)
        return CKR_HOST_MEMORY;
    if (part.size > 0)
        memcpy(operation->data + operation->size, part.data, part.size);
    operation->size += part.size;
    operation->has_parts = true;
    return CKR_OK;
}

CK_RV
C_SignUpdate(CK_SESSION_HANDLE handle, unsigned char *part, CK_ULONG size)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    if (session->sign.identity == NULL)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    else if (part == NULL && size > 0)
        rv = CKR_ARGUMENTS_BAD;
    else
        rv = append(&session->sign, (struct signet_bytes) {part, size});
    if (rv != CKR_OK)
        signet_operation_clear(&session->sign);
    signet_state_unlock();
    return rv;
}

static CK_RV
use(enum signet_wire_op op, const void *request, uint8_t *to, size_t *size)
{
    const struct signet_channel_call call = {op, request, 0};
    struct signet_channel *channel = signet_state_channel();
    return channel == NULL ? CKR_CRYPTOKI_NOT_INITIALIZED
                           : signet_agent_use(channel, &call, to, size);
}

static size_t
signature_size(const struct signet_operation *operation)
{
    size_t width = signet_identity_width(operation->identity);
    return signet_identity_family(operation->identity) == SIGNET_FAMILY_RSA ? width : 2 * width;
}

static CK_RV
sign(const struct signet_operation *operation, struct signet_bytes data, unsigned char *to)
{
    const struct signet_identity *identity = operation->identity;
    size_t width = signet_identity_width(identity);
    uint8_t answer[SIGNET_WIRE_SIGNATURE_MAX];
    size_t answer_size = sizeof(answer);
    enum signet_wire_op op;
    struct signet_wire_sign_request request;
    CK_RV rv = signet_method_sign(&operation->method, data, width, &op, &request);
    if (rv != CKR_OK)
        return rv;
    request.identity = signet_bytes_from_string(identity->name);
    request.generation = identity->generation;
    rv = use(op, &request, answer, &answer_size);
    if (rv != CKR_OK)
        return rv;
    if (request.scheme == SIGNET_SCHEME_ECDSA) {
        struct signet_bytes der = {answer, answer_size};
        return signet_der_split_ecdsa(der, width, to) ? CKR_OK : CKR_DEVICE_ERROR;
    }
    if (answer_size != signature_size(operation))
        return CKR_DEVICE_ERROR;
    memcpy(to, answer, answer_size);
    return CKR_OK;
}

/* The two ways that a signature ends: with all the data, or (NULL) with what the parts brought. */
static CK_RV
finish_sign(CK_SESSION_HANDLE handle, const struct signet_bytes *whole, unsigned char *to,
            CK_ULONG *size)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    struct signet_operation operation = {0};
    bool is_active = session->sign.identity != NULL;
    size_t needed = is_active ? signature_size(&session->sign) : 0;
    if (!is_active)
        rv = CKR_OPERATION_NOT_INITIALIZED;
    else if (whole != NULL && session->sign.has_parts)
        rv = CKR_OPERATION_ACTIVE;
    else if (to != NULL && *size < needed)
        rv = CKR_BUFFER_TOO_SMALL;
    bool is_complete = rv == CKR_OK && to != NULL;
    if (is_complete) {
        operation = session->sign;
        session->sign = (struct signet_operation) {0};
    }
    signet_state_unlock();
    if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
        *size = needed;
    if (!is_complete)
        return rv;
    struct signet_bytes parts = {operation.data, operation.size};
    rv = sign(&operation, whole != NULL ? *whole : parts, to);
    signet_operation_clear(&operation);
    return rv;
}

CK_RV
C_Sign(CK_SESSION_HANDLE handle, unsigned char *data, CK_ULONG size, unsigned char *signature,
       CK_ULONG *signature_len)
{
    struct signet_bytes whole = {data, size};
    if (signature_len == NULL || (data == NULL && size > 0))
        return CKR_ARGUMENTS_BAD;
    return finish_sign(handle, &whole, signature, signature_len);
}

CK_RV
C_SignFinal(CK_SESSION_HANDLE handle, unsigned char *signature, CK_ULONG *signature_len)
{
    if (signature_len == NULL)
        return CKR_ARGUMENTS_BAD;
    return finish_sign(handle, NULL, signature, signature_len);
}

static CK_RV
decrypt(const struct signet_operation *operation, struct signet_bytes data, uint8_t *to,
        size_t *size)
{
    const struct signet_method *method = &operation->method;
    struct signet_wire_decrypt_request request = {
        .identity = signet_bytes_from_string(operation->identity->name),
        .generation = operation->identity->generation,
        .scheme = method->mechanism->scheme,
        .hash = method->hash,
        .mgf1_hash = method->mgf1_hash,
        .label = {method->label, method->label_size},
        .ciphertext = data,
    };
    if (data.size != signet_identity_width(operation->identity))
        return CKR_ENCRYPTED_DATA_LEN_RANGE;
    return use(SIGNET_WIRE_OP_DECRYPT, &request, to, size);
}

/* After an answer that did not fit: the caller comes again with more room. */
static CK_RV
put_back(CK_SESSION_HANDLE handle, struct signet_operation *operation)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    if (session->decrypt.identity == NULL) {
        session->decrypt = *operation;
        *operation = (struct signet_operation) {0};
    }
    signet_state_unlock();
    return CKR_BUFFER_TOO_SMALL;
}

static CK_RV
finish_decrypt(CK_SESSION_HANDLE handle, struct signet_operation *operation,
               struct signet_bytes data, unsigned char *to, CK_ULONG *size)
{
    uint8_t answer[SIGNET_WIRE_CIPHERTEXT_MAX];
    size_t answer_size = sizeof(answer);
    CK_RV rv = decrypt(operation, data, answer, &answer_size);
    if (rv == CKR_OK) {
        bool fits = answer_size <= *size;
        *size = answer_size;
        if (!fits)
            rv = put_back(handle, operation);
        else if (answer_size > 0)
            memcpy(to, answer, answer_size);
    }
    explicit_bzero(answer, sizeof(answer));
    return rv;
}

CK_RV
C_Decrypt(CK_SESSION_HANDLE handle, unsigned char *data, CK_ULONG data_len, unsigned char *to,
          CK_ULONG *size)
{
    struct signet_session *session;
    if (size == NULL || (data == NULL && data_len > 0))
        return CKR_ARGUMENTS_BAD;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    struct signet_operation operation = {0};
    if (session->decrypt.identity == NULL) {
        rv = CKR_OPERATION_NOT_INITIALIZED;
    } else if (to == NULL) {
        *size = signet_identity_width(session->decrypt.identity);
    } else {
        operation = session->decrypt;
        session->decrypt = (struct signet_operation) {0};
    }
    signet_state_unlock();
    if (operation.identity == NULL)
        return rv;
    rv = finish_decrypt(handle, &operation, (struct signet_bytes) {data, data_len}, to, size);
    signet_operation_clear(&operation);
    return rv;
}

static bool
get_number(const CK_ATTRIBUTE *attribute, CK_ULONG *ret_number)
{
    if (attribute->pValue == NULL || attribute->ulValueLen != sizeof(*ret_number))
        return false;
    memcpy(ret_number, attribute->pValue, sizeof(*ret_number));
    return true;
}

static bool
is_true(const CK_ATTRIBUTE *attribute)
{
    return attribute->pValue != NULL && attribute->ulValueLen == sizeof(CK_BBOOL) &&
           *(const CK_BBOOL *)attribute->pValue != CK_FALSE;
}

static CK_RV
take_attribute(const CK_ATTRIBUTE *attribute, struct signet_secret *secret, CK_ULONG *length)
{
    CK_ULONG class;
    switch (attribute->type) {
    case CKA_CLASS:
        return get_number(attribute, &class) && class == CKO_SECRET_KEY ? CKR_OK
                                                                        : CKR_TEMPLATE_INCONSISTENT;
    case CKA_KEY_TYPE:
        return get_number(attribute, &secret->key_type) &&
                       (secret->key_type == CKK_GENERIC_SECRET || secret->key_type == CKK_AES)
                   ? CKR_OK
                   : CKR_TEMPLATE_INCONSISTENT;
    case CKA_VALUE_LEN:
        return get_number(attribute, length) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
    case CKA_TOKEN:
        return is_true(attribute) ? CKR_TOKEN_WRITE_PROTECTED : CKR_OK;
    case CKA_SENSITIVE: /* what cannot be read could not be used either */
        return is_true(attribute) ? CKR_TEMPLATE_INCONSISTENT : CKR_OK;
    case CKA_LABEL:
        if (attribute->ulValueLen > sizeof(secret->label) || attribute->pValue == NULL)
            return attribute->ulValueLen == 0 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
        secret->label_size = attribute->ulValueLen;
        memcpy(secret->label, attribute->pValue, secret->label_size);
        return CKR_OK;
    }
    return CKR_OK; /* usages and the like: nothing is done with it here but reading */
}

/* Asks the agent and cuts the answer to what the template wants, from the front (PKCS#11 2.3.8). */
static CK_RV
derive(const struct signet_identity *identity, const CK_MECHANISM *mechanism, CK_ULONG length,
       struct signet_secret *secret)
{
    uint8_t answer[SIGNET_WIRE_POINT_MAX];
    size_t size = sizeof(answer);
    struct signet_wire_derive_request request = {
        .identity = signet_bytes_from_string(identity->name),
        .generation = identity->generation,
    };
    if (signet_identity_family(identity) != SIGNET_FAMILY_EC)
        return CKR_KEY_TYPE_INCONSISTENT;
    size_t width = signet_identity_width(identity);
    CK_RV rv = signet_method_peer(mechanism, width, &request.peer);
    if (rv != CKR_OK || length > width)
        return rv != CKR_OK ? rv : CKR_KEY_SIZE_RANGE;
    rv = use(SIGNET_WIRE_OP_DERIVE, &request, answer, &size);
    if (rv == CKR_OK && size != width)
        rv = CKR_DEVICE_ERROR;
    if (rv == CKR_OK) {
        secret->size = length == 0 ? width : length;
        memcpy(secret->value, answer + width - secret->size, secret->size);
    }
    explicit_bzero(answer, sizeof(answer));
    return rv;
}

CK_RV
C_DeriveKey(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE base,
            CK_ATTRIBUTE *attributes, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    struct signet_identity *identity = NULL;
    struct signet_session *session;
    CK_ULONG length = 0;
    if (mechanism == NULL || key == NULL || (attributes == NULL && count > 0))
        return CKR_ARGUMENTS_BAD;
    struct signet_secret *secret = calloc(1, sizeof(*secret));
    CK_RV rv = secret == NULL ? CKR_HOST_MEMORY : CKR_OK;
    if (rv == CKR_OK)
        secret->key_type = CKK_GENERIC_SECRET;
    for (CK_ULONG i = 0; i < count && rv == CKR_OK; i++)
        rv = take_attribute(&attributes[i], secret, &length);
    if (rv == CKR_OK && (rv = signet_session_lock(handle, &session)) == CKR_OK) {
        rv = find_private_key(base, &identity);
        signet_state_unlock();
    }
    if (rv == CKR_OK)
        rv = derive(identity, mechanism, length, secret);
    signet_identity_unref(identity);
    if (rv == CKR_OK)
        return signet_secret_add(handle, secret, key);
    free(secret);
    return rv;
}
