/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads what a CA answers: certificates in a PKCS#7 (RFC 5652, certs-only), as DER, base64 or PEM.
 * The bytes are anybody's. Pure. */

#pragma once

#include "agent/enroll/openssl.h"

/* The most certificates that an answer may hold. */
#define SIGNET_ANSWER_CERTIFICATES_MAX 32

/* DER as it is; base64 with line ends or without; PEM of any label, the first block. NULL and
 * CORRUPT for anything else. */
GBytes *signet_answer_decode(const guint8 *data, gsize size, GError **error);
/* The certificates, in the order of the answer, at least one. CORRUPT. */
SignetX509Stack *
signet_answer_read_certificates(OSSL_LIB_CTX *library, GBytes *der, GError **error);
/* What a person or a program brings: certificates in PEM, among other text, one in DER, or a PKCS#7
 * of them. Likewise. */
SignetX509Stack *signet_answer_read_any(OSSL_LIB_CTX *library, GBytes *answer, GError **error);
/* The same certificates, and those that the job knows the CA by (nullable: DER, one after the
 * other). CORRUPT. */
SignetX509Stack *
signet_answer_add_anchors(const SignetX509Stack *found, GBytes *anchors, GError **error);
