/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A conversation with an ACME server: directory, nonces, signed requests (RFC 8555 section 6), and
 * the account. All URLs are of one server. */

#pragma once

#include "agent/enroller/acme-read.h"
#include "agent/enroller/jose.h"
#include "agent/enroller/protocol.h"

typedef struct {
    const SignetProtocolContext *context; /* (unowned) */
    SignetAcmeDirectory directory;
    SignetJose *jose;          /* (owned) */
    char *account;             /* (owned, nullable) its URL, once it is known */
    char *nonce;               /* (owned, nullable) for the next request */
    SignetAcmeProblem problem; /* of the last answer that was one */
    gint64 deadline_us;        /* monotonic: when to stop waiting and to ask again later */
} SignetAcmeSession;

/* Reads the directory and loads the account's key. */
gboolean signet_acme_session_open(SignetAcmeSession *session, const SignetProtocolContext *context,
                                  GError **error);
void signet_acme_session_clear(SignetAcmeSession *session);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmeSession, signet_acme_session_clear)

/* Finds the account of the key, or makes one: with the external account of the policy and its
 * secret, where they are there. */
gboolean signet_acme_session_register(SignetAcmeSession *session, GError **error);

/* payload: NULL: a question (POST-as-GET). A nonce that the server does not like is replaced. TRUE:
 * the status is 2xx. CA_REFUSED, or CA_UNREACHABLE where trying again may help, with the server's
 * words; then 'problem' says more. response: zeroed or cleared. */
gboolean
signet_acme_session_post(SignetAcmeSession *session, const char *url, const json_t *payload,
                         SignetHttpResponse *response, GError **error);
/* The type of the last problem, without its prefix. */
gboolean signet_acme_session_is_problem(const SignetAcmeSession *session, const char *type);
/* Without a signature. */
gboolean signet_acme_session_get(SignetAcmeSession *session, const char *url,
                                 SignetHttpResponse *response, GError **error);

/* Sleeps as long as the answer says, within bounds, and counts the turns. FALSE: it takes too long
 * to wait for here. */
gboolean
signet_acme_session_wait(const SignetAcmeSession *session, guint retry_after_s, guint turn);
