/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The processes at the other ends: one SignetPeer for all connections of a process, so that ten
 * thousand of them cost one look at the user database. Main thread only; private to agent/door. */

#pragma once

#include "agent/base/peer.h"
#include "agent/door/packet.h"

/* Groups and names are looked up again after this long. */
#define SIGNET_VISITOR_FRESH_US (60 * G_USEC_PER_SEC)

typedef struct SignetVisitors SignetVisitors;

typedef struct {
    SignetPeer *peer; /* (owned) */
    /* private */
    SignetVisitors *visitors; /* (unowned): outlives us, see signet_visitors_free() */
    struct ucred credentials;
    int pidfd; /* (owned) -1: gone */
    gint64 made_us;
    guint references;
} SignetVisitor;

SignetVisitors *signet_visitors_new(void);
/* No visitor may be held any more. */
void signet_visitors_free(SignetVisitors *visitors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetVisitors, signet_visitors_free)

/* pidfd: of that very process (borrowed), or SIGNET_PIDFD_…. Release with signet_visitor_unref().
 */
SignetVisitor *signet_visitors_get(SignetVisitors *visitors, const struct ucred *credentials,
                                   int pidfd, gint64 now_us);
/* Is it this process, looked up not too long ago? */
gboolean signet_visitor_is(const SignetVisitor *visitor, const struct ucred *credentials, int pidfd,
                           gint64 now_us);
gboolean signet_visitor_is_fresh(const SignetVisitor *visitor, gint64 now_us);
void signet_visitor_unref(SignetVisitor *visitor);
guint signet_visitors_get_count(const SignetVisitors *visitors);
