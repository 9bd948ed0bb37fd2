/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a CA's profile names and a job has to carry: trust anchors and secret, read from their files
 * each time, so that an administrator's change counts at once. */

#pragma once

#include "agent/base/secret.h"
#include "policy/model.h"

typedef struct {
    GBytes *anchors;      /* (owned, nullable) DER, one after the other */
    SignetSecret *secret; /* (owned, nullable) */
    GError *absent; /* (owned, nullable) why there is no secret although one is named: it is for
                       the first time, and may have been removed since */
} SignetMaterial;

/* Blocks. Fills what the profile names. A secret that is not there any more is no error, unless it
 * is for every time. A file that cannot be used is NOT_FOUND, DENIED (others may write it, or read
 * a secret) or CORRUPT, with its path and the key that names it; never with what is in it. */
gboolean signet_material_read(SignetMaterial *material, const SignetCaProfile *ca, GError **error);
/* The anchors alone: for what is said to everybody. */
gboolean
signet_material_read_anchors(SignetMaterial *material, const SignetCaProfile *ca, GError **error);
/* The same for the peer of Canary=. */
gboolean signet_material_read_canary(SignetMaterial *material,
                                     const SignetRotationProfile *rotation, GError **error);
void signet_material_clear(SignetMaterial *material);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetMaterial, signet_material_clear)

/* Certificates, PEM among other text, to DER one after the other. what: for the error. */
GBytes *signet_material_anchors_from_pem(const char *pem, gsize size, GError **error);
