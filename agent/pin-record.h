/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps in the store what became of PINs that were sent. */

#pragma once

#include "agent/store/store.h"
#include "agent/token/attempts.h"

/* store: outlives it. A damaged record is an error: without it a wrong PIN might be sent again. */
SignetPinAttempts *signet_pin_record_open(SignetStore *store, GError **error);
