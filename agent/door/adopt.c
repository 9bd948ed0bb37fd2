/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* May this descriptor become a connection?
 *
 * Whoever holds a factory chooses the descriptor, and the agent is going to write replies into it.
 * So it must not lead to anybody but the sender: nothing with a name (an end of somebody else's
 * listening socket would let the agent speak to a third program in its own name), only an end of a
 * pair that the sender itself has made. */

#include "agent/door/adopt.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>

static gboolean
has_option(int fd, int option, int wanted)
{
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

/* Only the family: no path, no abstract name. */
static gboolean
is_unnamed(int fd, gboolean peer)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof address;
    int rc = peer ? getpeername(fd, (struct sockaddr *)&address, &size)
                  : getsockname(fd, (struct sockaddr *)&address, &size);

    return rc == 0 && address.sun_family == AF_UNIX && size == sizeof address.sun_family;
}

gboolean
signet_adopt_check(int fd, const struct ucred *sender, GError **error)
{
    struct stat st;
    struct ucred maker;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "no socket came along");
    if (!has_option(fd, SO_DOMAIN, AF_UNIX))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the socket is not AF_UNIX");
    if (!has_option(fd, SO_TYPE, SOCK_SEQPACKET))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the socket is not SOCK_SEQPACKET");
    if (!has_option(fd, SO_ACCEPTCONN, 0))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the socket listens");
    if (!is_unnamed(fd, FALSE))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the socket has a name");
    if (!is_unnamed(fd, TRUE))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the socket is not connected, or to one that has a name");
    if (!signet_packet_get_owner(fd, &maker))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the socket's maker is unknown");
    /* pid 0: the sender's credentials did not come along, or it is in no namespace of ours. */
    if (sender->pid <= 0 || sender->pid != maker.pid)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "the socket was made by process %d and sent by process %d",
                                (int)maker.pid, (int)sender->pid);
    return TRUE;
}
