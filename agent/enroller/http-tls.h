/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TLS as a client of a CA's server: whom to believe, and who we are. */

#pragma once

#include <openssl/ssl.h>

#include "agent/enroll/request.h"
#include "agent/enroller/crypto.h"

typedef struct {
    SignetX509Stack *anchors; /* (owned) */
    gboolean is_system;       /* the system's count too */
    const char *const *pins;  /* (unowned, nullable): the job's */
    EVP_PKEY *key;            /* (owned, nullable) */
    SignetX509Stack *chain;   /* (owned, nullable) leaf first */
    gboolean is_provisional;  /* believe whoever answers, and say nothing of us */
    gboolean is_believed;     /* the server was, afterwards */
    const char *distrust;     /* (nullable) static: why the server was not believed, afterwards */
    guint8 unique[EVP_MAX_MD_SIZE]; /* tls-unique (RFC 5929) of the connection, up to TLS 1.2 */
    gsize unique_size;              /* 0: it has none */
    const char *refusal; /* (nullable) static: how the server refused our certificate, likewise */
} SignetHttpTls;

void signet_http_tls_clear(SignetHttpTls *tls);
/* What a connection does; tls outlives it. FALSE: out of memory, or key and certificate do not fit.
 */
gboolean signet_http_tls_prepare(SignetHttpTls *tls, SSL_CTX *context);
/* Certificates, DER, one after the other. */
gboolean signet_http_tls_add_anchors(SignetHttpTls *tls, GBytes *der, GError **error);
/* Is the certificate's key among the pins? */
gboolean signet_http_tls_is_pinned(const char *const *pins, X509 *certificate);
