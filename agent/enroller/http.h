/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* HTTP to a CA's server (RFC 9110, RFC 9112), within bounds, over libcurl: https by the anchors and
 * pins of the job and by nothing else, keys through the provider. A request is a connection of its
 * own unless it asks for more. Nothing of the environment, of the user's or the system's
 * configuration counts. */

#pragma once

#include "agent/enroll/request.h"
#include "agent/enroller/crypto.h"

typedef struct SignetHttp SignetHttp;

/* Both outlive it. The time of the whole conversation runs from here. CORRUPT when the job's
 * anchors cannot be read, UNSUPPORTED when libcurl does not use OpenSSL. */
SignetHttp *signet_http_new(SignetCrypto *crypto, const SignetJobRemote *remote, GError **error);
void signet_http_free(SignetHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetHttp, signet_http_free)

/* Milliseconds until nothing is asked any more. */
gint64 signet_http_get_time_left(const SignetHttp *http);

/* From now on these count as the server's anchors, beside those of the job: what a CA said of
 * itself in an answer that was believed. References are taken. */
void signet_http_add_anchor(SignetHttp *http, X509 *anchor);
gboolean signet_http_has_anchors(const SignetHttp *http);
/* Is its key one of the job's pins? */
gboolean signet_http_is_pinned(const SignetHttp *http, X509 *certificate);
/* From now on requests authenticate in TLS as this identity; generation 0: the current one. NULL:
 * as nobody. */
gboolean signet_http_use_identity(SignetHttp *http, const char *identity, guint32 generation,
                                  GError **error);
/* (nullable) Its certificate; borrowed. */
X509 *signet_http_get_certificate(const SignetHttp *http);
/* From now on they carry "user:password" by RFC 7617, over https only. BAD_REQUEST when the secret
 * has another form. NULL: no more. */
gboolean signet_http_use_password(SignetHttp *http, SignetSecret *secret, GError **error);

/* Makes the body when the server is believed: unique is what only this connection has (RFC 5929
 * tls-unique). NULL with error set: nothing is sent. */
typedef GBytes *(*SignetHttpMakeBody)(GBytes *unique, gpointer data, GError **error);

typedef struct {
    const char *url;            /* absolute */
    const char *method;         /* (nullable) NULL: GET, or POST with a body */
    GBytes *body;               /* (nullable) */
    const char *content_type;   /* of the body */
    const char *accept;         /* (nullable) */
    const char *const *headers; /* (nullable) "Name: value", NULL-terminated */
    /* (nullable) In place of body, over TLS 1.2: newer ones have no such name. It makes body_size
     * bytes, as is said before. */
    SignetHttpMakeBody make_body;
    gpointer make_data;
    gsize body_size;
    gsize body_max;           /* of the answer; 0: SIGNET_HTTP_BODY_MAX */
    gboolean is_plain_enough; /* url may be http://: what is said protects itself */
    /* The connection stays for the next request of this kind: for servers that keep a conversation
     * in it. Only without identity, since libcurl does not keep them apart. */
    gboolean is_kept;
    /* The server is not known yet: whoever answers is believed to be it. No identity and no
     * password is shown, and nothing of the answer counts before it was checked by other means. */
    gboolean is_provisional;
} SignetHttpRequest;

#define SIGNET_HTTP_BODY_MAX ((gsize)1 << 20)

typedef struct {
    long status;         /* as the server said: 200, 404 … */
    char *content_type;  /* (owned, nullable) without parameters, in small letters */
    GByteArray *body;    /* (owned) */
    GString *headers;    /* (owned) lines as they came */
    guint retry_after_s; /* Retry-After; 0: absent */
} SignetHttpResponse;

void signet_http_response_clear(SignetHttpResponse *response);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetHttpResponse, signet_http_response_clear)
/* (nullable) The value of the first header of that name; owned by the caller. */
char *signet_http_response_dup_header(const SignetHttpResponse *response, const char *name);

/* Any status is an answer. Redirections are followed within the server (scheme, host, port), few of
 * them. CA_UNREACHABLE (no connection, not believed, broken off), TIMED_OUT, CORRUPT (larger than
 * it may be), CA_REFUSED (redirected elsewhere), DENIED (in TLS the server refuses this machine's
 * certificate, or wants one); the words name the server and the reason. response: zeroed or
 * cleared.
 */
gboolean signet_http_do(SignetHttp *http, const SignetHttpRequest *request,
                        SignetHttpResponse *response, GError **error);
