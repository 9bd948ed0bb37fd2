/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* JSON Web Signatures with a key in the token (RFC 7515, 7517, 7518, 7638), as ACME wants them. */

#pragma once

#include "agent/base/secret.h"
#include "agent/enroll/json.h"
#include "agent/enroller/crypto.h"

typedef struct SignetJose SignetJose;

/* The identity's current key. UNSUPPORTED for a key that JOSE has no name for. */
SignetJose *signet_jose_new(SignetCrypto *crypto, const char *identity, GError **error);
void signet_jose_free(SignetJose *jose);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetJose, signet_jose_free)

/* Its public half as a JWK; borrowed. */
json_t *signet_jose_get_jwk(const SignetJose *jose);
/* SHA-256 of it, base64url; borrowed. */
const char *signet_jose_get_thumbprint(const SignetJose *jose);

/* The flattened JSON of a JWS. header: its protected members but 'alg'. payload: NULL: none, which
 * ACME reads as a question. */
GBytes *signet_jose_sign(const SignetJose *jose, const json_t *header, const json_t *payload,
                         GError **error);
/* The same by HMAC with SHA-256, as an object. secret: the MAC's key in base64url, with padding or
 * without. BAD_REQUEST when it is none. */
json_t *
signet_jose_mac(SignetSecret *secret, const json_t *header, const json_t *payload, GError **error);

/* r and s of an ECDSA signature, each 'size' bytes (RFC 7518 3.4), from its DER. NULL when it is
 * none, or too large. */
GBytes *signet_jose_unwrap_ecdsa(const guint8 *der, gsize size, gsize part_size);
