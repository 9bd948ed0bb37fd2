/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* All connections, one epoll instance, and how packets leave. */

#include "agent/door/hall.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/base/secret.h"

#define DEFAULT_MAX_CONNECTIONS 8192
#define KEPT_MAX                512 /* FileDescriptorStoreMax= in signetd.service.in */
#define KEPT_PER_USER_MAX       128
#define SPARE                   32 /* descriptors for looking at peers */

SignetHall *
signet_hall_new(const SignetDoorSettings *settings, GError **error)
{
    guint total = settings->max_connections ? settings->max_connections : DEFAULT_MAX_CONNECTIONS;
    SignetQuotaLimits limits = {.total = total,

                                .kept = KEPT_MAX,
                                .kept_per_user = KEPT_PER_USER_MAX};
    SignetHall *hall = g_new0(SignetHall, 1);

    hall->settings = *settings;
    hall->quota = signet_quota_new(&limits);
    hall->visitors = signet_visitors_new();
    hall->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (hall->epoll_fd >= 0)
        return hall;
    signet_error_set(error, SIGNET_ERROR_IO, "cannot make an epoll instance: %s",
                     g_strerror(errno));
    signet_hall_free(hall);
    return NULL;
}

void
signet_hall_free(SignetHall *hall)
{
    /* Factories stay in the service manager's store: the next agent takes them over. */
    hall->is_leaving = TRUE;
    while (hall->open.head)
        signet_hall_close(hall->open.head->data);
    signet_hall_bury(hall);
    signet_quota_free(hall->quota);
    signet_visitors_free(hall->visitors);
    if (hall->epoll_fd >= 0)
        close(hall->epoll_fd);
    g_free(hall);
}

/* --- coming and going --- */

static void
watch(SignetConnection *connection, guint32 events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};

    if (connection->fd < 0 || connection->events == events)
        return;
    connection->events = events;
    epoll_ctl(connection->hall->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Too many: somebody goes. It may be the new one, if all others are at work. */
static void
enforce_quota(SignetConnection *newest)
{
    SignetHall *hall = newest->hall;

    while (newest->fd >= 0 && signet_quota_is_exceeded(hall->quota)) {
        SignetConnection *victim = signet_quota_find_victim(hall->quota);

        signet_hall_close(victim ? victim : newest);
    }
}

SignetConnection *
signet_hall_admit(SignetHall *hall, int fd, SignetJob *job)
{
    SignetConnection *connection = g_new0(SignetConnection, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    if (!signet_packet_ask_credentials(fd) ||
        (!job && !signet_packet_get_owner(fd, &connection->credentials)) ||
        epoll_ctl(hall->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(fd);
        g_free(connection);
        return NULL;
    }
    connection->hall = hall;
    connection->kind = job ? SIGNET_CONNECTION_JOB : SIGNET_CONNECTION_PLAIN;
    connection->fd = fd;
    connection->events = EPOLLIN;
    connection->job = job ? signet_job_ref(job) : NULL;
    connection->link.data = connection;
    g_queue_push_tail_link(&hall->open, &connection->link);
    if (!job) {
        signet_quota_add(hall->quota, &connection->quota, connection->credentials.uid, connection);
        enforce_quota(connection);
    }
    return connection->fd >= 0 ? connection : NULL;
}

void
signet_hall_make_factory(SignetConnection *connection, const char *name)
{
    SignetHall *hall = connection->hall;
    const SignetDoorSettings *settings = &hall->settings;

    connection->kind = SIGNET_CONNECTION_FACTORY;
    if (!settings->keep)
        return;
    if (!signet_quota_keep(hall->quota, &connection->quota)) {
        if (name)
            settings->keep(connection->fd, name, FALSE, settings->keep_data);
        return;
    }
    if (name) {
        connection->keep_name = g_strdup(name);
        return;
    }
    connection->keep_name = g_strdup_printf("factory-%" G_GINT64_MODIFIER "x-%x",
                                            g_get_monotonic_time(), hall->n_factories_named++);
    settings->keep(connection->fd, connection->keep_name, TRUE, settings->keep_data);
}

static void
forget(SignetConnection *connection)
{
    const SignetDoorSettings *settings = &connection->hall->settings;

    if (!connection->keep_name)
        return;
    if (!connection->hall->is_leaving)
        settings->keep(connection->fd, connection->keep_name, FALSE, settings->keep_data);
    g_clear_pointer(&connection->keep_name, g_free);
}

void
signet_hall_close(SignetConnection *connection)
{
    SignetHall *hall = connection->hall;

    if (connection->fd < 0)
        return;
    if (connection->use_id)
        signet_broker_cancel(hall->settings.broker, connection->use_id);
    connection->use_id = 0;
    if (connection->certification)
        signet_broker_cancel_certification(hall->settings.broker, connection->certification);
    connection->certification = 0;
    forget(connection);
    signet_quota_remove(hall->quota, &connection->quota);
    /* Not left to close(): as long as a copy of the descriptor is open elsewhere (an adopted one in
     * its sender, a factory in the service manager), epoll would go on naming a connection that is
     * gone. */
    epoll_ctl(hall->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    /* Nor would the peer see the end. */
    if (!hall->is_leaving)
        shutdown(connection->fd, SHUT_RDWR);
    close(connection->fd);
    connection->fd = -1;
    g_queue_unlink(&hall->open, &connection->link);
    g_queue_push_tail_link(&hall->closed, &connection->link);
}

void
signet_hall_bury(SignetHall *hall)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&hall->closed))) {
        SignetConnection *connection = link->data;

        signet_visitor_unref(connection->owner);
        signet_visitor_unref(connection->sender);
        g_clear_pointer(&connection->job, signet_job_unref);
        g_clear_pointer(&connection->unsent, g_bytes_unref);
        g_free(connection);
    }
}

