/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asks a CA about itself by general messages of CMP (RFC 9483 4.3.1 and 4.3.2). */

#pragma once

#include "agent/enroller/cmp-context.h"

/* The CA's certificates, as a check asks for them: those that it shows (its roots only if they are
 * among Trust=), and new roots that those of Trust= have signed. CA_REFUSED: it shows none. */
SignetX509Stack *signet_cmp_get_authorities(const SignetProtocolContext *context, GError **error);
/* New roots that base's anchors prove, asked for as that rung; empty when there are none, or when
 * the CA does not say. */
SignetX509Stack *signet_cmp_prove_roots(SignetCmpBase *base, SignetRung rung);
