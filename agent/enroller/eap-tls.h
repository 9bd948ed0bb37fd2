/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A peer of EAP (RFC 3748) that knows one method, EAP-TLS (RFC 5216, with TLS 1.3 RFC 9190): a
 * request in, a response out. No network and no clock. */

#pragma once

#include <openssl/ssl.h>

#include "agent/base/error.h"

typedef struct SignetEapTls SignetEapTls;

/* context: with certificate and key. user: copied. */
SignetEapTls *signet_eap_tls_new(SSL_CTX *context, const char *user);
void signet_eap_tls_free(SignetEapTls *eap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetEapTls, signet_eap_tls_free)

/* The response by which a conversation begins without a request. */
void signet_eap_tls_begin(SignetEapTls *eap, GByteArray *ret_response);
/* FALSE: it is no request, or one out of turn; CORRUPT. Otherwise there is a response, also when
 * TLS has failed: the server waits for it. */
gboolean signet_eap_tls_answer(SignetEapTls *eap, const GByteArray *request,
                               GByteArray *ret_response, GError **error);

gboolean signet_eap_tls_is_begun(const SignetEapTls *eap);
/* The handshake is complete on this side. */
gboolean signet_eap_tls_is_complete(const SignetEapTls *eap);
/* The server has said that it is on its side, too: by its Finished, or with TLS 1.3 by the
 * protected success indication of RFC 9190 2.1.1. */
gboolean signet_eap_tls_is_confirmed(const SignetEapTls *eap);
/* libcrypto's error when TLS failed, 0 otherwise. */
unsigned long signet_eap_tls_get_failure(const SignetEapTls *eap);
