/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The texts that the store writes for other programs: certificates as PEM (RFC 7468) and the key
 * reference. */

#pragma once

#include "agent/store/generation.h"

/* Appends the certificates from..to (exclusive) of an array of DER. */
void
signet_pem_append_certificates(GString *out, const GPtrArray *certificates, guint from, guint to);
/* Only CERTIFICATE blocks, at most max_size bytes of DER together; NULL with error CORRUPT
 * otherwise. GPtrArray of GBytes. */
/* PKCS#10. */
void signet_pem_append_request(GString *out, GBytes *der);
GPtrArray *signet_pem_parse_certificates(GBytes *text, gsize max_size, GError **error);
/* The reference with a line of explanation before it; provider/wire/reference.h. */
gboolean signet_pem_append_reference(GString *out, const char *identity,
                                     const SignetGeneration *generation, GError **error);
