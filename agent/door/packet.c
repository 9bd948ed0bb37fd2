/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One packet off a socket, with what the kernel says about who sent it. */

#include "agent/door/packet.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.5; older headers do not know them. The numbers are those of most architectures. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

#define DESCRIPTORS_MAX 8 /* the kernel discards more by itself */

typedef union {
    struct cmsghdr header; /* alignment */
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
               CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
} Control;

void
signet_packet_clear(SignetPacket *packet)
{
    if (packet->pidfd >= 0)
        close(packet->pidfd);
    if (packet->fd >= 0)
        close(packet->fd);
    packet->pidfd = packet->fd = -1;
}

static void
take_descriptors(SignetPacket *packet, const guint8 *data, gsize size)
{
    for (gsize i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
        int fd;

        memcpy(&fd, data + i, sizeof fd);
        if (packet->fd < 0)
            packet->fd = fd;
        else
            close(fd);
    }
}

static void
take_control(SignetPacket *packet, const struct cmsghdr *header)
{
    const guint8 *data = CMSG_DATA(header);
    gsize size = header->cmsg_len - CMSG_LEN(0);

    if (header->cmsg_level != SOL_SOCKET)
        return;
    if (header->cmsg_type == SCM_CREDENTIALS && size == sizeof packet->credentials) {
        memcpy(&packet->credentials, data, sizeof packet->credentials);
    } else if (header->cmsg_type == SCM_PIDFD && size == sizeof packet->pidfd) {
        memcpy(&packet->pidfd, data, sizeof packet->pidfd);
        if (packet->pidfd < 0)
            packet->pidfd = SIGNET_PIDFD_GONE;
    } else if (header->cmsg_type == SCM_RIGHTS) {
        take_descriptors(packet, data, size);
    }
}

gboolean
signet_packet_receive(int socket_fd, guint8 *buffer, gsize capacity, SignetPacket *ret_packet)
{
    Control control;
    struct iovec vector = {buffer, capacity};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    gssize size;

    do
        size = recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return FALSE;

    *ret_packet = (SignetPacket) {.size = (gsize)size,
                                  .is_oversize = (message.msg_flags & MSG_TRUNC) != 0,
                                  .pidfd = SIGNET_PIDFD_NONE,
                                  .fd = -1};
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h))
        take_control(ret_packet, h);
    if (size > 0)
        return TRUE;
    signet_packet_clear(ret_packet);
    errno = 0;
    return FALSE;
}

gboolean
signet_packet_ask_credentials(int socket_fd)
{
    const int one = 1;

    /* Without pidfds requests are still told apart, by a pid that could mean another process by the
     * time it is looked at. They are asked for with every packet, since that costs a third of a
     * microsecond. */
    (void)setsockopt(socket_fd, SOL_SOCKET, SO_PASSPIDFD, &one, sizeof one);
    return setsockopt(socket_fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0;
}

gboolean
signet_packet_get_owner(int socket_fd, struct ucred *ret_credentials)
{
    socklen_t size = sizeof *ret_credentials;

    return getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, ret_credentials, &size) == 0 &&
           size == sizeof *ret_credentials && ret_credentials->pid > 0 &&
           ret_credentials->uid != (uid_t)-1 && ret_credentials->gid != (gid_t)-1;
}

int
signet_packet_open_owner(int socket_fd)
{
    int pidfd = -1;
    socklen_t size = sizeof pidfd;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
        return pidfd;
    return errno == ENOPROTOOPT ? SIGNET_PIDFD_NONE : SIGNET_PIDFD_GONE;
}

gboolean
signet_pidfd_is_alive(int pidfd)
{
    return pidfd >= 0 && (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno == EPERM);
}
