/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who is at the other end of a request: the credentials the kernel attached to it, and what they
 * stand for. */

#include "agent/base/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROC_FILE_MAX   4096
#define NSS_BUFFER_MAX  (1024 * 1024)
#define UNKNOWN_PROGRAM "?"

struct SignetPeer {
    gatomicrefcount references;
    pid_t pid;
    int pidfd;         /* (owned) -1: nothing in /proc can be believed to be about this process */
    char *user;        /* (owned, nullable) */
    GPtrArray *groups; /* (owned) names and decimal gids, NULL-terminated */
    char *label;       /* (owned, nullable) */
    char *unit;        /* (owned, nullable) */
    char *program;     /* (owned, nullable) */
    gboolean is_unit_known; /* looked up, whatever came of it */
    SignetPolicyPeer view;  /* borrows from the fields above */
};

/* A pidfd keeps its process identifier from meaning somebody else only as long as the process
 * exists (a zombie does). */
static gboolean
is_alive(int pidfd)
{
    return pidfd >= 0 && (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno == EPERM);
}

static char *
read_small_file(const char *path)
{
    g_autofree char *text = g_malloc(PROC_FILE_MAX + 1);
    gsize size = 0;
    gssize got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    do {
        got = read(fd, text + size, PROC_FILE_MAX - size);
        if (got > 0)
            size += (gsize)got;
    } while (size < PROC_FILE_MAX && (got > 0 || (got < 0 && errno == EINTR)));
    close(fd);
    if (got < 0)
        return NULL;
    text[size] = '\0';
    return g_steal_pointer(&text);
}

/* The text of /proc/PID/NAME, or NULL when it might be about another process. */
static char *
read_proc(const SignetPeer *peer, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)peer->pid, name);
    g_autofree char *text = NULL;

    if (!is_alive(peer->pidfd))
        return NULL;
    text = read_small_file(path);
    if (!is_alive(peer->pidfd))
        return NULL;
    return g_steal_pointer(&text);
}

/* The process a pidfd stands for, as the kernel tells it; 0 when it does not. */
static pid_t
pid_of_pidfd(int pidfd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", pidfd);
    g_autofree char *text = read_small_file(path);
    const char *line = text ? strstr(text, "\nPid:") : NULL;
    int pid = 0;

    return line && sscanf(line, "\nPid: %d", &pid) == 1 && pid > 0 ? pid : 0;
}

static int
hold_process(pid_t pid, int pidfd)
{
    if (pid <= 0)
        return -1;
    if (pidfd >= 0)
        return pid_of_pidfd(pidfd) == pid ? fcntl(pidfd, F_DUPFD_CLOEXEC, 3) : -1;
    return (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by definition */
}

static char *
dup_user_name(uid_t uid)
{
    for (gsize size = 1024; size <= NSS_BUFFER_MAX; size *= 2) {
        g_autofree char *buffer = g_malloc(size);
        struct passwd entry, *found = NULL;
        int code = getpwuid_r(uid, &entry, buffer, size, &found);

        if (code == 0)
            return found ? g_strdup(found->pw_name) : NULL;
        if (code != ERANGE)
            return NULL;
    }
    return NULL;
}

static char *
dup_group_name(gid_t gid)
{
    for (gsize size = 1024; size <= NSS_BUFFER_MAX; size *= 2) {
        g_autofree char *buffer = g_malloc(size);
        struct group entry, *found = NULL;
        int code = getgrgid_r(gid, &entry, buffer, size, &found);

        if (code == 0)
            return found ? g_strdup(found->gr_name) : NULL;
        if (code != ERANGE)
            return NULL;
    }
    return NULL;
}

/* A name of digits only would be taken for a number by the rules, so such a name is not told. */
static gboolean
is_number(const char *name)
{
    return name[strspn(name, "0123456789")] == '\0';
}

static void
add_group(GPtrArray *groups, gid_t gid)
{
    g_autofree char *name = dup_group_name(gid);

    g_ptr_array_add(groups, g_strdup_printf("%u", (guint)gid));
    if (name && !is_number(name))
        g_ptr_array_add(groups, g_steal_pointer(&name));
}

static GPtrArray *
list_groups(const char *user, gid_t gid)
{
    GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);
    int count = 64;
    g_autofree gid_t *gids = g_new(gid_t, count);

    if (!user) {
        gids[0] = gid;
        count = 1;
    } else if (getgrouplist(user, gid, gids, &count) < 0) {
        gids = g_renew(gid_t, gids, count);
        if (getgrouplist(user, gid, gids, &count) < 0)
            count = 0;
    }
    for (int i = 0; i < count; i++)
        add_group(groups, gids[i]);
    g_ptr_array_add(groups, NULL);
    return groups;
}

