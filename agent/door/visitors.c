/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The processes at the other ends. */

#include "agent/door/visitors.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct SignetVisitors {
    GHashTable *known; /* (owned) of SignetVisitor (unowned): they take themselves out */
};

static guint
credentials_hash(gconstpointer data)
{
    const struct ucred *c = data;

    return (guint)c->pid * 2654435761u ^ c->uid * 40503u ^ c->gid;
}

static gboolean
credentials_equal(gconstpointer a, gconstpointer b)
{
    const struct ucred *x = a, *y = b;

    return x->pid == y->pid && x->uid == y->uid && x->gid == y->gid;
}

SignetVisitors *
signet_visitors_new(void)
{
    SignetVisitors *visitors = g_new0(SignetVisitors, 1);

    visitors->known = g_hash_table_new(credentials_hash, credentials_equal);
    return visitors;
}

void
signet_visitors_free(SignetVisitors *visitors)
{
    g_assert(g_hash_table_size(visitors->known) == 0);
    g_hash_table_unref(visitors->known);
    g_free(visitors);
}

guint
signet_visitors_get_count(const SignetVisitors *visitors)
{
    return g_hash_table_size(visitors->known);
}

gboolean
signet_visitor_is_fresh(const SignetVisitor *visitor, gint64 now_us)
{
    return now_us - visitor->made_us < SIGNET_VISITOR_FRESH_US;
}

/* Two living processes never share a pid: if ours lives and the one that is meant lives, they are
 * one. Where the kernel gives no pidfd for the one that is meant, its number has to do. */
gboolean
signet_visitor_is(const SignetVisitor *visitor, const struct ucred *credentials, int pidfd,
                  gint64 now_us)
{
    return credentials_equal(&visitor->credentials, credentials) &&
           signet_visitor_is_fresh(visitor, now_us) && signet_pidfd_is_alive(visitor->pidfd) &&
           (pidfd == SIGNET_PIDFD_NONE || signet_pidfd_is_alive(pidfd));
}

/* An fd of our own for the process, -1 when it is gone. */
static int
hold(const struct ucred *credentials, int pidfd)
{
    if (pidfd == SIGNET_PIDFD_NONE)
        return (int)syscall(SYS_pidfd_open, credentials->pid, 0); /* close-on-exec by definition */
    return signet_pidfd_is_alive(pidfd) ? fcntl(pidfd, F_DUPFD_CLOEXEC, 3) : -1;
}

static SignetVisitor *
visitor_new(SignetVisitors *visitors, const struct ucred *credentials, int pidfd, gint64 now_us)
{
    SignetVisitor *visitor = g_new0(SignetVisitor, 1);

    visitor->visitors = visitors;
    visitor->credentials = *credentials;
    visitor->pidfd = hold(credentials, pidfd);
    visitor->made_us = now_us;
    visitor->references = 1;
    /* pid 0: nothing that only its number tells may be believed of a process that is gone. */
    visitor->peer = signet_peer_new(visitor->pidfd >= 0 ? credentials->pid : 0, credentials->uid,
                                    credentials->gid, visitor->pidfd);
    return visitor;
}

SignetVisitor *
signet_visitors_get(SignetVisitors *visitors, const struct ucred *credentials, int pidfd,
                    gint64 now_us)
{
    SignetVisitor *visitor = g_hash_table_lookup(visitors->known, credentials);

    if (visitor && signet_visitor_is(visitor, credentials, pidfd, now_us)) {
        visitor->references++;
        return visitor;
    }
    visitor = visitor_new(visitors, credentials, pidfd, now_us);
    if (visitor->pidfd >= 0)
        g_hash_table_replace(visitors->known, &visitor->credentials, visitor);
    return visitor;
}

void
signet_visitor_unref(SignetVisitor *visitor)
{
    GHashTable *known;

    if (!visitor || --visitor->references > 0)
        return;
    known = visitor->visitors->known;
    if (g_hash_table_lookup(known, &visitor->credentials) == visitor)
        g_hash_table_remove(known, &visitor->credentials);
    if (visitor->pidfd >= 0)
        close(visitor->pidfd);
    signet_peer_unref(visitor->peer);
    g_free(visitor);
}
