/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'est' (RFC 7030, RFC 8951): the CA's certificates, what it wants to see in a request,
 * enrolment and re-enrolment. */

#pragma once

#include "agent/enroller/protocol.h"

gboolean signet_est_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                           GError **error);
/* The CA's certificates, from a server that is believed (RFC 7030 4.1). */
SignetX509Stack *signet_est_get_authorities(const SignetProtocolContext *context, GError **error);
