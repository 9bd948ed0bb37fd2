/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an enrolment asks for, as a plain value. */

#pragma once

#include "policy/model.h"

/* What the certificate must be. signet_job_new() copies all of it. */
typedef struct {
    const char *identity;
    guint32 new_generation;     /* signs the CSR */
    guint32 current_generation; /* may authenticate to the CA; 0 when there is none */
    /* A local CA: whose current key signs the certificate, and its certificate (DER). Both NULL
     * otherwise, and when is_ca. */
    const char *ca_identity;
    GBytes *ca_certificate;
    const char *protocol; /* "local" */
    gboolean is_ca;       /* a local CA's self-signed certificate */
    const char *subject;  /* placeholders expanded, here and in the lists */
    const char *const *dns;
    const char *const *ip;
    const char *const *uri;
    const char *const *email;
    guint purposes;        /* of the identity: decides the extended key usage that is asked for */
    GBytes *spki;          /* of the new key */
    gint64 lifetime_s;     /* asked of a local CA */
    gint64 min_lifetime_s; /* a certificate with less left is refused; 0: any that is valid now */
} SignetJobRequest;
