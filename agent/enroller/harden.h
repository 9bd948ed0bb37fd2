/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the process gives up before it reads a byte from anybody. */

#pragma once

#include <glib.h>

/* Closes every descriptor above 'last_fd', forbids new privileges and ptrace, and ends the process
 * after deadline_s whatever happens. */
gboolean signet_harden(int last_fd, guint deadline_s, GError **error);
/* Bounds memory, files (none is written, no core) and CPU time. */
gboolean signet_harden_limit(GError **error);

typedef enum {
    SIGNET_SANDBOX_ALONE,   /* no sockets but Unix */
    SIGNET_SANDBOX_NETWORK, /* and no listening */
} SignetSandbox;
/* Started by root: the user 'signet-enroll', else 'nobody'. No capability in any case. */
gboolean signet_harden_user(GError **error);
/* For the rest of the process's life, all threads: no other program, no child, nothing written to
 * any file, no privileges; started by root it goes on as the user 'signet-enroll', else as
 * 'nobody'. Names can be resolved and files read. A system call that is not foreseen fails with
 * EPERM. */
gboolean signet_harden_sandbox(SignetSandbox sandbox, GError **error);
/* Leaves the network behind, where the kernel lets us; without a word where it does not. */
void signet_harden_drop_network(void);
