/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One enrolment: what the enroller is told, what its fd may be used for, and what it answered. The
 * fd is the permission. */

#pragma once

#include <gio/gio.h>

#include "agent/base/error.h"
#include "agent/enroll/request.h"

typedef enum {
    SIGNET_OUTCOME_NONE,    /* the enroller has not answered */
    SIGNET_OUTCOME_ISSUED,  /* chain is there */
    SIGNET_OUTCOME_PENDING, /* ask again in retry_after_s */
    SIGNET_OUTCOME_REFUSED, /* the CA said no, or its answer was wrong: asking again changes nothing
                               by itself */
    SIGNET_OUTCOME_FAILED,  /* network, timeout, crash: worth a retry */
} SignetOutcome;

typedef struct SignetJob SignetJob;

SignetJob *signet_job_new(const SignetJobRequest *request);
SignetJob *signet_job_ref(SignetJob *job);
void signet_job_unref(SignetJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetJob, signet_job_unref)

const SignetJobRequest *signet_job_get_request(const SignetJob *job);
/* The job as the enroller reads it (GKeyFile); at most SIGNET_WIRE_JOB_MAX bytes, NULL when it
 * cannot be said in so many. It may hold a secret: its memory is cleansed when it is freed.
 * Documented in enroller.md. */
GBytes *signet_job_to_text(const SignetJob *job);
/* The other way, in the enroller. BAD_REQUEST with the key that is wrong. */
SignetJob *signet_job_new_from_text(GBytes *text, GError **error);

/* SignetJobRequest.protocol of a job that only shows the new certificate to remote.url
 * (policy/canary.h): its fd may use the new key as a TLS client, and nothing else. ISSUED: it was
 * accepted. */
#define SIGNET_JOB_CANARY "canary"

/* SignetJobRequest.protocol of a job that looks what others say of the certificate in use
 * (policy/findings.h), whose generation is new_generation here: its fd may use no key, but the
 * current one for a question to a CA of CMP about itself (grant.h).
 * PENDING: it was looked; the state is the findings (agent/enroll/findings.h), the anchors are the
 * CA's as it shows them now, where it was asked. */
#define SIGNET_JOB_CHECK "check"

/* SignetJobRequest.protocol of a job that asks the CA, which speaks ca_protocol, to revoke the
 * first of certificates, that of new_generation: its fd may sign this wish (grant.h) with the
 * current key, or with the account's, and nothing else. ISSUED: the CA has revoked it. */
#define SIGNET_JOB_REVOKE "revoke"

/* SignetJobRequest.protocol whose messages are signed themselves, instead of TLS handshakes. */
#define SIGNET_JOB_CMP "cmp"

/* The grant: may the job's fd sign this message with this key? Only: a PKCS#10 with the new key,
 * whose public key is the new key's and which asks for no name that the request does not list; a
 * TLS client's CertificateVerify with the current key, or with that of the bootstrap identity; a
 * request to an ACME server with its account's key; for SCEP the attributes of a message with
 * either key, and a certificate of the new key by itself; and, for a local CA, a TBSCertificate
 * with the CA's key that names the CA as issuer, holds the new key's public key, is no CA itself
 * (unless is_ca and self-signed), has no name that the request does not list, and does not live
 * longer than lifetime_s. With SIGNET_JOB_CMP, in place of TLS, the messages of grant.h. DENIED
 * says why not. purpose: as recognised; generation: as resolved (not 0). */
gboolean signet_job_allows(const SignetJob *job, const char *identity, guint32 generation,
                           SignetPurpose purpose, GBytes *message, gint64 now_s, GError **error);
/* May it decrypt with this key? A SCEP job's fd only, with the new key and the current one, and no
 * more often than an answer needs: counted here. DENIED. */
gboolean signet_job_allows_decryption(SignetJob *job, const char *identity, guint32 generation,
                                      GError **error);
/* May it have evidence of the new key? A job that orders a permanent identifier, a few times:
 * counted here. DENIED. */
gboolean signet_job_allows_certification(SignetJob *job, GError **error);
/* May it look up this identity? */
gboolean signet_job_names(const SignetJob *job, const char *identity);

/* What the next job for the same generation is to be given (SignetJobRemote.state); goes with an
 * outcome that is not ISSUED. Before signet_job_set_result(). */
void signet_job_set_state(SignetJob *job, GBytes *state);
GBytes *signet_job_get_state(const SignetJob *job); /* borrowed, nullable */
/* The enroller's answer; the first one counts. Chain: DER, leaf first. */
void signet_job_set_result(SignetJob *job, SignetOutcome outcome, GPtrArray *chain,
                           GPtrArray *anchors, guint retry_after_s, const char *message);
SignetOutcome signet_job_get_outcome(const SignetJob *job);
const char *signet_job_get_message(const SignetJob *job); /* nullable */
guint signet_job_get_retry_after(const SignetJob *job);
GPtrArray *signet_job_get_chain(const SignetJob *job); /* borrowed, nullable; of GBytes */
GPtrArray *signet_job_get_anchors(const SignetJob *job);
