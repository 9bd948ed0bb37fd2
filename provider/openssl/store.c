/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The loader of signet: URIs: "signet:NAME" and "signet:NAME;generation=7" give the key, the leaf
 * and its chain, all of one generation. */

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include "provider/openssl/key.h"

struct store {
    struct signet_provider *provider;
    struct signet_key *key;   /* (owned) (nullable): not given yet */
    struct signet_blob chain; /* certificates, DER, leaf first */
    size_t offset;            /* in chain: the next to give */
    bool wants_key;
    bool wants_certificates;
};

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
    if (!signet_reference_from_uri(uri, &reference)) {
        signet_raise(provider, BAD_URI, "'%.200s' is neither signet:NAME nor %s", uri,
                     "signet:NAME;generation=NUMBER");
        return NULL;
    }
    struct store *store = OPENSSL_zalloc(sizeof(*store));
    if (store == NULL)
        return NULL;
    store->provider = provider;
    store->wants_key = store->wants_certificates = true;
    store->key = signet_key_load(provider, &reference, &store->chain);
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
give_certificate(struct store *store, OSSL_CALLBACK *callback, void *argument)
{
    const unsigned char *der = store->chain.data + store->offset, *content = der;
    long length = 0, rest = (long)(store->chain.size - store->offset);
    int tag, class;
    if ((ASN1_get_object(&content, &length, &tag, &class, rest) & 0x81) != 0 ||
        tag != V_ASN1_SEQUENCE) {
        store->offset = store->chain.size;
        signet_raise(store->provider, PROTOCOL, "the agent's certificates are damaged");
        return 0;
    }
    size_t size = (size_t)(content - der) + (size_t)length;
    int type = OSSL_OBJECT_CERT;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, (void *)der, size),
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
    return has_key_to_give(store) ? signet_key_give(&store->key, callback, argument)
                                  : give_certificate(store, callback, argument);
}

#define ROW(name, NAME, fn) DISPATCH(store, STORE, name, NAME, fn)

static const OSSL_DISPATCH store_functions[] = {
    ROW(open, OPEN, open_store),
    ROW(settable_ctx_params, SETTABLE_CTX_PARAMS, settable_ctx_params),
    ROW(set_ctx_params, SET_CTX_PARAMS, set_ctx_params),
    ROW(load, LOAD, load),
    DISPATCH(store, STORE, eof, EOF, eof), /* EOF is a macro: not through ROW */
    ROW(close, CLOSE, close_store),
    ROW(export_object, EXPORT_OBJECT, signet_key_export_object),
    DISPATCH_END};

const OSSL_ALGORITHM signet_store_algorithms[] = {
    {"signet", SIGNET_PROPERTIES, store_functions, "keys and certificates by identity"},
    {NULL, NULL, NULL, NULL}};
