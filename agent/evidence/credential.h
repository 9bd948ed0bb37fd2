/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* TPM2_MakeCredential without a TPM (TCG TPM 2.0 part 1, 24, B.10.4 and C.6.4). */

#pragma once

#include "agent/evidence/structure.h"

/* What only a TPM that has both the endorsement key and an object of this name gives away again. */
typedef struct {
    GBytes *credential; /* (owned) TPM2B_ID_OBJECT */
    GBytes *secret;     /* (owned) TPM2B_ENCRYPTED_SECRET */
} SignetCredential;

#define SIGNET_CREDENTIAL_ANSWER_BYTES 32

/* endorsement: SubjectPublicKeyInfo, DER. The key's other properties are those of the template that
 * keys of its type are made from (TCG EK Credential Profile 2.5, annex B). UNSUPPORTED for another
 * type of key. */
gboolean
signet_credential_make(SignetCredential *credential, GBytes *endorsement, const SignetTpmName *name,
                       const guint8 answer[SIGNET_CREDENTIAL_ANSWER_BYTES], GError **error);
void signet_credential_clear(SignetCredential *credential);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetCredential, signet_credential_clear)
