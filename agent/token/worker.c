/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One thread and one semaphore to wake it; it and the main context wake each other only from
 * sleep. */

#include "agent/token/worker.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#define REOPEN_INTERVAL_US G_USEC_PER_SEC

struct SignetWorker {
    char *name;      /* (owned) of the token */
    GThread *thread; /* (owned, nullable): main context only; NULL before the first request */
    GMainContext *main_context; /* (owned) */
    /* One post per sleep. A condition variable would leave the mutex marked as contended: one more
     * system call each time. */
    sem_t work;

    /* the worker's thread only */
    SignetTokenBackend vtable;
    gpointer backend; /* (owned) */
    gboolean is_open;
    gboolean was_tried;
    gint64 last_try_us;
    GError *failure; /* (owned, nullable): why it is not open */

    /* pthread and not GLib's, because the thread sanitizer understands it. Guards everything below,
     * the places of queue items and SignetRequest.abandoned. */
    pthread_mutex_t mutex;
    SignetQueue *queue;     /* (owned) */
    GQueue events;          /* of SignetEvent, for the main context */
    SignetRequest *running; /* (owned, nullable) */
    gboolean main_sleeps;
    gboolean worker_sleeps;
    gboolean stopping;
};

void
signet_state_event_free(SignetStateEvent *event)
{
    g_free(event->problem);
    g_free(event);
}

void
signet_request_init(SignetRequest *request, SignetOp op, SignetKey *key,
                    const SignetKeyScheme *scheme, GBytes *data)
{
    request->event.kind = SIGNET_EVENT_DONE;
    request->event.link.data = request;
    request->op = op;
    request->key = key ? signet_key_ref(key) : NULL;
    request->data = data ? g_bytes_ref(data) : NULL;
    if (scheme) {
        request->scheme = *scheme;
        request->scheme.label = scheme->label ? g_bytes_ref(scheme->label) : NULL;
    }
}

void
signet_request_free(SignetRequest *request)
{
    g_clear_pointer(&request->key, signet_key_unref);
    g_clear_pointer(&request->scheme.label, g_bytes_unref);
    g_clear_pointer(&request->data, g_bytes_unref);
    g_clear_pointer(&request->unlock.pin, signet_secret_unref);
    g_clear_pointer(&request->auth, signet_secret_unref);
    g_clear_pointer(&request->result, g_bytes_unref);
    g_clear_pointer(&request->result_key, signet_key_unref);
    g_clear_error(&request->error);
    g_free(request);
}

/* --- events --- */

/* TRUE: the main context sleeps; wake it once the mutex is free, or it runs into that first. */
static gboolean
post_locked(SignetWorker *worker, SignetEvent *event)
{
    gboolean main_sleeps = worker->main_sleeps;

    g_queue_push_tail_link(&worker->events, &event->link);
    worker->main_sleeps = FALSE;
    return main_sleeps;
}

static void
post(SignetWorker *worker, SignetEvent *event)
{
    gboolean main_sleeps;

    pthread_mutex_lock(&worker->mutex);
    main_sleeps = post_locked(worker, event);
    pthread_mutex_unlock(&worker->mutex);
    if (main_sleeps)
        g_main_context_wakeup(worker->main_context);
}

static void
post_state(SignetWorker *worker, SignetTokenState state, const SignetTokenInfo *info)
{
    SignetStateEvent *event = g_new0(SignetStateEvent, 1);

    event->event.kind = SIGNET_EVENT_STATE;
    event->event.link.data = event;
    event->state = state;
    if (info)
        event->info = (SignetTokenInfo) {.kind = g_intern_string(info->kind),
                                         .protection = g_intern_string(info->protection),
                                         .description = g_intern_string(info->description),
                                         .lock.unlock_by = g_intern_string(info->lock.unlock_by),
                                         .lock.tries = g_intern_string(info->lock.tries)};
    if (state != SIGNET_TOKEN_STATE_READY)
        event->problem = g_strdup(worker->failure->message);
    post(worker, &event->event);
}

static SignetTokenState
state_of(const GError *error)
{
    if (signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT))
        return SIGNET_TOKEN_STATE_ABSENT;
    return signet_error_is(error, SIGNET_ERROR_PIN_NEEDED) ? SIGNET_TOKEN_STATE_LOCKED
                                                           : SIGNET_TOKEN_STATE_FAILED;
}

/* info: nullable */
static void
note_failure(SignetWorker *worker, const GError *error, const SignetTokenInfo *info)
{
    g_clear_error(&worker->failure);
    worker->failure = g_error_copy(error);
    worker->is_open = FALSE;
    post_state(worker, state_of(error), info);
}

/* --- the thread --- */

static SignetRequest *
request_of_item(SignetQueueItem *item)
{
    return (SignetRequest *)((char *)item - G_STRUCT_OFFSET(SignetRequest, item));
}

static gboolean
may_try(const SignetWorker *worker)
{
    return !worker->was_tried || g_get_monotonic_time() - worker->last_try_us >= REOPEN_INTERVAL_US;
}

