/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One packet off a socket, with what the kernel says about who sent it. Private to agent/door. */

#pragma once

#include <glib.h>
#include <sys/socket.h>

/* In place of a pidfd */
#define SIGNET_PIDFD_NONE (-1) /* this kernel does not tell (before 6.5) */
#define SIGNET_PIDFD_GONE (-2) /* the process is gone already */

typedef struct {
    gsize size;
    gboolean is_oversize;     /* longer than the buffer: the rest is lost */
    struct ucred credentials; /* pid 0: unknown */
    int pidfd;                /* (owned) of the sender, or SIGNET_PIDFD_… */
    int fd; /* (owned) the first descriptor that came along, -1: none; the others are closed already
             */
} SignetPacket;

void signet_packet_clear(SignetPacket *packet);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetPacket, signet_packet_clear)

/* Never blocks. FALSE with errno (EAGAIN …), or with errno 0 at the end of the connection. */
gboolean
signet_packet_receive(int socket_fd, guint8 *buffer, gsize capacity, SignetPacket *ret_packet);

/* Makes the kernel attach credentials, and pidfds where it can, to what arrives here. */
gboolean signet_packet_ask_credentials(int socket_fd);
/* Who made the connection; FALSE when the kernel has no answer that makes sense. *ret_pidfd (owned)
 * as in SignetPacket. */
gboolean signet_packet_get_owner(int socket_fd, struct ucred *ret_credentials);
int signet_packet_open_owner(int socket_fd);
/* Does the process still exist (a zombie does)? While it does, its pid cannot mean another. */
gboolean signet_pidfd_is_alive(int pidfd);
