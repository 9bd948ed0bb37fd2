/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'scep' (RFC 8894): capabilities and certificates of the CA, a first request with a
 * challenge password, a renewal signed by the current key, and asking again. */

#pragma once

#include "agent/enroller/protocol.h"

gboolean signet_scep_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                            GError **error);
