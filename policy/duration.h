/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durations as people write them, in policy files and on command lines. Pure. */

#pragma once

#include <glib.h>

/* "90s", "15min", "12h", "21d", "2w", "10y" (365 days), and such in a row: "1h30min". At most 100
 * years. */
gboolean signet_duration_parse(const char *value, gint64 *ret_seconds);
