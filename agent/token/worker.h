/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The threads that run a token's operations, and the hand-off of requests to them and of events
 * back to the main context. Private to agent/token. Everything but the operations themselves is
 * called from the main context. There is one thread, or, where the backend can be attached to, as
 * many as the open token says (SignetTokenInfo.sessions), each started when all others are busy. */

#pragma once

#include "agent/token/request.h"

typedef struct SignetWorker SignetWorker;

typedef struct {
    const char *name;  /* copied */
    guint patience_ms; /* an operation hangs after that time, and after its deadline; key
                          generation: ten times as long */
} SignetWorkerSettings;

/* Takes queue and backend. The first thread starts at the first push, and waits up to five seconds
 * for those that a worker of the same name left behind. */
SignetWorker *signet_worker_new(const SignetWorkerSettings *settings, SignetQueue *queue,
                                const SignetTokenBackend *vtable, gpointer backend);
/* Waits for the operations that are running and the device to be closed, a second at most; then
 * they go on by themselves, and free what they use when they are over. What waits or was not taken
 * is freed unanswered. */
void signet_worker_free(SignetWorker *worker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetWorker, signet_worker_free)

/* Takes the request until it comes back as an event. FALSE: it was refused with BUSY, and comes
 * back too. */
gboolean signet_worker_push(SignetWorker *worker, SignetRequest *request);
/* Takes the request for good: it does not come back, and must not be looked at any more. TRUE when
 * it was still waiting. */
gboolean signet_worker_abandon(SignetWorker *worker, SignetRequest *request);
/* It is over and will come as the answer to signet_worker_next_event(). */
gboolean signet_worker_has_answered(SignetWorker *worker, const SignetRequest *request);
/* The caller owns what it gets; NULL when there is nothing (more). */
SignetEvent *signet_worker_next_event(SignetWorker *worker);
guint signet_worker_get_waiting(SignetWorker *worker);
/* Looks at running operations that were abandoned, and does what can be done about those that hang:
 * the token is FAILED until it answers again, and refuses requests when all its threads hang.
 * Returns when it must be called again (monotonic), or G_MAXINT64. */
gint64 signet_worker_watch(SignetWorker *worker, gint64 now_us);

/* For the event source: between the two the main context is woken up when an event comes. Both say
 * whether there are any. */
gboolean signet_worker_before_sleep(SignetWorker *worker);
gboolean signet_worker_after_sleep(SignetWorker *worker);
