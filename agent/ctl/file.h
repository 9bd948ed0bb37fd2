/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: files that a command hands over, read with the caller's rights. */

#pragma once

#include <glib.h>

/* "-": standard input. Its size; -1: it cannot be read, or is longer than max, which was said. */
gssize signet_ctl_read_file(const char *path, char *buffer, gsize max);
/* The same as bytes; NULL. */
GBytes *signet_ctl_read_bytes(const char *path, gsize max);
/* Whole or not at all. FALSE was said. */
gboolean signet_ctl_write_file(const char *path, const char *text, gboolean is_secret);
/* Pairs of hexadecimal digits, at most max; text: nullable: none. NULL was said. */
GBytes *signet_ctl_read_hex(const char *text, gsize max);
