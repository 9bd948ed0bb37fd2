/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* write() until there is nothing left. */

#include "agent/base/write.h"

#include <errno.h>
#include <unistd.h>

gboolean
signet_write_all(int fd, gconstpointer data, gsize size)
{
    const guint8 *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        at += n;
        size -= (gsize)n;
    }
    return TRUE;
}
