/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Times for people: local time, and how far away it is. Pure but for the time zone. */

#pragma once

#include <glib.h>

/* "3 days", "1 hour", "0 seconds": the largest unit, rounded down. Negative counts as 0. */
char *signet_when_duration(gint64 seconds);
/* "in 3 days", "2 hours ago", "now" */
char *signet_when_relative(gint64 time_s, gint64 now_s);
/* "2026-07-30 12:00:05" in local time; "never" for 0 and "?" for what no calendar holds. */
char *signet_when_local(gint64 time_s);
/* "2026-07-30 12:00:05 (in 3 days)"; "never" for 0. */
char *signet_when_full(gint64 time_s, gint64 now_s);
