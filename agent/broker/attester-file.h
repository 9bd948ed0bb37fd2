/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An attestation key and its certificate, as the store keeps them. Private to agent/broker. */

#pragma once

#include "agent/base/key.h"

typedef struct {
    SignetKey *key;          /* (owned, nullable) */
    GPtrArray *certificates; /* (owned) of GBytes, DER, leaf first; may be empty */
} SignetAttesterFile;

GBytes *signet_attester_file_encode(const SignetAttesterFile *file);
/* Into an empty one whose certificates are an empty array. CORRUPT leaves it so. */
gboolean signet_attester_file_decode(SignetAttesterFile *file, GBytes *content, GError **error);
/* Empties it; the array stays. */
void signet_attester_file_clear(SignetAttesterFile *file);
