/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the files of this directory share: the bus, and a call on its way through the gate to its
 * handler. */

#pragma once

#include "agent/bus/bus.h"
#include "agent/bus/caller.h"
#include "agent/bus/gate.h"
#include "dbus/signet-dbus.h"

/* Outlives the bus as long as somebody holds it: for callbacks that cannot be called off. */
typedef struct {
    SignetBus *bus; /* NULL once the bus is freed */
} SignetBusWeak;

struct SignetBus {
    SignetBusContext context;          /* everything in it outlives us */
    SignetPolicy *policy;              /* (owned, nullable) */
    SignetGate *gate;                  /* (owned) */
    SignetCallers *callers;            /* (owned) */
    SignetBusWeak *weak;               /* (owned) an rc box */
    GDBusObjectManagerServer *manager; /* (owned) */
    SignetDbusAgent1 *agent;           /* (owned) */
    GHashTable *identities;            /* (owned) name → SignetDbusIdentity1 */
    GHashTable *tokens;                /* (owned) name → SignetDbusToken1 */
    GHashTable *calls;                 /* (owned) id (in the call) → SignetBusCall */
    guint64 n_calls;
    guint summary; /* source that brings the agent object up to date; 0: none */
};

/* One method call, from its arrival to its reply. */
typedef struct {
    gint64 id; /* never 0 */
    SignetBus *bus;
    const SignetGateRow *row;
    GDBusInterfaceSkeleton *object;    /* (owned) */
    GDBusMethodInvocation *invocation; /* (owned) until replied */
    SignetCaller *caller; /* (unowned): when it goes, its calls go first; NULL until found */
    guint64 use;          /* the broker's id while it works; 0: it does not */
    guint32 generation;   /* Sign: whose key */
    SignetToken *token;   /* (owned, nullable) the call is on */
    guint64 request;      /* the token's id while it works; 0: it does not */
    guint64 wish;         /* the attester's, likewise */
    gboolean is_waiting;  /* Enroll, Rotate: for the engine */
    guint deadline;       /* source while waiting; 0: none */
} SignetBusCall;

/* Each ends the call: it is freed. error is borrowed; value floating. */
void signet_bus_call_reply(SignetBusCall *call, GVariant *value);
void signet_bus_call_fail(SignetBusCall *call, const GError *error);
/* NULL when it is over. */
SignetBusCall *signet_bus_find_call(SignetBus *bus, gint64 id);
/* Its name, when the call is on an identity, or on a token. */
const char *signet_bus_call_get_identity(const SignetBusCall *call);
const char *signet_bus_call_get_token(const SignetBusCall *call);

/* The agent object's State and Problems are looked at again soon. */
void signet_bus_queue_summary(SignetBus *bus);
