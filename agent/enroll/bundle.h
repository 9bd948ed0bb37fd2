/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Certificates as people hand them over: in any order, the root perhaps among them. */

#pragma once

#include <glib.h>

#define SIGNET_BUNDLE_MAX 16u

/* certificates: of GBytes (DER), at most SIGNET_BUNDLE_MAX. ret_chain: the one with this public key
 * and, by their names, those above it; ret_anchors: the self-signed ones, may be empty. What
 * belongs to neither is left out. Nothing is verified. CORRUPT; NOT_FOUND when none has the key. */
gboolean signet_bundle_sort(GPtrArray *certificates, GBytes *spki, GPtrArray **ret_chain,
                            GPtrArray **ret_anchors, GError **error);
