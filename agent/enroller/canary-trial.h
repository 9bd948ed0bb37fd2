/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the kinds of canaries share. */

#pragma once

#include <openssl/ssl.h>

#include "agent/base/error.h"
#include "agent/enroller/protocol.h"
#include "policy/canary.h"

typedef struct {
    const SignetProtocolContext *context; /* (unowned): outlives us */
    SignetCanary peer;                    /* (owned) */
    EVP_PKEY *key;                        /* (owned) the new one */
    SignetX509Stack *chain;               /* (owned) its certificate first */
    SSL_CTX *tls;                         /* (owned) with both */
    gboolean is_asked;                    /* the peer wanted a certificate */
} SignetTrial;

/* "canary 'HOST:PORT' what"; FALSE. */
gboolean
signet_trial_fail(const SignetTrial *trial, GError **error, SignetErrorKind kind, const char *what);
/* By an error of libcrypto: a fatal alert is a refusal, once the peer has asked for a certificate;
 * anything else says nothing about the certificate. doing: in words what the peer does then. FALSE.
 */
gboolean
signet_trial_judge(const SignetTrial *trial, unsigned long code, const char *doing, GError **error);

/* Each TRUE when the peer accepts the certificate. CA_REFUSED: it does not; other errors: it was
 * not asked. */
gboolean signet_trial_tls(SignetTrial *trial, GError **error);
gboolean signet_trial_radius(SignetTrial *trial, GError **error);
gboolean signet_trial_connect(SignetTrial *trial, GError **error);