/* The first line of a text it takes over; NULL when there is nothing in it. */
static char *
take_line(char *text)
{
    if (text)
        text[strcspn(text, "\n")] = '\0';
    if (text && *text)
        return text;
    g_free(text);
    return NULL;
}

SignetPeer *
signet_peer_new(pid_t pid, uid_t uid, gid_t gid, int pidfd)
{
    SignetPeer *peer = g_new0(SignetPeer, 1);

    g_atomic_ref_count_init(&peer->references);
    peer->pid = pid;
    peer->pidfd = hold_process(pid, pidfd);
    peer->user = dup_user_name(uid);
    if (peer->user && is_number(peer->user))
        g_clear_pointer(&peer->user, g_free);
    peer->groups = list_groups(peer->user, gid);
    peer->label = take_line(read_proc(peer, "attr/current"));
    peer->view = (SignetPolicyPeer) {
        .uid = uid,
        .gid = gid,
        .user = peer->user,
        .groups = (const char *const *)peer->groups->pdata,
        .label = peer->label,
    };
    return peer;
}

SignetPeer *
signet_peer_ref(SignetPeer *peer)
{
    g_atomic_ref_count_inc(&peer->references);
    return peer;
}

void
signet_peer_unref(SignetPeer *peer)
{
    if (!peer || !g_atomic_ref_count_dec(&peer->references))
        return;
    if (peer->pidfd >= 0)
        close(peer->pidfd);
    g_ptr_array_unref(peer->groups);
    g_free(peer->user);
    g_free(peer->label);
    g_free(peer->unit);
    g_free(peer->program);
    g_free(peer);
}

pid_t
signet_peer_get_pid(const SignetPeer *peer)
{
    return peer->pid;
}

uid_t
signet_peer_get_uid(const SignetPeer *peer)
{
    return peer->view.uid;
}

const SignetPolicyPeer *
signet_peer_get_policy_peer(SignetPeer *peer, gboolean with_unit)
{
    if (with_unit && !peer->is_unit_known) {
        g_autofree char *text = read_proc(peer, "cgroup");

        peer->unit = text ? signet_peer_unit_from_cgroup(text) : NULL;
        peer->view.unit = peer->unit;
        peer->is_unit_known = TRUE;
    }
    return &peer->view;
}

const char *
signet_peer_get_program(SignetPeer *peer)
{
    if (!peer->program) {
        peer->program = take_line(read_proc(peer, "comm"));
        if (!peer->program)
            peer->program = g_strdup(UNKNOWN_PROGRAM);
    }
    return peer->program;
}

static gboolean
is_unit_name(const char *name)
{
    static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name || strlen(name) > 255)
        return FALSE;
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")])
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        if (g_str_equal(dot, suffixes[i]))
            return TRUE;
    }
    return FALSE;
}

/* The first component below the slices is the system manager's unit. What stands further down was
 * made by that unit itself: a user's own manager can make a cgroup of any name, and must not pass
 * for a system service. */
static char *
unit_from_path(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (char **part = parts; *part; part++) {
        const char *name =
            **part == '_' ? *part + 1 : *part; /* systemd's escape for names that clash */

        if (**part == '\0' || g_str_has_suffix(name, ".slice"))
            continue;
        return is_unit_name(name) ? g_strdup(name) : NULL;
    }
    return NULL;
}

char *
signet_peer_unit_from_cgroup(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *path = NULL;

    /* "0::" is the unified hierarchy; where systemd still uses version 1, its own hierarchy has the
     * name. */
    for (char **line = lines; *line; line++) {
        const char *first = strchr(*line, ':');

        if (g_str_has_prefix(*line, "0::/") && (*line)[4] != '\0')
            return unit_from_path(*line + 3);
        if (first && g_str_has_prefix(first, ":name=systemd:/"))
            path = first + strlen(":name=systemd:");
    }
    return path ? unit_from_path(path) : NULL;
}
