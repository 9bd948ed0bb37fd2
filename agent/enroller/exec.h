/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'exec': an administrator's program gets the request on its standard input and gives the
 * certificates on its standard output (signet-enroll.8). */

#pragma once

#include "agent/enroller/protocol.h"

gboolean signet_exec_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                            GError **error);
