/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* SCEP's messages: CMS, encrypted and then signed (RFC 8894 section 3). */

#pragma once

#include "agent/enroller/crypto.h"

#define SIGNET_SCEP_NONCE_SIZE 16

/* All borrowed. */
typedef struct {
    SignetCrypto *crypto;
    const char *type;        /* "19" */
    const char *transaction; /* 64 hexadecimal digits */
    const guint8 *nonce;     /* SIGNET_SCEP_NONCE_SIZE bytes */
    X509 *signer;            /* its certificate, … */
    EVP_PKEY *key;           /* … and its key */
    X509 *recipient;
    const char *cipher; /* "AES-128-CBC" */
} SignetScepSeal;

/* DER. */
GBytes *signet_scep_message_make(const SignetScepSeal *seal, GBytes *content, GError **error);

typedef enum {
    SIGNET_SCEP_SUCCESS,
    SIGNET_SCEP_FAILURE,
    SIGNET_SCEP_PENDING,
} SignetScepStatus;

typedef struct {
    SignetScepStatus status;
    char *fail_info;  /* (owned, nullable) in words */
    GBytes *envelope; /* (owned, nullable) of SUCCESS */
} SignetScepReply;

void signet_scep_reply_clear(SignetScepReply *reply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetScepReply, signet_scep_reply_clear)

/* A CertRep to the message that the seal describes: signed by one of the certificates, of this
 * transaction and with its nonce. CORRUPT, or DENIED when it is somebody else's. Anybody's bytes.
 */
gboolean
signet_scep_reply_read(OSSL_LIB_CTX *library, GBytes *message, SignetX509Stack *certificates,
                       const SignetScepSeal *seal, SignetScepReply *ret_reply, GError **error);
/* The answer to GetNextCACert (RFC 8894 4.7.1): what the CA will go on with, signed by what it is
 * now, one of the authorities. DENIED when it is somebody else's, CORRUPT. Anybody's bytes. */
SignetX509Stack *signet_scep_next_read(OSSL_LIB_CTX *library, GBytes *message,
                                       SignetX509Stack *authorities, GError **error);
/* What is inside, by the key of the seal; CORRUPT. Not with a legacy cipher (DES, 3DES) unless
 * is_legacy_allowed: POLICY. */
GBytes *signet_scep_reply_open(OSSL_LIB_CTX *library, GBytes *envelope, const SignetScepSeal *seal,
                               gboolean is_legacy_allowed, GError **error);
