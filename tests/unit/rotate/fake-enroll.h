/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* agent/enroll/enroll.h without a process: a CA in memory whose mood the test sets. Linked instead
 * of the real one. It signs with the blobs of the fake token's keys, which hold the private keys.
 */

#pragma once

#include "agent/base/clock.h"
#include "agent/enroll/enroll.h"
#include "agent/store/inventory.h"

typedef enum {
    FAKE_CA_ISSUES,
    FAKE_CA_PENDING, /* asks to come back in an hour */
    FAKE_CA_REFUSES,
    FAKE_CA_FAILS,
    FAKE_CA_WRONG_KEY, /* a certificate for another key */
    FAKE_CA_GARBAGE,   /* bytes that are no certificate */
    FAKE_CA_SILENT,    /* never answers */
} FakeCaMood;

typedef struct {
    FakeCaMood mood;   /* towards everybody but CAs */
    FakeCaMood canary; /* of the peer that is shown a new certificate */
    guint canaries;    /* so many were shown */
    SignetInventory *inventory;
    const SignetClock *clock;
    guint started;
    guint running;
    guint most_running;
    /* (nullable) answers in place of all this, canaries and the agent's own CAs aside */
    void (*remote)(SignetJob *job, gpointer data);
    gpointer remote_data;
    GPtrArray *order; /* (owned by the test) names, as they started */
} FakeCa;

/* settings: NULL; data of signet_enroll_new(): the FakeCa. */
