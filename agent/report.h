/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent says in the log about the things that happen in it. */

#pragma once

#include "agent/broker/broker.h"
#include "agent/rotate/engine.h"

/* SignetBrokerDenied */
void signet_report_denied(const SignetRequester *requester, const char *identity,
                          const char *reason, gpointer data);
void signet_report_engine(SignetEngine *engine, const char *identity, SignetEngineEvent event,
                          guint32 generation);
void signet_report_token(SignetToken *token);
/* priority: LOG_ERR …; what: "policy", "store" */
void signet_report_problems(int priority, const char *what, const GPtrArray *problems);
