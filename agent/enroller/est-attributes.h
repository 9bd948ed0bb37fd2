/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an EST server wants to see in a request (RFC 7030 4.5.2, RFC 8951 4): only what a request of
 * ours can differ in, the key. Pure. */

#pragma once

#include "agent/enroll/openssl.h"

/* der: CsrAttrs. CA_REFUSED when it asks for another kind of key than spki is, in words that name
 * Key=; CORRUPT when it cannot be read. Names, extensions and everything unknown are for the CA to
 * decide. */
gboolean signet_est_attributes_check(GBytes *der, GBytes *spki, GError **error);
