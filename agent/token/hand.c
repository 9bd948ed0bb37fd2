/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A thread's life: sleep, take a request, open the device, run, answer. */

#include "agent/token/hand.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <signal.h>

#define REOPEN_INTERVAL_US G_USEC_PER_SEC
#define RETURN_INTERVAL_US (G_USEC_PER_SEC / 4) /* what was removed may be back at any moment */
#define GROW_INTERVAL_US   (10 * G_USEC_PER_SEC)
#define PREDECESSOR_MS     5000

/* --- events --- */

gboolean
signet_hand_post_locked(SignetWorker *worker, SignetEvent *event)
{
    gboolean main_sleeps = worker->main_sleeps;

    g_queue_push_tail_link(&worker->events, &event->link);
    worker->main_sleeps = FALSE;
    return main_sleeps;
}

static void
unlock(SignetWorker *worker, gboolean wake_main)
{
    pthread_mutex_unlock(&worker->mutex);
    if (wake_main)
        g_main_context_wakeup(worker->main_context);
}

static gboolean
post_ready_locked(SignetWorker *worker)
{
    g_clear_error(&worker->failure);
    return signet_hand_post_locked(
        worker, &signet_state_event_new(SIGNET_TOKEN_STATE_READY, &worker->info, NULL)->event);
}

static SignetTokenState
state_of(const GError *error)
{
    if (signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT))
        return SIGNET_TOKEN_STATE_ABSENT;
    return signet_error_is(error, SIGNET_ERROR_PIN_NEEDED) ? SIGNET_TOKEN_STATE_LOCKED
                                                           : SIGNET_TOKEN_STATE_FAILED;
}

gboolean
signet_hand_post_failure_locked(SignetWorker *worker, const GError *error,
                                const SignetTokenInfo *info)
{
    g_clear_error(&worker->failure);
    worker->failure = g_error_copy(error);
    worker->failed_us = g_get_monotonic_time();
    return signet_hand_post_locked(
        worker, &signet_state_event_new(state_of(error), info, error->message)->event);
}

/* --- opening --- */

static void
enter(SignetHand *hand)
{
    if (hand->worker->vtable.enter)
        hand->worker->vtable.enter(hand->backend);
}

static void
leave(SignetHand *hand)
{
    if (hand->worker->vtable.leave)
        hand->worker->vtable.leave(hand->backend);
}

static gint64
try_interval_us(const GError *failure)
{
    return !failure || signet_error_is(failure, SIGNET_ERROR_TOKEN_ABSENT) ? RETURN_INTERVAL_US
                                                                           : REOPEN_INTERVAL_US;
}

/* A token that could not be opened is left alone for a while, by all hands; not one that works for
 * others. */
static gboolean
is_failing(SignetWorker *worker, GError **error)
{
    gboolean failing;

    pthread_mutex_lock(&worker->mutex);
    failing = worker->failure && worker->n_open == 0 &&
              g_get_monotonic_time() - worker->failed_us < try_interval_us(worker->failure);
    if (failing)
        g_propagate_error(error, g_error_copy(worker->failure));
    pthread_mutex_unlock(&worker->mutex);
    return failing;
}

static SignetTokenInfo
intern(const SignetTokenInfo *info)
{
    return (SignetTokenInfo) {.kind = g_intern_string(info->kind),
                              .protection = g_intern_string(info->protection),
                              .description = g_intern_string(info->description),
                              .sessions = MAX(info->sessions, 1),
                              .lock.unlock_by = g_intern_string(info->lock.unlock_by),
                              .lock.tries = g_intern_string(info->lock.tries)};
}

/* why, info: nullable */
static void
set_closed(SignetHand *hand, const GError *why, const SignetTokenInfo *info)
{
    SignetWorker *worker = hand->worker;
    gboolean wake;

    pthread_mutex_lock(&worker->mutex);
    worker->n_open -= hand->is_open ? 1 : 0;
    hand->is_open = FALSE;
    /* That there are no more sessions than the other hands have is no failure. */
    wake = why && !(worker->n_open > 0 && signet_error_is(why, SIGNET_ERROR_BUSY)) &&
           signet_hand_post_failure_locked(worker, why, info);
    unlock(worker, wake);
}

static void
set_open(SignetHand *hand, const SignetTokenInfo *info)
{
    SignetWorker *worker = hand->worker;

    pthread_mutex_lock(&worker->mutex);
    hand->is_open = TRUE;
    worker->n_open++;
    worker->info = intern(info);
    worker->limit = worker->vtable.attach ? worker->info.sessions : 1;
    unlock(worker, post_ready_locked(worker));
}

static gboolean
may_try(const SignetHand *hand)
{
    return !hand->was_tried || g_get_monotonic_time() - hand->last_try_us >= RETURN_INTERVAL_US;
}

