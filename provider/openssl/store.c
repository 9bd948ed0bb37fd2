/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The loader of signet: URIs: "signet:NAME" and "signet:NAME;generation=7" give the key, the leaf
 * and its chain, all of one generation. */

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>
#include <stdlib.h>
#include <string.h>

#include "provider/openssl/key.h"

#define SCHEME       "signet:"
#define GENERATION   ";generation="
#define DER_SEQUENCE 0x30

struct store {
    struct signet_provider *provider;
    struct signet_key *key;   /* (owned) (nullable): not given yet */
    struct signet_blob chain; /* certificates, DER, leaf first */
    size_t offset;            /* in chain: the next to give */
    bool wants_key;
    bool wants_certificates;
};

static bool
parse_generation(const char *text, uint32_t *ret_generation)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number == 0 ||
        number > UINT32_MAX)
        return false;
    *ret_generation = (uint32_t)number;
    return true;
}

static bool
parse_uri(const char *uri, struct signet_reference *ret_reference)
{
    if (strncasecmp(uri, SCHEME, strlen(SCHEME)) != 0)
        return false;
    const char *name = uri + strlen(SCHEME);
    const char *rest = strchrnul(name, ';');
    size_t length = (size_t)(rest - name);
    if (!signet_wire_name_is_valid(name, length))
        return false;
    *ret_reference = (struct signet_reference) {.generation = 0};
    memcpy(ret_reference->identity, name, length);
    if (*rest == '\0')
        return true;
    return strncmp(rest, GENERATION, strlen(GENERATION)) == 0 &&
           parse_generation(rest + strlen(GENERATION), &ret_reference->generation);
}

static int
close_store(void *context)
{
    struct store *store = context;
    if (store == NULL)
        return 1;
    signet_key_unref(store->key);
    signet_blob_clear(&store->chain);
    OPENSSL_free(store);
    return 1;
}

static void *
open_store(void *context, const char *uri)
{
    struct signet_provider *provider = context;
    struct signet_reference reference;
    if (!parse_uri(uri, &reference)) {
        signet_raise(provider, BAD_URI, "'%.200s' is neither signet:NAME nor %s", uri,
                     "signet:NAME;generation=NUMBER");
        return NULL;
    }
    struct store *store = OPENSSL_zalloc(sizeof(*store));
    if (store == NULL)
        return NULL;
    store->provider = provider;
    store->wants_key = store->wants_certificates = true;
    store->key = signet_key_load_with_chain(provider, &reference, &store->chain);
    if (store->key != NULL)
        return store;
    close_store(store);
    return NULL;
}

static const OSSL_PARAM *
settable_ctx_params(void *context)
{
    static const OSSL_PARAM types[] = {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL),
                                       OSSL_PARAM_END};
    return types;
}

static int
set_ctx_params(void *context, const OSSL_PARAM params[])
{
    struct store *store = context;
    const OSSL_PARAM *param =
        params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
    int expected = 0;
    if (param == NULL)
        return 1;
    if (!OSSL_PARAM_get_int(param, &expected))
        return 0;
    store->wants_key = expected == 0 || expected == OSSL_STORE_INFO_PKEY;
    store->wants_certificates = expected == 0 || expected == OSSL_STORE_INFO_CERT;
    return 1;
}

static int
give_key(struct store *store, OSSL_CALLBACK *callback, void *argument)
{
    int type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                         signet_key_is_rsa(store->key) ? "RSA" : "EC", 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &store->key,
                                          sizeof(store->key)),
        OSSL_PARAM_construct_end()};
    int ok = callback(params, argument);
    signet_key_unref(store->key);
    store->key = NULL;
    return ok;
}

/* Bytes of the DER element that the rest of the chain begins with; 0 when there is none. */
static size_t
next_certificate(const struct store *store)
{
    const uint8_t *der = store->chain.data + store->offset;
    size_t rest = store->chain.size - store->offset;
    if (rest < 4 || der[0] != DER_SEQUENCE)
        return 0;
    size_t length_bytes = (der[1] & 0x80) != 0 ? der[1] & 0x7fu : 0, length = der[1];
    if (length_bytes > 2)
        return 0;
    if (length_bytes > 0)
        length = 0;
    for (size_t i = 0; i < length_bytes; i++)
        length = length << 8 | der[2 + i];
    size_t total = 2 + length_bytes + length;
    return total <= rest ? total : 0;
}

static int
give_certificate(struct store *store, OSSL_CALLBACK *callback, void *argument)
{
    size_t size = next_certificate(store);
    if (size == 0) {
        store->offset = store->chain.size;
        signet_raise(store->provider, PROTOCOL, "the agent's certificates are damaged");
        return 0;
    }
    int type = OSSL_OBJECT_CERT;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
                           OSSL_PARAM_construct_octet_string(
                               OSSL_OBJECT_PARAM_DATA, store->chain.data + store->offset, size),
                           OSSL_PARAM_construct_end()};
    store->offset += size;
    return callback(params, argument);
}

static bool
has_key_to_give(const struct store *store)
{
    return store->wants_key && store->key != NULL;
}

static int
eof(void *context)
{
    const struct store *store = context;
    return !has_key_to_give(store) &&
           (!store->wants_certificates || store->offset == store->chain.size);
}

static int
load(void *context, OSSL_CALLBACK *callback, void *argument, OSSL_PASSPHRASE_CALLBACK *passphrase,
     void *passphrase_argument)
{
    struct store *store = context;
    if (eof(store))
        return 0;
    return has_key_to_give(store) ? give_key(store, callback, argument)
                                  : give_certificate(store, callback, argument);
}

/* A key of ours never becomes one of another provider. */
static int
export_object(void *context, const void *reference, size_t size, OSSL_CALLBACK *callback,
              void *argument)
{
    return 0;
}

static const OSSL_DISPATCH store_functions[] = {
    DISPATCH(store, STORE, open, OPEN, open_store),
    DISPATCH(store, STORE, settable_ctx_params, SETTABLE_CTX_PARAMS, settable_ctx_params),
    DISPATCH(store, STORE, set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    DISPATCH(store, STORE, load, LOAD, load),
    DISPATCH(store, STORE, eof, EOF, eof),
    DISPATCH(store, STORE, close, CLOSE, close_store),
    DISPATCH(store, STORE, export_object, EXPORT_OBJECT, export_object),
    DISPATCH_END};

const OSSL_ALGORITHM signet_store_algorithms[] = {
    {"signet", SIGNET_PROPERTIES, store_functions, "keys and certificates by identity"},
    {NULL, NULL, NULL, NULL}};
