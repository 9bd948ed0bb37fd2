/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The pool: who uses which connection, how new ones are made, and what a fork changes. */

#include "provider/channel/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Every pool of the process, for the fork handlers. */
static pthread_mutex_t registry_lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards pools; taken before any pool's lock */
static struct signet_pool *pools;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

/* In a forked child: gives up the parent's working connections without sending a byte. The factory
 * stays: it is made to be shared. */
static void
disown(struct signet_pool *pool)
{
    for (struct signet_connection *c = pool->connections; c != NULL; c = c->next) {
        signet_socket_drop(&c->socket);
        c->is_busy = false;
    }
    pool->is_inherited_gone = true;
    signet_condition_init(&pool->released);
}

static void
before_fork(void)
{
    pthread_mutex_lock(&registry_lock);
    for (struct signet_pool *pool = pools; pool != NULL; pool = pool->next)
        pthread_mutex_lock(&pool->lock);
}

static void
after_fork_in_parent(void)
{
    for (struct signet_pool *pool = pools; pool != NULL; pool = pool->next)
        pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&registry_lock);
}

static void
after_fork_in_child(void)
{
    for (struct signet_pool *pool = pools; pool != NULL; pool = pool->next) {
        disown(pool);
        atomic_store(&pool->owner, getpid());
        pthread_mutex_unlock(&pool->lock);
    }
    pthread_mutex_unlock(&registry_lock);
}

static void
register_fork_handlers(void)
{
    /* without them (no memory) signet_pool_check_fork() still does what is necessary */
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void
parse_socket(struct signet_pool *pool, const char *socket)
{
    int end = 0;
    pool->inherited_fd = -1;
    pool->address.sun_family = AF_UNIX;
    if (sscanf(socket, "fd:%9d%n", &pool->inherited_fd, &end) == 1 && socket[end] == '\0' &&
        pool->inherited_fd >= 0)
        return;
    pool->inherited_fd = -1;
    if (strlen(socket) < sizeof(pool->address.sun_path))
        strcpy(pool->address.sun_path, socket);
}

void
signet_pool_init(struct signet_pool *pool, const char *socket, unsigned timeout_ms)
{
    *pool = (struct signet_pool) {.timeout_ms = timeout_ms, .factory = {.fd = -1}};
    parse_socket(pool, socket);
    pthread_mutex_init(&pool->lock, NULL);
    signet_condition_init(&pool->released);
    atomic_store(&pool->owner, getpid());

    pthread_once(&registry_once, register_fork_handlers);
    pthread_mutex_lock(&registry_lock);
    pool->next = pools;
    pools = pool;
    pthread_mutex_unlock(&registry_lock);
}

static void
remove_connection(struct signet_pool *pool, struct signet_connection *connection)
{
    struct signet_connection **at = &pool->connections;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    signet_socket_drop(&connection->socket);
    free(connection);
}

void
signet_pool_clear(struct signet_pool *pool)
{
    signet_pool_check_fork(pool);
    pthread_mutex_lock(&registry_lock);
    struct signet_pool **at = &pools;
    while (*at != pool)
        at = &(*at)->next;
    *at = pool->next;
    pthread_mutex_unlock(&registry_lock);

    signet_socket_drop(&pool->factory);
    while (pool->connections != NULL)
        remove_connection(pool, pool->connections);
    pthread_cond_destroy(&pool->released);
    pthread_mutex_destroy(&pool->lock);
}

void
signet_pool_check_fork(struct signet_pool *pool)
{
    pid_t self = getpid(), owner = atomic_load_explicit(&pool->owner, memory_order_acquire);
    if (owner == self)
        return;
    if (owner != -self && atomic_compare_exchange_strong(&pool->owner, &owner, -self)) {
        /* nobody unlocks what another thread of the parent had locked */
        pthread_mutex_init(&pool->lock, NULL);
        disown(pool);
        atomic_store(&pool->owner, self);
    }
    while (atomic_load(&pool->owner) != self)
        sched_yield();
}

void
signet_pool_interrupt(struct signet_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->is_interrupted, true);
    for (struct signet_connection *c = pool->connections; c != NULL; c = c->next)
        if (signet_socket_is_ours(&c->socket))
            shutdown(c->socket.fd, SHUT_RDWR);
    pthread_mutex_unlock(&pool->lock);
}

/* Waits until the one inherited connection is free. */
static bool
wait_for_release(struct signet_pool *pool, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    return pthread_cond_timedwait(&pool->released, &pool->lock, &until) == 0;
}

/* One with a socket if there is one, unless fresh. */
static struct signet_connection *
find_free(struct signet_pool *pool, bool fresh)
{
    struct signet_connection *closed = NULL;
    for (struct signet_connection *c = pool->connections; c != NULL; c = c->next) {
        if (!c->is_busy && c->socket.fd >= 0 && !fresh)
            return c;
        if (!c->is_busy && c->socket.fd < 0)
            closed = c;
    }
    return closed;
}

