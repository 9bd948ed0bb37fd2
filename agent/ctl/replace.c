/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: files of the machine that a command writes: as a whole or not at all. */

#include "agent/ctl/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/write.h"

#define LINKS_MAX 40
#define FILE_MAX  (1024 * 1024)

static gboolean
fail(const char *doing, const char *path, GError **error)
{
    int saved = errno;
    const char *advice = "";

    if (saved == EROFS)
        advice = "; the file system is mounted read-only";
    else if (saved == EPERM)
        advice = "; is it immutable (lsattr), or this user not root?";
    else if (saved == EACCES)
        advice = "; root may";
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot %s '%s': %s%s", doing,
                path, g_strerror(saved), advice);
    return FALSE;
}

GString *
signet_replace_read(const char *path, gboolean *ret_exists, GError **error)
{
    char *data = NULL;
    gsize size = 0;
    g_autoptr(GError) problem = NULL;
    GString *text;

    *ret_exists = g_file_get_contents(path, &data, &size, &problem);
    if (!*ret_exists && !g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (size > FILE_MAX) {
        g_free(data);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is longer than %d bytes", path,
                    FILE_MAX);
        return NULL;
    }
    text = g_string_new_len(data ? data : "", (gssize)size);
    g_free(data);
    return text;
}

static char *
temporary_prefix(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);

    return g_strdup_printf("%s/.%s.signet-", directory, name);
}

static gboolean
sync_directory(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean is_done = fd >= 0 && fsync(fd) == 0;

    if (!is_done)
        fail("write to", directory, error);
    if (fd >= 0)
        close(fd);
    return is_done;
}

static gboolean
set_owner(int fd, const char *like)
{
    struct stat status;

    if (stat(like, &status) != 0)
        return fchmod(fd, 0644) == 0;
    return fchown(fd, status.st_uid, status.st_gid) == 0 && fchmod(fd, status.st_mode & 07777) == 0;
}

gboolean
signet_replace_file(const char *path, const GString *text, const char *like, GError **error)
{
    g_autofree char *prefix = temporary_prefix(path);
    g_autofree char *temporary = g_strconcat(prefix, "XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    gboolean is_written = FALSE;

    if (fd < 0)
        return fail("write", path, error);
    is_written = signet_write_all(fd, text->str, text->len) && set_owner(fd, like ? like : path) &&
                 fsync(fd) == 0;
    if (!is_written)
        fail("write", path, error);
    close(fd);
    if (is_written && rename(temporary, path) != 0)
        is_written = fail("replace", path, error);
    if (is_written)
        return sync_directory(path, error);
    (void)g_unlink(temporary);
    return FALSE;
}

gboolean
signet_replace_remove(const char *path, GError **error)
{
    if (g_unlink(path) != 0)
        return errno == ENOENT || fail("remove", path, error);
    return sync_directory(path, error);
}

void
signet_replace_tidy(const char *path)
{
    g_autofree char *prefix = temporary_prefix(path);
    g_autofree char *directory = g_path_get_dirname(path);
    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    const char *entry;

    while (entries && (entry = g_dir_read_name(entries))) {
        g_autofree char *full = g_build_filename(directory, entry, NULL);

        if (g_str_has_prefix(full, prefix) && strlen(full) == strlen(prefix) + strlen("XXXXXX"))
            (void)g_unlink(full);
    }
}

/* With the links of its directories followed: ".." is where they lead. What is not there stays as
 * it is written. */
static char *
resolve_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *real = realpath(directory, NULL);

    return real ? g_build_filename(real, name, NULL) : g_canonicalize_filename(path, NULL);
}

char *
signet_replace_resolve(const char *path)
{
    char *at = resolve_directory(path);

    for (int i = 0; i < LINKS_MAX; i++) {
        g_autofree char *target = g_file_read_link(at, NULL);
        g_autofree char *directory = g_path_get_dirname(at);
        g_autofree char *next = NULL;

        if (!target)
            break;
        next = g_path_is_absolute(target) ? g_strdup(target)
                                          : g_build_filename(directory, target, NULL);
        g_free(at);
        at = resolve_directory(next);
    }
    return at;
}
