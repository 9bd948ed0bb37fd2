/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of OCSP (RFC 6960), without the network. */

#pragma once

#include <openssl/ocsp.h>

#include "agent/enroll/openssl.h"
#include "policy/findings.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OCSP_REQUEST, OCSP_REQUEST_free)

#define SIGNET_OCSP_ANSWER_MAX ((gsize)64 << 10)

/* Asks about this one certificate, with a nonce. NULL with FAILED. */
OCSP_REQUEST *signet_ocsp_make_request(X509 *certificate, X509 *issuer, GError **error);
GBytes *signet_ocsp_to_der(OCSP_REQUEST *request);
/* What the responder says: GOOD, HELD or REVOKED, with reason and times. Its signature must be the
 * issuer's, or of one whom the issuer has made a responder (extended key usage OCSPSigning); a
 * nonce counts where there is one; it must not be older than it says, or, where it does not, than a
 * day. CORRUPT, DENIED (not the issuer's), CA_REFUSED (it does not answer this), FAILED (too old),
 * with words; then nothing is filled. The bytes are anybody's. Pure. */
gboolean signet_ocsp_judge(GBytes *answer, OCSP_REQUEST *request, X509 *issuer, gint64 now_s,
                           SignetFindings *findings, GError **error);
/* The responders that the certificate names (http, https), at most four; free with g_strfreev(). */
char **signet_ocsp_dup_urls(X509 *certificate);