static struct signet_connection *
add_connection(struct signet_pool *pool)
{
    struct signet_connection *c = malloc(sizeof(*c)); /* not zeroed: 64 KiB of buffer */
    if (c == NULL)
        return NULL;
    c->socket = (struct signet_socket) {.fd = -1};
    c->next = pool->connections;
    pool->connections = c;
    return c;
}

struct signet_connection *
signet_pool_acquire(struct signet_pool *pool, bool fresh, int64_t deadline_ms)
{
    pthread_mutex_lock(&pool->lock);
    struct signet_connection *c = find_free(pool, fresh);
    bool in_time = true;
    while (c == NULL && in_time && pool->inherited_fd >= 0 && pool->connections != NULL) {
        in_time = wait_for_release(pool, deadline_ms);
        c = find_free(pool, fresh);
    }
    if (c == NULL && in_time)
        c = add_connection(pool);
    if (c != NULL)
        c->is_busy = true;
    pthread_mutex_unlock(&pool->lock);
    if (c == NULL)
        errno = in_time ? ENOMEM : ETIMEDOUT;
    return c;
}

void
signet_pool_release(struct signet_pool *pool, struct signet_connection *connection)
{
    size_t n_free = 0;
    if (connection == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    for (struct signet_connection *c = pool->connections; c != NULL; c = c->next)
        n_free += !c->is_busy;
    connection->is_busy = false;
    if (n_free >= SIGNET_POOL_IDLE_MAX)
        remove_connection(pool, connection);
    if (pool->inherited_fd >= 0)
        pthread_cond_signal(&pool->released);
    pthread_mutex_unlock(&pool->lock);
}

void
signet_pool_hang_up(struct signet_pool *pool, struct signet_connection *connection)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_inherited_gone = pool->is_inherited_gone || connection->socket.fd >= 0;
    signet_socket_drop(&connection->socket);
    pthread_mutex_unlock(&pool->lock);
}

/* Takes fd for the connection. The lock is held. */
static bool
attach(struct signet_pool *pool, struct signet_connection *c, int fd)
{
    if (!signet_socket_hold(&c->socket, fd))
        return false;
    c->serial = c->hello_serial = 0;
    c->is_by_path = false;
    c->receive_timeout_ms = 0;
    if (pool->inherited_fd >= 0)
        return true; /* others may use the same socket: its options are not ours */
    struct timeval timeout = {.tv_sec = pool->timeout_ms / 1000,
                              .tv_usec = pool->timeout_ms % 1000 * 1000};
    if (setsockopt(c->socket.fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0)
        c->receive_timeout_ms = pool->timeout_ms;
    return true;
}

static enum signet_pool_opened
judge_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED: /* a socket that nobody listens at: a service manager would */
        return SIGNET_POOL_ABSENT;
    case ECONNRESET:
    case EAGAIN:
    case EINTR:
        return SIGNET_POOL_AWAY;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return SIGNET_POOL_EXHAUSTED;
    default:
        return SIGNET_POOL_FORBIDDEN;
    }
}

