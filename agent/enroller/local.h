/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'local': the embedded CA. Its key is in the token like any other and used through the
 * provider (RFC 5280). */

#pragma once

#include "agent/enroller/protocol.h"

/* Issues what the job asks for: a leaf by its CA, or with is_ca the CA's own certificate. */
gboolean signet_local_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                             GError **error);
