/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a protocol brings home. */

#pragma once

#include <glib.h>

typedef struct {
    GByteArray *chain;   /* (owned) DER, one after the other, leaf first */
    GByteArray *anchors; /* (owned) likewise */
} SignetEnrollerOutcome;

void signet_enroller_outcome_init(SignetEnrollerOutcome *outcome);
void signet_enroller_outcome_clear(SignetEnrollerOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetEnrollerOutcome, signet_enroller_outcome_clear)
