/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An ACME server's renewal information (RFC 9773): asked without an account. */

#pragma once

#include "agent/enroller/protocol.h"
#include "policy/findings.h"

/* Fills the window of the findings and where it is explained; no window when the server has no
 * such information at all. The job's URL is the directory. */
gboolean signet_acme_window_look(const SignetProtocolContext *context, X509 *certificate,
                                 SignetFindings *findings, GError **error);
