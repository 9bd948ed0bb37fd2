/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Measures what a token's operations cost, with keys made for that and destroyed again: one
 * operation after the other through the token's queue, where others take turns with it. Main
 * context only. */

#pragma once

#include "agent/token/token.h"

typedef struct SignetMeasurement SignetMeasurement;

typedef struct {
    gboolean is_thorough; /* more of each */
    guint
        quiet_ms; /* each operation only after nobody has used the token for so long; 0: at once */
} SignetMeasurementPlan;

/* found: times, pss, keys and unmade of policy/facts.h, keys being those that it really made. NULL
 * with error. */
typedef void (*SignetMeasured)(GVariant *found, const GError *error, gpointer data);

/* facts: of the token; the types in its 'keys' are measured. done is called once, never from within
 * a call, and not before the last key is destroyed: where the token went away with one on it, when
 * it is back. */
SignetMeasurement *
signet_measurement_new(SignetToken *token, GVariant *facts, const SignetMeasurementPlan *plan,
                       SignetMeasured done, gpointer data);
/* Goes on at once, and thoroughly: an administrator wants it. */
void signet_measurement_hurry(SignetMeasurement *measurement);
/* Only destroys what it has on the token, then calls done with an error. */
void signet_measurement_stop(SignetMeasurement *measurement);
/* done is not called any more; a key may be left on the token. */
void signet_measurement_free(SignetMeasurement *measurement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetMeasurement, signet_measurement_free)
