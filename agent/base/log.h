/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Structured log records for the edges of the agent (journal, or stderr where there is none). Libraries return errors instead. */

#pragma once

#include <glib.h>
#include <syslog.h>

/* fields: NULL-terminated pairs "SIGNET_IDENTITY", value; a NULL value leaves its pair out. Message in words. */
void signet_log(int priority, const char *const *fields, const char *format, ...) G_GNUC_PRINTF(3, 4);

#define SIGNET_LOG_FIELDS(...) ((const char *const[]) {__VA_ARGS__, NULL, NULL})
