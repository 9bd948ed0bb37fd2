/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'cmp' (RFC 4210, RFC 4211, RFC 6712; profile of RFC 9483): ir, cr, kur or p10cr,
 * protected by the key in use, a bootstrap identity's, or a shared secret. */

#pragma once

#include "agent/enroller/protocol.h"

gboolean signet_cmp_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                           GError **error);
/* rr (RFC 4210 5.3.9) for the job's certificate, by the key in use or the shared secret. TRUE: the
 * CA says that it has revoked it. */
gboolean signet_cmp_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                           GError **error);
