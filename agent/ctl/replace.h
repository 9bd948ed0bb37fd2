/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: files of the machine that a command writes: as a whole or not at all. */

#pragma once

#include <gio/gio.h>

/* The whole file; an empty string, and *ret_exists FALSE, when there is none. NULL: error. */
GString *signet_replace_read(const char *path, gboolean *ret_exists, GError **error);
/* Temporary file beside it, fsync, rename, fsync of the directory: whoever is interrupted, at
 * whatever point, leaves the old file or the new one. Mode and owner are those of like (nullable:
 * the file itself), or 0644 and ours when that does not exist. */
gboolean
signet_replace_file(const char *path, const GString *text, const char *like, GError **error);
/* Removes it durably; none to remove is fine. */
gboolean signet_replace_remove(const char *path, GError **error);
/* Removes what interrupted runs left beside it. */
void signet_replace_tidy(const char *path);
/* The path with every link of its last component followed, which need not exist. */
char *signet_replace_resolve(const char *path);
