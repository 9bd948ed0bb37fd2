/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The thread that runs a token's operations, and the hand-off of requests to it and of events back
 * to the main context. Private to agent/token. Everything but the operations themselves is called
 * from the main context. */

#pragma once

#include "agent/token/backend.h"
#include "agent/token/queue.h"

typedef struct SignetWorker SignetWorker;

/* What travels back, in the order in which it happened. */
typedef enum {
    SIGNET_EVENT_DONE,  /* is the first member of a SignetRequest */
    SIGNET_EVENT_STATE, /* … of a SignetStateEvent */
} SignetEventKind;

typedef struct {
    SignetEventKind kind;
    GList link;
} SignetEvent;

typedef struct {
    SignetEvent event;
    SignetTokenState state;
    SignetTokenInfo info; /* READY, LOCKED (kind may be NULL: as before); interned */
    char *problem;        /* (owned, nullable) */
} SignetStateEvent;

void signet_state_event_free(SignetStateEvent *event);

typedef enum {
    SIGNET_OP_SIGN,
    SIGNET_OP_DECRYPT,
    SIGNET_OP_DERIVE,
    SIGNET_OP_GENERATE,
    SIGNET_OP_ADOPT,
    SIGNET_OP_DESTROY,
    SIGNET_OP_PROBE,
    SIGNET_OP_LEARN,
    SIGNET_OP_UNLOCK,
    SIGNET_OP_LOCK,
} SignetOp;

/* The caller may make it the first member of something larger that needs no clearing of its own. */
typedef struct {
    SignetEvent event;
    SignetQueueItem item;
    gboolean abandoned; /* the worker's: nobody wants the answer any more */

    SignetOp op;
    guint timeout_ms;
    SignetKey *key;         /* (owned, nullable) */
    SignetKeyScheme scheme; /* its label is owned */
    GBytes *data;           /* (owned, nullable) */
    SignetSecret *auth;     /* (owned, nullable) ADOPT */
    SignetKeyTemplate template;
    SignetLesson lesson;
    SignetTokenUnlock unlock; /* its pin is owned */

    /* the answer */
    gint64 duration_us;    /* that the backend worked on it */
    GBytes *result;        /* (owned, nullable) */
    SignetKey *result_key; /* (owned, nullable) */
    GError *error;         /* (owned, nullable) */
} SignetRequest;

/* request: zeros. scheme, key, data: nullable. */
void signet_request_init(SignetRequest *request, SignetOp op, SignetKey *key,
                         const SignetKeyScheme *scheme, GBytes *data);
/* With g_free(), the something larger too. */
void signet_request_free(SignetRequest *request);

/* Takes queue and backend. The thread starts at the first push. */
SignetWorker *signet_worker_new(const char *name, SignetQueue *queue,
                                const SignetTokenBackend *vtable, gpointer backend);
/* Waits for the operation that is running; what waits or was not taken is freed unanswered. */
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

/* For the event source: between the two the main context is woken up when an event comes. Both say
 * whether there are any. */
gboolean signet_worker_before_sleep(SignetWorker *worker);
gboolean signet_worker_after_sleep(SignetWorker *worker);
