/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects /org/signet/token/NAME. */

#pragma once

#include "agent/bus/internal.h"

SignetDbusToken1 *signet_bus_token_new(const char *name);
/* Brings the properties up to date; emits TokenRemoved, TokenAdded and PinNeeded when the state
 * says so. */
void signet_bus_token_update(SignetDbusToken1 *object, SignetToken *token);
/* Puts the token that the call is on into call->token. NOT_FOUND: it has just gone. */
gboolean signet_bus_token_find(SignetBusCall *call, GError **error);
void signet_bus_token_get_counts(SignetBusCall *call);
void signet_bus_token_unlock(SignetBusCall *call);
void signet_bus_token_lock(SignetBusCall *call);
void signet_bus_token_get_facts(SignetBusCall *call);
void signet_bus_token_measure(SignetBusCall *call);
