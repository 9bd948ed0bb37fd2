/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The certificate that belongs to the key. */

#pragma once

#include <openssl/x509.h>

/* NULL: certificate.error was said. library: nullable. */
X509 *signet_certificate_load(OSSL_LIB_CTX *library, const char *path);
/* Says certificate.not_after and certificate.expired. */
void signet_certificate_say(const X509 *certificate);
