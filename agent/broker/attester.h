/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Has tokens say where their keys are. Keeps the attestation key of each token, made when it is
 * first needed, and made anew when the device behind the token does not know it any more; and the
 * certificate that a CA has given for it. Main thread; what is written goes to a thread. */

#pragma once

#include "agent/store/store.h"
#include "agent/token/registry.h"

typedef struct SignetAttester SignetAttester;

/* Both outlive it. */
SignetAttester *signet_attester_new(SignetStore *store, SignetTokens *tokens);
/* Waits for what is being written; the done functions of what is under way are not called. */
void signet_attester_free(SignetAttester *attester);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetAttester, signet_attester_free)

/* evidence: a{sv} in the words of agent/token/backend.h, and: */
#define SIGNET_EVIDENCE_ATTESTERS \
    "attester_certificates" /* aay, DER: of the attestation key, leaf first; may be empty */
/* Borrowed during the call; NULL with error. */
typedef void (*SignetAttesterDone)(GVariant *evidence, const GError *error, gpointer data);
typedef void (*SignetAttesterImported)(const GError *error, gpointer data);

/* Each calls done once, never from within the call, and gives an id for signet_attester_cancel().
 * NOT_FOUND: there is no such token; UNSUPPORTED: it is no TPM. */
guint64 signet_attester_certify(SignetAttester *attester, const char *token, SignetKey *key,
                                GBytes *data, SignetAttesterDone done, gpointer done_data);
/* BAD_REQUEST: the challenge is for another attestation key, or another TPM. */
guint64 signet_attester_activate(SignetAttester *attester, const char *token,
                                 const SignetTokenChallenge *challenge, SignetTokenDone done,
                                 gpointer data);
/* certificates: of GBytes, DER, in any order: the attestation key's and those above it. They stay
 * until others come, or the key is made anew. NOT_FOUND: none of them is for the key. */
guint64 signet_attester_import(SignetAttester *attester, const char *token, GPtrArray *certificates,
                               SignetAttesterImported done, gpointer data);
void signet_attester_cancel(SignetAttester *attester, guint64 id);
