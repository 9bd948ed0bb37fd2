/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which component of a path is in this process's way: a walk from the root, through every link. */

#include "agent/probe/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/probe/say.h"

#define LINKS_MAX 40

struct walk {
    char done[PATH_MAX]; /* without links, no "/" at its end; "" is the root */
    char rest[PATH_MAX]; /* still to be walked */
    int links;
};

static void
say_owner(const char *name, const char *path)
{
    char key[64];
    struct stat status;
    if (lstat(path, &status) != 0)
        return;
    const struct passwd *user = getpwuid(status.st_uid);
    const struct group *group = getgrgid(status.st_gid);
    snprintf(key, sizeof(key), "%s.owner", name);
    signet_say(key, "%s:%s %04o", user == NULL ? "?" : user->pw_name,
               group == NULL ? "?" : group->gr_name, (unsigned)status.st_mode & 07777);
}

static int
fail(const char *name, const char *path, int error)
{
    char key[64];
    snprintf(key, sizeof(key), "%s.error", name);
    signet_say(key, "%s", strerror(error));
    snprintf(key, sizeof(key), "%s.at", name);
    signet_say(key, "%s", *path == '\0' ? "/" : path);
    say_owner(name, *path == '\0' ? "/" : path);
    return error;
}

/* Puts a link's target before what is left; an absolute one starts again. */
static int
follow(struct walk *walk, const char *link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t size = readlink(link, target, sizeof(target) - 1);
    if (size < 0)
        return errno;
    target[size] = '\0';
    if (++walk->links > LINKS_MAX)
        return ELOOP;
    if (snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >= (int)sizeof(rest))
        return ENAMETOOLONG;
    memcpy(walk->rest, rest, sizeof(rest));
    if (*target == '/')
        walk->done[0] = '\0';
    return 0;
}

static void
go_up(struct walk *walk)
{
    char *slash = strrchr(walk->done, '/');
    if (slash != NULL)
        *slash = '\0';
}

/* One component: *ret_path is where it was looked for. */
static int
step(struct walk *walk, const char *component, char *ret_path)
{
    struct stat status;
    if (strcmp(component, "..") == 0) {
        go_up(walk);
        return 0;
    }
    if (snprintf(ret_path, PATH_MAX, "%.*s/%s", PATH_MAX - NAME_MAX - 2, walk->done, component) >=
        PATH_MAX)
        return ENAMETOOLONG;
    if (lstat(ret_path, &status) != 0)
        return errno;
    if (S_ISLNK(status.st_mode))
        return follow(walk, ret_path);
    if (S_ISDIR(status.st_mode) && faccessat(AT_FDCWD, ret_path, X_OK, AT_EACCESS) != 0)
        return errno;
    memcpy(walk->done, ret_path, PATH_MAX);
    return 0;
}

int
signet_reach(const char *name, const char *path, int access_mode)
{
    static struct walk walk;
    static char at[PATH_MAX];
    walk.links = 0;
    walk.done[0] = '\0';
    if (snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= (int)sizeof(walk.rest))
        return fail(name, path, ENAMETOOLONG);
    for (;;) {
        char component[NAME_MAX + 1];
        size_t start = strspn(walk.rest, "/"), size = strcspn(walk.rest + start, "/");
        if (size == 0)
            break;
        if (size >= sizeof(component))
            return fail(name, path, ENAMETOOLONG);
        memcpy(component, walk.rest + start, size);
        component[size] = '\0';
        memmove(walk.rest, walk.rest + start + size, strlen(walk.rest + start + size) + 1);
        if (strcmp(component, ".") == 0)
            continue;
        int error = step(&walk, component, at);
        if (error != 0)
            return fail(name, error == ENOENT || error == EACCES ? at : path, error);
    }
    if (faccessat(AT_FDCWD, *walk.done == '\0' ? "/" : walk.done, access_mode, AT_EACCESS) != 0)
        return fail(name, walk.done, errno);
    return 0;
}
