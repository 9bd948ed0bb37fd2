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

/* Key usage, extended key usage and alternative names of the job, as requests ask for them and
 * certificates have them. */
SignetExtensions *
signet_request_make_extensions(const SignetJobRequest *job, gboolean is_rsa, GError **error);
/* Subject, extensions and the new key's public half, signed by the new key. */
X509_REQ *signet_request_new(SignetCrypto *crypto, const SignetJobRequest *job, GError **error);
/* The same as DER. former (nullable): begins with a request that was made before, which is given
 * back as it is when it is for the job's key: a new signature would make another one of it. */
GBytes *signet_request_make_der(SignetCrypto *crypto, const SignetJobRequest *job, GBytes *former,
                                GError **error);
/* Are a certificate's names those that the job asks for, all of them and no others? */
gboolean signet_request_has_names(const SignetJobRequest *job, X509 *certificate);
