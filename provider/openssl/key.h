/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key: the public half in software and, if it is ours, the name by which the agent knows the
 * private half.
 *
 * Three kinds share the type, as libcrypto has one handle for all: an empty one, a stranger's
 * public key (which libcrypto hands us to compare or to agree with), and a reference to a key of
 * the agent. */

#pragma once

#include "provider/openssl/provider.h"
#include "provider/wire/reference.h"

struct signet_key;

/* Empty, of a family (enum signet_family). NULL: out of memory, not raised. */
struct signet_key *signet_key_new(struct signet_provider *provider, uint32_t family);
struct signet_key *signet_key_ref(struct signet_key *key);
void signet_key_unref(struct signet_key *key);

/* Bytes of our own. */
struct signet_blob {
    uint8_t *data; /* (owned) (nullable) */
    size_t size;
};
void signet_blob_clear(struct signet_blob *blob);

/* Asks the agent for the generation that the reference names and pins it. Also prepares the way for
 * children that will have no path to the agent. With ret_chain, the reference's family is unknown
 * and ignored, and the generation's certificates are returned, DER, leaf first. Blocks up to the
 * channel's timeout. NULL: raised, exactly once. */
struct signet_key *
signet_key_load(struct signet_provider *provider, const struct signet_reference *reference,
                struct signet_blob *ret_chain);

/* Hands a key to libcrypto, through the callback of a decoder or a store; *key is NULL afterwards.
 */
int signet_key_give(struct signet_key **key, OSSL_CALLBACK *callback, void *argument);
/* For libcrypto when it pairs our decoder or store with another provider's keys: ours never become
 * those. Returns 0. */
int signet_key_export_object(void *context, const void *reference, size_t size,
                             OSSL_CALLBACK *callback, void *argument);

/* Fills an empty key with somebody's public half. False, silently, when it is not empty or the
 * parameters hold a private value: no software key is ever operated through us. */
bool signet_key_import(struct signet_key *key, int selection, const OSSL_PARAM params[]);

/* Completes somebody's parameters with a public point. False, silently, for any other key. */
bool signet_key_set_params(struct signet_key *key, const OSSL_PARAM params[]);

/* A copy; without a private selection only of the public half, with parameters alone only of these.
 * NULL: raised. */
struct signet_key *signet_key_dup(struct signet_key *key, int selection);

struct signet_provider *signet_key_provider(const struct signet_key *key);
uint32_t signet_key_family(const struct signet_key *key);
bool signet_key_has(const struct signet_key *key, int selection);

/* The public half as it is now, in the software context; a reference of the caller's own. NULL when
 * empty. */
EVP_PKEY *signet_key_dup_public(struct signet_key *key);
/* A software context on the public half, made ready by an EVP_PKEY_*_init function, with these
 * parameters. NULL: not raised by us. */
EVP_PKEY_CTX *signet_key_begin_public(struct signet_key *key, int (*init)(EVP_PKEY_CTX *),
                                      const OSSL_PARAM params[]);
/* Bytes of a modulus, or of a coordinate; 0 when empty. */
size_t signet_key_field_size(struct signet_key *key);
/* Bytes of the longest signature, or of a modulus; 0 when empty. */
size_t signet_key_output_max(struct signet_key *key);
/* False when it has no private half. */
bool signet_key_get_reference(struct signet_key *key, struct signet_reference *ret_reference);

/* True when both have the same public half. If one is ours and the other is a different key of the
 * same kind, the program may have read the certificate of one generation and the key of the next
 * while a rotation took place between: the agent is asked, once in a key's life, whether the other
 * is a usable generation of the same identity, and if so our key is that generation from now on.
 * Raises nothing. */
bool signet_key_match(struct signet_key *a, struct signet_key *b, int selection);

/* The operations of the private half. They fill in identity and generation, write at most capacity
 * bytes, and block up to the channel's timeout. False: raised. */
struct signet_output {
    uint8_t *data;
    size_t capacity;
    size_t *ret_size;
};
bool signet_key_sign(struct signet_key *key, enum signet_wire_op op,
                     struct signet_wire_sign_request *request, const struct signet_output *output);
bool signet_key_decrypt(struct signet_key *key, struct signet_wire_decrypt_request *request,
                        const struct signet_output *output);
bool signet_key_derive(struct signet_key *key, struct signet_bytes peer,
                       const struct signet_output *output);
