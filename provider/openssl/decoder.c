/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads key references. libcrypto shows us every private key of every program, so the two bytes in
 * front decide first. */

#include "provider/openssl/key.h"

#define DER_SEQUENCE      0x30
#define DER_LONG_FORM_BIT 0x80

#define X(family, number, name)                                                       \
    static void *newctx_##family(void *context)                                       \
    {                                                                                 \
        return &((struct signet_provider *)context)->readers[SIGNET_FAMILY_##family]; \
    }
SIGNET_FAMILIES(X)
#undef X

static void
freectx(void *context)
{
}

static int
does_selection(void *context, int selection)
{
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static bool
read_exactly(const struct signet_provider *provider, OSSL_CORE_BIO *in, uint8_t *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        size_t got = 0;
        if (!provider->core.bio_read_ex(in, data + have, size - have, &got) || got == 0)
            return false;
        have += got;
    }
    return true;
}

/* Reads no byte behind the reference, because d2i functions tell their callers where it ended. */
static enum signet_reference_verdict
read_reference(const struct signet_provider *provider, OSSL_CORE_BIO *in,
               struct signet_reference *ret_reference)
{
    uint8_t der[SIGNET_REFERENCE_DER_MAX];
    if (!read_exactly(provider, in, der, 2) || der[0] != DER_SEQUENCE ||
        (der[1] & DER_LONG_FORM_BIT) != 0 || !read_exactly(provider, in, der + 2, der[1]))
        return SIGNET_REFERENCE_FOREIGN;
    size_t consumed;
    return signet_reference_from_der(der, 2u + der[1], ret_reference, &consumed);
}

static int
decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback, void *argument,
       OSSL_PASSPHRASE_CALLBACK *passphrase, void *passphrase_argument)
{
    const struct signet_reader *reader = context;
    struct signet_reference reference;
    switch (read_reference(reader->provider, in, &reference)) {
    case SIGNET_REFERENCE_FOREIGN:
        return 1;
    case SIGNET_REFERENCE_BROKEN:
        signet_raise(reader->provider, BROKEN_REFERENCE,
                     "the key reference is damaged; copy it again from the identity's directory");
        return 0;
    case SIGNET_REFERENCE_OURS:
        break;
    }
    if (reference.family != reader->family)
        return 1;
    struct signet_key *key = signet_key_load(reader->provider, &reference, NULL);
    return key != NULL && signet_key_give(&key, callback, argument);
}

#define ROW(name, NAME, fn) DISPATCH(decoder, DECODER, name, NAME, fn)
#define X(family, number, name)                                      \
    static const OSSL_DISPATCH functions_##family[] = {              \
        ROW(newctx, NEWCTX, newctx_##family),                        \
        ROW(freectx, FREECTX, freectx),                              \
        ROW(does_selection, DOES_SELECTION, does_selection),         \
        ROW(decode, DECODE, decode),                                 \
        ROW(export_object, EXPORT_OBJECT, signet_key_export_object), \
        DISPATCH_END};
SIGNET_FAMILIES(X)
#undef X

#define DECODER_PROPERTIES SIGNET_PROPERTIES ",input=der,structure=PrivateKeyInfo"

const OSSL_ALGORITHM signet_decoder_algorithms[] = {
#define X(family, number, name)                                          \
    {SIGNET_NAMES(family, name), DECODER_PROPERTIES, functions_##family, \
     "reference to a key: " name},
    SIGNET_FAMILIES(X)
#undef X
        {NULL, NULL, NULL, NULL}};
