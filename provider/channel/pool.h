/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The connections of one channel and the factory, in a process that may fork, chroot and change its
 * user at any time. */

#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "provider/channel/connection.h"

#define SIGNET_POOL_IDLE_MAX 8u /* connections kept open for the next call */

struct signet_pool {
    struct signet_pool *next; /* in the list that the fork handlers walk */

    struct sockaddr_un address; /* empty path: too long a one was given */
    int inherited_fd;           /* "fd:N"; -1: connect to the address */
    unsigned timeout_ms;

    /* Guards what follows and the sockets of all connections; never held while anything blocks, so
     * that fork(), which takes it, need not wait. */
    pthread_mutex_t lock;
    pthread_cond_t released; /* inherited_fd only: its one connection is free */
    struct signet_connection *connections;
    struct signet_socket factory;
    pid_t factory_opener;
    bool is_inherited_gone; /* lost, or another process's */
    bool wants_factory;

    atomic_bool is_interrupted; /* set under the lock: sockets that come later are not used */

    /* The process whose connections these are; negative while a child takes over. */
    _Atomic pid_t owner;
};

/* socket: a path or "fd:N". Opens nothing. */
void signet_pool_init(struct signet_pool *pool, const char *socket, unsigned timeout_ms);
/* Closes this process's descriptors. No call may be under way. */
void signet_pool_clear(struct signet_pool *pool);

/* To be called first in every use: a process made by _Fork() or clone() has not run the fork
 * handlers. */
void signet_pool_check_fork(struct signet_pool *pool);

/* A connection for the caller alone: an idle one, or one without a socket (always with fresh).
 * NULL: ETIMEDOUT (inherited_fd: others were using it until the deadline) or ENOMEM. */
struct signet_connection *
signet_pool_acquire(struct signet_pool *pool, bool fresh, int64_t deadline_ms);
/* Back to the pool, with its socket if that is to be used again; harmless with NULL. */
void signet_pool_release(struct signet_pool *pool, struct signet_connection *connection);
/* Closes the connection's socket, if it has one. */
void signet_pool_hang_up(struct signet_pool *pool, struct signet_connection *connection);

/* Wakes those who wait at a connection. No connection is to be used any more. */
void signet_pool_interrupt(struct signet_pool *pool);

enum signet_pool_opened {
    SIGNET_POOL_OPENED,
    SIGNET_POOL_ABSENT,    /* nobody listens at this path, and there is no factory */
    SIGNET_POOL_AWAY,      /* too many want to connect: may change soon */
    SIGNET_POOL_EXHAUSTED, /* this process or machine has no descriptors or memory left */
    SIGNET_POOL_FORBIDDEN, /* will not change by itself */
};
/* Gives the connection a socket. In the process that opened the factory: by path, else through the
 * factory; in its children the other way round, so that a child's first attempt works in a chroot
 * and as any user. errno says more. */
enum signet_pool_opened signet_pool_open(struct signet_pool *pool,
                                         struct signet_connection *connection, int64_t deadline_ms);
/* A factory is wanted, from now on or since earlier, and none is alive; never with inherited_fd. */
bool signet_pool_needs_factory(struct signet_pool *pool, bool wants);
/* Makes the connection's socket the factory, unless another thread was faster. */
void signet_pool_keep_factory(struct signet_pool *pool, struct signet_connection *connection);