/* Blocks while the listener's queue is full, at most until the deadline. */
static bool
connect_until(struct signet_connection *c, const struct sockaddr_un *address, int64_t deadline_ms)
{
    int64_t left = deadline_ms - signet_channel_now_ms();
    if (left <= 0)
        left = 1;
    struct timeval timeout = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    (void)setsockopt(c->socket.fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    return connect(c->socket.fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

static enum signet_pool_opened
open_by_path(struct signet_pool *pool, struct signet_connection *connection, int64_t deadline_ms)
{
    if (pool->address.sun_path[0] == '\0') {
        errno = ENAMETOOLONG;
        return SIGNET_POOL_FORBIDDEN;
    }
    /* made under the lock, so that a child forked meanwhile knows of it and closes its copy */
    pthread_mutex_lock(&pool->lock);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool is_attached = fd >= 0 && attach(pool, connection, fd);
    pthread_mutex_unlock(&pool->lock);

    if (is_attached && connect_until(connection, &pool->address, deadline_ms)) {
        connection->is_by_path = true;
        return SIGNET_POOL_OPENED;
    }
    int error = errno;
    signet_pool_hang_up(pool, connection);
    errno = error;
    return judge_errno(error);
}

/* PROTOCOL.md 6.5. */
static bool
send_adopt(int factory, int end)
{
    uint8_t packet[SIGNET_WIRE_HEADER_SIZE];
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    struct signet_wire_header header = {.version = SIGNET_WIRE_VERSION, .op = SIGNET_WIRE_OP_ADOPT};
    signet_wire_put_header(&w, &header);

    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec body = {.iov_base = packet, .iov_len = w.size};
    struct msghdr message = {.msg_iov = &body,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &end, sizeof(int));
    return sendmsg(factory, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* A new pair, one end of it for the agent. Never blocks; the lock is held. */
static enum signet_pool_opened
adopt(struct signet_pool *pool, struct signet_connection *c)
{
    int pair[2], on = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return judge_errno(errno);
    (void)setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    bool is_sent = send_adopt(pool->factory.fd, pair[1]);
    int error = errno;
    close(pair[1]);
    if (is_sent)
        return attach(pool, c, pair[0]) ? SIGNET_POOL_OPENED : SIGNET_POOL_EXHAUSTED;

    close(pair[0]);
    bool is_full = error == EAGAIN || error == EINTR || error == ETOOMANYREFS;
    if (is_full || judge_errno(error) == SIGNET_POOL_EXHAUSTED)
        return SIGNET_POOL_AWAY;
    signet_socket_drop(&pool->factory); /* EPIPE, ECONNRESET: an agent that is no more */
    return SIGNET_POOL_ABSENT;
}

/* ABSENT: there is no factory, or it has died. */
static enum signet_pool_opened
open_by_factory(struct signet_pool *pool, struct signet_connection *connection)
{
    pthread_mutex_lock(&pool->lock);
    enum signet_pool_opened opened = SIGNET_POOL_ABSENT;
    if (signet_socket_is_ours(&pool->factory))
        opened = adopt(pool, connection);
    else
        pool->factory.fd = -1;
    pthread_mutex_unlock(&pool->lock);
    return opened;
}

/* A copy of the descriptor that this process was started with, which is the program's to close. */
static enum signet_pool_opened
open_inherited(struct signet_pool *pool, struct signet_connection *connection)
{
    int type = 0;
    socklen_t size = sizeof(type);
    if (getsockopt(pool->inherited_fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return SIGNET_POOL_FORBIDDEN;
    if (type != SOCK_SEQPACKET) {
        errno = EPROTOTYPE;
        return SIGNET_POOL_FORBIDDEN;
    }
    pthread_mutex_lock(&pool->lock);
    bool is_open = false;
    if (pool->is_inherited_gone) {
        errno = EPIPE;
    } else {
        int fd = fcntl(pool->inherited_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        is_open = fd >= 0 && attach(pool, connection, fd);
    }
    pthread_mutex_unlock(&pool->lock);
    return is_open ? SIGNET_POOL_OPENED : SIGNET_POOL_FORBIDDEN;
}

enum signet_pool_opened
signet_pool_open(struct signet_pool *pool, struct signet_connection *connection,
                 int64_t deadline_ms)
{
    if (pool->inherited_fd >= 0)
        return open_inherited(pool, connection);

    pthread_mutex_lock(&pool->lock);
    bool is_child = pool->factory.fd >= 0 && pool->factory_opener != getpid();
    pthread_mutex_unlock(&pool->lock);
    enum signet_pool_opened by_factory = SIGNET_POOL_ABSENT;
    if (is_child)
        by_factory = open_by_factory(pool, connection);
    if (by_factory == SIGNET_POOL_OPENED)
        return by_factory;

    enum signet_pool_opened by_path = open_by_path(pool, connection, deadline_ms);
    if (by_path == SIGNET_POOL_OPENED)
        return by_path;
    int error = errno;
    if (!is_child)
        by_factory = open_by_factory(pool, connection);
    errno = error;
    /* without a factory it is the path's failure that counts */
    return by_factory == SIGNET_POOL_ABSENT ? by_path : by_factory;
}

/* The lock is held. */
static bool
is_factory_alive(struct signet_pool *pool)
{
    if (!signet_socket_is_ours(&pool->factory)) {
        pool->factory.fd = -1;
        return false;
    }
    if (!signet_socket_is_dead(&pool->factory))
        return true;
    signet_socket_drop(&pool->factory);
    return false;
}

bool
signet_pool_needs_factory(struct signet_pool *pool, bool wants)
{
    pthread_mutex_lock(&pool->lock);
    pool->wants_factory |= wants;
    bool needs = pool->wants_factory && pool->inherited_fd < 0 && !is_factory_alive(pool);
    pthread_mutex_unlock(&pool->lock);
    return needs;
}

void
signet_pool_keep_factory(struct signet_pool *pool, struct signet_connection *connection)
{
    pthread_mutex_lock(&pool->lock);
    if (!is_factory_alive(pool)) {
        pool->factory = connection->socket;
        pool->factory_opener = getpid();
        connection->socket.fd = -1;
    }
    signet_socket_drop(&connection->socket);
    pthread_mutex_unlock(&pool->lock);
}
