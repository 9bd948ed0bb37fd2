/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token's operations as calls that wait, and libcrypto's opinion of what they give. */

#pragma once

#include "agent/token/token.h"

/* Each runs the main context until the answer is there. */
SignetKey *token_generate(SignetToken *token, guint32 type, gboolean can_decrypt, GError **error);
/* ec:P-256 */
SignetKey *token_generate_attester(SignetToken *token, GError **error);
GBytes *token_certify(SignetToken *token, SignetKey *attester, SignetKey *key, GBytes *data,
                      GError **error);
GBytes *token_activate(SignetToken *token, SignetKey *attester,
                       const SignetTokenChallenge *challenge, GError **error);
GBytes *token_sign(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme,
                   GBytes *digest, GError **error);
GBytes *token_decrypt(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme,
                      GBytes *ciphertext, GError **error);
GBytes *token_derive(SignetToken *token, SignetKey *key, GBytes *peer_point, GError **error);
SignetKey *token_adopt(SignetToken *token, GBytes *name, SignetSecret *auth,
                       GBytes **ret_certificate, GError **error);
gboolean token_destroy(SignetToken *token, SignetKey *key, GError **error);
gboolean token_probe(SignetToken *token, GError **error);
/* pin: nullable */
gboolean token_unlock(SignetToken *token, const char *pin, GError **error);
gboolean token_unlock_with(SignetToken *token, const SignetTokenUnlock *unlock, GError **error);
gboolean token_lock(SignetToken *token, GError **error);

/* size bytes that are no constant */
GBytes *token_digest(gsize size);
/* digest_size: with EDDSA that of the message. Asserts that the token signs and that the signature
 * verifies with the key's public half. */
void token_assert_signs(SignetToken *token, SignetKey *key, const SignetKeyScheme *scheme,
                        gsize digest_size);
GBytes *token_encrypt_for(const SignetKey *key, const SignetKeyScheme *scheme, const char *plain);
/* Asserts that the key derives with a new key of the group what that derives with it. */
void token_assert_derives(SignetToken *token, SignetKey *key, const char *group);
