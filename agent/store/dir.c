/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durable files: temp + fsync + rename + fsync of the directory. */

#include "agent/store/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/write.h"

#define TEMPORARY_PREFIX ".tmp."
#define COMPONENT_MAX    240 /* NAME_MAX less the prefix and some air */
#define TREE_DEPTH_MAX   2

void
signet_fd_clear(SignetFd *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static gboolean
fail(GError **error, const char *what, const char *name)
{
    int code = errno;
    const char *hint = code == ENOSPC || code == EDQUOT ? "; make room on the disk" : "";

    return signet_error_set(error, SIGNET_ERROR_IO, "cannot %s '%s': %s%s", what, name,
                            g_strerror(code), hint);
}

static gboolean
check_name(const char *name, GError **error)
{
    if (*name == '\0' || strlen(name) > COMPONENT_MAX || strchr(name, '/') ||
        g_str_equal(name, ".") || g_str_equal(name, "..") ||
        g_str_has_prefix(name, TEMPORARY_PREFIX))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "'%s' cannot be a file's name here", name);
    return TRUE;
}

static char *
temporary_name(const char *name)
{
    return g_strconcat(TEMPORARY_PREFIX, name, NULL);
}

/* Content, owner and mode are complete and on disk before the file gets its name. */
static gboolean
fill_temporary(int dir_fd, const char *temporary, GBytes *content, const SignetDirOwner *owner,
               GError **error)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(content, &size);
    g_auto(SignetFd) fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail(error, "create", temporary);
    if (!signet_write_all(fd, data, size))
        return fail(error, "write", temporary);
    if (owner && (owner->uid >= 0 || owner->gid >= 0) &&
        fchown(fd, (uid_t)owner->uid, (gid_t)owner->gid) < 0)
        return fail(error, "change the owner of", temporary);
    if (fchmod(fd, owner ? owner->mode : 0600) < 0)
        return fail(error, "change the mode of", temporary);
    if (fsync(fd) < 0)
        return fail(error, "write to disk", temporary);
    return TRUE;
}

gboolean
signet_dir_sync(int dir_fd, GError **error)
{
    return fsync(dir_fd) == 0 || fail(error, "write to disk", "directory");
}

gboolean
signet_dir_stage(int dir_fd, const char *name, gconstpointer data, gsize size,
                 const SignetDirOwner *owner, GError **error)
{
    g_autofree char *temporary = temporary_name(name);
    g_autoptr(GBytes) content = g_bytes_new_static(data, size);

    if (!check_name(name, error))
        return FALSE;
    if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
        return fail(error, "replace", temporary);
    if (!fill_temporary(dir_fd, temporary, content, owner, error)) {
        unlinkat(dir_fd, temporary, 0);
        return FALSE;
    }
    if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
        fail(error, "replace", name);
        unlinkat(dir_fd, temporary, 0);
        return FALSE;
    }
    return TRUE;
}

gboolean
signet_dir_write(int dir_fd, const char *name, gconstpointer data, gsize size,
                 const SignetDirOwner *owner, GError **error)
{
    return signet_dir_stage(dir_fd, name, data, size, owner, error) &&
           signet_dir_sync(dir_fd, error);
}

static GBytes *
read_all(int fd, const char *name, gsize max_size, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(max_size + 1);
    gsize size = 0;

    while (size <= max_size) {
        ssize_t n = read(fd, buffer + size, max_size + 1 - size);

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail(error, "read", name);
            return NULL;
        }
        size += (gsize)n;
    }
    if (size <= max_size)
        return g_bytes_new_take(g_realloc(g_steal_pointer(&buffer), MAX(size, 1)), size);
    signet_error_set(error, SIGNET_ERROR_CORRUPT, "'%s' is larger than %" G_GSIZE_FORMAT " bytes",
                     name, max_size);
    return NULL;
}

GBytes *
signet_dir_read(int dir_fd, const char *name, gsize max_size, GError **error)
{
    struct stat st;

    if (!check_name(name, error))
        return NULL;
    /* O_NONBLOCK: a fifo in the place of a file must not hang the agent */
    g_auto(SignetFd) fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "there is no '%s'", name);
        return NULL;
    }
    if (fd < 0 && errno != ELOOP) {
        fail(error, "open", name);
        return NULL;
    }
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "'%s' is no plain file", name);
        return NULL;
    }
    return read_all(fd, name, max_size, error);
}

