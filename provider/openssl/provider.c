/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Where libcrypto comes in: settings, the tables of what we offer, and the order in which it learns
 * of our keys. */

#include "provider/openssl/provider.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_S 3600u

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

static const OSSL_PARAM *
gettable_params(void *context)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_VERSION, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_BUILDINFO, OSSL_PARAM_UTF8_PTR, NULL, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, NULL, 0), OSSL_PARAM_END};
    return types;
}

static int
get_params(void *context, OSSL_PARAM params[])
{
    static const struct {
        const char *key;
        const char *value;
    } texts[] = {
        {OSSL_PROV_PARAM_NAME, "Signet: keys of the agent"},
        {OSSL_PROV_PARAM_VERSION, SIGNET_VERSION},
        {OSSL_PROV_PARAM_BUILDINFO, SIGNET_VERSION},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OSSL_PARAM *param = OSSL_PARAM_locate(params, texts[i].key);
        if (param != NULL && !OSSL_PARAM_set_utf8_ptr(param, texts[i].value))
            return 0;
    }
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    return status == NULL || OSSL_PARAM_set_int(status, 1);
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

static void
take_upcalls(struct signet_core *core, const OSSL_DISPATCH *in)
{
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
        case OSSL_FUNC_CORE_GET_PARAMS:
            core->get_params = OSSL_FUNC_core_get_params(in);
            break;
        case OSSL_FUNC_CORE_GET_LIBCTX:
            core->get_libctx = OSSL_FUNC_core_get_libctx(in);
            break;
        case OSSL_FUNC_CORE_NEW_ERROR:
            core->new_error = OSSL_FUNC_core_new_error(in);
            break;
        case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
            core->set_error_debug = OSSL_FUNC_core_set_error_debug(in);
            break;
        case OSSL_FUNC_CORE_VSET_ERROR:
            core->vset_error = OSSL_FUNC_core_vset_error(in);
            break;
        case OSSL_FUNC_BIO_READ_EX:
            core->bio_read_ex = OSSL_FUNC_BIO_read_ex(in);
            break;
        case OSSL_FUNC_BIO_WRITE_EX:
            core->bio_write_ex = OSSL_FUNC_BIO_write_ex(in);
            break;
        case OSSL_FUNC_CRYPTO_MALLOC:
            core->crypto_malloc = OSSL_FUNC_CRYPTO_malloc(in);
            break;
        }
    }
}

/* "20" and "20s" are seconds, "500ms" milliseconds; 0, the channel's default, for anything else: a
 * setting must not stop every program on the machine. */
static unsigned
timeout_ms_from_string(const char *text)
{
    if (text == NULL || !isdigit((unsigned char)text[0]))
        return 0;
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || value > TIMEOUT_MAX_S * 1000ul)
        return 0;
    if (strcmp(end, "ms") == 0)
        return (unsigned)value;
    if (*end != '\0' && strcmp(end, "s") != 0)
        return 0;
    return value > TIMEOUT_MAX_S ? 0 : (unsigned)value * 1000u;
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
    if (!provider->core.get_params(provider->handle, params))
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
    const struct signet_core *core = &provider->core;
    if (core->get_params == NULL || core->get_libctx == NULL || core->new_error == NULL ||
        core->set_error_debug == NULL || core->vset_error == NULL || core->bio_read_ex == NULL ||
        core->bio_write_ex == NULL)
        return false;
    if (core->crypto_malloc == CRYPTO_malloc)
        provider->application = (OSSL_LIB_CTX *)core->get_libctx(provider->handle);

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
    provider->handle = handle;
    if (!CRYPTO_THREAD_init_local(&provider->ordering, NULL)) {
        OPENSSL_free(provider);
        return 0;
    }
    take_upcalls(&provider->core, in);
    if (!start(provider)) {
        teardown(provider);
        return 0;
    }
    *out = functions;
    *provctx = provider;
    return 1;
}