gboolean
signet_hall_make_room(SignetHall *hall)
{
    guint count = signet_quota_get_count(hall->quota);
    SignetConnection *victim;

    signet_quota_set_total(hall->quota, count > 2 * SPARE ? count - SPARE : SPARE);
    while ((victim = signet_quota_find_victim(hall->quota)))
        signet_hall_close(victim);
    return signet_quota_get_count(hall->quota) < count;
}

/* --- who asks --- */

static SignetVisitor *
find_owner(SignetConnection *connection, gint64 now_us)
{
    int pidfd;

    if (connection->owner && signet_visitor_is_fresh(connection->owner, now_us))
        return connection->owner;
    pidfd = signet_packet_open_owner(connection->fd);
    signet_visitor_unref(connection->owner);
    connection->owner =
        signet_visitors_get(connection->hall->visitors, &connection->credentials, pidfd, now_us);
    if (pidfd >= 0)
        close(pidfd);
    return connection->owner;
}

static SignetVisitor *
find_sender(SignetConnection *connection, const SignetPacket *packet, gint64 now_us)
{
    SignetVisitor *old = connection->sender;

    if (old && signet_visitor_is(old, &packet->credentials, packet->pidfd, now_us))
        return old;
    connection->sender = signet_visitors_get(connection->hall->visitors, &packet->credentials,
                                             packet->pidfd, now_us);
    signet_visitor_unref(old);
    return connection->sender;
}

gboolean
signet_hall_identify(SignetConnection *connection, const SignetPacket *packet,
                     SignetRequester *ret_requester)
{
    gint64 now_us = g_get_monotonic_time();
    SignetVisitor *sender;

    *ret_requester = (SignetRequester) {.job = connection->job};
    if (connection->kind == SIGNET_CONNECTION_JOB)
        return TRUE;
    if (packet->credentials.pid <= 0)
        return FALSE;
    sender = find_sender(connection, packet, now_us);
    ret_requester->sender = sender->peer;
    ret_requester->connection = find_owner(connection, now_us)->peer;
    /* Processes take turns, however many connections one has. */
    ret_requester->client =
        (guint64)packet->credentials.uid << 32 | (guint32)packet->credentials.pid;
    return TRUE;
}

SignetRequester
signet_hall_get_requester(const SignetConnection *connection)
{
    return (SignetRequester) {.job = connection->job,
                              .sender = connection->sender ? connection->sender->peer : NULL,
                              .connection = connection->owner ? connection->owner->peer : NULL};
}

/* --- requests and replies --- */

void
signet_hall_begin(SignetConnection *connection)
{
    connection->is_busy = TRUE;
    connection->use_id = 0;
    signet_quota_set_idle(connection->hall->quota, &connection->quota, FALSE);
}

void
signet_hall_wait(SignetConnection *connection)
{
    signet_quota_set_idle(connection->hall->quota, &connection->quota, TRUE);
}

void
signet_hall_end(SignetConnection *connection)
{
    connection->is_busy = FALSE;
    connection->is_watching = FALSE;
    connection->use_id = 0;
    if (connection->fd < 0)
        return;
    signet_quota_set_idle(connection->hall->quota, &connection->quota, TRUE);
    watch(connection, connection->unsent ? EPOLLOUT : EPOLLIN);
}

/* TRUE: sent, or the connection is closed. FALSE: the peer does not read. */
static gboolean
try_send(SignetConnection *connection, const void *packet, gsize size)
{
    gssize sent;

    do
        sent = send(connection->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return TRUE;
    if (errno == EAGAIN)
        return FALSE;
    signet_hall_close(connection);
    return TRUE;
}

void
signet_hall_reply(SignetConnection *connection, const guint8 *packet, gsize size)
{
    if (connection->fd >= 0 && !try_send(connection, packet, size))
        connection->unsent = signet_secret_bytes_new(packet, size);
    signet_hall_end(connection);
}

/* With one request at a time and nothing read before its reply is out, one reply is all that ever
 * waits. */
void
signet_hall_flush(SignetConnection *connection)
{
    gsize size;
    const void *packet;

    if (!connection->unsent)
        return;
    packet = g_bytes_get_data(connection->unsent, &size);
    if (!try_send(connection, packet, size))
        return;
    g_clear_pointer(&connection->unsent, g_bytes_unref);
    watch(connection, EPOLLIN);
}

void
signet_hall_defer(SignetConnection *connection)
{
    watch(connection, 0);
}
