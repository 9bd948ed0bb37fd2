/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The waiting room of a token: first in first out for one client, round robin among clients,
 * bounded. Pure data structure: no threads, no clock, no allocation per item (the links are in the
 * item). */

#pragma once

#include <glib.h>

typedef struct SignetQueue SignetQueue;

/* Embedded in what waits; must stay where it is while it waits. */
typedef struct {
    guint64 client;
    gint64 deadline_us; /* of the clock of the caller's now_us */
    /* the queue's own */
    GList link;
    struct SignetQueueClient *owner; /* (unowned): NULL while it does not wait */
} SignetQueueItem;

typedef enum {
    SIGNET_QUEUE_ADDED,
    SIGNET_QUEUE_FULL,
    SIGNET_QUEUE_CLIENT_FULL,
} SignetQueueVerdict;

SignetQueue *signet_queue_new(guint limit, guint client_limit);
/* What still waits stays the caller's. */
void signet_queue_free(SignetQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetQueue, signet_queue_free)

SignetQueueVerdict signet_queue_push(SignetQueue *queue, SignetQueueItem *item);
/* One that was popped goes first in turn again, limits or not. */
void signet_queue_put_back(SignetQueue *queue, SignetQueueItem *item);
/* The next one in turn, expired or not; NULL when nobody waits. */
SignetQueueItem *signet_queue_pop(SignetQueue *queue);
/* FALSE when it does not wait (any more). */
gboolean signet_queue_remove(SignetQueue *queue, SignetQueueItem *item);
guint signet_queue_get_length(const SignetQueue *queue);
