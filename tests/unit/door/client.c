/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of the private socket for tests. */

#include "tests/unit/door/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 64

static void
die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    abort();
}

int
client_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    return fd;
}

static struct signet_wire_writer
begin(uint8_t *packet, enum signet_wire_op op)
{
    struct signet_wire_writer w = {.data = packet, .capacity = SIGNET_WIRE_PACKET_MAX};
    struct signet_wire_header header = {
        .version = SIGNET_WIRE_VERSION, .op = (uint8_t)op, .serial = 7};

    signet_wire_put_header(&w, &header);
    return w;
}

size_t
client_put_lookup(uint8_t *packet, const char *identity, uint32_t generation)
{
    struct signet_wire_writer w = begin(packet, SIGNET_WIRE_OP_LOOKUP);
    struct signet_wire_lookup_request message = {.identity = signet_bytes_from_string(identity),
                                                 .generation = generation};

    signet_wire_put_lookup_request(&w, &message);
    return w.size;
}

size_t
client_put_sign(uint8_t *packet, enum signet_wire_op op, const char *identity)
{
    uint8_t data[64 + 34 + 32];
    struct signet_wire_writer w = begin(packet, op);
    struct signet_wire_sign_request message = {.identity = signet_bytes_from_string(identity),
                                               .scheme = SIGNET_SCHEME_ECDSA,
                                               .hash = SIGNET_HASH_SHA256,
                                               .data = {data, sizeof data}};

    memset(data, ' ', 64);
    memcpy(data + 64, "TLS 1.3, client CertificateVerify", 34);
    memset(data + 98, 5, 32);
    if (op == SIGNET_WIRE_OP_SIGN_DIGEST)
        message.data = (struct signet_bytes) {data + 98, 32};
    signet_wire_put_sign_request(&w, &message);
    return w.size;
}

size_t
client_put_bare(uint8_t *packet, enum signet_wire_op op)
{
    return begin(packet, op).size;
}

void
client_send(int fd, const uint8_t *packet, size_t size)
{
    if (send(fd, packet, size, MSG_NOSIGNAL) != (ssize_t)size && errno != EPIPE &&
        errno != ECONNRESET)
        die("send");
}

void
client_receive(int fd, ClientReply *ret_reply)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t size;

    if (poll(&ready, 1, 20000) != 1)
        die("no answer");
    size = recv(fd, ret_reply->data, sizeof ret_reply->data, 0);
    ret_reply->size = size > 0 ? (size_t)size : 0;
    ret_reply->reader =
        (struct signet_wire_reader) {.data = ret_reply->data, .size = ret_reply->size};
    if (ret_reply->size > 0 && (!signet_wire_get_header(&ret_reply->reader, &ret_reply->header) ||
                                ret_reply->header.serial != 7))
        die("a reply that is none");
}

static int
call(int fd, const uint8_t *packet, size_t size)
{
    static ClientReply reply;

    client_send(fd, packet, size);
    client_receive(fd, &reply);
    return reply.size > 0 ? reply.header.status : -1;
}

int
client_lookup(int fd, const char *identity)
{
    uint8_t packet[512];

    return call(fd, packet, client_put_lookup(packet, identity, 0));
}

int
client_sign(int fd, const char *identity)
{
    uint8_t packet[512];

    return call(fd, packet, client_put_sign(packet, SIGNET_WIRE_OP_SIGN_MESSAGE, identity));
}

int
client_bare(int fd, enum signet_wire_op op)
{
    uint8_t packet[512];

    return call(fd, packet, client_put_bare(packet, op));
}

void
client_send_fds(int fd, const uint8_t *packet, size_t size, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec vector = {(void *)packet, size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(n_fds * sizeof(int))};

    control.header = (struct cmsghdr) {CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
        die("sendmsg");
}

int
client_adopt(int factory_fd)
{
    uint8_t packet[64];
    const int one = 1;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) < 0)
        die("socketpair");
    client_send_fds(factory_fd, packet, client_put_bare(packet, SIGNET_WIRE_OP_ADOPT), &ends[0], 1);
    close(ends[0]);
    return ends[1];
}
