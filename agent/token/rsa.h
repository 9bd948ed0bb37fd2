/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* RSA paddings done in the agent, around a token's raw private operation (RFC 8017). Private to
 * agent/token. */

#pragma once

#include "agent/token/backend.h"

/* EMSA-PKCS1-v1_5 (9.2) or EMSA-PSS (9.1.1): the block, as long as the modulus, to which the
 * private operation is applied. */
GBytes *signet_rsa_pad(const SignetKeyScheme *scheme, GBytes *digest, GBytes *spki, GError **error);
/* DigestInfo (RFC 8017, A.2.4) of a digest, or with hash NONE the bytes themselves: what a token's
 * own PKCS #1 padding takes. */
GBytes *signet_rsa_digest_info(const SignetKeyScheme *scheme, GBytes *digest);
/* What the private operation made of a ciphertext, without its padding. Errors say nothing about
 * the padding. */
GBytes *signet_rsa_unpad(const SignetKeyScheme *scheme, GBytes *block, GError **error);
/* How long the salt of a PSS signature is (MGF1 with the same hash), in bytes; -1: it is none by
 * this key over this digest. */
int signet_rsa_find_salt(GBytes *spki, guint32 hash, GBytes *digest, GBytes *signature);
/* The signature raised to the public exponent gives the block again: no fault happened. */
gboolean signet_rsa_check(GBytes *spki, GBytes *block, GBytes *signature, GError **error);
