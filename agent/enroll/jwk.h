/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Public keys as JOSE writes them (RFC 7517, RFC 7518), and what ACME makes of them. */

#pragma once

#include "agent/enroll/json.h"
#include "agent/enroll/openssl.h"

/* NULL: JOSE has no name for it, or it cannot be read. */
json_t *signet_jwk_new(const EVP_PKEY *key);
/* RFC 7638 with SHA-256, in base64url; NULL when libcrypto cannot. library: nullable. */
char *signet_jwk_dup_thumbprint(const json_t *jwk, OSSL_LIB_CTX *library);

/* Of a challenge's token: RFC 8555 8.1. It becomes a file's name and a part of a URL. */
gboolean signet_jwk_is_token(const char *text);
/* SHA-256 of the key authorization (RFC 8555 8.1) of the account with this SubjectPublicKeyInfo:
 * what evidence for a challenge is made for (draft-ietf-acme-device-attest, section 5).
 * BAD_REQUEST: it is no token; UNSUPPORTED: no such accounts. */
GBytes *signet_jwk_digest_authorization(GBytes *spki, const char *token, GError **error);
