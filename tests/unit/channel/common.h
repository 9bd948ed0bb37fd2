/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the channel's tests share: a fake agent, a channel to it, and questions. */

#pragma once

#include <check.h>

#include "provider/channel/channel.h"
#include "tests/unit/channel/fake_agent.h"

extern struct fake_agent agent;
extern struct signet_channel *channel; /* with a timeout of COMMON_TIMEOUT_MS */

#define COMMON_TIMEOUT_MS 5000

/* Checked fixture. */
void common_setup(void);
void common_teardown(void);

struct answer {
    uint32_t uid;
    enum fake_kind kind;
    struct fake_origin origin;
};

/* True when the lookup was answered with this very payload. */
bool ask(struct signet_channel *through, const char *identity, const char *payload,
         struct answer *ret_answer, struct signet_channel_failure *ret_failure);
/* The same through 'channel'; fails the test when it is not answered. */
struct answer ask_well(const char *identity);
/* The failure of a question that must fail. */
struct signet_channel_failure ask_in_vain(struct signet_channel *through, const char *identity);
struct signet_channel *new_channel(const char *socket, unsigned timeout_ms);

#define THREADS 8

/* What a thread of the tests does, and how often it went wrong. */
struct work {
    struct signet_channel *channel;
    const char *identity;
    unsigned repeats;
    unsigned number;
    unsigned n_failed;
};
/* Asks a struct work's questions, each with a payload of its own. */
void *work_on(void *work);
/* n threads, at most 32, that each ask so often: how many questions were not answered. */
unsigned
run_threads(struct signet_channel *through, const char *identity, unsigned n, unsigned repeats);

int64_t now_ms(void);
void pause_ms(unsigned ms);
size_t count_open_fds(void);

/* Runs body in a forked child and returns its exit status; a failed assertion is one as well. */
int in_child(int (*body)(void));
pid_t start_child(int (*body)(void));
int wait_child(pid_t pid);
/* The calling process loses the path and root. */
void enter_empty_chroot_as_nobody(void);

Suite *calls_suite(void);
Suite *inherited_suite(void);
Suite *processes_suite(void);
