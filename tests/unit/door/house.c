/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A door over a small world, and children with other credentials that come to it. */

#include "tests/unit/door/house.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FD_LIMIT 20000

House house;

static void
on_keep(int fd, const char *name, gboolean keep, gpointer data)
{
    for (guint i = 0; i < house.n_kept && !keep; i++) {
        if (house.kept[i].fd < 0 || !g_str_equal(house.kept[i].name, name))
            continue;
        close(house.kept[i].fd);
        house.kept[i].fd = -1;
        house.n_forgotten++;
    }
    if (!keep)
        return;
    ck_assert_uint_lt(house.n_kept, HOUSE_KEPT_MAX);
    house.kept[house.n_kept].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_strlcpy(house.kept[house.n_kept].name, name, sizeof house.kept[0].name);
    house.n_kept++;
}

static int
listen_at_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, house.path, sizeof address.sun_path);
    unlink(house.path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(chmod(house.path, 0666), 0);
    ck_assert_int_eq(listen(fd, SOMAXCONN), 0);
    return fd;
}

void
house_open_door(guint max_connections)
{
    SignetDoorSettings settings = {.broker = house.world->broker,
                                   .clock = &house.world->clock,
                                   .keep = on_keep,
                                   .max_connections = max_connections};
    g_autoptr(GError) error = NULL;

    house.door = signet_door_new(&settings, &error);
    ck_assert(house.door && signet_door_listen(house.door, listen_at_path(), &error));
}

void
house_setup(void)
{
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < FD_LIMIT ? files.rlim_max : FD_LIMIT;
    setrlimit(RLIMIT_NOFILE, &files);
    ck_assert_msg(getuid() == 0, "this test plays several users and needs root");
    strcpy(house.directory, "/tmp/signet-door.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(house.directory));
    ck_assert_int_eq(chmod(house.directory, 0755), 0);
    snprintf(house.path, sizeof house.path, "%s/sock", house.directory);
    house.world = world_new();
    house_open_door(0);
}

void
house_teardown(void)
{
    g_clear_pointer(&house.door, signet_door_free);
    world_free(house.world);
    for (guint i = 0; i < house.n_kept; i++)
        close(house.kept[i].fd);
    unlink(house.path);
    rmdir(house.directory);
}

/* --- children --- */

/* A child must not keep ends of the agent's connections open. */
static void
close_all_but(int keep_a, int keep_b)
{
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != keep_a && fd != keep_b)
            close(fd);
    }
}

pid_t
house_start(HouseProgram program, void *data, int keep_a, int keep_b)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close_all_but(keep_a, keep_b);
        _exit(program(data));
    }
    return child;
}

static gboolean
on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

/* Serves until the child has ended well. */
void
house_serve_until_end(pid_t child)
{
    guint tick = g_timeout_add(2, on_tick, NULL);
    int status;

    while (waitpid(child, &status, WNOHANG) == 0)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(tick);
    ck_assert_int_eq(status, 0);
}

void
house_serve(HouseProgram program, void *data)
{
    house_serve_until_end(house_start(program, data, -1, -1));
}

void
house_serve_until_readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    guint tick = g_timeout_add(2, on_tick, NULL);

    while (poll(&ready, 1, 0) == 0)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(tick);
}

void
house_settle(void)
{
    for (int i = 0; i < 50; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(200);
    }
}

void
house_become(uid_t uid)
{
    if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
        abort();
}

void
house_become_chrooted(uid_t uid)
{
    if (chroot(house.directory) < 0 || chdir("/") < 0)
        abort();
    house_become(uid);
}

void
house_gate_open(HouseGate *ret_gate)
{
    ck_assert_int_eq(pipe2(ret_gate->ready, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(ret_gate->go, O_CLOEXEC), 0);
}
