/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys, and every request that the provider sends to the agent. */

#include "provider/openssl/key.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct signet_key {
    struct signet_provider *provider; /* (unowned): libcrypto keeps it while its keys live */
    atomic_uint references;
    uint32_t family;
    char identity[SIGNET_WIRE_NAME_MAX + 1]; /* empty: not ours */

    CRYPTO_RWLOCK *lock; /* (owned): guards what follows */
    EVP_PKEY *public;    /* (owned) (nullable) */
    bool parameters_only;
    uint32_t generation;

    CRYPTO_RWLOCK *repin_lock; /* (owned): held while the agent is asked */
    _Atomic bool repin_tried;  /* or need not be: it has its certificate */
};

void
signet_key_unref(struct signet_key *key)
{
    if (key == NULL || atomic_fetch_sub(&key->references, 1) != 1)
        return;
    EVP_PKEY_free(key->public);
    CRYPTO_THREAD_lock_free(key->lock);
    CRYPTO_THREAD_lock_free(key->repin_lock);
    OPENSSL_free(key);
}

struct signet_key *
signet_key_new(struct signet_provider *provider, uint32_t family)
{
    struct signet_key *key = OPENSSL_zalloc(sizeof(*key));
    if (key == NULL)
        return NULL;
    key->provider = provider;
    key->family = family;
    atomic_init(&key->references, 1);
    key->lock = CRYPTO_THREAD_lock_new();
    key->repin_lock = CRYPTO_THREAD_lock_new();
    if (key->lock != NULL && key->repin_lock != NULL)
        return key;
    signet_key_unref(key);
    return NULL;
}

struct signet_key *
signet_key_ref(struct signet_key *key)
{
    if (key != NULL)
        atomic_fetch_add(&key->references, 1);
    return key;
}

void
signet_blob_clear(struct signet_blob *blob)
{
    OPENSSL_free(blob->data);
    *blob = (struct signet_blob) {0};
}

static void
set_malformed(struct signet_channel_failure *failure, const char *what)
{
    failure->error = SIGNET_CHANNEL_PROTOCOL;
    snprintf(failure->text, sizeof(failure->text), "the agent's answer is malformed: %s", what);
}

static EVP_PKEY *
public_from_spki(struct signet_provider *provider, struct signet_bytes spki)
{
    OSSL_LIB_CTX *software = signet_provider_software(provider);
    if (software == NULL)
        return NULL;
    const unsigned char *der = spki.data;
    ERR_set_mark();
    EVP_PKEY *public = d2i_PUBKEY_ex(NULL, &der, (long)spki.size, software, NULL);
    ERR_pop_to_mark();
    return public;
}

/* Fills a fresh key from the answer. */
static bool
take_lookup(struct signet_key *key, struct signet_channel_reply *reply,
            struct signet_blob *ret_chain, struct signet_channel_failure *ret_failure)
{
    struct signet_wire_lookup_reply message;
    if (!signet_wire_get_lookup_reply(&reply->reader, &message)) {
        set_malformed(ret_failure, "not a reply to 'lookup'");
        return false;
    }
    key->family = signet_key_type_family(message.key_type);
    key->generation = message.generation;
    key->public = public_from_spki(key->provider, message.spki);
    if (key->public == NULL || !EVP_PKEY_is_a(key->public, signet_family_name(key->family))) {
        set_malformed(ret_failure, "the public key cannot be read");
        return false;
    }
    if (ret_chain == NULL || message.chain.size == 0)
        return true;
    ret_chain->data = OPENSSL_memdup(message.chain.data, message.chain.size);
    ret_chain->size = message.chain.size;
    return ret_chain->data != NULL;
}

/* NULL: not raised, but in *ret_failure. */
static struct signet_key *
look_up(struct signet_provider *provider, const struct signet_wire_lookup_request *request,
        struct signet_blob *ret_chain, struct signet_channel_failure *ret_failure)
{
    struct signet_channel_call call = {SIGNET_WIRE_OP_LOOKUP, request, 0};
    struct signet_channel_reply reply = {0};
    *ret_failure = (struct signet_channel_failure) {SIGNET_CHANNEL_NO_MEMORY, 0, "out of memory"};
    struct signet_key *key = signet_key_new(provider, 0);
    if (key == NULL)
        return NULL;
    memcpy(key->identity, request->identity.data, request->identity.size);
    bool ok = signet_channel_call(provider->channel, &call, &reply, ret_failure) &&
              take_lookup(key, &reply, ret_chain, ret_failure);
    signet_channel_release(&reply);
    if (ok)
        return key;
    signet_key_unref(key);
    return NULL;
}

