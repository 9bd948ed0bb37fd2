/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PKCS#11 backend over p11-kit: smartcards, HSMs and SoftHSM. Each thread of the token has a
 * session of its own. */

#pragma once

#include "agent/token/attempts.h"
#include "agent/token/pkcs11/pin.h"
#include "agent/token/token.h"

typedef struct {
    const char *uri; /* RFC 7512: names one token, perhaps its module */
    SignetPkcs11PinSource pin;
    SignetPinAttempts *attempts; /* (nullable) shared by all tokens of the agent */
    gboolean allow_extractable;  /* use keys that the token may give away, or did not make */
    const char
        *module_program; /* (nullable) path of signet-module, in which the module runs then */
    guint max_sessions;  /* 0: one for a reader's token, else as many as there are
                            processors, four at most; never more than the token allows */
} SignetPkcs11Settings;

/* Copies. Opens nothing yet. A key's blob is its URI. */
SignetToken *
signet_pkcs11_token_new(const SignetTokenSettings *settings, const SignetPkcs11Settings *pkcs11);
