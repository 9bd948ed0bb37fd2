/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The end of threads: their owner waits for them for a while, and leaves behind those that do not
 * come back from a device that hangs; the last of them frees what they share. Private to
 * agent/token. */

#pragma once

#include <glib.h>

typedef struct SignetCrew SignetCrew;

/* destroy: frees owner, in the last thread or in signet_crew_leave(). */
SignetCrew *signet_crew_new(const char *name, GDestroyNotify destroy, gpointer owner);
/* Before a thread starts. */
void signet_crew_join(SignetCrew *crew);
/* The last thing that a thread does with crew and owner. */
void signet_crew_end(SignetCrew *crew);
/* FALSE: there were still threads when the time was over. */
gboolean signet_crew_wait(SignetCrew *crew, guint timeout_ms);
/* Gives the owner, and the crew, to the threads that are still there. */
void signet_crew_leave(SignetCrew *crew);

/* Waits until the owners of all crews that were left are freed. name: nullable: whatever their
 * names. FALSE: the time was over first. Any thread. */
gboolean signet_crew_wait_left(const char *name, guint timeout_ms);
