/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a SCEP server says of itself, and what of it is believed. */

#pragma once

#include "agent/enroller/protocol.h"

typedef struct {
    gboolean has_aes;
    gboolean has_post;
    gboolean has_renewal;
    gboolean has_sha256;
    SignetX509Stack *certificates; /* (owned) those that are believed: the CA's, an RA's */
} SignetScepCa;

void signet_scep_ca_clear(SignetScepCa *ca);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetScepCa, signet_scep_ca_clear)

/* "?operation=…" of the server, with CaIdentifier= where there is one; message: nullable. */
char *
signet_scep_make_url(const SignetJobRemote *remote, const char *operation, const char *message);
/* GetCACaps and GetCACert. Only certificates that the job knows (Fingerprint=, Pin=, Trust=), or
 * that one of those has signed, are kept; none: DENIED. */
gboolean
signet_scep_ca_ask(const SignetProtocolContext *context, SignetScepCa *ret_ca, GError **error);
/* Whom to encrypt to: an RA's certificate for that, else the CA's. Borrowed. */
X509 *signet_scep_ca_get_recipient(const SignetScepCa *ca);
