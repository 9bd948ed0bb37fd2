/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The attestation key of one token: read, or made and written down. Private to agent/broker. */

#pragma once

#include "agent/broker/attester-file.h"
#include "agent/store/store.h"
#include "agent/token/registry.h"

typedef struct SignetAttesterKey SignetAttesterKey;

/* Something that was begun is over: it has a key, or error says why not. From the main loop. */
typedef void (*SignetAttesterKeyDone)(SignetAttesterKey *key, const GError *error, gpointer data);

/* store and tokens outlive it. */
SignetAttesterKey *
signet_attester_key_new(SignetStore *store, SignetTokens *tokens, const char *token,
                        SignetAttesterKeyDone done, gpointer data);
/* Waits for what is being written. */
void signet_attester_key_free(SignetAttesterKey *key);
const char *signet_attester_key_get_token(const SignetAttesterKey *key);

/* Borrowed, with its certificates: none while it is made, and while anything is written. */
const SignetAttesterFile *signet_attester_key_get(const SignetAttesterKey *key);
/* Each begins something, unless that has begun: done is called. What was written down is read
 * first; that blocks. */
void signet_attester_key_make(SignetAttesterKey *key);
void signet_attester_key_set_certificates(SignetAttesterKey *key, GPtrArray *certificates);
/* The device does not know it any more: there is none now, unless another one was made since. done
 * is called. */
void signet_attester_key_forget(SignetAttesterKey *key, const SignetKey *unknown);
