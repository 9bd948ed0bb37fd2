/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a job's fd may sign, judged from the bytes. Pure: the time is an argument. All set DENIED
 * with the reason. */

#pragma once

#include "agent/enroll/request.h"

/* A PKCS#10 with the new key for nothing but what the request lists (RFC 2986). */
gboolean signet_grant_allows_csr(const SignetJobRequest *request, GBytes *message, GError **error);
/* A TBSCertificate for the new key by the request's local CA, or by the new key itself when the
 * request is for a CA. */
gboolean signet_grant_allows_certificate(const SignetJobRequest *request, GBytes *message,
                                         gint64 now_s, GError **error);

/* A certificate's clock and the agent's may differ by this much. */
#define SIGNET_GRANT_SKEW_S 60
/* A local CA dates certificates back by at most this much, for peers whose clock is slow. */
#define SIGNET_GRANT_BACKDATE_S 600
