/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent as a service: what the service manager hands over at start and is told later
 * (sd_listen_fds(3), sd_notify(3)), and what takes its place where there is none. */

#pragma once

#include "agent/base/error.h"

/* What was handed over. */
typedef struct {
    int fd;
    char *name; /* (owned) */
} SignetHandedFd;
void signet_handed_fd_clear(SignetHandedFd *handed);

typedef struct {
    int listen_fd;     /* -1: none */
    GArray *factories; /* (owned) of SignetHandedFd; the taker closes their fds */
} SignetHanded;

/* Takes the descriptors from the environment, so that no child finds them there. Unknown ones are
 * closed. */
SignetHanded signet_service_take_fds(void);
void signet_handed_clear(SignetHanded *handed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetHanded, signet_handed_clear)

/* A listening socket of our own at that path, which everybody may connect to: who may do what is
 * the broker's business. Removes the one a dead agent left behind; BUSY when a living one answers
 * there. An fd, or -1. */
int signet_service_listen(const char *path, GError **error);

/* SignetDoorKeep: in the manager's store of descriptors, where there is one. */
void signet_service_keep(int fd, const char *name, gboolean keep, gpointer data);

/* All harmless without a manager. */
void signet_service_ready(void);
void signet_service_reloading(void);
void signet_service_stopping(void);
/* Tells the manager from the main loop that we are alive, as often as it wants to hear it. */
void signet_service_start_watchdog(void);

/* Resource limits and attributes of a process that holds credentials: no core dumps, no ptrace by
 * others, as many descriptors as may be, nothing readable by others unless said. */
void signet_service_harden(void);
/* As many as the descriptors suffice for. */
guint signet_service_get_max_connections(void);
