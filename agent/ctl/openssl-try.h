/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Do the machine's programs still do TLS with this openssl.cnf? Tried by running them. */

#pragma once

#include <gio/gio.h>

#define SIGNET_TRY_PROGRAMS(P) \
    P(OPENSSL, "openssl")      \
    P(CURL, "curl")            \
    P(PYTHON, "python3")       \
    P(NODE, "node")

typedef enum {
#define P(symbol, name) SIGNET_TRY_##symbol,
    SIGNET_TRY_PROGRAMS(P)
#undef P
        SIGNET_TRY_COUNT
} SignetTryProgram;

typedef struct {
    gboolean is_present;
    gboolean works;      /* a handshake with a server on the loopback interface, verified */
    gboolean has_signet; /* it loaded signet.so */
    char *problem;       /* (owned, nullable) what it said when it did not work */
} SignetTry;

const char *signet_try_name(SignetTryProgram program);

/* ret_tries: SIGNET_TRY_COUNT of them, to be cleared. config: NULL for what programs read by
 * themselves. Blocks for seconds. FALSE: nothing could be tried. */
gboolean signet_try_all(const char *config, SignetTry *ret_tries, GError **error);
void signet_try_clear(SignetTry *tries);
/* The first that worked before and does not now; -1: none. */
int signet_try_find_broken(const SignetTry *before, const SignetTry *now);
