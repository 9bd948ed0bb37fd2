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

GBytes *
signet_ctl_read_bytes(const char *path, gsize max)
{
    g_autofree char *buffer = g_malloc(max);
    gssize size = signet_ctl_read_file(path, buffer, max);

    return size < 0 ? NULL : g_bytes_new(buffer, (gsize)size);
}

gboolean
signet_ctl_write_file(const char *path, const char *text, gboolean is_secret)
{
    g_autoptr(GError) error = NULL;

    if (g_file_set_contents_full(path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                 is_secret ? 0600 : 0644, &error))
        return TRUE;
    g_printerr("signetctl: cannot write '%s': %s\n", path, error->message);
    return FALSE;
}

GBytes *
signet_ctl_read_hex(const char *text, gsize max)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const char *p = text ? text : "";

    for (; g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]) && bytes->len < max; p += 2) {
        guint8 byte = (guint8)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));

        g_byte_array_append(bytes, &byte, 1);
    }
    if (*p == '\0')
        return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    g_printerr("signetctl: '%s' is not at most %zu pairs of hexadecimal digits\n", text, max);
    return NULL;
}
