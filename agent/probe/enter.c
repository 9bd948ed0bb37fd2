/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Becoming another: user and groups, and the surroundings of a process that runs. */

#include "agent/probe/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/probe/filter.h"
#include "agent/probe/say.h"

#define GROUPS_MAX 1024

/* Where control groups of systemd are mounted: the unified hierarchy, the mixed one, the old one.
 */
static const char *const hierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified",
                                          "/sys/fs/cgroup/systemd"};

static bool
write_pid(const char *directory, const char *group)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s/cgroup.procs", directory, group);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_moved = fd >= 0 && write(fd, "0", 1) == 1;
    if (fd >= 0)
        close(fd);
    return is_moved;
}

/* A line is "0::/path" or "1:name=systemd:/path". */
static void
enter_cgroup(long pid)
{
    char path[64], line[PATH_MAX];
    bool is_moved = false;
    snprintf(path, sizeof(path), "/proc/%ld/cgroup", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        const char *controllers = strchr(line, ':');
        const char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (group == NULL ||
            (strncmp(controllers, "::", 2) != 0 && strncmp(controllers, ":name=systemd:", 14) != 0))
            continue;
        for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++)
            is_moved |= write_pid(hierarchies[i], group + 1);
    }
    if (file != NULL)
        fclose(file);
    signet_say("entered.cgroup", "%s", is_moved ? "yes" : "no");
}

static bool
is_same(int fd, const char *ours)
{
    struct stat one, other;
    return fstat(fd, &one) == 0 && stat(ours, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static int
open_of(long pid, const char *what, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%ld/%s", pid, what);
    return open(path, flags | O_CLOEXEC);
}

static bool
refuse(const char *what)
{
    signet_say("role.error", "%s: %s", what, strerror(errno));
    return false;
}

/* Both are opened before either is entered: afterwards /proc may be another. */
static bool
enter_filesystem(long pid)
{
    int mounts = open_of(pid, "ns/mnt", O_RDONLY);
    int root = open_of(pid, "root", O_PATH | O_DIRECTORY);
    if (mounts < 0 || root < 0)
        return refuse("cannot look into the process");
    bool is_mount_same = is_same(mounts, "/proc/self/ns/mnt"), is_root_same = is_same(root, "/");
    if (!is_mount_same && setns(mounts, CLONE_NEWNS) != 0)
        return refuse("cannot enter its mount namespace");
    if ((!is_mount_same || !is_root_same) && (fchdir(root) != 0 || chroot(".") != 0))
        return refuse("cannot enter its root directory");
    signet_say("entered.mounts", "%s", is_mount_same ? "same" : "yes");
    signet_say("entered.root", "%s", is_root_same ? "same" : "yes");
    close(mounts);
    close(root);
    return chdir("/") == 0;
}

/* --- capabilities --- */

struct capabilities {
    unsigned long long bounding, permitted, effective;
};

static bool
read_capabilities(long pid, struct capabilities *ret_capabilities)
{
    char path[64], line[256];
    int found = 0;
    snprintf(path, sizeof(path), "/proc/%ld/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        found += sscanf(line, "CapPrm: %llx", &ret_capabilities->permitted) == 1 ||
                 sscanf(line, "CapEff: %llx", &ret_capabilities->effective) == 1 ||
                 sscanf(line, "CapBnd: %llx", &ret_capabilities->bounding) == 1;
    if (file != NULL)
        fclose(file);
    return found == 3;
}

/* What a process may do in a user namespace of its own it may not do here. */
static bool
limit_to_here(long pid, struct capabilities *capabilities)
{
    int fd = open_of(pid, "ns/user", O_RDONLY);
    bool is_known = fd >= 0;
    bool is_here = is_known && is_same(fd, "/proc/self/ns/user");
    if (is_known)
        close(fd);
    if (is_known && !is_here)
        *capabilities = (struct capabilities) {0};
    return is_known;
}

static bool
limit_bounding(unsigned long long bounding)
{
    for (unsigned long i = 0; i < 64; i++)
        if ((bounding >> i & 1) == 0 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
            return false;
    return true;
}

/* Root in a service is less than root: what a confined one has laid ready must not run with more.
 */
static bool
limit_capabilities(const struct capabilities *capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.permitted = (unsigned)capabilities->permitted,
         .effective = (unsigned)capabilities->effective},
        {.permitted = (unsigned)(capabilities->permitted >> 32),
         .effective = (unsigned)(capabilities->effective >> 32)}};
    return syscall(SYS_capset, &header, data) == 0 || refuse("cannot give up capabilities");
}

/* --- ids --- */

/* What is no list of numbers would be root's group. */
static bool
take_groups(const char *text)
{
    static gid_t groups[GROUPS_MAX];
    size_t count = 0;
    char *end = NULL;
    for (; text != NULL && *text != '\0'; text = end + (*end == ',')) {
        unsigned long long group = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || (*end != '\0' && *end != ',') || group >= (gid_t)-1 ||
            count == GROUPS_MAX) {
            errno = EINVAL;
            return false;
        }
        groups[count++] = (gid_t)group;
    }
    return setgroups(count, groups) == 0;
}

static bool
take_ids(const struct signet_role *role)
{
    uid_t uid = (uid_t)role->uid;
    gid_t gid = (gid_t)role->gid;
    if (!take_groups(role->groups) || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return refuse("cannot become that user");
    if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        errno = EPERM;
        return refuse("root does not let go");
    }
    return true;
}

/* --- the terminal --- */

/* Whoever is played must not type into the terminal of who plays: TIOCSTI asks for no permission
 * but that it is one's own. */
static bool
leave_terminal(void)
{
    if (setsid() >= 0)
        return true;
    /* the leader of a group: started by hand */
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    bool is_left = fd < 0 ? errno == ENXIO : ioctl(fd, TIOCNOTTY) == 0;
    if (fd >= 0)
        close(fd);
    return is_left;
}

/* Last of all: it may forbid what becoming another takes. Whom it ends has said nothing more. */
static void
enter_filters(struct signet_filters *filters, bool is_read)
{
    bool is_entered = is_read && signet_filters_install(filters);
    if (!is_entered)
        signet_say("entered.filter", "no");
    else
        signet_say("entered.filter", "%s", filters->count > 0 ? "yes" : "same");
    signet_filters_clear(filters);
}

bool
signet_enter(const struct signet_role *role)
{
    struct capabilities capabilities = {0};
    struct signet_filters filters = {.count = 0};
    if (!leave_terminal())
        return refuse("cannot leave the terminal");
    bool is_filter_read = role->pid == 0 || signet_filters_read(role->pid, &filters);
    if (role->pid > 0 &&
        (!read_capabilities(role->pid, &capabilities) || !limit_to_here(role->pid, &capabilities)))
        return refuse("cannot look at the process");
    if (role->pid > 0)
        enter_cgroup(role->pid);
    if (role->pid > 0 && !enter_filesystem(role->pid))
        return false;
    if (role->pid > 0 && !limit_bounding(capabilities.bounding))
        return refuse("cannot give up capabilities");
    if (role->uid >= 0 && !take_ids(role))
        return false;
    if (role->pid > 0 && geteuid() == 0 && !limit_capabilities(&capabilities))
        return false;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refuse("cannot give up privileges");
    enter_filters(&filters, is_filter_read);
    return true;
}
