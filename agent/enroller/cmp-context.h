/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* libcrypto's CMP client, made ready for one way to authenticate. */

#pragma once

#include <openssl/cmp.h>

#include "agent/enroller/protocol.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_CMP_CTX, OSSL_CMP_CTX_free)

/* What is the same for every way. */
typedef struct {
    const SignetProtocolContext *context; /* (unowned): outlives us */
    EVP_PKEY
    *key; /* (owned, nullable) the new one, through the provider; none to revoke, or to check */
    SignetX509Stack *anchors; /* (owned) whom to believe signatures of answers */
    const char *distrust;     /* (nullable) static: why a signature was not believed, afterwards */
} SignetCmpBase;

gboolean
signet_cmp_base_init(SignetCmpBase *base, const SignetProtocolContext *context, GError **error);
void signet_cmp_base_clear(SignetCmpBase *base);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetCmpBase, signet_cmp_base_clear)

/* base outlives the context. ret_type: OSSL_CMP_IR, _CR, _KUR or _P10CR, as the policy and the way
 * have it. DENIED: this machine cannot stand on that rung, in words. */
OSSL_CMP_CTX *
signet_cmp_context_new(SignetCmpBase *base, SignetRung rung, int *ret_type, GError **error);
/* One for questions about the CA. */
OSSL_CMP_CTX *signet_cmp_context_new_general(SignetCmpBase *base, SignetRung rung, GError **error);
/* One that asks to revoke this certificate, for the job's reason. */
OSSL_CMP_CTX *signet_cmp_context_new_revocation(SignetCmpBase *base, SignetRung rung,
                                                X509 *certificate, GError **error);
