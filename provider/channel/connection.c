/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One connection: hello, request, reply. */

#include "provider/channel/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How much later than its deadline a call may end: as long as it is not shorter than that, the
 * socket's own timeout spares us a poll() per call. */
#define SLACK_MS 50

int64_t
signet_channel_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
signet_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool
signet_socket_hold(struct signet_socket *ret_socket, int fd)
{
    *ret_socket = (struct signet_socket) {.fd = -1};
    if (fd <= STDERR_FILENO) {
        /* a program that runs without them will open them one day, and print into our socket until
         * then */
        int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(fd);
        fd = higher;
    }
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    ret_socket->device = status.st_dev;
    ret_socket->inode = status.st_ino;
    ret_socket->fd = fd;
    return true;
}

bool
signet_socket_is_ours(const struct signet_socket *socket)
{
    struct stat status;
    return socket->fd >= 0 && fstat(socket->fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
           status.st_dev == socket->device && status.st_ino == socket->inode;
}

void
signet_socket_drop(struct signet_socket *socket)
{
    if (signet_socket_is_ours(socket))
        close(socket->fd);
    socket->fd = -1;
}

bool
signet_socket_is_dead(const struct signet_socket *socket)
{
    struct pollfd p = {.fd = socket->fd};
    return poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* False at the deadline. A signal that ends the wait early is no harm: the caller tries and comes
 * back. */
static bool
wait_for(int fd, short events, int64_t deadline_ms)
{
    int64_t left = deadline_ms - signet_channel_now_ms();
    if (left <= 0)
        return false;
    struct pollfd p = {.fd = fd, .events = events};
    poll(&p, 1, left < INT_MAX ? (int)left : INT_MAX);
    return true;
}

static enum signet_exchange_result
send_packet(struct signet_connection *c, const void *packet, size_t size, int64_t deadline_ms)
{
    for (;;) {
        if (send(c->socket.fd, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return SIGNET_EXCHANGE_ANSWERED;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return SIGNET_EXCHANGE_LOST;
        if (!wait_for(c->socket.fd, POLLOUT, deadline_ms))
            return SIGNET_EXCHANGE_LATE;
    }
}

static enum signet_exchange_result
receive_packet(struct signet_connection *c, int64_t deadline_ms, size_t *ret_size)
{
    bool may_block = c->receive_timeout_ms != 0 &&
                     signet_channel_now_ms() + c->receive_timeout_ms <= deadline_ms + SLACK_MS;
    for (;;) {
        if (!may_block && !wait_for(c->socket.fd, POLLIN, deadline_ms))
            return SIGNET_EXCHANGE_LATE;
        /* MSG_TRUNC makes it return the packet's own length, which tells when it was too long */
        ssize_t n = recv(c->socket.fd, c->buffer, sizeof(c->buffer),
                         MSG_TRUNC | (may_block ? 0 : MSG_DONTWAIT));
        may_block = false;
        if (n > 0) {
            *ret_size = (size_t)n;
            return SIGNET_EXCHANGE_ANSWERED;
        }
        if (n == 0)
            errno = 0;
        if (n == 0 || (errno != EINTR && errno != EAGAIN))
            return SIGNET_EXCHANGE_LOST;
    }
}

static enum signet_exchange_result
send_hello(struct signet_connection *c, const struct signet_exchange *x)
{
    uint8_t packet[128];
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    struct signet_wire_header header = {
        .version = SIGNET_WIRE_VERSION, .op = SIGNET_WIRE_OP_HELLO, .serial = ++c->serial};
    struct signet_wire_hello_request hello = {.version = SIGNET_WIRE_VERSION,
                                              .program = signet_bytes_from_string(x->program)};
    c->hello_serial = c->serial;
    signet_wire_put_header(&w, &header);
    signet_wire_put_hello_request(&w, &hello);
    return w.failed ? SIGNET_EXCHANGE_UNSENDABLE : send_packet(c, packet, w.size, x->deadline_ms);
}

/* The request's size in the buffer; 0 when it cannot be encoded. */
static size_t
encode(struct signet_connection *c, const struct signet_exchange *x)
{
    struct signet_wire_writer w = {.data = c->buffer, .capacity = sizeof(c->buffer)};
    struct signet_wire_header header = {
        .version = SIGNET_WIRE_VERSION, .op = (uint8_t)x->op, .serial = ++c->serial};
    signet_wire_put_header(&w, &header);
    signet_wire_put_request(&w, x->op, x->message);
    return w.failed ? 0 : w.size;
}

/* What a packet is to who waits for the reply to the last request. */
enum packet_kind {
    PACKET_REPLY,
    PACKET_EARLIER, /* the reply to something nobody waits for any more */
    PACKET_GARBAGE,
};

static enum packet_kind
classify(const struct signet_connection *c, struct signet_exchange *x)
{
    struct signet_wire_reader r = {.data = c->buffer, .size = x->size};
    if (x->size > sizeof(c->buffer) || !signet_wire_get_header(&r, &x->header))
        return PACKET_GARBAGE;
    if (x->header.serial == c->serial)
        return x->header.op == x->op ? PACKET_REPLY : PACKET_GARBAGE;
    if ((int32_t)(x->header.serial - c->serial) > 0)
        return PACKET_GARBAGE;
    bool is_refusal = x->header.serial == c->hello_serial && x->header.op == SIGNET_WIRE_OP_HELLO &&
                      x->header.status != SIGNET_WIRE_STATUS_OK;
    return is_refusal ? PACKET_REPLY : PACKET_EARLIER;
}

enum signet_exchange_result
signet_connection_exchange(struct signet_connection *c, struct signet_exchange *x)
{
    enum signet_exchange_result result = SIGNET_EXCHANGE_ANSWERED;
    if (c->hello_serial == 0)
        result = send_hello(c, x);
    if (result != SIGNET_EXCHANGE_ANSWERED)
        return result;
    size_t size = encode(c, x);
    if (size == 0)
        return SIGNET_EXCHANGE_UNSENDABLE;
    result = send_packet(c, c->buffer, size, x->deadline_ms);

    while (result == SIGNET_EXCHANGE_ANSWERED) {
        result = receive_packet(c, x->deadline_ms, &x->size);
        if (result != SIGNET_EXCHANGE_ANSWERED)
            break;
        enum packet_kind kind = classify(c, x);
        if (kind == PACKET_REPLY)
            break;
        if (kind == PACKET_GARBAGE)
            result = SIGNET_EXCHANGE_GARBAGE;
    }
    return result;
}
