/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Is this chain what was asked for? Used on every CA's answer before anything is replaced (RFC 5280
 * section 6). */

#pragma once

#include "agent/enroll/request.h"

/* Checks: parses within bounds, key match, validity (now within it, and lifetime ≥ min_lifetime_s),
 * names ⊇ what was asked and no CA:TRUE (unless is_ca), extended key usage fits the purposes, the
 * chain's signatures up to an anchor. CORRUPT or CA_REFUSED with words. */
gboolean signet_certificate_check(const SignetJobRequest *request, GPtrArray *chain,
                                  GPtrArray *anchors, gint64 now_s, GError **error);
/* May this chain, which was issued to somebody for the request's key before, be used for its
 * purposes? The same checks but for names and lifetime; without anchors the chain need only hold
 * together. */
gboolean signet_certificate_check_adopted(const SignetJobRequest *request, GPtrArray *chain,
                                          GPtrArray *anchors, gint64 now_s, GError **error);
