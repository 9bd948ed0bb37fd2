/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The private socket: one event source for the listener and all connections, so that the main loop
 * does not look at each of ten thousand. */

#include "agent/door/door.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/door/hall.h"
#include "agent/door/serve.h"

/* Per turn of the main loop, so that others have theirs. */
#define EVENTS_AT_ONCE  64
#define ACCEPTS_AT_ONCE 16

/* Out of descriptors or memory: try again after this long. */
#define ACCEPT_PAUSE_MS 100

typedef struct {
    GSource source;   /* first */
    SignetDoor *door; /* (unowned): destroys the source before it goes */
} DoorSource;

struct SignetDoor {
    SignetHall *hall; /* (owned) */
    int listen_fd;    /* (owned) -1: none */
    GSource *source;  /* (owned) */
    GSource *pause;   /* (owned, nullable) until the listener is looked at again */
};

/* --- new connections --- */

static gboolean
watch_listener(SignetDoor *door, int operation, guint32 events)
{
    struct epoll_event event = {.events = events, .data.ptr = NULL};

    return epoll_ctl(door->hall->epoll_fd, operation, door->listen_fd, &event) == 0;
}

static gboolean
on_pause_over(gpointer data)
{
    SignetDoor *door = data;

    watch_listener(door, EPOLL_CTL_MOD, EPOLLIN);
    g_clear_pointer(&door->pause, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* Level-triggered, the listener would wake us without end while nothing can be accepted. */
static void
pause_accepting(SignetDoor *door)
{
    watch_listener(door, EPOLL_CTL_MOD, 0);
    door->pause = g_timeout_source_new(ACCEPT_PAUSE_MS);
    g_source_set_callback(door->pause, on_pause_over, door, NULL);
    g_source_attach(door->pause, g_source_get_context(door->source));
}

static gboolean
is_out_of_resources(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

static void
accept_some(SignetDoor *door)
{
    for (guint i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int fd = accept4(door->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            signet_hall_admit(door->hall, fd, NULL);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE && signet_hall_make_room(door->hall))
            continue;
        if (is_out_of_resources(errno)) {
            pause_accepting(door);
            return;
        }
    }
}

/* --- event source --- */

static void
serve_event(const struct epoll_event *event)
{
    SignetConnection *connection = event->data.ptr;

    if (connection->fd < 0) /* closed in this very round */
        return;
    if (event->events & EPOLLOUT)
        signet_hall_flush(connection);
    else if ((event->events & EPOLLIN) && !connection->is_busy)
        signet_serve(connection);
    else if (event->events & (EPOLLHUP | EPOLLERR))
        signet_hall_close(connection);
    else if (event->events & EPOLLIN)
        signet_hall_defer(connection);
}

static gboolean
source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    SignetDoor *door = ((DoorSource *)source)->door;
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(door->hall->epoll_fd, events, EVENTS_AT_ONCE, 0);

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            serve_event(&events[i]);
        else
            accept_some(door);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
source_prepare(GSource *source, int *ret_timeout_ms)
{
    *ret_timeout_ms = -1;
    signet_hall_bury(((DoorSource *)source)->door->hall);
    return FALSE;
}

static GSource *
make_source(SignetDoor *door)
{
    static GSourceFuncs functions = {.prepare = source_prepare, .dispatch = source_dispatch};
    GSource *source = g_source_new(&functions, sizeof(DoorSource));

    ((DoorSource *)source)->door = door;
    g_source_set_static_name(source, "door");
    /* Nothing here runs the loop again; without this GLib takes the descriptor out of its set and
     * puts it back around each dispatch, and wakes itself up twice for that. */
    g_source_set_can_recurse(source, TRUE);
    g_source_add_unix_fd(source, door->hall->epoll_fd, G_IO_IN);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

/* --- public --- */

SignetDoor *
signet_door_new(const SignetDoorSettings *settings, GError **error)
{
    SignetHall *hall = signet_hall_new(settings, error);
    SignetDoor *door;

    if (!hall)
        return NULL;
    door = g_new0(SignetDoor, 1);
    door->hall = hall;
    door->listen_fd = -1;
    door->source = make_source(door);
    return door;
}

static void
destroy_source(GSource *source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

void
signet_door_free(SignetDoor *door)
{
    g_clear_pointer(&door->pause, destroy_source);
    destroy_source(door->source);
    signet_hall_free(door->hall);
    if (door->listen_fd >= 0)
        close(door->listen_fd);
    g_free(door);
}

gboolean
signet_door_listen(SignetDoor *door, int listen_fd, GError **error)
{
    int flags = fcntl(listen_fd, F_GETFL);

    g_assert(door->listen_fd < 0);
    door->listen_fd = listen_fd;
    /* Accepted connections inherit the wish for credentials. */
    if (flags >= 0 && fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        signet_packet_ask_credentials(listen_fd) && watch_listener(door, EPOLL_CTL_ADD, EPOLLIN))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_IO, "cannot listen on the private socket: %s",
                            g_strerror(errno));
}

gboolean
signet_door_restore_factory(SignetDoor *door, int fd, const char *name, GError **error)
{
    SignetConnection *connection;
    struct ucred owner;

    if (!signet_packet_get_owner(fd, &owner)) {
        close(fd);
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "descriptor '%s' of the service manager is not a connection", name);
    }
    connection = signet_hall_admit(door->hall, fd, NULL);
    if (!connection)
        return signet_error_set(error, SIGNET_ERROR_BUSY,
                                "there is no room for connection '%s' of the service manager",
                                name);
    signet_hall_make_factory(connection, name);
    return TRUE;
}

void
signet_door_attach_job(int fd, SignetJob *job, gpointer door)
{
    signet_hall_admit(((SignetDoor *)door)->hall, fd, job);
}

void
signet_door_look_again(SignetDoor *door)
{
    signet_serve_watchers(door->hall);
}

guint
signet_door_get_n_connections(const SignetDoor *door)
{
    return door->hall->open.length;
}
