/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Packets of a RADIUS client that carry EAP (RFC 2865, RFC 3579). Every request has a
 * Message-Authenticator, as its first attribute, and no answer counts without one: MD5 alone, which
 * RFC 2865 leaves it at, can be forged on the way. */

#pragma once

#include <openssl/types.h>

#include "agent/base/secret.h"

#define SIGNET_RADIUS_MAX           4096
#define SIGNET_RADIUS_AUTHENTICATOR 16

typedef enum {
    SIGNET_RADIUS_ACCEPT = 2,
    SIGNET_RADIUS_REJECT = 3,
    SIGNET_RADIUS_CHALLENGE = 11,
} SignetRadiusCode;

/* An Access-Request. All borrowed. */
typedef struct {
    guint8 identifier;
    guint8 authenticator[SIGNET_RADIUS_AUTHENTICATOR]; /* random */
    const char *user;                                  /* at most 253 bytes */
    GBytes *state; /* (nullable) of the challenge that this answers */
    const GByteArray *eap;
} SignetRadiusRequest;

/* NULL: it does not fit, or libcrypto has no MD5. */
GByteArray *signet_radius_request_make(OSSL_LIB_CTX *library, const SignetRadiusRequest *request,
                                       const SignetSecret *secret);

typedef struct {
    SignetRadiusCode code;
    GByteArray *eap; /* (owned) may be empty */
    GBytes *state;   /* (owned, nullable) */
    GString *words;  /* (owned) Reply-Message: at most 200 plain characters; may be empty */
} SignetRadiusReply;

void signet_radius_reply_clear(SignetRadiusReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetRadiusReply, signet_radius_reply_clear)

typedef enum {
    SIGNET_RADIUS_TAKEN,
    SIGNET_RADIUS_MALFORMED, /* no RADIUS packet, or the answer to another request */
    SIGNET_RADIUS_UNPROVED,  /* the secret does not say that it is the server's */
} SignetRadiusVerdict;

/* Is this datagram the answer to the request? *ret_reply is set when it is taken. */
SignetRadiusVerdict
signet_radius_reply_read(OSSL_LIB_CTX *library, const guint8 *data, gsize size,
                         const SignetRadiusRequest *request, const SignetSecret *secret,
                         SignetRadiusReply *ret_reply);