/* Under its temporary name first, so that a crash leaves no directory with the umask's mode. */
static gboolean
make_directory(int parent_fd, const char *name, guint mode, GError **error)
{
    g_autofree char *temporary = temporary_name(name);

    if (mkdirat(parent_fd, temporary, 0700) < 0 && errno != EEXIST)
        return fail(error, "make directory", name);
    if (fchmodat(parent_fd, temporary, mode, 0) < 0)
        return fail(error, "change the mode of", name);
    if (renameat(parent_fd, temporary, parent_fd, name) < 0)
        return fail(error, "make directory", name);
    return signet_dir_sync(parent_fd, error);
}

int
signet_dir_open(int parent_fd, const char *name, guint mode, GError **error)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

    if (!check_name(name, error))
        return -1;
    int fd = openat(parent_fd, name, flags);
    if (fd < 0 && errno == ENOENT && mode == 0) {
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "there is no '%s'", name);
        return -1;
    }
    if (fd < 0 && errno == ENOENT) {
        if (!make_directory(parent_fd, name, mode, error))
            return -1;
        fd = openat(parent_fd, name, flags);
    }
    if (fd < 0)
        fail(error, "open directory", name);
    return fd;
}

gboolean
signet_dir_link(int dir_fd, const char *name, const char *target, GError **error)
{
    g_autofree char *temporary = temporary_name(name);

    if (!check_name(name, error))
        return FALSE;
    if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
        return fail(error, "replace", temporary);
    if (symlinkat(target, dir_fd, temporary) < 0)
        return fail(error, "link", name);
    if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
        fail(error, "link", name);
        unlinkat(dir_fd, temporary, 0);
        return FALSE;
    }
    return signet_dir_sync(dir_fd, error);
}

gboolean
signet_dir_remove_file(int dir_fd, const char *name, GError **error)
{
    if (!check_name(name, error))
        return FALSE;
    if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
        return fail(error, "remove", name);
    /* also when it is absent: a life that crashed may have removed it without getting this far */
    return signet_dir_sync(dir_fd, error);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names but . and .., temporaries included. */
static GPtrArray *
read_names(int dir_fd, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!stream) {
        fail(error, "list", "directory");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    errno = 0;
    while ((entry = readdir(stream))) {
        if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
            g_ptr_array_add(names, g_strdup(entry->d_name));
        errno = 0;
    }
    int code = errno;
    closedir(stream);
    errno = code;
    if (code != 0) {
        fail(error, "list", "directory");
        return NULL;
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

static gboolean
remove_entry(int parent_fd, const char *name, guint depth, GError **error)
{
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
        return TRUE;
    if ((errno != EISDIR && errno != EPERM) || depth == 0)
        return fail(error, "remove", name);

    g_auto(SignetFd) fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? read_names(fd, error) : NULL;
    if (fd < 0)
        return fail(error, "open directory", name);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        if (!remove_entry(fd, names->pdata[i], depth - 1, error))
            return FALSE;
    }
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
           fail(error, "remove directory", name);
}

gboolean
signet_dir_remove_tree(int parent_fd, const char *name, GError **error)
{
    return check_name(name, error) && remove_entry(parent_fd, name, TREE_DEPTH_MAX, error) &&
           signet_dir_sync(parent_fd, error);
}

char **
signet_dir_list(int dir_fd, GError **error)
{
    g_autoptr(GPtrArray) all = read_names(dir_fd, error);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!all)
        return NULL;
    for (guint i = 0; i < all->len; i++) {
        if (!g_str_has_prefix(all->pdata[i], TEMPORARY_PREFIX))
            g_strv_builder_add(builder, all->pdata[i]);
    }
    return g_strv_builder_end(builder);
}

gboolean
signet_dir_sweep(int dir_fd, GError **error)
{
    g_autoptr(GPtrArray) all = read_names(dir_fd, error);
    gboolean is_found = FALSE;

    if (!all)
        return FALSE;
    for (guint i = 0; i < all->len; i++) {
        if (!g_str_has_prefix(all->pdata[i], TEMPORARY_PREFIX))
            continue;
        is_found = TRUE;
        if (!remove_entry(dir_fd, all->pdata[i], TREE_DEPTH_MAX, error))
            return FALSE;
    }
    return !is_found || signet_dir_sync(dir_fd, error);
}
