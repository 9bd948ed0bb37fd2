/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Writes our keys back as what they were read from: references. Without import_object, libcrypto
 * uses these for our keys only. */

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "provider/openssl/key.h"

static void *
newctx(void *context)
{
    return context;
}

static void
freectx(void *context)
{
}

static int
does_selection(void *context, int selection)
{
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static int
write_all(const struct signet_provider *provider, OSSL_CORE_BIO *out, const void *data, size_t size)
{
    size_t written = 0;
    return provider->core.bio_write_ex(out, data, size, &written) && written == size;
}

static size_t
reference_der(struct signet_provider *provider, const void *key, int selection, uint8_t *der)
{
    struct signet_reference reference;
    if (key == NULL || !does_selection(provider, selection) ||
        !signet_key_get_reference((struct signet_key *)key, &reference))
        return 0;
    return signet_reference_to_der(&reference, der, SIGNET_REFERENCE_DER_MAX);
}

static int
encode_der(void *context, OSSL_CORE_BIO *out, const void *key, const OSSL_PARAM abstract[],
           int selection, OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_argument)
{
    uint8_t der[SIGNET_REFERENCE_DER_MAX];
    size_t size = reference_der(context, key, selection, der);
    return size > 0 && write_all(context, out, der, size);
}

static int
encode_pem(void *context, OSSL_CORE_BIO *out, const void *key, const OSSL_PARAM abstract[],
           int selection, OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_argument)
{
    uint8_t der[SIGNET_REFERENCE_DER_MAX];
    size_t size = reference_der(context, key, selection, der);
    BIO *memory = size == 0 ? NULL : BIO_new(BIO_s_mem());
    if (memory == NULL)
        return 0;
    char *text = NULL;
    int ok = PEM_write_bio(memory, PEM_STRING_PKCS8INF, "", der, (long)size) > 0;
    long length = BIO_get_mem_data(memory, &text);
    ok = ok && write_all(context, out, text, (size_t)length);
    BIO_free(memory);
    return ok;
}

#define ENCODER_TABLE(format)                                                           \
    {                                                                                   \
        DISPATCH(encoder, ENCODER, newctx, NEWCTX, newctx),                             \
            DISPATCH(encoder, ENCODER, freectx, FREECTX, freectx),                      \
            DISPATCH(encoder, ENCODER, does_selection, DOES_SELECTION, does_selection), \
            DISPATCH(encoder, ENCODER, encode, ENCODE, encode_##format), DISPATCH_END   \
    }

static const OSSL_DISPATCH der_functions[] = ENCODER_TABLE(der);
static const OSSL_DISPATCH pem_functions[] = ENCODER_TABLE(pem);

/* i2d_PrivateKey asks for type-specific first; were that missing, another provider's encoder would
 * try our public half. */
#define ENCODER(names, properties, format)                                                        \
    {                                                                                             \
        names, SIGNET_PROPERTIES ",output=" #format ",structure=" properties, format##_functions, \
            "key reference in " #format                                                           \
    }

const OSSL_ALGORITHM signet_encoder_algorithms[] = {
#define X(family, number, name)                                     \
    ENCODER(SIGNET_NAMES(family, name), "PrivateKeyInfo", der),     \
        ENCODER(SIGNET_NAMES(family, name), "PrivateKeyInfo", pem), \
        ENCODER(SIGNET_NAMES(family, name), "type-specific", der),  \
        ENCODER(SIGNET_NAMES(family, name), "type-specific", pem),
    SIGNET_FAMILIES(X)
#undef X
        {NULL, NULL, NULL, NULL}};
