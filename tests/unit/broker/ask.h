/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asking a broker and waiting for its answer. */

#pragma once

#include "agent/broker/broker.h"

typedef struct {
    gboolean is_done;
    guint calls;
    GBytes *result;
    GError *error;
} Answer;

void answer_clear(Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

typedef guint64 (*UseFunc)(SignetBroker *broker, const SignetRequester *requester,
                           const SignetUse *use, SignetTokenDone done, gpointer data);

/* A SignetTokenDone; data: Answer */
void answer_done(GBytes *result, const GError *error, gpointer data);
/* Runs the main context until it has come, and a little longer: once, and not from within the call.
 */
void answer_await(Answer *answer);
/* Both. */
void answer_ask(SignetBroker *broker, UseFunc func, const SignetRequester *requester,
                const SignetUse *use, Answer *ret_answer);
/* This process with another uid. */
SignetPeer *peer_of(uid_t uid);
