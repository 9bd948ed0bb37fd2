/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the provider says in the OpenSSL error queue: one entry per failure, raised where it was detected. */

#pragma once

#include <openssl/core.h>

#include "provider/channel/channel.h"

struct signet_provider;

/* X(SYMBOL, number, "reason string"); numbers stay, since programs may test them */
#define SIGNET_REASONS(X)                                                                          \
    X(NO_MEMORY, 1, "out of memory")                                                               \
    X(UNREACHABLE, 2, "the agent cannot be reached")                                               \
    X(TIMED_OUT, 3, "the agent did not answer in time")                                            \
    X(PROTOCOL, 4, "the agent gave an answer that makes no sense")                                 \
    X(NOT_FOUND, 5, "no such identity or generation")                                              \
    X(DENIED, 6, "denied by policy")                                                               \
    X(TOKEN_ABSENT, 7, "the token is absent")                                                      \
    X(PIN_NEEDED, 8, "the token is locked")                                                        \
    X(BUSY, 9, "the token is busy")                                                                \
    X(UNSUPPORTED, 10, "not supported")                                                            \
    X(TOKEN_FAILED, 11, "the token failed")                                                        \
    X(AGENT_FAILED, 12, "the agent failed")                                                        \
    X(BAD_REQUEST, 13, "not possible with this key")                                               \
    X(BROKEN_REFERENCE, 14, "damaged key reference")                                               \
    X(BAD_URI, 15, "bad signet: URI")                                                              \
    X(NO_PRIVATE_KEY, 16, "not a private key of the agent")                                        \
    X(BAD_ARGUMENT, 17, "bad argument")                                                            \
    X(BUFFER_TOO_SMALL, 18, "buffer too small")                                                    \
    X(SOFTWARE_FAILED, 19, "an operation with the public key failed")

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

void signet_raise_at(const struct signet_provider *provider, struct signet_place place,
                     enum signet_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds one entry to the error queue: reason and text, which gets the prefix "signet: ". */
#define signet_raise(provider, reason, ...)                                                        \
    signet_raise_at((provider), (struct signet_place) {__FILE__, __LINE__, __func__},              \
                    SIGNET_REASON_##reason, __VA_ARGS__)

/* The channel's failure of a request about this identity, likewise. */
void signet_raise_failure_at(const struct signet_provider *provider, struct signet_place place,
                             const char *identity, const struct signet_channel_failure *failure);
#define signet_raise_failure(provider, identity, failure)                                          \
    signet_raise_failure_at((provider), (struct signet_place) {__FILE__, __LINE__, __func__},      \
                            (identity), (failure))
