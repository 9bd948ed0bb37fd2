/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One thread for what blocks on the disk. */

#include "agent/rotate/disk-thread.h"

typedef struct {
    const SignetDiskWork *work; /* (unowned): static; NULL: the end */
    gpointer task;              /* (owned) */
} Job;

typedef struct {
    GMutex mutex; /* guards is_over */
    GCond cond;
    gboolean is_over;
} Barrier;

struct SignetDiskThread {
    GThread *thread;    /* started with the first task */
    GAsyncQueue *given; /* (owned) of Job */
    GAsyncQueue *over;  /* (owned) of Job */
    GSource *wake;      /* (owned) dispatched when something is over */
};

static void
job_free(gpointer data)
{
    Job *job = data;

    if (job->work && job->work->free)
        job->work->free(job->task);
    g_free(job);
}

static gpointer
work(gpointer data)
{
    SignetDiskThread *thread = data;

    for (;;) {
        Job *job = g_async_queue_pop(thread->given);

        if (!job->work) {
            job_free(job);
            return NULL;
        }
        job->work->run(job->task);
        g_async_queue_push(thread->over, job);
        g_source_set_ready_time(thread->wake, 0);
    }
}

static gboolean
dispatch_wake(GSource *source, GSourceFunc callback, gpointer data)
{
    g_source_set_ready_time(source, -1);
    return callback(data);
}

static gboolean
on_wake(gpointer data)
{
    SignetDiskThread *thread = data;
    /* what a done gives and what is over meanwhile waits for the next turn of the loop */
    gint n = g_async_queue_length(thread->over);

    for (gint i = 0; i < n; i++) {
        Job *job = g_async_queue_try_pop(thread->over);

        if (job && job->work->done)
            job->work->done(job->task);
        if (job)
            job_free(job);
    }
    if (g_async_queue_length(thread->over) > 0)
        g_source_set_ready_time(thread->wake, 0);
    return G_SOURCE_CONTINUE;
}

SignetDiskThread *
signet_disk_thread_new(void)
{
    static GSourceFuncs functions = {.dispatch = dispatch_wake};
    SignetDiskThread *thread = g_new0(SignetDiskThread, 1);

    thread->given = g_async_queue_new_full(job_free);
    thread->over = g_async_queue_new_full(job_free);
    thread->wake = g_source_new(&functions, sizeof(GSource));
    g_source_set_name(thread->wake, "signet disk thread");
    g_source_set_callback(thread->wake, on_wake, thread, NULL);
    g_source_attach(thread->wake, g_main_context_get_thread_default());
    return thread;
}

static void
give(SignetDiskThread *thread, const SignetDiskWork *what, gpointer task)
{
    Job *job = g_new0(Job, 1);

    job->work = what;
    job->task = task;
    if (!thread->thread)
        thread->thread = g_thread_new("disk", work, thread);
    g_async_queue_push(thread->given, job);
}

void
signet_disk_thread_give(SignetDiskThread *thread, const SignetDiskWork *what, gpointer task)
{
    give(thread, what, task);
}

static void
open_barrier(gpointer task)
{
    Barrier *barrier = task;

    g_mutex_lock(&barrier->mutex);
    barrier->is_over = TRUE;
    g_cond_signal(&barrier->cond);
    g_mutex_unlock(&barrier->mutex);
}

void
signet_disk_thread_flush(SignetDiskThread *thread)
{
    static const SignetDiskWork pass = {.run = open_barrier};
    Barrier barrier = {.is_over = FALSE};

    if (!thread->thread)
        return;
    g_mutex_init(&barrier.mutex);
    g_cond_init(&barrier.cond);
    give(thread, &pass, &barrier);
    g_mutex_lock(&barrier.mutex);
    while (!barrier.is_over)
        g_cond_wait(&barrier.cond, &barrier.mutex);
    g_mutex_unlock(&barrier.mutex);
    g_cond_clear(&barrier.cond);
    g_mutex_clear(&barrier.mutex);
}

void
signet_disk_thread_free(SignetDiskThread *thread)
{
    if (!thread)
        return;
    if (thread->thread) {
        give(thread, NULL, NULL);
        g_thread_join(thread->thread);
    }
    g_source_destroy(thread->wake);
    g_source_unref(thread->wake);
    g_async_queue_unref(thread->given);
    g_async_queue_unref(thread->over);
    g_free(thread);
}
