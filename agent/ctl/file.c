/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: files that a command hands over. */

#include "agent/ctl/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* At most size bytes, and whether there are more; -1: errno says why. */
static gssize
read_all(int fd, char *buffer, gsize size, gboolean *ret_is_more)
{
    gsize done = 0;
    ssize_t n = 0;
    char more;

    do {
        n = done < size ? read(fd, buffer + done, size - done) : read(fd, &more, 1);
        *ret_is_more = n > 0 && done == size;
        done += n > 0 && done < size ? (gsize)n : 0;
    } while ((n > 0 && !*ret_is_more) || (n < 0 && errno == EINTR));
    return n < 0 ? -1 : (gssize)done;
}

gssize
signet_ctl_read_file(const char *path, char *buffer, gsize max)
{
    gboolean is_stdin = g_str_equal(path, "-");
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    gboolean is_more = FALSE;
    gssize size = fd < 0 ? -1 : read_all(fd, buffer, max, &is_more);

    if (size < 0)
        g_printerr("signetctl: cannot read '%s': %s\n", path, g_strerror(errno));
    else if (is_more)
        g_printerr("signetctl: '%s' is longer than %zu bytes\n", path, max);
    if (fd >= 0 && !is_stdin)
        close(fd);
    return is_more ? -1 : size;
}
