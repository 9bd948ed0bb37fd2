/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Structured log records for the edges of the agent (journal, or stderr where there is none).
 * Libraries return errors instead. */

#pragma once

#include <glib.h>
#include <syslog.h>

/* fields: NULL-terminated pairs "SIGNET_IDENTITY", value; a NULL value leaves its pair out. Message
 * in words. At most 32 fields reach the journal. Does not touch errno. */
void
signet_log(int priority, const char *const *fields, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Pure: the line that goes to stderr, "2026-07-30T12:00:01.250Z warning message [FIELD=value …]\n".
 * Control characters in message and values are replaced, so that it is always one line. */
char *
signet_log_format(int priority, gint64 time_us, const char *const *fields, const char *message);

#define SIGNET_LOG_FIELDS(...) ((const char *const[]) {__VA_ARGS__, NULL, NULL})
