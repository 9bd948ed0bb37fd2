/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The authorisation gate: one row per method says who decides, polkit is asked without blocking,
 * and whatever has no row or no clear yes is refused. */

#pragma once

#include <gio/gio.h>

#include "agent/base/error.h"

typedef struct {
    const char *interface;
    const char *method;
    const char *action; /* polkit action; NULL: the broker decides by the identity's access rules,
                           inside the method */
} SignetGateRow;

/* NULL: refuse. */
const SignetGateRow *signet_gate_find(const char *interface, const char *method);
/* All rows, for the tests. */
const SignetGateRow *signet_gate_list(gsize *ret_n_rows);

typedef struct SignetGate SignetGate;

/* denied: NULL when allowed, else DENIED (BUSY when too many wait) with words; id as given to
 * signet_gate_check(). */
typedef void (*SignetGateDone)(const GError *denied, gint64 id, gpointer data);
/* timeout_ms: how long polkit may take when nobody has to type a password; 0: 10,000. */
SignetGate *
signet_gate_new(GDBusConnection *connection, guint timeout_ms, SignetGateDone done, gpointer data);
/* Checks under way are given up; done is not called for them. */
void signet_gate_free(SignetGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetGate, signet_gate_free)

/* Who asks for what. All copied. */
typedef struct {
    const char *action;
    const char *sender;      /* unique name on the bus */
    uid_t uid;               /* of the sender, by the bus */
    const char *identity;    /* (nullable) becomes the detail 'identity' */
    const char *token;       /* (nullable) … 'token' */
    gboolean is_interactive; /* polkit may ask a person, if one is needed: up to two minutes */
} SignetGateQuestion;

/* Calls done once, never from within the call. Of one user but root at most an eighth of the places
 * are taken. Where no polkit is on the bus at all, uid 0 alone is allowed, so that a small system
 * can be administered; a polkit that is there but answers nonsense or not at all means no for
 * everybody. */
void signet_gate_check(SignetGate *gate, const SignetGateQuestion *question, gint64 id);