/* unlock: nullable */
static gboolean
open_device(SignetWorker *worker, const SignetTokenUnlock *unlock, GError **error)
{
    SignetTokenInfo info = {0};
    g_autoptr(GError) local = NULL;

    worker->is_open = unlock ? worker->vtable.unlock(worker->backend, unlock, &info, &local)
                             : worker->vtable.open(worker->backend, &info, &local);
    worker->was_tried = TRUE;
    worker->last_try_us = g_get_monotonic_time();
    if (!worker->is_open) {
        note_failure(worker, local, &info);
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_clear_error(&worker->failure);
    post_state(worker, SIGNET_TOKEN_STATE_READY, &info);
    return TRUE;
}

static gboolean
ensure_open(SignetWorker *worker, GError **error)
{
    if (worker->is_open)
        return TRUE;
    if (worker->failure && !may_try(worker)) {
        g_propagate_error(error, g_error_copy(worker->failure));
        return FALSE;
    }
    return open_device(worker, NULL, error);
}

static void
learn(SignetWorker *worker, SignetRequest *request)
{
    g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) value = NULL;

    if (worker->vtable.learn && !worker->vtable.learn(worker->backend, request->lesson,
                                                      request->key, &facts, &request->error))
        return;
    value = g_variant_ref_sink(g_variant_dict_end(&facts));
    request->result = g_variant_get_data_as_bytes(value);
}

static void
adopt(SignetWorker *worker, SignetRequest *request)
{
    if (worker->vtable.adopt)
        request->result_key = worker->vtable.adopt(worker->backend, request->data, request->auth,
                                                   &request->result, &request->error);
    else
        signet_error_set(&request->error, SIGNET_ERROR_UNSUPPORTED,
                         "token '%s' has no keys that could be adopted", worker->name);
}

static void
run_operation(SignetWorker *worker, SignetRequest *request)
{
    const SignetTokenBackend *vtable = &worker->vtable;
    gint64 start_us = g_get_monotonic_time();

    switch (request->op) {
    case SIGNET_OP_SIGN:
        request->result = vtable->sign(worker->backend, request->key, &request->scheme,
                                       request->data, &request->error);
        break;
    case SIGNET_OP_DECRYPT:
        request->result = vtable->decrypt(worker->backend, request->key, &request->scheme,
                                          request->data, &request->error);
        break;
    case SIGNET_OP_DERIVE:
        request->result =
            vtable->derive(worker->backend, request->key, request->data, &request->error);
        break;
    case SIGNET_OP_GENERATE:
        request->result_key =
            vtable->generate(worker->backend, &request->template, &request->error);
        break;
    case SIGNET_OP_ADOPT:
        adopt(worker, request);
        break;
    case SIGNET_OP_DESTROY:
        vtable->destroy(worker->backend, request->key, &request->error);
        break;
    case SIGNET_OP_PROBE:
        break;
    case SIGNET_OP_LEARN:
        learn(worker, request);
        break;
    case SIGNET_OP_UNLOCK:
    case SIGNET_OP_LOCK:
        break; /* they open and close what the others need open: run_lock() */
    }
    request->duration_us = g_get_monotonic_time() - start_us;
}

/* What is open needs no PIN. */
static void
run_lock(SignetWorker *worker, SignetRequest *request)
{
    g_autoptr(GError) locked = NULL;

    if (!worker->vtable.unlock) {
        request->error = signet_error_new(SIGNET_ERROR_UNSUPPORTED,
                                          "token '%s' has no PIN, so it cannot be locked or "
                                          "unlocked",
                                          worker->name);
    } else if (request->op == SIGNET_OP_LOCK) {
        worker->vtable.lock(worker->backend);
        locked = signet_error_new(SIGNET_ERROR_PIN_NEEDED,
                                  "token '%s' is locked; run 'signetctl unlock %s'", worker->name,
                                  worker->name);
        note_failure(worker, locked, NULL);
    } else if (!worker->is_open) {
        open_device(worker, &request->unlock, &request->error);
    }
}

/* A device that went away and is back already (a restarted resource manager, a card pulled and put
 * back) costs its user nothing: the operation is repeated once. */
static void
run(SignetWorker *worker, SignetRequest *request)
{
    if (g_get_monotonic_time() >= request->item.deadline_us) {
        request->error = signet_error_new(SIGNET_ERROR_TIMED_OUT,
                                          "token '%s' had no time for the request within %u ms",
                                          worker->name, request->timeout_ms);
        return;
    }
    if (request->op == SIGNET_OP_UNLOCK || request->op == SIGNET_OP_LOCK) {
        run_lock(worker, request);
        return;
    }
    if (!ensure_open(worker, &request->error))
        return;
    run_operation(worker, request);
    if (!signet_error_is(request->error, SIGNET_ERROR_TOKEN_ABSENT))
        return;

    if (!may_try(worker)) {
        note_failure(worker, request->error, NULL);
        return;
    }
    worker->is_open = FALSE;
    g_clear_error(&request->error);
    if (!ensure_open(worker, &request->error))
        return;
    run_operation(worker, request);
    if (signet_error_is(request->error, SIGNET_ERROR_TOKEN_ABSENT))
        note_failure(worker, request->error, NULL);
}

