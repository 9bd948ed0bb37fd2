/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* New keys. Private to agent/token/pkcs11. */

#pragma once

#include "agent/token/backend.h"
#include "agent/token/pkcs11/context.h"

SignetKey *
signet_pkcs11_generate(SignetPkcs11 *p11, const SignetKeyTemplate *template, GError **error);
