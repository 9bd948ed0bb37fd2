/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* base64url without padding, as JOSE writes it (RFC 4648 section 5, RFC 7515 appendix C). */

#pragma once

#include <glib.h>

char *signet_base64url_encode(gconstpointer data, gsize size);
/* NULL for any other character, padding, an impossible length, or bits left over: what is decoded
 * has one way to be written. */
GBytes *signet_base64url_decode(const char *text, gsize size);
