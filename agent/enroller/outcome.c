/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a protocol brings home. */

#include "agent/enroller/outcome.h"

void
signet_enroller_outcome_init(SignetEnrollerOutcome *outcome)
{
    outcome->chain = g_byte_array_new();
    outcome->anchors = g_byte_array_new();
}

void
signet_enroller_outcome_clear(SignetEnrollerOutcome *outcome)
{
    g_clear_pointer(&outcome->chain, g_byte_array_unref);
    g_clear_pointer(&outcome->anchors, g_byte_array_unref);
    g_clear_pointer(&outcome->state, g_bytes_unref);
}
