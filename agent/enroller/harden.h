/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the process gives up before it reads a byte from anybody. */

#pragma once

#include <glib.h>

/* Closes every descriptor above 'last_fd', forbids new privileges, core dumps and ptrace, bounds
 * memory, files and CPU time, and ends the process after deadline_s whatever happens. */
gboolean signet_harden(int last_fd, guint deadline_s, GError **error);
/* Leaves the network behind, where the kernel lets us; without a word where it does not. */
void signet_harden_drop_network(void);
