/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What libcrypto's core offers to a provider, and what we say in its error queue: one entry per
 * failure, raised where it was detected. */

#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include "provider/channel/channel.h"

/* The functions of the core that we use; it calls them upcalls. */
struct signet_core {
    const OSSL_CORE_HANDLE *handle; /* (unowned): outlives the provider */
    OSSL_FUNC_core_get_params_fn *get_params;
    OSSL_FUNC_core_get_libctx_fn *get_libctx;
    OSSL_FUNC_core_new_error_fn *new_error;
    OSSL_FUNC_core_set_error_debug_fn *set_error_debug;
    OSSL_FUNC_core_vset_error_fn *vset_error;
    OSSL_FUNC_BIO_read_ex_fn *bio_read_ex;
    OSSL_FUNC_BIO_write_ex_fn *bio_write_ex;
    OSSL_FUNC_CRYPTO_malloc_fn *crypto_malloc;
};

/* False when one is missing. */
bool
signet_core_init(struct signet_core *core, const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in);

/* X(SYMBOL, number, "reason string"); numbers stay, since programs may test them. */
#define SIGNET_REASONS(X)                                          \
    X(NO_MEMORY, 1, "out of memory")                               \
    X(UNREACHABLE, 2, "the agent cannot be reached")               \
    X(TIMED_OUT, 3, "the agent did not answer in time")            \
    X(PROTOCOL, 4, "the agent gave an answer that makes no sense") \
    X(BROKEN_REFERENCE, 5, "damaged key reference")                \
    X(BAD_URI, 6, "bad signet: URI")                               \
    X(NO_PRIVATE_KEY, 7, "not a private key of the agent")         \
    X(BAD_ARGUMENT, 8, "bad argument")                             \
    X(BUFFER_TOO_SMALL, 9, "buffer too small")                     \
    X(UNSUPPORTED, 10, "not supported")                            \
    X(SOFTWARE_FAILED, 11, "an operation with the public key failed")

/* An answer of the agent other than OK has its status on top of this, and the status's name as its
 * string. */
#define SIGNET_REASON_AGENT 64

enum signet_reason {
#define X(symbol, number, text) SIGNET_REASON_##symbol = number,
    SIGNET_REASONS(X)
#undef X
};

/* For OSSL_FUNC_provider_get_reason_strings. */
const OSSL_ITEM *signet_reason_strings(void *context);

/* Where a failure was detected. */
struct signet_place {
    const char *file;
    int line;
    const char *function;
};
#define SIGNET_PLACE ((struct signet_place) {__FILE__, __LINE__, __func__})

void signet_raise_at(const struct signet_core *core, struct signet_place place, int reason,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The channel's failure of a request about this identity. */
void signet_raise_failure_at(const struct signet_core *core, struct signet_place place,
                             const char *identity, const struct signet_channel_failure *failure);

/* Adds one entry to the error queue: reason and text, which gets the prefix "signet: ". */
#define signet_raise(provider, reason, ...) \
    signet_raise_at(&(provider)->core, SIGNET_PLACE, SIGNET_REASON_##reason, __VA_ARGS__)
#define signet_raise_failure(provider, identity, failure) \
    signet_raise_failure_at(&(provider)->core, SIGNET_PLACE, (identity), (failure))
