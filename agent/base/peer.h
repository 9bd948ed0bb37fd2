/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who is at the other end of a request: the credentials the kernel attached to it, and what they
 * stand for. */

#pragma once

#include <glib.h>
#include <sys/types.h>

#include "policy/access.h"

typedef struct SignetPeer SignetPeer;

/* Resolves names and groups now (NSS: may block shortly, so cache peers per connection). pidfd:
 * duplicated; -1 when the kernel has none. Immutable and refcounted, except that the unit is looked
 * up at first need. */
SignetPeer *signet_peer_new(pid_t pid, uid_t uid, gid_t gid, int pidfd);
SignetPeer *signet_peer_ref(SignetPeer *peer);
void signet_peer_unref(SignetPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetPeer, signet_peer_unref)

pid_t signet_peer_get_pid(const SignetPeer *peer);
uid_t signet_peer_get_uid(const SignetPeer *peer);
/* Borrowed view for policy/access.h. with_unit: read /proc/PID/cgroup (checked by pidfd before and
 * after) if not yet done. */
const SignetPolicyPeer *signet_peer_get_policy_peer(SignetPeer *peer, gboolean with_unit);
/* "nginx" (the comm of the process, for people), never NULL */
const char *signet_peer_get_program(SignetPeer *peer);
/* Pure: the unit in the text of /proc/PID/cgroup ("0::/system.slice/nginx.service\n" →
 * "nginx.service"); NULL when none. */
char *signet_peer_unit_from_cgroup(const char *text);
