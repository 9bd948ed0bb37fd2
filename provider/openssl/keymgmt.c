/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Key management: libcrypto's view of our keys. There is no generation, and import takes only
 * public halves. */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#include "provider/openssl/key.h"

#define X(family, number, name)                                 \
    static void *new_##family(void *context)                    \
    {                                                           \
        return signet_key_new(context, SIGNET_FAMILY_##family); \
    }
SIGNET_FAMILIES(X)
#undef X

static void
free_key(void *keydata)
{
    signet_key_unref(keydata);
}

/* The reference is the place of the pointer to a key that the decoder or the store made; we take
 * the key from there. */
static void *
load(const void *reference, size_t size)
{
    struct signet_key **from = (struct signet_key **)reference;
    if (size != sizeof(*from))
        return NULL;
    struct signet_key *key = *from;
    *from = NULL;
    return key;
}

static int
has(const void *keydata, int selection)
{
    return keydata != NULL && signet_key_has(keydata, selection);
}

static int
match(const void *keydata1, const void *keydata2, int selection)
{
    /* libcrypto says const; but what a key is pinned to is not part of what it compares */
    return signet_key_match((struct signet_key *)keydata1, (struct signet_key *)keydata2,
                            selection);
}

static int
validate(const void *keydata, int selection, int checktype)
{
    struct signet_key *key = (struct signet_key *)keydata;
    if (!signet_key_has(key, selection))
        return 0;
    EVP_PKEY_CTX *check = signet_key_begin_public(key, NULL, NULL);
    int ok = check != NULL;
    if (ok && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0)
        ok = checktype == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK ? EVP_PKEY_public_check_quick(check) > 0
                                                            : EVP_PKEY_public_check(check) > 0;
    EVP_PKEY_CTX_free(check);
    return ok;
}

static int
import_public(void *keydata, int selection, const OSSL_PARAM params[])
{
    return signet_key_import(keydata, selection, params);
}

/* Whatever is asked for, this is what leaves: the public half. */
static int
export_public(void *keydata, int selection, OSSL_CALLBACK *callback, void *argument)
{
    EVP_PKEY *public = signet_key_dup_public(keydata);
    if (public == NULL)
        return 0;
    int half = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 &&
                       signet_key_has(keydata, OSSL_KEYMGMT_SELECT_PUBLIC_KEY)
                   ? EVP_PKEY_PUBLIC_KEY
                   : EVP_PKEY_KEY_PARAMETERS;
    int ok = EVP_PKEY_export(public, half, callback, argument);
    EVP_PKEY_free(public);
    return ok;
}

/* Of all types, since libcrypto asks by name. */
#define PUBLIC_TYPES                                               \
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),   \
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0), \
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),             \
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0)

static const OSSL_PARAM *
public_types(int selection)
{
    static const OSSL_PARAM types[] = {PUBLIC_TYPES, OSSL_PARAM_END};
    return types;
}

static void *
dup_key(const void *keydata, int selection)
{
    return signet_key_dup((struct signet_key *)keydata, selection);
}

static int
get_params(void *keydata, OSSL_PARAM params[])
{
    EVP_PKEY *public = signet_key_dup_public(keydata);
    if (public == NULL)
        return 0;
    ERR_set_mark();
    int ok = EVP_PKEY_get_params(public, params);
    ERR_pop_to_mark();
    EVP_PKEY_free(public);
    return ok;
}

/* For CMS, which builds a sender's key from the recipient's parameters and the sender's point. */
static int
set_params(void *keydata, const OSSL_PARAM params[])
{
    return params == NULL || signet_key_set_params(keydata, params);
}

static const OSSL_PARAM *
settable_params(void *context)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0), OSSL_PARAM_END};
    return types;
}

static const OSSL_PARAM *
gettable_params(void *context)
{
    static const OSSL_PARAM types[] = {
        PUBLIC_TYPES,
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 0),
        OSSL_PARAM_END};
    return types;
}

static const char *
operation_name_EC(int operation)
{
    return operation == OSSL_OP_KEYEXCH ? SIGNET_NAME_ECDH : SIGNET_NAME_ECDSA;
}

static const char *
operation_name_RSA(int operation)
{
    return SIGNET_NAME_RSA;
}

static const char *
operation_name_ED25519(int operation)
{
    return SIGNET_NAME_EDDSA;
}

#define ROW(name, NAME, fn) DISPATCH(keymgmt, KEYMGMT, name, NAME, fn)
#define X(family, number, name)                                                   \
    static const OSSL_DISPATCH functions_##family[] = {                           \
        ROW(new, NEW, new_##family),                                              \
        ROW(free, FREE, free_key),                                                \
        ROW(load, LOAD, load),                                                    \
        ROW(has, HAS, has),                                                       \
        ROW(match, MATCH, match),                                                 \
        ROW(validate, VALIDATE, validate),                                        \
        ROW(import, IMPORT, import_public),                                       \
        ROW(import_types, IMPORT_TYPES, public_types),                            \
        ROW(export, EXPORT, export_public),                                       \
        ROW(export_types, EXPORT_TYPES, public_types),                            \
        ROW(dup, DUP, dup_key),                                                   \
        ROW(get_params, GET_PARAMS, get_params),                                  \
        ROW(gettable_params, GETTABLE_PARAMS, gettable_params),                   \
        ROW(set_params, SET_PARAMS, set_params),                                  \
        ROW(settable_params, SETTABLE_PARAMS, settable_params),                   \
        ROW(query_operation_name, QUERY_OPERATION_NAME, operation_name_##family), \
        DISPATCH_END};
SIGNET_FAMILIES(X)
#undef X

const OSSL_ALGORITHM signet_keymgmt_algorithms[] = {
#define X(family, number, name)                                         \
    {SIGNET_NAMES(family, name), SIGNET_PROPERTIES, functions_##family, \
     name " key of the Signet agent"},
    SIGNET_FAMILIES(X)
#undef X
        {NULL, NULL, NULL, NULL}};
