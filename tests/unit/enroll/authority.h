/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA in memory whose certificates have exactly the faults a test asks for. */

#pragma once

#include "agent/enroll/job.h"
#include "agent/enroll/openssl.h"

/* "Now" of all tests that check validity. */
#define AUTHORITY_NOW_S G_GINT64_CONSTANT(1800000000)

/* What is NULL or 0 is as in a good certificate; an empty text leaves the extension out. */
typedef struct {
    const char *subject; /* "CN=host,O=Example" */
    const char *alt;     /* as in openssl.cnf: "DNS:host.example" */
    const char *extended;
    const char *basic;
    const char *usage;
    const char *additional; /* value of a netscape comment: an extension that nobody asked for */
    gint64 begin_s;         /* relative to now */
    gint64 end_s;
    EVP_PKEY *key;    /* NULL: the new key */
    X509 *issuer;     /* NULL: the CA */
    EVP_PKEY *signer; /* NULL: the CA's key */
    int version;      /* 0: 3 */
} AuthorityOrder;

typedef struct {
    EVP_PKEY *ca_key;
    X509 *ca;
    GBytes *ca_der;
    EVP_PKEY *new_key;
    GBytes *spki;
} Authority;

Authority *authority_new(void);
void authority_free(Authority *authority);

EVP_PKEY *authority_make_key(void);
GBytes *authority_spki(EVP_PKEY *key);
X509 *authority_issue(const Authority *authority, const AuthorityOrder *order);
GBytes *authority_der(X509 *certificate);
GBytes *authority_tbs(X509 *certificate);
/* CertificationRequestInfo; order: subject, alt, extended, basic, usage, additional, key. */
GBytes *authority_csr_info(const Authority *authority, const AuthorityOrder *order);

/* A job for 'wifi', generation 8, by local CA 'ca.local', that the default order fits. */
SignetJobRequest authority_request(const Authority *authority);
