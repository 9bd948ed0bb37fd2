/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durable files: the only code of the agent that writes to disk. Every write is temp + fsync + rename + fsync of the directory;
 * after a power cut a file has its old or its new content, never a part. All functions block. */

#pragma once

#include <gio/gio.h>

#include "agent/base/error.h"

typedef struct {
    guint mode;
    gint64 uid; /* -1: leave */
    gint64 gid;
} SignetDirOwner;

/* dir_fd: an open directory; name: one path component. */
gboolean signet_dir_write(int dir_fd, const char *name, gconstpointer data, gsize size, const SignetDirOwner *owner,
                          GError **error);
/* NOT_FOUND when absent; CORRUPT when larger than max_size. */
GBytes *signet_dir_read(int dir_fd, const char *name, gsize max_size, GError **error);
/* Makes it if missing (durably), opens it: an fd, or -1. */
int signet_dir_open(int parent_fd, const char *name, guint mode, GError **error);
/* Points a symbolic link somewhere else, atomically. */
gboolean signet_dir_link(int dir_fd, const char *name, const char *target, GError **error);
/* Absent is success. */
gboolean signet_dir_remove_file(int dir_fd, const char *name, GError **error);
/* With all plain files in it; durable; absent is success. */
gboolean signet_dir_remove_tree(int parent_fd, const char *name, GError **error);
/* Names but . and .. and temporaries, sorted; NULL with error. */
char **signet_dir_list(int dir_fd, GError **error);
