/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a protocol brings home. */

#pragma once

#include <glib.h>

/* One of: a chain (issued); retry_after_s (the CA has not decided yet, ask again then). A failure
 * is a GError beside it: CA_REFUSED, CORRUPT, DENIED, BAD_REQUEST, UNSUPPORTED where asking again
 * changes nothing by itself, CA_UNREACHABLE, TIMED_OUT, BUSY … where it may. */
typedef struct {
    GByteArray *chain;   /* (owned) DER, one after the other, leaf first */
    GByteArray *anchors; /* (owned) likewise */
    guint retry_after_s;
    GBytes *state; /* (owned, nullable) for the next job of the same generation, at most
                      SIGNET_WIRE_STATE_MAX bytes: with pending and with failures */
} SignetEnrollerOutcome;

void signet_enroller_outcome_init(SignetEnrollerOutcome *outcome);
void signet_enroller_outcome_clear(SignetEnrollerOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetEnrollerOutcome, signet_enroller_outcome_clear)
