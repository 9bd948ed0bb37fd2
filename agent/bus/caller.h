/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who calls on the bus: the credentials the bus daemon took from the kernel, kept for as long as
 * the caller is connected. */

#pragma once

#include <gio/gio.h>

#include "agent/base/peer.h"

typedef struct {
    char *name;       /* (owned) unique name */
    SignetPeer *peer; /* (owned) */
    guint64 client;   /* its place in the tokens' queues; never that of a connection to the private
                         socket */
    gint64 denied_us; /* when a refusal was logged last, monotonic: for whoever logs */
} SignetCaller;

typedef struct SignetCallers SignetCallers;

/* caller: borrowed until it is gone; NULL with error. id as given to signet_callers_find(). */
typedef void (*SignetCallerFound)(SignetCaller *caller, const GError *error, gint64 id,
                                  gpointer data);
/* gone: a caller that was found is not connected any more; called before its SignetCaller goes. */
typedef void (*SignetCallerGone)(SignetCaller *caller, gpointer data);
SignetCallers *signet_callers_new(GDBusConnection *connection, SignetCallerFound found,
                                  SignetCallerGone gone, gpointer data);
/* Searches under way are given up; found is not called for them. */
void signet_callers_free(SignetCallers *callers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetCallers, signet_callers_free)

/* Calls found once, from within the call when the caller is known already. */
void signet_callers_find(SignetCallers *callers, const char *name, gint64 id);
