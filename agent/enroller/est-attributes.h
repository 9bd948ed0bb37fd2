/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an EST server wants to see in a request (RFC 7030 4.5.2, RFC 8951 3.5, RFC 9908): a list of
 * attributes, or a template. Pure. */

#pragma once

#include "agent/enroller/request.h"

/* der: CsrAttrs. What of it is left for the request to follow; nothing of what the CA wrote gets
 * into a request: its wishes choose among what the job allows (est-demand.h). Object identifiers,
 * attributes and extensions that are unknown are ignored, as are values of the others. With a
 * template only that counts, of the list around it the proof of possession and digests.
 * CA_REFUSED when it asks for another kind of key, other names or usages than the identity has, in
 * words that name what to change; CORRUPT when it cannot be read. */
gboolean signet_est_attributes_read(GBytes *der, const SignetJobRequest *job,
                                    SignetRequestWishes *ret_wishes, GError **error);
