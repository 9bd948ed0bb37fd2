/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The threads' side of a worker, and what both sides share. Included by worker.c and hand.c only.
 * What is called …_locked wants the worker's mutex. */

#pragma once

#include <pthread.h>
#include <semaphore.h>

#include "agent/token/crew.h"
#include "agent/token/request.h"

typedef struct SignetWorker SignetWorker;

/* One thread and its access to the device. */
typedef struct {
    SignetWorker *worker; /* (unowned): outlives its hands */
    gpointer backend;     /* (owned) where it was attached; else (unowned): the worker's */
    /* One post per sleep. A condition variable would leave the mutex marked as contended: one more
     * system call each time. */
    sem_t work;

    /* its thread only */
    gboolean is_open;
    gboolean was_tried;
    gint64 last_try_us;

    /* guarded by the worker's mutex */
    GList link;             /* place in SignetWorker.hands */
    GList idle_link;        /* … .idle, while it sleeps */
    SignetRequest *running; /* (owned, nullable) */
    gint64 began_us;
    gboolean hangs;
    gboolean was_interrupted;
    gboolean is_void; /* another hand closed the device for all */
} SignetHand;

struct SignetWorker {
    char *name;                 /* (owned) of the token */
    GMainContext *main_context; /* (owned) */
    SignetTokenBackend vtable;
    gpointer backend; /* (owned) */
    gint64 patience_us;
    SignetCrew *crew; /* (owned) until it is left */

    /* pthread and not GLib's, because the thread sanitizer understands it. Guards everything below,
     * the places of queue items, SignetRequest.running and .abandoned. */
    pthread_mutex_t mutex;
    SignetQueue *queue; /* (owned) */
    GQueue events;      /* of SignetEvent, for the main context */
    GQueue hands;       /* of SignetHand */
    GQueue idle; /* of SignetHand: who sleeps; the last to fall asleep first, its memory is warm */
    guint limit; /* of hands */
    gint64 grow_us; /* no more hands before then */
    guint n_open;
    guint n_hanging;
    SignetTokenInfo info; /* interned */
    GError *failure;      /* (owned, nullable): why it cannot be used */
    gint64 failed_us;
    gboolean main_sleeps;
    gboolean stopping;
};

/* --- main context --- */

/* One more; its thread is to be started. */
SignetHand *signet_hand_new_locked(SignetWorker *worker);
/* is_first: it waits for those that a worker of the same name left behind, and opens the device for
 * its first request. Else it opens first, and ends without a session, unless it is the last. */
void signet_hand_start(SignetHand *hand, gboolean is_first);

/* --- both sides --- */

/* NULL: all are busy. The caller wakes it once the mutex is free: who is woken wants it first of
 * all. */
SignetHand *signet_hand_take_idle_locked(SignetWorker *worker);
/* hand: nullable */
void signet_hand_wake(SignetHand *hand);
/* TRUE: the main context sleeps; wake it once the mutex is free, or it runs into that first. */
gboolean signet_hand_post_locked(SignetWorker *worker, SignetEvent *event);
/* The token cannot be used, and why. info: nullable. Returns the same. */
gboolean signet_hand_post_failure_locked(SignetWorker *worker, const GError *error,
                                         const SignetTokenInfo *info);
