/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* CMP messages over HTTP (RFC 6712), and a conversation that is taken up again by another process:
 * libcrypto keeps a transaction in memory only, so what the CA said last is said to it once more.
 */

#pragma once

#include <openssl/cmp.h>

#include "agent/enroller/http.h"

typedef struct {
    SignetHttp *http;  /* (unowned): outlives us */
    const char *url;   /* (unowned): likewise */
    GBytes *waiting;   /* (owned, nullable) the answer that began the waiting */
    GBytes *polled;    /* (owned, nullable) the last answer of the waiting */
    GBytes *general;   /* (owned, nullable) the last general response */
    GQueue replay;     /* of GBytes: answers that are given before the server is asked */
    gboolean is_asked; /* the server has been */
    char *complaint;   /* (owned, nullable) the last answer was an error message that says this */
    GError *failure;   /* (owned, nullable) of the way there or back */
} SignetCmpWire;

void signet_cmp_wire_clear(SignetCmpWire *wire);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetCmpWire, signet_cmp_wire_clear)

/* From now on it is the context's way to the server; it outlives the context. */
void signet_cmp_wire_connect(SignetCmpWire *wire, OSSL_CMP_CTX *cmp);

/* The conversation so far, with 'tag' in front; NULL when there is none that waits, or it is larger
 * than a state may be. */
GBytes *signet_cmp_wire_dup_state(const SignetCmpWire *wire, guint8 tag);
/* Takes such a conversation up: the context must be made as the one was that began it. FALSE: it is
 * none. Signature and MAC of what is in it are checked like those of any answer. */
gboolean signet_cmp_wire_resume(SignetCmpWire *wire, OSSL_CMP_CTX *cmp, GBytes *state);
