/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Stands between the store and the kernel. */

#include "tests/unit/rotate/disk-hook.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

DiskHook disk_hook;
static gint seen;

int __real_fsync(int fd);
int __real_renameat(int old_fd, const char *old, int new_fd, const char *new);
int __real_unlinkat(int fd, const char *name, int flags);
int __real_symlinkat(const char *target, int fd, const char *name);
int __real_mkdirat(int fd, const char *name, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t size);

int __wrap_fsync(int fd);
int __wrap_renameat(int old_fd, const char *old, int new_fd, const char *new);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_symlinkat(const char *target, int fd, const char *name);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
ssize_t __wrap_write(int fd, const void *data, size_t size);

guint
disk_hook_get_count(void)
{
    return (guint)g_atomic_int_get(&seen);
}

/* FALSE: the operation is to fail. *ret_number: 0 when it does not count. */
static gboolean
enter(guint *ret_number)
{
    guint number;

    *ret_number = 0;
    if (!disk_hook.is_armed)
        return TRUE;
    if (disk_hook.watch)
        disk_hook.watch();
    number = *ret_number = (guint)g_atomic_int_add(&seen, 1) + 1;
    if (disk_hook.mode == DISK_DIE && number == disk_hook.at)
        _exit(DISK_DEAD);
    if ((disk_hook.mode == DISK_FAIL_ONCE && number == disk_hook.at) ||
        (disk_hook.mode == DISK_FAIL_ON && number >= disk_hook.at)) {
        errno = disk_hook.error;
        return FALSE;
    }
    return TRUE;
}

static void
leave(guint number)
{
    int code = errno;

    if (number != 0 && disk_hook.watch)
        disk_hook.watch();
    errno = code;
}

/* type name(parameters) → the real one with these arguments, counted */
#define WRAP(type, name, parameters, arguments) \
    type __wrap_##name parameters               \
    {                                           \
        guint number;                           \
                                                \
        if (!enter(&number))                    \
            return -1;                          \
        type result = __real_##name arguments;  \
        leave(number);                          \
        return result;                          \
    }

WRAP(int, fsync, (int fd), (fd))
WRAP(int, renameat, (int old_fd, const char *old, int new_fd, const char *new),
     (old_fd, old, new_fd, new))
WRAP(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags))
WRAP(int, symlinkat, (const char *target, int fd, const char *name), (target, fd, name))
WRAP(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode))

ssize_t
__wrap_write(int fd, const void *data, size_t size)
{
    guint number;
    struct stat st;

    /* the log is no disk, and a thread's wake-up neither */
    if (fd <= STDERR_FILENO || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return __real_write(fd, data, size);
    if (!enter(&number))
        return -1;
    ssize_t result = __real_write(fd, data, size);
    leave(number);
    return result;
}
