/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A small agent for the channel's tests, in a process of its own that can be killed and started
 * again. It answers lookup; the identity's name says how. */

#pragma once

#include <stdatomic.h>
#include <sys/types.h>

#include "provider/wire/wire.h"

/* identities with a meaning; any other is answered at once */
#define FAKE_SILENT      "silent"   /* never answered */
#define FAKE_SLOW        "slow"     /* answered after 300 ms; everybody waits */
#define FAKE_BUSY        "busy"     /* busy, until counts.refusals_left is 0 */
#define FAKE_CLOSE       "close"    /* the connection is closed, until counts.refusals_left is 0 */
#define FAKE_DIE         "die"      /* the agent dies, until counts.refusals_left is 0 */
#define FAKE_DENIED      "denied"   /* refused with words */
#define FAKE_SHORT       "short"    /* a reply of five bytes */
#define FAKE_LONG        "long"     /* a good reply but for its length, more than a packet */
#define FAKE_VERSION     "version"  /* a reply of version 2 */
#define FAKE_WRONG_OP    "wrong-op" /* a reply to something else */
#define FAKE_FUTURE      "future"   /* a reply to a later serial */
#define FAKE_STATUS      "status"   /* a status that does not exist */
#define FAKE_BAD_REFUSAL "bad-refusal" /* a refusal whose text is malformed */
#define FAKE_LATE        "late"        /* answered 300 ms later; others do not wait */

/* In memory shared with the test. */
struct fake_counts {
    atomic_uint accepted;
    atomic_uint adopted;
    atomic_uint hellos;
    atomic_uint factories;
    atomic_uint requests;
    atomic_uint refusals_left;
    atomic_uint forbid_hello;    /* hello is refused */
    atomic_uint unanswered_left; /* so many factories are kept, and not answered: what is left of an
                                    agent that died in between */
};

/* What a lookup's reply says besides echoing its spki: generation is the sender's uid, key_type
 * this, chain struct fake_origin. */
enum fake_kind {
    FAKE_BY_PATH = 1,
    FAKE_ADOPTED = 2,
    FAKE_INHERITED = 3,
};
struct fake_origin {
    uint32_t pid;        /* the sender's */
    uint32_t connection; /* a number no other connection of this agent process has */
};

struct fake_agent {
    char directory[64];
    char path[96];
    int listen_fd; /* kept open over restarts, as systemd does; -1: the agent makes its own */
    int store[2];  /* where factories are kept over restarts; -1: nowhere */
    int inherited; /* a connection that exists from the start; -1: none */
    pid_t pid;     /* of the running agent; 0: none */
    struct fake_counts *counts;
};

/* Makes the directory and the listening socket; starts nothing. */
void fake_agent_init(struct fake_agent *agent);
void fake_agent_start(struct fake_agent *agent);
/* kill -9 */
void fake_agent_stop(struct fake_agent *agent);
/* Starts it again in a process that waits before. */
void fake_agent_start_after(struct fake_agent *agent, unsigned delay_ms);
/* Closes the listening socket and removes the path. */
void fake_agent_unlisten(struct fake_agent *agent);
void fake_agent_listen(struct fake_agent *agent);
/* From now on factories survive a restart. */
void fake_agent_keep_factories(struct fake_agent *agent);
void fake_agent_clear(struct fake_agent *agent);
