/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent as a service. */

#include "agent/service.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define NAME_AGENT           "agent"
#define NAME_UNIT            "signetd.socket"
#define NAME_FACTORY         "factory-"
#define DESCRIPTORS_MAX      65536
#define DESCRIPTORS_RESERVED 256
#define CONNECTIONS_MAX      8192

void
signet_handed_fd_clear(SignetHandedFd *handed)
{
    g_clear_pointer(&handed->name, g_free);
}

static void
handed_fd_clear(gpointer data)
{
    signet_handed_fd_clear(data);
}

void
signet_handed_clear(SignetHanded *handed)
{
    g_clear_pointer(&handed->factories, g_array_unref);
}

SignetHanded
signet_service_take_fds(void)
{
    SignetHanded handed = {.listen_fd = -1,
                           .factories = g_array_new(FALSE, FALSE, sizeof(SignetHandedFd))};
    char **names = NULL; /* malloc()ed by libsystemd, as its elements are */
    int count = sd_listen_fds_with_names(TRUE, &names);

    g_array_set_clear_func(handed.factories, handed_fd_clear);
    for (int i = 0; i < count; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        SignetHandedFd factory = {.fd = fd};

        if (handed.listen_fd < 0 &&
            (g_str_equal(names[i], NAME_AGENT) || g_str_equal(names[i], NAME_UNIT)) &&
            sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, TRUE) > 0) {
            handed.listen_fd = fd;
        } else if (g_str_has_prefix(names[i], NAME_FACTORY) &&
                   sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, FALSE) > 0) {
            factory.name = g_strdup(names[i]);
            g_array_append_val(handed.factories, factory);
        } else {
            close(fd);
        }
    }
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return handed;
}

/* --- a socket of our own --- */

static gboolean
is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* EAGAIN: somebody listens, whose queue is full */
    gboolean answered =
        fd >= 0 &&
        (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return answered;
}

static gboolean
remove_stale(const struct sockaddr_un *address, GError **error)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? TRUE
                               : signet_error_set(error, SIGNET_ERROR_IO, "cannot look at '%s': %s",
                                                  address->sun_path, g_strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return signet_error_set(error, SIGNET_ERROR_IO,
                                "'%s' is in the way and is not a socket; remove it",
                                address->sun_path);
    if (is_answered(address))
        return signet_error_set(error, SIGNET_ERROR_BUSY,
                                "another agent answers at '%s'; stop it first", address->sun_path);
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return signet_error_set(error, SIGNET_ERROR_IO, "cannot remove the old socket '%s': %s",
                                address->sun_path, g_strerror(errno));
    return TRUE;
}

static gboolean
bind_for_everybody(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0111);
    int rc = bind(fd, (const struct sockaddr *)address, sizeof *address);

    umask(before);
    return rc == 0;
}

int
signet_service_listen(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int one = 1;
    int fd;

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        signet_error_set(error, SIGNET_ERROR_IO, "'%s' is too long for a socket's path", path);
        return -1;
    }
    if (!remove_stale(&address, error))
        return -1;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Credentials before listen(): no packet shall come without. */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0 &&
        bind_for_everybody(fd, &address) && listen(fd, SOMAXCONN) == 0)
        return fd;
    signet_error_set(error, SIGNET_ERROR_IO, "cannot listen at '%s': %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- what the manager is told --- */

void
signet_service_keep(int fd, const char *name, gboolean keep, gpointer data)
{
    g_autofree char *state =
        g_strdup_printf("%s=1\nFDNAME=%s", keep ? "FDSTORE" : "FDSTOREREMOVE", name);

    /* Not kept is not lost yet: the connection works as long as this process does. */
    if (keep)
        (void)sd_pid_notify_with_fds(0, FALSE, state, &fd, 1);
    else
        (void)sd_notify(FALSE, state);
}

void
signet_service_ready(void)
{
    (void)sd_notify(FALSE, "READY=1");
}

void
signet_service_reloading(void)
{
    (void)sd_notifyf(FALSE, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
                     g_get_monotonic_time());
}

void
signet_service_stopping(void)
{
    (void)sd_notify(FALSE, "STOPPING=1");
}

static gboolean
on_watchdog(gpointer data)
{
    (void)sd_notify(FALSE, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

void
signet_service_start_watchdog(void)
{
    uint64_t interval_us = 0;

    if (sd_watchdog_enabled(FALSE, &interval_us) > 0)
        g_timeout_add((guint)MAX(interval_us / 2000, 1), on_watchdog, NULL);
}

void
signet_service_harden(void)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;

    umask(0077);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS_MAX) {
        files.rlim_cur = MIN(files.rlim_max, DESCRIPTORS_MAX);
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

guint
signet_service_get_max_connections(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 0;
    /* Each may come from another process, which takes two more to look at. */
    return (guint)CLAMP((files.rlim_cur - MIN(files.rlim_cur, DESCRIPTORS_RESERVED)) / 3, 16,
                        CONNECTIONS_MAX);
}
