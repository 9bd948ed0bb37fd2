/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One order: placed, or found again. */

#pragma once

#include "agent/enroller/acme-session.h"

typedef struct {
    SignetAcmeSession *session; /* (unowned) */
    char *url;                  /* (owned, nullable) */
    SignetAcmeOrder now;        /* as the server last said */
    guint retry_after_s;        /* of that answer */
} SignetAcmePlaced;

void signet_acme_placed_clear(SignetAcmePlaced *placed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmePlaced, signet_acme_placed_clear)

/* That of the job's state if it is alive and for the job's names, else a new one. */
gboolean signet_acme_order_place(SignetAcmePlaced *placed, GError **error);
/* Asks how it is. */
gboolean signet_acme_order_look(SignetAcmePlaced *placed, GError **error);
/* Hands in the request (PKCS#10, DER). */
gboolean signet_acme_order_finalize(SignetAcmePlaced *placed, GBytes *csr, GError **error);

/* RFC 9773 4.1: "AKI.SERIAL" in base64url. NULL when the certificate has no key identifier of its
 * issuer. */
char *signet_acme_certificate_id(const X509 *certificate);
