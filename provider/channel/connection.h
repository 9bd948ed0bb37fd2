/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One connection to the agent: a socket that is checked to be ours before it is touched, and one
 * exchange at a time on it. */

#pragma once

#include <pthread.h>
#include <sys/stat.h>

#include "provider/wire/wire.h"

/* A descriptor and what it was when we got it: the program around us may close it and reuse its
 * number. fd -1: none. */
struct signet_socket {
    int fd;
    dev_t device;
    ino_t inode;
};

/* Takes fd, moving it above the standard ones; on failure it is closed and *ret_socket is none. */
bool signet_socket_hold(struct signet_socket *ret_socket, int fd);
bool signet_socket_is_ours(const struct signet_socket *socket);
/* Closes it if it is still ours; none afterwards. */
void signet_socket_drop(struct signet_socket *socket);
/* The other end is gone. Never blocks. */
bool signet_socket_is_dead(const struct signet_socket *socket);

int64_t signet_channel_now_ms(void);                   /* CLOCK_MONOTONIC */
void signet_condition_init(pthread_cond_t *condition); /* for waits until such a time */

struct signet_connection {
    struct signet_connection *next; /* the pool's */
    bool is_busy;                   /* the pool's */
    bool is_by_path;                /* the pool's: the path still leads to the agent from here */
    struct signet_socket socket;    /* changed only by the pool */
    unsigned receive_timeout_ms;    /* SO_RCVTIMEO; 0: recv() may not be trusted to come back */
    uint32_t serial;                /* of the last request */
    uint32_t hello_serial;          /* 0: hello has not been sent */
    uint8_t buffer[SIGNET_WIRE_PACKET_MAX];
};

enum signet_exchange_result {
    SIGNET_EXCHANGE_ANSWERED,
    SIGNET_EXCHANGE_LOST,    /* the connection broke before the answer: errno, 0 at end of file */
    SIGNET_EXCHANGE_LATE,    /* no answer until the deadline */
    SIGNET_EXCHANGE_GARBAGE, /* not an answer */
    SIGNET_EXCHANGE_UNSENDABLE, /* it cannot be encoded: nothing was sent */
};

struct signet_exchange {
    enum signet_wire_op op;
    const void *message;
    const char *program; /* for hello */
    int64_t deadline_ms;
    size_t size; /* set when ANSWERED: of the packet in the connection's buffer */
    struct signet_wire_header header; /* set when ANSWERED; of hello's reply if that was refused */
};

/* Sends hello (once, without waiting for its reply) and the request, and waits for the reply. After
 * anything but ANSWERED and UNSENDABLE the connection must be dropped, or at least its next reply
 * may be this one's. */
enum signet_exchange_result
signet_connection_exchange(struct signet_connection *connection, struct signet_exchange *exchange);
