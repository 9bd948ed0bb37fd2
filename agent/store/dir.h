/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durable files: the only code of the agent that writes to disk. Every write is temp + fsync +
 * rename + fsync of the directory; after a power cut a file has its old or its new content, never a
 * part. All functions block. Temporaries are called ".tmp.NAME"; one writer per name at a time.
 * Errors: IO with the system's words, BAD_REQUEST for a name that is not one path component. */

#pragma once

#include <gio/gio.h>

#include "agent/base/error.h"

/* An fd that closes itself; -1: none. */
typedef int SignetFd;
void signet_fd_clear(SignetFd *fd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetFd, signet_fd_clear)

typedef struct {
    guint mode;
    gint64 uid; /* -1: leave */
    gint64 gid;
} SignetDirOwner;

/* dir_fd: an open directory; name: one path component. owner NULL: mode 0600. */
gboolean signet_dir_write(int dir_fd, const char *name, gconstpointer data, gsize size,
                          const SignetDirOwner *owner, GError **error);
/* The same without the last step: not durable before signet_dir_sync(). For several files that
 * count only together. */
gboolean signet_dir_stage(int dir_fd, const char *name, gconstpointer data, gsize size,
                          const SignetDirOwner *owner, GError **error);
gboolean signet_dir_sync(int dir_fd, GError **error);
/* NOT_FOUND when absent; CORRUPT when larger than max_size, or no plain file. Symbolic links are
 * not followed. */
GBytes *signet_dir_read(int dir_fd, const char *name, gsize max_size, GError **error);
/* Opens it, after making it if missing (durably, with exactly this mode): an fd, or -1. Mode 0 does
 * not make it: NOT_FOUND. */
int signet_dir_open(int parent_fd, const char *name, guint mode, GError **error);
/* Points a symbolic link somewhere else, atomically. */
gboolean signet_dir_link(int dir_fd, const char *name, const char *target, GError **error);
/* Absent is success. */
gboolean signet_dir_remove_file(int dir_fd, const char *name, GError **error);
/* With all that is in it, at most two levels of directories deep; durable; absent is success. */
gboolean signet_dir_remove_tree(int parent_fd, const char *name, GError **error);
/* Names but . and .. and temporaries, sorted; NULL with error. */
char **signet_dir_list(int dir_fd, GError **error);
/* Removes what a crash left half-written in this directory. */
gboolean signet_dir_sweep(int dir_fd, GError **error);
