/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The main context's side: it and the threads wake each other only from sleep. */

#include "agent/token/worker.h"

#include "agent/token/hand.h"

#define FREE_MS        1000
#define INTERRUPTED_MS 500

static gboolean
may_grow_locked(const SignetWorker *worker)
{
    return g_queue_get_length((GQueue *)&worker->hands) < worker->limit &&
           g_get_monotonic_time() >= worker->grow_us;
}

static void
interrupt_all(SignetWorker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    for (GList *l = worker->hands.head; l && worker->vtable.interrupt; l = l->next)
        worker->vtable.interrupt(((SignetHand *)l->data)->backend);
    pthread_mutex_unlock(&worker->mutex);
}

static gint64
hang_limit(const SignetWorker *worker, const SignetHand *hand)
{
    gboolean is_slow =
        hand->running->op == SIGNET_OP_GENERATE || hand->running->op == SIGNET_OP_UNLOCK;
    gint64 patience_us = worker->patience_us * (is_slow ? 10 : 1);

    return MAX(hand->began_us + patience_us, hand->running->item.deadline_us);
}

/* The event is found before the main context sleeps. */
static void
report_hanging_locked(SignetWorker *worker, SignetHand *hand, gint64 now_us)
{
    const char *advice = worker->vtable.hang_advice;
    guint seconds = (guint)((now_us - hand->began_us) / G_USEC_PER_SEC);
    g_autoptr(GError) error = NULL;

    if (hand->was_interrupted)
        signet_error_set(&error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' did not answer for %u s; its module was stopped, and is "
                         "started again at the next use",
                         worker->name, seconds);
    else
        signet_error_set(&error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' has not answered for %u s%s%s", worker->name, seconds,
                         advice ? "; " : "", advice ? advice : "");
    signet_hand_post_failure_locked(worker, error, NULL);
}

/* What was interrupted and did not notice, not having begun to wait, is interrupted again. */
static gint64
deal_with_hanging_locked(SignetWorker *worker, SignetHand *hand, gint64 now_us)
{
    gboolean is_news = !hand->was_interrupted;

    if (worker->vtable.interrupt && worker->vtable.interrupt(hand->backend)) {
        hand->was_interrupted = TRUE;
    } else {
        hand->hangs = TRUE;
        worker->n_hanging++;
    }
    if (is_news)
        report_hanging_locked(worker, hand, now_us);
    return hand->hangs ? G_MAXINT64 : now_us + G_USEC_PER_SEC;
}

gint64
signet_worker_watch(SignetWorker *worker, gint64 now_us)
{
    gint64 next_us = G_MAXINT64;

    pthread_mutex_lock(&worker->mutex);
    for (GList *l = worker->hands.head; l; l = l->next) {
        SignetHand *hand = l->data;
        gint64 when_us;

        if (!hand->running || !hand->running->abandoned || hand->hangs)
            continue;
        when_us = hang_limit(worker, hand);
        if (now_us >= when_us)
            when_us = deal_with_hanging_locked(worker, hand, now_us);
        next_us = MIN(next_us, when_us);
    }
    pthread_mutex_unlock(&worker->mutex);
    return next_us;
}

/* --- main context: requests --- */

/* Takes the request. */
static void
refuse_locked(SignetWorker *worker, SignetRequest *request, SignetQueueVerdict verdict)
{
    if (worker->n_hanging > 0)
        request->error =
            signet_error_new(SIGNET_ERROR_BUSY, "%s",
                             worker->failure ? worker->failure->message : "the token hangs");
    else if (verdict == SIGNET_QUEUE_FULL)
        request->error = signet_error_new(
            SIGNET_ERROR_BUSY, "token '%s' is busy: %u requests are waiting; try again later",
            worker->name, signet_queue_get_length(worker->queue));
    else
        request->error = signet_error_new(
            SIGNET_ERROR_BUSY,
            "token '%s' is busy: too many requests of this client are waiting; try again later",
            worker->name);
    signet_hand_post_locked(worker, &request->event);
}

static gboolean
all_hang_locked(const SignetWorker *worker)
{
    return worker->n_hanging > 0 &&
           worker->n_hanging == g_queue_get_length((GQueue *)&worker->hands) &&
           !may_grow_locked(worker);
}

gboolean
signet_worker_push(SignetWorker *worker, SignetRequest *request)
{
    SignetQueueVerdict verdict = SIGNET_QUEUE_FULL;
    SignetHand *idle = NULL, *extra = NULL;
    gboolean is_first;

    pthread_mutex_lock(&worker->mutex);
    is_first = g_queue_is_empty(&worker->hands);
    if (!all_hang_locked(worker))
        verdict = signet_queue_push(worker->queue, &request->item);
    if (verdict != SIGNET_QUEUE_ADDED)
        refuse_locked(worker, request, verdict);
    else
        idle = signet_hand_take_idle_locked(worker);
    if (verdict == SIGNET_QUEUE_ADDED && !idle && may_grow_locked(worker))
        extra = signet_hand_new_locked(worker);
    pthread_mutex_unlock(&worker->mutex);

    signet_hand_wake(idle);
    if (extra)
        signet_hand_start(extra, is_first);
    return verdict == SIGNET_QUEUE_ADDED;
}

