/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* GVariant to JSON (RFC 8259): for --json. */

#pragma once

#include <glib.h>

/* Dictionaries with string keys become objects with sorted keys, arrays and tuples arrays, variants
 * what is in them, maybes their value or null, NaN and infinities null. is_pretty: two spaces of
 * indentation; else one line. No newline at the end. */
char *signet_json_from_variant(GVariant *value, gboolean is_pretty);
/* "NotAfter" → "not_after" */
char *signet_json_name(const char *property);
