/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The request to a CA: PKCS#10 (RFC 2986), made with the new key and checked before anybody else
 * sees it. */

#pragma once

#include "agent/enroll/job.h"
#include "agent/enroller/crypto.h"

typedef STACK_OF(X509_EXTENSION) SignetExtensions;
void signet_extensions_free(SignetExtensions *extensions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetExtensions, signet_extensions_free)

/* RFC 5280 4.2.1.3 */
enum {
    SIGNET_KU_DIGITAL_SIGNATURE = 0,
    SIGNET_KU_NON_REPUDIATION = 1,
    SIGNET_KU_KEY_ENCIPHERMENT = 2,
    SIGNET_KU_DATA_ENCIPHERMENT = 3,
    SIGNET_KU_KEY_AGREEMENT = 4,
};

/* What a CA wants to see in a request and the job leaves open; all zero: nothing. */
typedef struct {
    guint key_usage;          /* bits SIGNET_KU_…; 0: those of the job's purposes */
    gboolean has_constraints; /* basic constraints: no CA */
    gboolean has_key_id;      /* the subject's key identifier */
    const char *digest;       /* (nullable) static: to sign with, if the token can */
    gboolean is_linked;       /* a challenge password that ties it to its connection */
    const char *challenge;    /* (nullable, unowned): that */
} SignetRequestWishes;

/* Key usage, extended key usage and alternative names of the job, as requests ask for them and
 * certificates have them. */
SignetExtensions *
signet_request_make_extensions(const SignetJobRequest *job, gboolean is_rsa, GError **error);
/* Subject, extensions and the new key's public half, signed by the new key. wishes: nullable. */
X509_REQ *signet_request_new(SignetCrypto *crypto, const SignetJobRequest *job,
                             const SignetRequestWishes *wishes, GError **error);
/* The same as DER. former (nullable): begins with a request that was made before, which is given
 * back as it is when it is for the job's key: a new signature would make another one of it. */
GBytes *signet_request_make_der(SignetCrypto *crypto, const SignetJobRequest *job,
                                const SignetRequestWishes *wishes, GBytes *former, GError **error);
/* Are a certificate's names those that the job asks for, all of them and no others? */
gboolean signet_request_has_names(const SignetJobRequest *job, X509 *certificate);