struct signet_key *
signet_key_load(struct signet_provider *provider, const struct signet_reference *reference,
                struct signet_blob *ret_chain)
{
    struct signet_wire_lookup_request request = {
        .identity = signet_bytes_from_string(reference->identity),
        .generation = reference->generation,
    };
    struct signet_channel_failure failure;
    struct signet_key *key = look_up(provider, &request, ret_chain, &failure);
    if (key != NULL && ret_chain == NULL && key->family != reference->family) {
        set_malformed(&failure, "the key is of another type than its reference says");
        signet_key_unref(key);
        key = NULL;
    }
    if (key == NULL)
        signet_raise_failure(provider, reference->identity, &failure);
    else
        /* a failure only concerns children without a path, and says so there */
        signet_channel_prepare(provider->channel, &failure);
    return key;
}

int
signet_key_give(struct signet_key **key, OSSL_CALLBACK *callback, void *argument)
{
    int type = OSSL_OBJECT_PKEY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                         (char *)signet_family_name((*key)->family), 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, key, sizeof(*key)),
        OSSL_PARAM_construct_end()};
    int ok = callback(params, argument);
    signet_key_unref(*key); /* NULL when keymgmt's load() took it */
    *key = NULL;
    return ok;
}

int
signet_key_export_object(void *context, const void *reference, size_t size, OSSL_CALLBACK *callback,
                         void *argument)
{
    return 0;
}

bool
signet_key_import(struct signet_key *key, int selection, const OSSL_PARAM params[])
{
    if (key->public != NULL || key->identity[0] != '\0' ||
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PRIV_KEY) != NULL ||
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_D) != NULL ||
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_RSA_FACTOR1) != NULL)
        return false;
    OSSL_LIB_CTX *software = signet_provider_software(key->provider);
    const char *point =
        key->family == SIGNET_FAMILY_RSA ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_PUB_KEY;
    bool with_public = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 &&
                       OSSL_PARAM_locate_const(params, point) != NULL;
    EVP_PKEY *public = NULL;
    ERR_set_mark();
    EVP_PKEY_CTX *from =
        EVP_PKEY_CTX_new_from_name(software, signet_family_name(key->family), NULL);
    bool ok = from != NULL && EVP_PKEY_fromdata_init(from) > 0 &&
              EVP_PKEY_fromdata(from, &public,
                                with_public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEY_PARAMETERS,
                                (OSSL_PARAM *)params) > 0;
    EVP_PKEY_CTX_free(from);
    ERR_pop_to_mark();
    if (!ok)
        return false;
    key->public = public;
    key->parameters_only = !with_public;
    return true;
}

bool
signet_key_set_params(struct signet_key *key, const OSSL_PARAM params[])
{
    if (!key->parameters_only || key->identity[0] != '\0' || key->public == NULL ||
        !EVP_PKEY_set_params(key->public, (OSSL_PARAM *)params))
        return false;
    key->parameters_only =
        OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) == NULL;
    return true;
}

static EVP_PKEY *
dup_parameters(EVP_PKEY *public)
{
    EVP_PKEY *parameters = EVP_PKEY_new();
    if (parameters != NULL && !EVP_PKEY_copy_parameters(parameters, public)) {
        EVP_PKEY_free(parameters);
        return NULL;
    }
    return parameters;
}

struct signet_key *
signet_key_dup(struct signet_key *key, int selection)
{
    struct signet_key *copy = signet_key_new(key->provider, key->family);
    if (copy == NULL || !CRYPTO_THREAD_read_lock(key->lock))
        return copy;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) {
        strcpy(copy->identity, key->identity);
        copy->generation = key->generation;
    }
    copy->parameters_only = key->parameters_only || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0;
    if (copy->parameters_only && key->public != NULL)
        copy->public = dup_parameters(key->public);
    else if (key->public != NULL && EVP_PKEY_up_ref(key->public))
        copy->public = key->public;
    bool ok = copy->public != NULL || key->public == NULL;
    CRYPTO_THREAD_unlock(key->lock);
    if (ok)
        return copy;
    signet_raise(key->provider, NO_MEMORY, "no memory for the copy of a key");
    signet_key_unref(copy);
    return NULL;
}

