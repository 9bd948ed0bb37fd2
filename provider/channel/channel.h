/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The application's side of the private socket: a pool of connections, deadlines, a fork check,
 * transparent reconnect. No threads of its own, no signals, no stdio; thread-safe; survives fork,
 * chroot, setuid and a restart of the agent. */

#pragma once

#include "provider/wire/wire.h"

struct signet_channel;

enum signet_channel_error {
    SIGNET_CHANNEL_OK = 0,
    SIGNET_CHANNEL_UNREACHABLE, /* no agent behind the socket within the deadline */
    SIGNET_CHANNEL_TIMED_OUT,   /* the agent did not answer within the deadline */
    SIGNET_CHANNEL_PROTOCOL,    /* it answered nonsense */
    SIGNET_CHANNEL_REFUSED,     /* it answered an error: see status and text */
    SIGNET_CHANNEL_NO_MEMORY,
};

/* What went wrong, in words that name the socket or repeat the agent's. Meaningful only after a
 * call that returned false. */
struct signet_channel_failure {
    enum signet_channel_error error;
    enum signet_wire_status status; /* with REFUSED */
    char text[SIGNET_WIRE_TEXT_MAX + 1];
};

struct signet_channel_settings {
    const char *socket;  /* path, or "fd:N" for an inherited connection (an enroller's); copied */
    unsigned timeout_ms; /* for one call, reconnects included; 0: 20,000 */
    const char *program; /* for the agent's log; copied; nullable */
};

/* Reads nothing, connects nothing. NULL when out of memory. */
struct signet_channel *signet_channel_new(const struct signet_channel_settings *settings);
/* Closes this process's descriptors without sending a byte. No call may be under way. */
void signet_channel_free(struct signet_channel *channel);

/* Opens the factory connection, which lets forked children reach the agent without a path, and this
 * process after a chroot. Call it when a key is loaded. Idempotent; blocks up to the timeout.
 * False: ret_failure; a later call that reaches the agent by its path then opens it, as it does
 * when the factory has died with its agent. Does nothing with "fd:N". */
bool
signet_channel_prepare(struct signet_channel *channel, struct signet_channel_failure *ret_failure);

/* One request and its reply. On success the
 * caller gets the whole reply packet: *ret_packet (release with signet_channel_release()) and a
 * reader that stands behind the header.
 *
 * Blocks up to the timeout. Repeats itself when the agent went away before it answered (every
 * operation is idempotent) or is busy. How long it waits for an agent that cannot be reached:
 *
 *   - the whole timeout if this channel has had an answer, in this process or a parent;
 *   - the whole timeout while somebody listens at the path, or a factory is held for the next
 * agent;
 *   - SIGNET_CHANNEL_GRACE_MS when nobody does: no agent is installed, or it starts just now;
 *   - the same after a call that waited in vain: a server whose agent is gone is slowed down once;
 *   - not at all when the reason will not change by itself (permission), and with "fd:N".
 *
 * The caller's errno, signal mask and signals are left alone; the calling thread cannot be
 * cancelled meanwhile. */
#define SIGNET_CHANNEL_GRACE_MS 2000u
struct signet_channel_call {
    enum signet_wire_op op;
    const void *message;  /* as signet_wire_put_request() takes it */
    unsigned patience_ms; /* how much longer than the timeout a reply may take; such a request is
                             not repeated after that timeout */
};
struct signet_channel_reply {
    uint8_t *packet; /* (owned) */
    size_t size;
    struct signet_wire_reader reader;
};
bool signet_channel_call(struct signet_channel *channel, const struct signet_channel_call *call,
                         struct signet_channel_reply *ret_reply,
                         struct signet_channel_failure *ret_failure);
/* Ends the calls of other threads that are under way, soon, with UNREACHABLE or TIMED_OUT; so do
 * later ones. What remains is to free it, when they are over. */
void signet_channel_interrupt(struct signet_channel *channel);
/* Cleanses and frees the packet; harmless on a zeroed reply. */
void signet_channel_release(struct signet_channel_reply *reply);
