/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* D-Bus: org.signet.Agent1 with its objects, behind one authorisation gate (polkit, asynchronous,
 * default deny). Management and light use. */

#pragma once

#include <gio/gio.h>

#include "agent/broker/attester.h"
#include "agent/broker/broker.h"
#include "agent/rotate/engine.h"

typedef struct SignetBus SignetBus;

typedef struct {
    GDBusConnection *connection;
    SignetBroker *broker;
    SignetEngine *engine;
    SignetInventory *inventory;
    SignetTokens *tokens;
    SignetAttester *attester;
    SignetStore *store; /* for live paths */
    const SignetClock *clock;
    /* Reads the policy files again; FALSE keeps the old policy. */
    gboolean (*reload)(gpointer data, GError **error);
    /* Begins to measure a token. (nullable) */
    gboolean (*measure)(const char *token, gpointer data, GError **error);
    /* (nullable) What is being learned about a token, in words; may give NULL. */
    const char *(*get_progress)(const char *token, gpointer data);
    /* (nullable) The mistakes of policy files that were refused, of char *; may give NULL. */
    const GPtrArray *(*get_mistakes)(gpointer data);
    gpointer data; /* of the functions */
} SignetBusContext;

/* Exports the objects, then owns the name. */
SignetBus *signet_bus_new(const SignetBusContext *context, GError **error);
void signet_bus_free(SignetBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetBus, signet_bus_free)

/* Identities and tokens of a new policy appear, others go. */
void signet_bus_set_policy(SignetBus *bus, SignetPolicy *policy);
/* State and Problems are what they are now: something that get_mistakes() tells has changed, or
 * nobody has been told yet. */
void signet_bus_look_again(SignetBus *bus);
/* Wire these to the engine's and the registry's listeners. */
void signet_bus_on_engine(const char *identity, SignetEngineEvent event, guint32 generation,
                          gpointer bus);
void signet_bus_on_token(SignetToken *token, gpointer bus);