struct signet_provider *
signet_key_provider(const struct signet_key *key)
{
    return key->provider;
}

uint32_t
signet_key_family(const struct signet_key *key)
{
    return key->family;
}

bool
signet_key_has(const struct signet_key *key, int selection)
{
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key->identity[0] == '\0')
        return false;
    if (!CRYPTO_THREAD_read_lock(key->lock))
        return false;
    bool has_parameters = key->public != NULL;
    bool has_public = has_parameters && !key->parameters_only;
    CRYPTO_THREAD_unlock(key->lock);
    if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 && !has_public)
        return false;
    return key->family != SIGNET_FAMILY_EC ||
           (selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) == 0 || has_parameters;
}

EVP_PKEY *
signet_key_dup_public(struct signet_key *key)
{
    if (!CRYPTO_THREAD_read_lock(key->lock))
        return NULL;
    EVP_PKEY *public = key->public;
    if (public != NULL && !EVP_PKEY_up_ref(public))
    public = NULL;
    CRYPTO_THREAD_unlock(key->lock);
    return public;
}

EVP_PKEY_CTX *
signet_key_begin_public(struct signet_key *key, int (*init)(EVP_PKEY_CTX *),
                        const OSSL_PARAM params[])
{
    OSSL_LIB_CTX *software = signet_provider_software(key->provider);
    EVP_PKEY *public = software == NULL ? NULL : signet_key_dup_public(key);
    if (public == NULL)
        return NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(software, public, NULL);
    EVP_PKEY_free(public);
    if (context != NULL && (init == NULL || init(context) > 0) &&
        (params == NULL || EVP_PKEY_CTX_set_params(context, params) > 0))
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static size_t
ask_public(struct signet_key *key, int (*ask)(const EVP_PKEY *))
{
    EVP_PKEY *public = signet_key_dup_public(key);
    int answer = public == NULL ? 0 : ask(public);
    EVP_PKEY_free(public);
    return answer <= 0 ? 0 : (size_t)answer;
}

size_t
signet_key_field_size(struct signet_key *key)
{
    return (ask_public(key, EVP_PKEY_get_bits) + 7) / 8;
}

size_t
signet_key_output_max(struct signet_key *key)
{
    return ask_public(key, EVP_PKEY_get_size);
}

bool
signet_key_get_reference(struct signet_key *key, struct signet_reference *ret_reference)
{
    if (key->identity[0] == '\0' || !CRYPTO_THREAD_read_lock(key->lock))
        return false;
    *ret_reference =
        (struct signet_reference) {.generation = key->generation, .family = (uint8_t)key->family};
    CRYPTO_THREAD_unlock(key->lock);
    strcpy(ret_reference->identity, key->identity);
    return true;
}

static bool
publics_are_equal(EVP_PKEY *a, EVP_PKEY *b, int selection)
{
    ERR_set_mark();
    bool equal = true;
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0)
        equal = EVP_PKEY_eq(a, b) == 1;
    else if ((selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0 && EVP_PKEY_is_a(a, "EC"))
        equal = EVP_PKEY_parameters_eq(a, b) == 1;
    ERR_pop_to_mark();
    return equal;
}

/* Takes over what another object of the same identity holds. */
static void
become(struct signet_key *key, struct signet_key *found)
{
    if (!CRYPTO_THREAD_write_lock(key->lock))
        return;
    EVP_PKEY *old = key->public;
    key->public = found->public;
    key->generation = found->generation;
    found->public = old;
    CRYPTO_THREAD_unlock(key->lock);
}

static void
look_for_generation(struct signet_key *key, EVP_PKEY *wanted)
{
    unsigned char *spki = NULL;
    int spki_size = i2d_PUBKEY(wanted, &spki);
    struct signet_wire_lookup_request request = {
        .identity = signet_bytes_from_string(key->identity),
        .spki = {spki, spki_size < 0 ? 0 : (size_t)spki_size},
    };
    struct signet_channel_failure failure;
    struct signet_key *found =
        spki_size > 0 ? look_up(key->provider, &request, NULL, &failure) : NULL;
    if (found != NULL && publics_are_equal(found->public, wanted, OSSL_KEYMGMT_SELECT_PUBLIC_KEY))
        become(key, found);
    signet_key_unref(found);
    OPENSSL_free(spki);
}

/* Threads that come while the first one asks wait for the answer. */
static bool
repin(struct signet_key *key, EVP_PKEY *wanted)
{
    if (!CRYPTO_THREAD_write_lock(key->repin_lock))
        return false;
    ERR_set_mark();
    if (!key->repin_tried)
        look_for_generation(key, wanted);
    ERR_pop_to_mark();
    key->repin_tried = true;
    CRYPTO_THREAD_unlock(key->repin_lock);

    EVP_PKEY *public = signet_key_dup_public(key);
    bool equal =
        public != NULL && publics_are_equal(public, wanted, OSSL_KEYMGMT_SELECT_PUBLIC_KEY);
    EVP_PKEY_free(public);
    return equal;
}

/* Whether one may be the other's earlier or later generation. libcrypto keeps a key's sizes, so
 * they must be the same. */
static bool
may_be_generation(const struct signet_key *ours, EVP_PKEY *ours_public,
                  const struct signet_key *stranger, EVP_PKEY *stranger_public)
{
    return ours->identity[0] != '\0' && stranger->identity[0] == '\0' &&
           !stranger->parameters_only &&
           EVP_PKEY_get_bits(ours_public) == EVP_PKEY_get_bits(stranger_public) &&
           publics_are_equal(ours_public, stranger_public, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS);
}

bool
signet_key_match(struct signet_key *a, struct signet_key *b, int selection)
{
    EVP_PKEY *public_a = signet_key_dup_public(a), *public_b = signet_key_dup_public(b);
    bool equal = public_a == NULL && public_b == NULL;
    if (public_a != NULL && public_b != NULL) {
        equal = publics_are_equal(public_a, public_b, selection);
        bool asks_for_key = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
        if (equal && asks_for_key) /* with its certificate it may be in use: it stays as it is */
            a->repin_tried = b->repin_tried = true;
        if (!equal && asks_for_key && may_be_generation(a, public_a, b, public_b))
            equal = repin(a, public_b);
        else if (!equal && asks_for_key && may_be_generation(b, public_b, a, public_a))
            equal = repin(b, public_a);
    }
    EVP_PKEY_free(public_a);
    EVP_PKEY_free(public_b);
    return equal;
}

/* One request of a private operation. */
struct operation {
    struct signet_channel_call call;
    struct signet_bytes *identity; /* within the message: to be filled in, as is the generation */
    uint32_t *generation;
};

static bool
run(struct signet_key *key, const struct operation *operation, const struct signet_output *output)
{
    struct signet_reference reference;
    if (!signet_key_get_reference(key, &reference)) {
        signet_raise(key->provider, NO_PRIVATE_KEY, "this key has no private half");
        return false;
    }
    *operation->identity = signet_bytes_from_string(key->identity);
    *operation->generation = reference.generation;

    struct signet_channel_failure failure = {0};
    struct signet_channel_reply reply = {0};
    struct signet_bytes result = {NULL, 0};
    bool ok = signet_channel_call(key->provider->channel, &operation->call, &reply, &failure);
    if (ok && !signet_wire_get_result(&reply.reader, operation->call.op, &result)) {
        set_malformed(&failure, "not a result");
        ok = false;
    }
    if (!ok)
        signet_raise_failure(key->provider, key->identity, &failure);
    bool fits = result.size <= output->capacity;
    if (ok && !fits)
        signet_raise(key->provider, BUFFER_TOO_SMALL, "the result has %zu bytes", result.size);
    if (ok && fits) {
        memcpy(output->data, result.data, result.size);
        *output->ret_size = result.size;
    }
    signet_channel_release(&reply);
    return ok && fits;
}

bool
signet_key_sign(struct signet_key *key, enum signet_wire_op op,
                struct signet_wire_sign_request *request, const struct signet_output *output)
{
    struct operation operation = {{op, request, 0}, &request->identity, &request->generation};
    return run(key, &operation, output);
}

bool
signet_key_decrypt(struct signet_key *key, struct signet_wire_decrypt_request *request,
                   const struct signet_output *output)
{
    struct signet_channel_call call = {SIGNET_WIRE_OP_DECRYPT, request, 0};
    struct operation operation = {call, &request->identity, &request->generation};
    return run(key, &operation, output);
}

bool
signet_key_derive(struct signet_key *key, struct signet_bytes peer,
                  const struct signet_output *output)
{
    struct signet_wire_derive_request request = {.peer = peer};
    struct signet_channel_call call = {SIGNET_WIRE_OP_DERIVE, &request, 0};
    struct operation operation = {call, &request.identity, &request.generation};
    return run(key, &operation, output);
}
