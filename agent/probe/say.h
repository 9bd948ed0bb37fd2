/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What signet-probe found, for signetctl to read: one fact a line on stdout, "NAME VALUE". libc
 * only. */

#pragma once

#define SIGNET_SAY_MAX 1024 /* bytes of a line */

/* Control characters of the value become "?"; what is too long is cut. */
void signet_say(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
