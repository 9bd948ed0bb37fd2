/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'exec': an administrator's program takes the request to the CA. Documented in
 * signet-enroll(8). */

#pragma once

#include "agent/enroller/protocol.h"
#include "agent/enroller/runner.h"

/* (nullable) Before anything else, since it forks: whoever will run the program of the job. NULL
 * without an error: the job's protocol is another one. */
SignetRunner *signet_exec_prepare(const SignetJobRequest *job, GError **error);
gboolean signet_exec_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                            GError **error);