/* Whoever finds worker_sleeps clears it, and posts. */
static void
sleep_locked(SignetWorker *worker)
{
    worker->worker_sleeps = TRUE;
    pthread_mutex_unlock(&worker->mutex);
    while (sem_wait(&worker->work) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&worker->mutex);
}

static SignetRequest *
wait_for_work_locked(SignetWorker *worker)
{
    while (!worker->stopping) {
        SignetQueueItem *item = signet_queue_pop(worker->queue);

        if (item)
            return request_of_item(item);
        sleep_locked(worker);
    }
    return NULL;
}

/* Nobody will ever know of a key that was made for one who waits no more. */
static void
drop(SignetWorker *worker, SignetRequest *request)
{
    if (request->result_key && !request->result_key->is_adopted)
        worker->vtable.destroy(worker->backend, request->result_key, NULL);
    signet_request_free(request);
}

static gpointer
worker_main(gpointer data)
{
    SignetWorker *worker = data;

    pthread_mutex_lock(&worker->mutex);
    while ((worker->running = wait_for_work_locked(worker))) {
        SignetRequest *request = worker->running;
        gboolean main_sleeps = FALSE, is_abandoned;

        pthread_mutex_unlock(&worker->mutex);
        run(worker, request);
        pthread_mutex_lock(&worker->mutex);
        worker->running = NULL;
        is_abandoned = request->abandoned;
        if (!is_abandoned)
            main_sleeps = post_locked(worker, &request->event);
        if (main_sleeps || is_abandoned) {
            pthread_mutex_unlock(&worker->mutex);
            if (main_sleeps)
                g_main_context_wakeup(worker->main_context);
            else
                drop(worker, request);
            pthread_mutex_lock(&worker->mutex);
        }
    }
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

/* Signals are the main thread's business. The error domain's cached number is written while there
 * is one thread. */
static GThread *
start_thread(SignetWorker *worker)
{
    sigset_t all, before;
    GThread *thread;

    signet_error_quark();

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = g_thread_new(worker->name, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

/* --- main context --- */

/* Takes the request. */
static void
refuse(SignetWorker *worker, SignetRequest *request, SignetQueueVerdict verdict, guint waiting)
{
    if (verdict == SIGNET_QUEUE_FULL)
        request->error = signet_error_new(
            SIGNET_ERROR_BUSY, "token '%s' is busy: %u requests are waiting; try again later",
            worker->name, waiting);
    else
        request->error = signet_error_new(
            SIGNET_ERROR_BUSY,
            "token '%s' is busy: too many requests of this client are waiting; try again later",
            worker->name);
    post(worker, &request->event);
}

gboolean
signet_worker_push(SignetWorker *worker, SignetRequest *request)
{
    SignetQueueVerdict verdict;
    gboolean worker_sleeps;
    guint waiting;

    pthread_mutex_lock(&worker->mutex);
    verdict = signet_queue_push(worker->queue, &request->item);
    waiting = signet_queue_get_length(worker->queue);
    worker_sleeps = worker->worker_sleeps;
    if (verdict == SIGNET_QUEUE_ADDED)
        worker->worker_sleeps = FALSE;
    pthread_mutex_unlock(&worker->mutex);

    /* Once the mutex is free: who is woken wants it first of all. */
    if (verdict != SIGNET_QUEUE_ADDED)
        refuse(worker, request, verdict, waiting);
    else if (worker_sleeps)
        sem_post(&worker->work);
    if (!worker->thread)
        worker->thread = start_thread(worker);
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
    answered = !request->item.owner && worker->running != request;
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

SignetWorker *
signet_worker_new(const char *name, SignetQueue *queue, const SignetTokenBackend *vtable,
                  gpointer backend)
{
    SignetWorker *worker = g_new0(SignetWorker, 1);

    worker->name = g_strdup(name);
    worker->vtable = *vtable;
    worker->backend = backend;
    worker->queue = queue;
    pthread_mutex_init(&worker->mutex, NULL);
    sem_init(&worker->work, 0, 0);
    worker->main_context = g_main_context_ref_thread_default();
    return worker;
}

static void
stop_thread(SignetWorker *worker)
{
    gboolean worker_sleeps;

    pthread_mutex_lock(&worker->mutex);
    worker->stopping = TRUE;
    worker_sleeps = worker->worker_sleeps;
    worker->worker_sleeps = FALSE;
    pthread_mutex_unlock(&worker->mutex);
    if (worker_sleeps)
        sem_post(&worker->work);
    g_thread_join(worker->thread);
}

void
signet_worker_free(SignetWorker *worker)
{
    SignetQueueItem *item;
    GList *link;

    if (worker->thread)
        stop_thread(worker);
    while ((item = signet_queue_pop(worker->queue)))
        signet_request_free(request_of_item(item));
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
    sem_destroy(&worker->work);
    pthread_mutex_destroy(&worker->mutex);
    g_clear_error(&worker->failure);
    g_free(worker->name);
    g_free(worker);
}