gboolean
signet_worker_abandon(SignetWorker *worker, SignetRequest *request)
{
    gboolean was_waiting;

    pthread_mutex_lock(&worker->mutex);
    was_waiting = signet_queue_remove(worker->queue, &request->item);
    if (!was_waiting)
        request->abandoned = TRUE; /* the thread frees it, or who takes the events */
    pthread_mutex_unlock(&worker->mutex);
    if (was_waiting)
        signet_request_free(request);
    return was_waiting;
}

gboolean
signet_worker_has_answered(SignetWorker *worker, const SignetRequest *request)
{
    gboolean answered;

    pthread_mutex_lock(&worker->mutex);
    answered = !request->item.owner && !request->running;
    pthread_mutex_unlock(&worker->mutex);
    return answered;
}

static SignetEvent *
take_event(SignetWorker *worker, gboolean *ret_abandoned)
{
    GList *link;
    SignetEvent *event;

    pthread_mutex_lock(&worker->mutex);
    link = g_queue_pop_head_link(&worker->events);
    event = link ? link->data : NULL;
    *ret_abandoned =
        event && event->kind == SIGNET_EVENT_DONE && ((SignetRequest *)event)->abandoned;
    pthread_mutex_unlock(&worker->mutex);
    return event;
}

SignetEvent *
signet_worker_next_event(SignetWorker *worker)
{
    SignetEvent *event;
    gboolean abandoned;

    while ((event = take_event(worker, &abandoned)) && abandoned)
        signet_request_free((SignetRequest *)event);
    return event;
}

guint
signet_worker_get_waiting(SignetWorker *worker)
{
    guint waiting;

    pthread_mutex_lock(&worker->mutex);
    waiting = signet_queue_get_length(worker->queue);
    pthread_mutex_unlock(&worker->mutex);
    return waiting;
}

gboolean
signet_worker_before_sleep(SignetWorker *worker)
{
    gboolean ready;

    pthread_mutex_lock(&worker->mutex);
    ready = !g_queue_is_empty(&worker->events);
    worker->main_sleeps = !ready;
    pthread_mutex_unlock(&worker->mutex);
    return ready;
}

gboolean
signet_worker_after_sleep(SignetWorker *worker)
{
    gboolean ready;

    pthread_mutex_lock(&worker->mutex);
    ready = !g_queue_is_empty(&worker->events);
    worker->main_sleeps = FALSE;
    pthread_mutex_unlock(&worker->mutex);
    return ready;
}

/* --- life --- */

static void
destroy(gpointer data)
{
    SignetWorker *worker = data;
    SignetQueueItem *item;
    GList *link;

    while ((item = signet_queue_pop(worker->queue)))
        signet_request_free(signet_request_of_item(item));
    while ((link = g_queue_pop_head_link(&worker->events))) {
        SignetEvent *event = link->data;

        if (event->kind == SIGNET_EVENT_STATE)
            signet_state_event_free((SignetStateEvent *)event);
        else
            signet_request_free((SignetRequest *)event);
    }
    signet_queue_free(worker->queue);
    worker->vtable.free(worker->backend);
    g_main_context_unref(worker->main_context);
    pthread_mutex_destroy(&worker->mutex);
    g_clear_error(&worker->failure);
    g_free(worker->name);
    g_free(worker);
}

SignetWorker *
signet_worker_new(const SignetWorkerSettings *settings, SignetQueue *queue,
                  const SignetTokenBackend *vtable, gpointer backend)
{
    SignetWorker *worker = g_new0(SignetWorker, 1);

    worker->name = g_strdup(settings->name);
    worker->patience_us = (gint64)settings->patience_ms * 1000;
    worker->vtable = *vtable;
    worker->backend = backend;
    worker->queue = queue;
    worker->limit = 1;
    worker->crew = signet_crew_new(worker->name, destroy, worker);
    pthread_mutex_init(&worker->mutex, NULL);
    worker->main_context = g_main_context_ref_thread_default();
    return worker;
}

static void
stop(SignetWorker *worker)
{
    GList *idle;

    pthread_mutex_lock(&worker->mutex);
    worker->stopping = TRUE;
    idle = worker->idle.head;
    g_queue_init(&worker->idle);
    while (idle) {
        GList *next = idle->next;

        signet_hand_wake(idle->data); /* it waits for the mutex before it goes */
        idle = next;
    }
    pthread_mutex_unlock(&worker->mutex);
}

void
signet_worker_free(SignetWorker *worker)
{
    SignetCrew *crew = worker->crew;

    stop(worker);
    if (!signet_crew_wait(crew, FREE_MS)) {
        interrupt_all(worker);
        signet_crew_wait(crew, INTERRUPTED_MS);
    }
    signet_crew_leave(crew);
}
