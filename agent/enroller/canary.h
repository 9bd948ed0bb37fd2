/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'canary': does a peer accept the new certificate? Tried before it is made current. */

#pragma once

#include "agent/enroller/protocol.h"

/* The job's URL is the peer: "tls:HOST:PORT" or "https://HOST[:PORT]/PATH" (policy/canary.h). A TLS
 * handshake with the job's new generation; the peer is not authenticated, for it is told nothing
 * but the certificate. Accepted: the outcome's chain is the certificate that was shown. CA_REFUSED
 * when the peer says no: an alert, at the handshake or in the seconds after it (TLS 1.3, RFC 8446
 * 4.4.2.4), or HTTP status 400, 401, 403. CA_UNREACHABLE when it cannot be asked, or proves nothing
 * because it wants no certificate. */
gboolean signet_canary_try(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                           GError **error);
