/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Does what is asked for fit the key? Before anything reaches a token. Pure; private to
 * agent/broker. */

#pragma once

#include "agent/broker/request.h"

/* Scheme, digest, sizes. BAD_REQUEST, UNSUPPORTED. */
gboolean signet_fit_signature(const SignetUse *use, const SignetKey *key, GError **error);
gboolean signet_fit_decryption(const SignetUse *use, const SignetKey *key, GError **error);
gboolean signet_fit_derivation(const SignetUse *use, const SignetKey *key, GError **error);
