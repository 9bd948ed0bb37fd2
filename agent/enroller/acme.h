/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'acme' (RFC 8555, RFC 8738, RFC 9773): account, order, proofs, certificate. */

#pragma once

#include "agent/enroller/protocol.h"

gboolean signet_acme_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                            GError **error);
/* revokeCert for the job's certificate, by the account. */
gboolean signet_acme_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                            GError **error);
/* What has to be made before the sandbox closes. NULL for other protocols, or with an error. */
SignetProver *signet_acme_prepare(const SignetJobRequest *job, GError **error);
