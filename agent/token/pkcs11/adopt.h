/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that others put on the token. Private to agent/token/pkcs11. */

#pragma once

#include "agent/base/key.h"
#include "agent/token/pkcs11/context.h"

/* The key that the URI (its object part; RFC 7512) means, empty: the only one that signs. See
 * SignetTokenBackend.adopt. NOT_FOUND and BAD_REQUEST list the keys there are. */
SignetKey *
signet_pkcs11_adopt(SignetPkcs11 *p11, GBytes *name, GBytes **ret_certificate, GError **error);
