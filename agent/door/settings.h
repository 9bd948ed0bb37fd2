/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the door is told when it is made. */

#pragma once

#include "agent/broker/broker.h"

/* Keep this fd over a restart of the agent (systemd's fd store), or forget it. name is unique per
 * fd. */
typedef void (*SignetDoorKeep)(int fd, const char *name, gboolean keep, gpointer data);

typedef struct {
    SignetBroker *broker; /* outlives the door */
    const SignetClock *clock;
    SignetDoorKeep keep; /* nullable */
    gpointer keep_data;
    guint max_connections; /* 0: 8192; the idlest foreign-uid one gives way beyond */
} SignetDoorSettings;
