/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The web server of http-01. */

#include "agent/enroller/responder.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/error.h"

#define REQUEST_MAX  4096
#define BACKLOG      64
#define VISIT_MAX_MS 2000 /* one after the other: who is slow must not keep the CA out */
#define PATH         "/.well-known/acme-challenge/"

struct SignetResponder {
    int fd;            /* (owned) */
    int end_fd;        /* (owned) readable: no more */
    GThread *thread;   /* (owned, nullable) */
    GMutex lock;       /* guards answers */
    GHashTable *known; /* (owned) token → answer */
};

/* --- the socket --- */

static int
listen_at(int family, const struct sockaddr *address, socklen_t size)
{
    const int on = 1, off = 0;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return -1;
}

/* IPv6 takes both, where there is one. */
static int
listen_on(guint16 port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = listen_at(AF_INET6, (struct sockaddr *)&six, sizeof(six));

    if (fd < 0 && errno != EADDRINUSE && errno != EACCES)
        fd = listen_at(AF_INET, (struct sockaddr *)&four, sizeof(four));
    return fd;
}

SignetResponder *
signet_responder_new(guint16 port, GError **error)
{
    int fd = listen_on(port);

    if (fd < 0) {
        signet_error_set(error, errno == EADDRINUSE ? SIGNET_ERROR_BUSY : SIGNET_ERROR_FAILED,
                         "cannot listen on port %u for http-01: %s", port, g_strerror(errno));
        return NULL;
    }
    SignetResponder *responder = g_new0(SignetResponder, 1);
    responder->fd = fd;
    responder->end_fd = eventfd(0, EFD_CLOEXEC);
    responder->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&responder->lock);
    return responder;
}

void
signet_responder_free(SignetResponder *responder)
{
    guint64 one = 1;

    if (responder->thread && write(responder->end_fd, &one, sizeof(one)) == sizeof(one))
        g_thread_join(responder->thread);
    close(responder->fd);
    close(responder->end_fd);
    g_hash_table_unref(responder->known);
    g_mutex_clear(&responder->lock);
    g_free(responder);
}

/* --- answers --- */

void
signet_responder_add(SignetResponder *responder, const char *token, const char *answer)
{
    g_mutex_lock(&responder->lock);
    g_hash_table_replace(responder->known, g_strdup(token), g_strdup(answer));
    g_mutex_unlock(&responder->lock);
}

char *
signet_responder_answer(SignetResponder *responder, const char *request, gsize size)
{
    static const char begin[] = "GET " PATH;
    const char *token = request + sizeof(begin) - 1;
    const char *end;
    char *answer;

    if (size < sizeof(begin) || memcmp(request, begin, sizeof(begin) - 1) != 0)
        return NULL;
    end = memchr(token, ' ', size - (sizeof(begin) - 1));
    if (!end)
        return NULL;
    g_autofree char *name = g_strndup(token, (gsize)(end - token));
    g_mutex_lock(&responder->lock);
    answer = g_strdup(g_hash_table_lookup(responder->known, name));
    g_mutex_unlock(&responder->lock);
    return answer;
}

/* --- visitors --- */

/* FALSE: its time is over. */
static gboolean
await(int fd, short events, gint64 deadline_us)
{
    struct pollfd ready = {fd, events, 0};
    gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;

    return left_ms > 0 && poll(&ready, 1, (int)left_ms) > 0;
}

/* Until the empty line. FALSE: there is none. */
static gboolean
hear(int fd, char *request, gsize *ret_size, gint64 deadline_us)
{
    gsize size = 0;

    while (size < REQUEST_MAX && await(fd, POLLIN, deadline_us)) {
        gssize got = recv(fd, request + size, REQUEST_MAX - size, 0);

        if (got <= 0)
            return FALSE;
        size += (gsize)got;
        if (memmem(request, size, "\r\n\r\n", 4)) {
            *ret_size = size;
            return TRUE;
        }
    }
    return FALSE;
}

static void
tell(int fd, const char *answer, gint64 deadline_us)
{
    g_autofree char *text = g_strdup_printf(
        "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %zu\r\n"
        "Connection: close\r\n\r\n%s",
        answer ? "200 OK" : "404 Not Found", answer ? strlen(answer) : 0, answer ? answer : "");
    gsize size = strlen(text);
    gsize sent = 0;

    while (sent < size && await(fd, POLLOUT, deadline_us)) {
        gssize put = send(fd, text + sent, size - sent, MSG_NOSIGNAL);

        if (put <= 0)
            return;
        sent += (gsize)put;
    }
}

static void
receive(SignetResponder *responder)
{
    gint64 deadline_us = g_get_monotonic_time() + (gint64)VISIT_MAX_MS * 1000;
    char request[REQUEST_MAX];
    gsize size = 0;
    int fd = accept4(responder->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (hear(fd, request, &size, deadline_us)) {
        g_autofree char *answer = signet_responder_answer(responder, request, size);

        tell(fd, answer, deadline_us);
    }
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

static gpointer
run(gpointer data)
{
    SignetResponder *responder = data;

    for (;;) {
        struct pollfd fds[] = {{responder->fd, POLLIN, 0}, {responder->end_fd, POLLIN, 0}};

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        if (fds[0].revents)
            receive(responder);
    }
}

gboolean
signet_responder_start(SignetResponder *responder, GError **error)
{
    if (responder->thread)
        return TRUE;
    responder->thread = g_thread_try_new("http-01", run, responder, error);
    return responder->thread != NULL;
}