/* unlock: nullable */
static gboolean
open_device(SignetHand *hand, const SignetTokenUnlock *unlock, GError **error)
{
    const SignetTokenBackend *vtable = &hand->worker->vtable;
    SignetTokenInfo info = {0};
    g_autoptr(GError) local = NULL;
    gboolean ok = unlock ? vtable->unlock(hand->backend, unlock, &info, &local)
                         : vtable->open(hand->backend, &info, &local);

    hand->was_tried = TRUE;
    hand->last_try_us = g_get_monotonic_time();
    info = intern(&info);
    if (ok) {
        set_open(hand, &info);
        return TRUE;
    }
    set_closed(hand, local, &info);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
ensure_open(SignetHand *hand, GError **error)
{
    return hand->is_open || (!is_failing(hand->worker, error) && open_device(hand, NULL, error));
}

/* The other hands have sessions that are not logged in any more. */
static void
close_all(SignetHand *hand, const GError *why)
{
    SignetWorker *worker = hand->worker;

    pthread_mutex_lock(&worker->mutex);
    for (GList *l = worker->hands.head; l; l = l->next)
        ((SignetHand *)l->data)->is_void = l->data != hand;
    pthread_mutex_unlock(&worker->mutex);
    set_closed(hand, why, NULL);
}

/* What is open needs no PIN. */
static void
run_lock(SignetHand *hand, SignetRequest *request)
{
    SignetWorker *worker = hand->worker;
    g_autoptr(GError) locked = NULL;

    if (!worker->vtable.unlock) {
        request->error = signet_error_new(SIGNET_ERROR_UNSUPPORTED,
                                          "token '%s' has no PIN, so it cannot be locked or "
                                          "unlocked",
                                          worker->name);
    } else if (request->op == SIGNET_OP_LOCK) {
        worker->vtable.lock(hand->backend);
        locked = signet_error_new(SIGNET_ERROR_PIN_NEEDED,
                                  "token '%s' is locked; run 'signetctl unlock %s'", worker->name,
                                  worker->name);
        close_all(hand, locked);
    } else if (!hand->is_open) {
        open_device(hand, &request->unlock, &request->error);
    }
}

/* --- one request --- */

static gboolean
is_abandoned(SignetWorker *worker, const SignetRequest *request)
{
    gboolean abandoned;

    pthread_mutex_lock(&worker->mutex);
    abandoned = request->abandoned;
    pthread_mutex_unlock(&worker->mutex);
    return abandoned;
}

/* A device that went away and is back already (a restarted resource manager, a card pulled and put
 * back) costs its user nothing: the operation is repeated once. */
static void
run(SignetHand *hand, SignetRequest *request)
{
    SignetWorker *worker = hand->worker;

    if (g_get_monotonic_time() >= request->item.deadline_us) {
        request->error = signet_error_new(SIGNET_ERROR_TIMED_OUT,
                                          "token '%s' had no time for the request within %u ms",
                                          worker->name, request->timeout_ms);
        return;
    }
    if (request->op == SIGNET_OP_UNLOCK || request->op == SIGNET_OP_LOCK) {
        run_lock(hand, request);
        return;
    }
    if (!ensure_open(hand, &request->error))
        return;
    signet_request_run(request, &worker->vtable, hand->backend);
    if (!signet_error_is(request->error, SIGNET_ERROR_TOKEN_ABSENT))
        return;

    if (is_abandoned(worker, request)) {
        set_closed(hand, NULL, NULL);
        return;
    }
    if (!may_try(hand)) {
        set_closed(hand, request->error, NULL);
        return;
    }
    set_closed(hand, NULL, NULL);
    g_clear_error(&request->error);
    if (!ensure_open(hand, &request->error))
        return;
    signet_request_run(request, &worker->vtable, hand->backend);
    if (signet_error_is(request->error, SIGNET_ERROR_TOKEN_ABSENT))
        set_closed(hand, request->error, NULL);
}

/* --- the thread --- */

SignetHand *
signet_hand_take_idle_locked(SignetWorker *worker)
{
    GList *link = g_queue_pop_head_link(&worker->idle);

    return link ? link->data : NULL;
}

void
signet_hand_wake(SignetHand *hand)
{
    if (hand)
        sem_post(&hand->work);
}

/* Whoever takes it from the idle ones posts. */
static void
sleep_locked(SignetHand *hand)
{
    SignetWorker *worker = hand->worker;

    g_queue_push_head_link(&worker->idle, &hand->idle_link);
    pthread_mutex_unlock(&worker->mutex);
    while (sem_wait(&hand->work) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&worker->mutex);
}

static SignetRequest *
take_request_locked(SignetHand *hand)
{
    SignetWorker *worker = hand->worker;

    while (!worker->stopping) {
        SignetQueueItem *item = signet_queue_pop(worker->queue);

        if (hand->is_void && hand->is_open) {
            hand->is_open = FALSE;
            worker->n_open--;
        }
        hand->is_void = FALSE;
        if (item) {
            hand->running = signet_request_of_item(item);
            hand->running->running = TRUE;
            hand->began_us = g_get_monotonic_time();
            return hand->running;
        }
        sleep_locked(hand);
    }
    return NULL;
}

/* TRUE: it is no more among the hands. The last one that does not hang stays: somebody has to give
 * the answers. */
static gboolean
retire_locked(SignetHand *hand)
{
    SignetWorker *worker = hand->worker;

    if (g_queue_get_length(&worker->hands) - 1 <= worker->n_hanging)
        return FALSE;
    g_queue_unlink(&worker->hands, &hand->link);
    worker->grow_us = g_get_monotonic_time() + GROW_INTERVAL_US;
    return TRUE;
}

/* Another program has the session that this hand lost: its request is for the other hands. */
static gboolean
give_up_locked(SignetHand *hand, SignetRequest *request)
{
    SignetWorker *worker = hand->worker;
    SignetHand *other;

    if (hand->is_open || request->abandoned ||
        !signet_error_is(request->error, SIGNET_ERROR_BUSY) || !retire_locked(hand))
        return FALSE;
    g_clear_error(&request->error);
    signet_queue_put_back(worker->queue, &request->item);
    other = signet_hand_take_idle_locked(worker);
    pthread_mutex_unlock(&worker->mutex);
    signet_hand_wake(other);
    pthread_mutex_lock(&worker->mutex);
    return TRUE;
}

/* Nobody will ever know of a key that was made for one who waits no more. */
static void
drop(SignetHand *hand, SignetRequest *request)
{
    if (request->result_key && !request->result_key->is_adopted) {
        enter(hand);
        hand->worker->vtable.destroy(hand->backend, request->result_key, NULL);
        leave(hand);
    }
    signet_request_free(request);
}

static void
finish_locked(SignetHand *hand, SignetRequest *request)
{
    SignetWorker *worker = hand->worker;
    gboolean is_abandoned = request->abandoned, main_sleeps = FALSE;
    gboolean is_news = hand->hangs || hand->began_us > worker->failed_us;

    /* What hung, or failed in the hands of another thread, works. */
    if (worker->failure && hand->is_open && !request->error && is_news)
        main_sleeps = post_ready_locked(worker);
    if (hand->hangs)
        worker->n_hanging--;
    hand->hangs = hand->was_interrupted = FALSE;
    if (!is_abandoned)
        main_sleeps |= signet_hand_post_locked(worker, &request->event);
    if (!main_sleeps && !is_abandoned)
        return;
    unlock(worker, main_sleeps);
    if (is_abandoned)
        drop(hand, request);
    pthread_mutex_lock(&worker->mutex);
}

static void
work_locked(SignetHand *hand)
{
    SignetWorker *worker = hand->worker;
    SignetRequest *request;

    while ((request = take_request_locked(hand))) {
        pthread_mutex_unlock(&worker->mutex);
        enter(hand);
        run(hand, request);
        leave(hand);
        pthread_mutex_lock(&worker->mutex);
        hand->running = NULL;
        request->running = FALSE;
        if (give_up_locked(hand, request))
            return;
        finish_locked(hand, request);
    }
    g_queue_unlink(&worker->hands, &hand->link);
}

/* The thread's end. */
static void
end(SignetHand *hand)
{
    SignetCrew *crew = hand->worker->crew;

    set_closed(hand, NULL, NULL);
    if (hand->backend != hand->worker->backend)
        hand->worker->vtable.free(hand->backend);
    sem_destroy(&hand->work);
    g_free(hand);
    /* Who has waited for this thread may end the process, and libcrypto with it: what libcrypto
     * keeps for the thread goes before. */
    OPENSSL_thread_stop();
    signet_crew_end(crew);
}

static gpointer
first_main(gpointer data)
{
    SignetHand *hand = data;

    signet_crew_wait_left(hand->worker->name, PREDECESSOR_MS);
    pthread_mutex_lock(&hand->worker->mutex);
    work_locked(hand);
    pthread_mutex_unlock(&hand->worker->mutex);
    end(hand);
    return NULL;
}

/* Opens before it takes a request: nobody has to hear that there is no session for one more. */
static gpointer
extra_main(gpointer data)
{
    SignetHand *hand = data;
    SignetWorker *worker = hand->worker;
    gboolean ok;

    enter(hand);
    ok = ensure_open(hand, NULL);
    leave(hand);
    pthread_mutex_lock(&worker->mutex);
    if (ok || !retire_locked(hand))
        work_locked(hand);
    pthread_mutex_unlock(&worker->mutex);
    end(hand);
    return NULL;
}

/* --- main context --- */

SignetHand *
signet_hand_new_locked(SignetWorker *worker)
{
    SignetHand *hand = g_new0(SignetHand, 1);

    hand->worker = worker;
    hand->backend =
        worker->vtable.attach ? worker->vtable.attach(worker->backend) : worker->backend;
    hand->link.data = hand;
    hand->idle_link.data = hand;
    sem_init(&hand->work, 0, 0);
    g_queue_push_tail_link(&worker->hands, &hand->link);
    return hand;
}

/* Signals are the main thread's business. The error domain's cached number is written while there
 * is one thread. */
void
signet_hand_start(SignetHand *hand, gboolean is_first)
{
    sigset_t all, before;

    signet_error_quark();
    signet_crew_join(hand->worker->crew);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    g_thread_unref(g_thread_new(hand->worker->name, is_first ? first_main : extra_main, hand));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
