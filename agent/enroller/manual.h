/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'manual': a person carries the request to the CA, and the answer back. */

#pragma once

#include "agent/enroller/protocol.h"

/* Without an answer in the job: pending, with the request as the state. The same request is kept
 * until an answer to it is right. */
gboolean signet_manual_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                              GError **error);
