/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Where libcrypto comes in: settings, the tables of what we offer, and the order in which it learns
 * of our keys. */

#include "provider/openssl/provider.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_S 3600

OSSL_LIB_CTX *
signet_provider_software(struct signet_provider *provider)
{
    if (!CRYPTO_THREAD_write_lock(provider->lock))
        return NULL;
    if (provider->software == NULL) {
        OSSL_LIB_CTX *software = OSSL_LIB_CTX_new();
        if (software != NULL)
            provider->software_default = OSSL_PROVIDER_load(software, "default");
        if (provider->software_default != NULL)
            provider->software = software;
        else
            OSSL_LIB_CTX_free(software);
    }
    OSSL_LIB_CTX *result = provider->software;
    CRYPTO_THREAD_unlock(provider->lock);
    if (result == NULL)
        signet_raise(provider, SOFTWARE_FAILED, "cannot load OpenSSL's default provider");
    return result;
}

/* libcrypto asks all providers of a context in their order and takes, for a name without
 * properties, the first it stored. Were our keys stored before those of 'default', because the
 * configuration lists us first, every EC or RSA key to be made or imported would be sent to us. So
 * at the moment of the question we have the others asked first: one nested fetch, during which we
 * answer nothing, stores theirs, and ours come behind. Only tried when the core's library is the
 * one we are linked to, as only then its context is one that we may use. */
static void
store_others_first(struct signet_provider *provider)
{
    if (provider->application == NULL || !CRYPTO_THREAD_set_local(&provider->ordering, provider))
        return;
    ERR_set_mark();
    EVP_KEYMGMT_free(EVP_KEYMGMT_fetch(provider->application, "EC", NULL));
    ERR_pop_to_mark();
    CRYPTO_THREAD_set_local(&provider->ordering, NULL);
}

static const OSSL_ALGORITHM *
query_keymgmt(struct signet_provider *provider, int *no_cache)
{
    if (CRYPTO_THREAD_get_local(&provider->ordering) != NULL) {
        *no_cache = 1;
        return NULL;
    }
    store_others_first(provider);
    return signet_keymgmt_algorithms;
}

static const OSSL_ALGORITHM *
query_operation(void *context, int operation, int *no_cache)
{
    struct signet_provider *provider = context;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return query_keymgmt(provider, no_cache);
    case OSSL_OP_SIGNATURE:
        return signet_signature_algorithms;
    case OSSL_OP_ASYM_CIPHER:
        return signet_asym_cipher_algorithms;
    case OSSL_OP_KEYEXCH:
        return signet_keyexch_algorithms;
    case OSSL_OP_DECODER:
        return signet_decoder_algorithms;
    case OSSL_OP_ENCODER:
        return signet_encoder_algorithms;
    case OSSL_OP_STORE:
        return signet_store_algorithms;
    }
    return NULL;
}

static int
get_params(void *context, OSSL_PARAM params[])
{
    OSSL_PARAM *name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
    OSSL_PARAM *version = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    return (name == NULL || OSSL_PARAM_set_utf8_ptr(name, "Signet: keys of the agent")) &&
           (version == NULL || OSSL_PARAM_set_utf8_ptr(version, SIGNET_VERSION)) &&
           (status == NULL || OSSL_PARAM_set_int(status, 1));
}

static const OSSL_PARAM *
gettable_params(void *context)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0), OSSL_PARAM_END};
    return types;
}

static void
teardown(void *context)
{
    struct signet_provider *provider = context;
    if (provider == NULL)
        return;
    signet_channel_free(provider->channel);
    OSSL_PROVIDER_unload(provider->software_default);
    OSSL_LIB_CTX_free(provider->software);
    CRYPTO_THREAD_lock_free(provider->lock);
    CRYPTO_THREAD_cleanup_local(&provider->ordering);
    OPENSSL_free(provider);
}

/* "20" is seconds, "500ms" milliseconds; anything else the channel's default: a setting must not
 * stop every program. */
static unsigned
timeout_ms_from_string(const char *text)
{
    char *end = NULL;
    long value = text == NULL ? 0 : strtol(text, &end, 10);
    if (value <= 0 || value > TIMEOUT_MAX_S * 1000 || (*end != '\0' && strcmp(end, "ms") != 0))
        return 0;
    return *end == 'm' ? (unsigned)value : value > TIMEOUT_MAX_S ? 0 : (unsigned)value * 1000;
}

static struct signet_channel *
channel_from_settings(const struct signet_provider *provider)
{
    char *socket = NULL, *timeout = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_ptr("socket", &socket, 0),
        OSSL_PARAM_construct_utf8_ptr("timeout", &timeout, 0),
        OSSL_PARAM_construct_end(),
    };
    if (!provider->core.get_params(provider->core.handle, params))
        socket = timeout = NULL;

    const char *environment = secure_getenv("SIGNET_SOCKET");
    struct signet_channel_settings settings = {
        .socket = SIGNET_SOCKET_PATH,
        .timeout_ms = timeout_ms_from_string(timeout),
        .program = program_invocation_short_name,
    };
    if (environment != NULL && *environment != '\0')
        settings.socket = environment;
    else if (socket != NULL && *socket != '\0')
        settings.socket = socket;
    return signet_channel_new(&settings);
}

static bool
start(struct signet_provider *provider)
{
    for (uint32_t family = 0; family <= SIGNET_FAMILY_MAX; family++)
        provider->readers[family] = (struct signet_reader) {provider, family};
    if (provider->core.crypto_malloc == CRYPTO_malloc)
        provider->application = (OSSL_LIB_CTX *)provider->core.get_libctx(provider->core.handle);
    provider->lock = CRYPTO_THREAD_lock_new();
    provider->channel = channel_from_settings(provider);
    return provider->lock != NULL && provider->channel != NULL;
}

__attribute__((visibility("default"))) int
OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                   const OSSL_DISPATCH **out, void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        DISPATCH(provider, PROVIDER, teardown, TEARDOWN, teardown),
        DISPATCH(provider, PROVIDER, gettable_params, GETTABLE_PARAMS, gettable_params),
        DISPATCH(provider, PROVIDER, get_params, GET_PARAMS, get_params),
        DISPATCH(provider, PROVIDER, query_operation, QUERY_OPERATION, query_operation),
        DISPATCH(provider, PROVIDER, get_reason_strings, GET_REASON_STRINGS, signet_reason_strings),
        DISPATCH_END};

    struct signet_provider *provider = OPENSSL_zalloc(sizeof(*provider));
    if (provider == NULL)
        return 0;
    if (!CRYPTO_THREAD_init_local(&provider->ordering, NULL)) {
        OPENSSL_free(provider);
        return 0;
    }
    if (!signet_core_init(&provider->core, handle, in) || !start(provider)) {
        teardown(provider);
        return 0;
    }
    *out = functions;
    *provctx = provider;
    return 1;
}
