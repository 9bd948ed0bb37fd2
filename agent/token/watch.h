/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Notices that a token was removed, or is back, while nobody uses it: asks it every second, every
 * other second while it is away. This costs a call or two to its module, which looks at the reader
 * and not at the card.
 *
 * C_WaitForSlotEvent would not have to ask, but only C_Finalize ends its waiting: OpenSC's races
 * with that, p11-kit's remoting can do nothing else meanwhile, and many modules do not have it. */

#pragma once

#include "agent/token/token.h"

typedef struct SignetWatch SignetWatch;

/* token: outlives it. Asks only while it is READY or ABSENT: who never used a token has no need to
 * know, and what failed otherwise is for people to mend. */
SignetWatch *signet_watch_new(SignetToken *token);
void signet_watch_free(SignetWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetWatch, signet_watch_free)
