/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'check': what do others say of the certificate in use? No key is used. */

#pragma once

#include "agent/enroller/protocol.h"

/* Looks at what the job lists: revocation by OCSP, then by CRL, at the places that the certificate
 * names; the CA's renewal information (ACME); its certificates (EST). What cannot be learned is no
 * failure: the findings say why, in words. The outcome: pending, with the findings as state. */
gboolean signet_check_look(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                           GError **error);
