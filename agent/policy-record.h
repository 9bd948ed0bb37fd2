/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps in the store a copy of the last policy without mistakes, so that a mistake does not take
 * the network away from a machine that is started again. */

#pragma once

#include "agent/store/store.h"
#include "policy/parse.h"

/* signet_config_read_for(); a policy without mistakes becomes the copy, and one that cannot be
 * written is a warning in the log. Blocks. */
SignetPolicy *signet_policy_record_read(SignetStore *store, const char *root, const GArray *known,
                                        GPtrArray *ret_problems);
/* The copy. NULL: there is none, or it has mistakes by now (a user who is gone): ret_problems.
 * Blocks. */
SignetPolicy *signet_policy_record_restore(SignetStore *store, GPtrArray *ret_problems);
