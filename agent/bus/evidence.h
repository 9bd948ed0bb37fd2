/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Evidence of identities and tokens. */

#pragma once

#include "agent/bus/internal.h"

void signet_bus_identity_attest(SignetBusCall *call);
void signet_bus_token_answer_challenge(SignetBusCall *call);
void signet_bus_token_import_attester(SignetBusCall *call);
