/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads a CRL (RFC 5280 section 5). It may be large: it is walked through where it lies. The bytes
 * are anybody's. Pure. */

#pragma once

#include "agent/enroll/openssl.h"
#include "policy/findings.h"

/* The most that is read. */
#define SIGNET_CRL_MAX ((gsize)20 << 20)

/* Is the certificate in it? Fills standing, reason and times of the findings: GOOD, HELD or
 * REVOKED. Only a complete CRL counts, signed by the issuer of the certificate, not older than it
 * says, and, where it is a part of several, the part that the certificate names among its
 * distribution points. CORRUPT, DENIED (not the issuer's), FAILED (too old, too new)
 * with words; then nothing is filled. */
gboolean signet_crl_judge(GBytes *der, X509 *certificate, X509 *issuer, gint64 now_s,
                          SignetFindings *findings, GError **error);
/* The distribution points (http, https) whose CRLs are complete, at most four; free with
 * g_strfreev(). ret_others: there are some of another kind. */
char **signet_crl_dup_urls(const X509 *certificate, gboolean *ret_others);
