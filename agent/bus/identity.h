/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects /org/signet/identity/NAME. */

#pragma once

#include "agent/bus/internal.h"

SignetDbusIdentity1 *signet_bus_identity_new(const char *name);
/* Brings the properties up to date with policy, engine, inventory and token. */
void signet_bus_identity_update(SignetBus *bus, SignetDbusIdentity1 *object);

void signet_bus_identity_get_credentials(SignetBusCall *call);
void signet_bus_identity_get_usage(SignetBusCall *call);
void signet_bus_identity_sign(SignetBusCall *call);
void signet_bus_identity_enroll(SignetBusCall *call);
void signet_bus_identity_rotate(SignetBusCall *call);
void signet_bus_identity_rollback(SignetBusCall *call);
void signet_bus_identity_revoke(SignetBusCall *call);
void signet_bus_identity_check(SignetBusCall *call);
void signet_bus_identity_report_failure(SignetBusCall *call);
void signet_bus_identity_adopt(SignetBusCall *call);
void signet_bus_identity_get_request(SignetBusCall *call);
void signet_bus_identity_import(SignetBusCall *call);

/* Answers the calls that joined a rotation of this identity somebody else had started. */
void signet_bus_identity_answer_waiting(SignetBus *bus, const char *identity,
                                        SignetEngineEvent event, guint32 generation);
