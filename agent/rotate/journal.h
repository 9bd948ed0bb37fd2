/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The machine as text (GKeyFile, group [Journal], Version=1): what survives a crash. Pure. */

#pragma once

#include "agent/base/error.h"
#include "agent/rotate/machine.h"

GBytes *signet_journal_encode(const SignetMachine *machine);
/* UNSUPPORTED for another version, CORRUPT with the key that is wrong. What the journal does not
 * hold is as in signet_machine_new(). */
gboolean signet_journal_decode(GBytes *text, SignetMachine *ret_machine, GError **error);
