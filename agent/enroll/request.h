/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an enrolment asks for, as a plain value. */

#pragma once

#include "agent/base/secret.h"
#include "policy/findings.h"
#include "policy/model.h"

/* A CA that is reached over the network: how, and how to prove to it who asks. Files have been
 * read: an enroller has no disk. */
typedef struct {
    const char *url;    /* NULL: the protocol needs none */
    GBytes *anchors;    /* (nullable) of the CA's server: certificates, DER, one after the other */
    gboolean is_system; /* the system's anchors count */
    const char *const *pins; /* SHA-256 of SubjectPublicKeyInfo, in hexadecimal */
    const char *proxy;       /* (nullable) */
    guint timeout_s;         /* of the whole conversation */
    guint rungs; /* mask of SignetRung: those that this job may use, tried from the first on */
    const char *bootstrap_identity; /* (nullable) authenticates with its current generation */
    /* (nullable) ACME: the identity whose current key is the account's. */
    const char *account_identity;
    SignetSecret *secret;    /* (nullable) never logged, never printed */
    gboolean is_secret_kept; /* send it along with every request */
    GBytes *state;  /* (nullable) what the last job of this generation handed over: a request that
                       was sent before and is repeated as it is, an order */
    GBytes *answer; /* (nullable) what a person brought from the CA, as it came */
    const char *const *options; /* "Key=value" of the protocol's own keys */
} SignetJobRemote;

/* What the certificate must be. signet_job_new() copies all of it. */
typedef struct {
    const char *identity;
    guint32 new_generation;     /* signs the CSR */
    guint32 current_generation; /* may authenticate to the CA; 0 when there is none */
    /* A local CA: whose current key signs the certificate, and its certificate (DER). Both NULL
     * otherwise, and when is_ca. */
    const char *ca_identity;
    GBytes *ca_certificate;
    const char *protocol; /* Protocol= of the CA: "local", "est" … */
    gboolean is_ca;       /* a local CA's self-signed certificate */
    const char *subject;  /* placeholders expanded, here and in the lists */
    const char *const *dns;
    const char *const *ip;
    const char *const *uri;
    const char *const *email;
    const char
        *permanent;    /* (nullable) ACME: a permanent identifier, which is proven by evidence */
    guint purposes;    /* of the identity: decides the extended key usage that is asked for */
    GBytes *spki;      /* of the new key */
    gint64 lifetime_s; /* asked of a local CA */
    gint64 min_lifetime_s;  /* a certificate with less left is refused; 0: any that is valid now */
    gint64 max_lifetime_s;  /* one that ends later than that from now is refused; 0: none is */
    SignetJobRemote remote; /* every protocol but "local" */
    /* A check of the certificate in use, and a revocation: */
    guint looks;             /* of a check: mask of SignetLook */
    guint reason;            /* of a revocation: CRLReason (RFC 5280 5.3.1) */
    const char *ca_protocol; /* (nullable) Protocol= of the CA, whose server is remote.url */
    GBytes *certificates; /* (nullable) the certificate's chain, leaf first, and what else may have
                             signed it: DER, one after the other */
} SignetJobRequest;
