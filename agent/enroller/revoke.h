/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'revoke': asks the CA to revoke a certificate, in the way that it speaks. */

#pragma once

#include "agent/enroller/protocol.h"

gboolean
signet_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome, GError **error);
