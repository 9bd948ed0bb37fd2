/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One thing that a CA demands of a request, against what the administrator's policy has: it is
 * there, or can be, or the demand is refused. Pure. */

#pragma once

#include "agent/enroller/request.h"

/* What demands are held against; all borrowed. */
typedef struct {
    const SignetJobRequest *job;
    EVP_PKEY *key;               /* the new one's public half */
    X509_NAME *subject;          /* of the job */
    GENERAL_NAMES *alt;          /* of the job */
    SignetRequestWishes *wishes; /* what is demanded and allowed, and no request has by itself */
} SignetEstDemands;

/* An extension; value: nullable, the requester is to fill it in. One that is not known is no
 * demand. All set CA_REFUSED, or CORRUPT when the value cannot be read. */
gboolean signet_est_demand_extension(const SignetEstDemands *demands, const ASN1_OBJECT *type,
                                     const ASN1_OCTET_STRING *value, GError **error);
/* An attribute of the subject; value: likewise. */
gboolean signet_est_demand_subject(const SignetEstDemands *demands, const ASN1_OBJECT *type,
                                   const ASN1_TYPE *value, GError **error);

/* The kind of key that is asked for. */
typedef struct {
    int algorithm; /* NID_X9_62_id_ecPublicKey, NID_rsaEncryption */
    int curve;     /* of EC; 0: any */
    long bits;     /* of RSA; 0: any */
} SignetEstKey;

gboolean signet_est_key_fits(const SignetEstKey *wanted, EVP_PKEY *key);
/* "an EC key on secp384r1", as far as it is said; NULL: it is about something else than keys. */
char *signet_est_key_describe(const SignetEstKey *wanted);
