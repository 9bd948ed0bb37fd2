/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What others say of the current certificate, in words. Inside agent/rotate only. */

#pragma once

#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"

/* Fills that part of it. */
void signet_entry_describe_watch(SignetEntry *entry, SignetIdentityStatus *status);
