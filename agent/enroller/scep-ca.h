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
    gboolean has_next;             /* what it will go on with */
    SignetX509Stack *certificates; /* (owned) those that are believed: the CA's, an RA's */
    SignetX509Stack *former;       /* (owned) what it was, as far as it is known */
    SignetX509Stack *named;        /* (owned) of these, those that the policy names */
} SignetScepCa;

void signet_scep_ca_clear(SignetScepCa *ca);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetScepCa, signet_scep_ca_clear)

/* "?operation=…" of the server, with CaIdentifier= where there is one; message: nullable. */
char *
signet_scep_make_url(const SignetJobRemote *remote, const char *operation, const char *message);
/* GetCACaps and GetCACert. Only certificates that the job knows (Fingerprint=, Pin=, Trust=), or
 * that one of those has signed, are kept; none: DENIED. What came with the certificate in use
 * (Certificates of the job), a new root among it that the CA announced, is known as long as a CA's
 * certificate that the job knows otherwise is among it, too. */
gboolean
signet_scep_ca_ask(const SignetProtocolContext *context, SignetScepCa *ret_ca, GError **error);
/* The CA's certificates, as a check asks for them: those, and what it will go on with
 * (GetNextCACert), signed by one of them. */
SignetX509Stack *signet_scep_get_authorities(const SignetProtocolContext *context, GError **error);
/* Whom to encrypt to: an RA's certificate for that, else the CA's. Borrowed. */
X509 *signet_scep_ca_get_recipient(const SignetScepCa *ca);
