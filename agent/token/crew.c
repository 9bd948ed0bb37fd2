/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One mutex for the ends of all threads: they are rare. */

#include "agent/token/crew.h"

#include <pthread.h>
#include <time.h>

struct SignetCrew {
    char *name; /* (owned) */
    GDestroyNotify destroy;
    gpointer owner;
    guint n_threads;
    gboolean is_left;
    GList link; /* place in ends.left */
};

static struct {
    pthread_mutex_t mutex; /* guards left, and every crew */
    pthread_cond_t changed;
    GQueue left; /* of SignetCrew (owned): until their owners are freed */
} ends = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

SignetCrew *
signet_crew_new(const char *name, GDestroyNotify destroy, gpointer owner)
{
    SignetCrew *crew = g_new0(SignetCrew, 1);

    crew->name = g_strdup(name);
    crew->destroy = destroy;
    crew->owner = owner;
    crew->link.data = crew;
    return crew;
}

void
signet_crew_join(SignetCrew *crew)
{
    pthread_mutex_lock(&ends.mutex);
    crew->n_threads++;
    pthread_mutex_unlock(&ends.mutex);
}

static void
finish(SignetCrew *crew)
{
    crew->destroy(crew->owner);
    pthread_mutex_lock(&ends.mutex);
    g_queue_unlink(&ends.left, &crew->link);
    pthread_cond_broadcast(&ends.changed);
    pthread_mutex_unlock(&ends.mutex);
    g_free(crew->name);
    g_free(crew);
}

void
signet_crew_end(SignetCrew *crew)
{
    gboolean is_last_left;

    pthread_mutex_lock(&ends.mutex);
    is_last_left = --crew->n_threads == 0 && crew->is_left;
    pthread_cond_broadcast(&ends.changed);
    pthread_mutex_unlock(&ends.mutex);
    if (is_last_left)
        finish(crew);
}

void
signet_crew_leave(SignetCrew *crew)
{
    gboolean is_empty;

    pthread_mutex_lock(&ends.mutex);
    is_empty = crew->n_threads == 0;
    crew->is_left = TRUE;
    g_queue_push_tail_link(&ends.left, &crew->link);
    pthread_mutex_unlock(&ends.mutex);
    if (is_empty)
        finish(crew);
}

/* --- waiting --- */

static struct timespec
deadline_in(guint timeout_ms)
{
    gint64 us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

    return (struct timespec) {.tv_sec = us / G_USEC_PER_SEC, .tv_nsec = us % G_USEC_PER_SEC * 1000};
}

gboolean
signet_crew_wait(SignetCrew *crew, guint timeout_ms)
{
    struct timespec deadline = deadline_in(timeout_ms);
    gboolean is_over;
    int rc = 0;

    pthread_mutex_lock(&ends.mutex);
    while (crew->n_threads > 0 && rc == 0)
        rc = pthread_cond_clockwait(&ends.changed, &ends.mutex, CLOCK_MONOTONIC, &deadline);
    is_over = crew->n_threads == 0;
    pthread_mutex_unlock(&ends.mutex);
    return is_over;
}

static gboolean
is_any_left_locked(const char *name)
{
    for (GList *l = ends.left.head; l; l = l->next) {
        if (!name || g_str_equal(((SignetCrew *)l->data)->name, name))
            return TRUE;
    }
    return FALSE;
}

gboolean
signet_crew_wait_left(const char *name, guint timeout_ms)
{
    struct timespec deadline = deadline_in(timeout_ms);
    gboolean any;
    int rc = 0;

    pthread_mutex_lock(&ends.mutex);
    while ((any = is_any_left_locked(name)) && rc == 0)
        rc = pthread_cond_clockwait(&ends.changed, &ends.mutex, CLOCK_MONOTONIC, &deadline);
    pthread_mutex_unlock(&ends.mutex);
    return !any;
}
