/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The one place that decides whether a peer may use a key, and uses it: request + peer → policy →
 * token. Both doors ask here. */

#pragma once

#include "agent/base/clock.h"
#include "agent/broker/attester.h"
#include "agent/broker/request.h"
#include "agent/store/inventory.h"
#include "agent/token/registry.h"

typedef struct SignetBroker SignetBroker;

/* All outlive the broker. */
typedef struct {
    SignetInventory *inventory;
    SignetTokens *tokens;
    const SignetClock *clock;
    SignetAttester *attester; /* (nullable) without, there is no evidence */
} SignetBrokerContext;

SignetBroker *signet_broker_new(const SignetBrokerContext *context);
void signet_broker_free(SignetBroker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetBroker, signet_broker_free)
void signet_broker_set_policy(SignetBroker *broker, SignetPolicy *policy);

/* Sorted names that the requester may use at all; free with g_strfreev(). */
char **signet_broker_list(SignetBroker *broker, const SignetRequester *requester);
/* A number for these names and their current generations: another one when any of them changes. */
guint64 signet_broker_sum_up(SignetBroker *broker, const SignetRequester *requester);
/* generation 0: the current one; spki (nullable): the usable generation with that public key.
 * Borrowed. NOT_FOUND and DENIED read the same to a peer that may use nothing of the identity. */
SignetGeneration *
signet_broker_lookup(SignetBroker *broker, const SignetRequester *requester, const char *identity,
                     guint32 generation, GBytes *spki, GError **error);

/* Each calls done exactly once, never from within the call; returns an id for
 * signet_broker_cancel(). Everything in use and requester is copied or referenced. */
guint64 signet_broker_sign(SignetBroker *broker, const SignetRequester *requester,
                           const SignetUse *use, SignetTokenDone done, gpointer data);
guint64 signet_broker_decrypt(SignetBroker *broker, const SignetRequester *requester,
                              const SignetUse *use, SignetTokenDone done, gpointer data);
guint64 signet_broker_derive(SignetBroker *broker, const SignetRequester *requester,
                             const SignetUse *use, SignetTokenDone done, gpointer data);
void signet_broker_cancel(SignetBroker *broker, guint64 id);

/* Evidence of a job's new key, for a challenge of its ACME account and for nothing else: what is
 * signed along is made here. 0 with error: refused; else done is called once, not from within,
 * unless it is cancelled. token: of the challenge. */
guint64 signet_broker_certify(SignetBroker *broker, SignetJob *job, const char *token,
                              SignetAttesterDone done, gpointer data, GError **error);
void signet_broker_cancel_certification(SignetBroker *broker, guint64 id);

/* Called for every refusal, rate limited per peer and identity by the broker: for the log. */
typedef void (*SignetBrokerDenied)(const SignetRequester *requester, const char *identity,
                                   const char *reason, gpointer data);
void
signet_broker_set_denied_listener(SignetBroker *broker, SignetBrokerDenied denied, gpointer data);
