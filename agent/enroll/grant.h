/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a job's fd may sign, judged from the bytes. Pure: the time is an argument. All set DENIED
 * with the reason. */

#pragma once

#include "agent/enroll/openssl.h"
#include "agent/enroll/request.h"

/* A PKCS#10 with the new key for nothing but what the request lists (RFC 2986). */
gboolean signet_grant_allows_csr(const SignetJobRequest *request, GBytes *message, GError **error);
/* A TBSCertificate for the new key by the request's local CA, or by the new key itself when the
 * request is for a CA. */
gboolean signet_grant_allows_certificate(const SignetJobRequest *request, GBytes *message,
                                         gint64 now_s, GError **error);
/* The signing input of a JWS (RFC 7515 5.1) by the request's ACME account, to the server of
 * remote.url: orders for names of the request, requests (PKCS#10) that would be allowed themselves,
 * and whatever brings an account into being and asks how things are (RFC 8555). For a job that is a
 * revocation: the question which account this is, and the revocation of its certificate (7.6). */
#define SIGNET_GRANT_REASON_MAX 10 /* CRLReason */
gboolean signet_grant_allows_jws(const SignetJobRequest *request, GBytes *message, GError **error);

/* CMP (RFC 4210, RFC 4211), both strict DER to the end.
 * With the new key: a CertRequest, whose signature proves its possession (RFC 4211 4.1). It holds
 * the new public key and names, extensions and an issuer only, within the request; of the controls
 * none but the identifier of the certificate that is replaced.
 * With the key that authenticates: a ProtectedPart (RFC 4210 5.1.3) whose body is one such
 * CertRequest (ir, cr, kur), a PKCS#10 as above (p10cr), or part of the same conversation:
 * certConf, pollReq, error. Never a revocation; but for a job that is a revocation nothing else:
 * one rr (RFC 4210 5.3.9) for the issuer and the number of its certificate, for its reason. */
gboolean
signet_grant_allows_cert_request(const SignetJobRequest *request, GBytes *message, GError **error);
gboolean
signet_grant_allows_pki_message(const SignetJobRequest *request, GBytes *message, GError **error);

/* What every grant of a request comes down to: the new key, and no names, usages or other
 * extensions that the job does not have. stack: nullable. DENIED. */
typedef STACK_OF(X509_EXTENSION) SignetExtensionStack;
gboolean signet_grant_check_holder(const SignetJobRequest *request, const X509_NAME *subject,
                                   GBytes *spki, const SignetExtensionStack *stack, GError **error);

/* SCEP: a TBSCertificate by which a key without a certificate says whose request it signs (RFC 8894
 * 2.3): the new key's own, of the job's name, without an extension, for a few days. */
gboolean signet_grant_allows_scep_certificate(const SignetJobRequest *request, GBytes *message,
                                              gint64 now_s, GError **error);
#define SIGNET_GRANT_SCEP_S ((gint64)8 * 86400)

/* A certificate's clock and the agent's may differ by this much. */
#define SIGNET_GRANT_SKEW_S 60
/* A local CA dates certificates back by at most this much, for peers whose clock is slow. */
#define SIGNET_GRANT_BACKDATE_S 600
