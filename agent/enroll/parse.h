/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Strict reading of what is about to be signed, or was: DER to the last byte, nothing twice.
 * Bounded by what the caller passes. */

#pragma once

#include "agent/enroll/openssl.h"

/* The most one certificate may take. */
#define SIGNET_CERTIFICATE_MAX 16384u

/* CORRUPT: not DER, or bytes left over. A message that is signed has no signature yet: these carry
 * a dummy one. */
X509_REQ *
signet_parse_request_info(GBytes *message, GError **error); /* RFC 2986 CertificationRequestInfo */
X509 *signet_parse_tbs(GBytes *message, GError **error);    /* RFC 5280 TBSCertificate */
/* A whole certificate of at most SIGNET_CERTIFICATE_MAX bytes. */
X509 *signet_parse_certificate(GBytes *der, GError **error);

gint64
signet_parse_time(const ASN1_TIME *time); /* seconds since 1970; G_MININT64 when it is none */
GBytes *signet_parse_dup_spki(X509_PUBKEY *key); /* DER; NULL when out of memory */

/* An extension, decoded: NULL when absent, *ret_broken when it is there twice or cannot be read.
 * Free it as its type. */
gpointer
signet_parse_extension(const STACK_OF(X509_EXTENSION) * extensions, int nid, gboolean *ret_broken);
