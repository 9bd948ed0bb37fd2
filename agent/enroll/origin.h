/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which server a URL belongs to (RFC 6454). */

#pragma once

#include <glib.h>

/* Is it an https URL (printable, without user, password and fragment) of the same host and port as
 * base? */
gboolean signet_origin_has(const char *base, const char *url);
