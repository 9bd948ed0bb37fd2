/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Directories and processes. */

#include "tests/unit/rotate/apart.h"

#include <check.h>
#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

char *
apart_make_directory(const char *name)
{
    const char *parent = g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir();
    char *path = g_strdup_printf("%s/%s-XXXXXX", parent, name);

    ck_assert_ptr_nonnull(g_mkdtemp(path));
    return path;
}

void
apart_remove(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        apart_remove(child);
    }
    g_remove(path);
}

int
apart_run(void (*work)(void))
{
    int status;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        work();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}
