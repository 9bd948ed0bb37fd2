/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The facts of a PKCS#11 token. Private to agent/token/pkcs11. */

#pragma once

#include "agent/token/backend.h"
#include "agent/token/pkcs11/context.h"

/* As SignetTokenBackend.learn; the token is open. */
gboolean signet_pkcs11_learn(SignetPkcs11 *p11, SignetLesson lesson, SignetKey *key,
                             GVariantDict *facts, GError **error);
