/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token: the thing that holds private keys. Every operation is asynchronous: it waits in the token's queue (fair between
 * clients, bounded, with a deadline) and runs on the token's worker thread; the callback runs in the main context of the
 * thread that made the token. Backends (tpm/, pkcs11/, and fakes in the tests) are synchronous and know nothing of queues. */

#pragma once

#include <gio/gio.h>

#include "agent/base/error.h"
#include "agent/base/key.h"
#include "provider/wire/catalogue.h"

typedef struct SignetToken SignetToken;

typedef struct {
    guint32 scheme;    /* enum signet_scheme */
    guint32 hash;      /* enum signet_hash; NONE with RSA_PKCS1: data is signed as it is (no DigestInfo added) */
    guint32 mgf1_hash; /* RSA_PSS, RSA_OAEP */
    guint16 salt_len;  /* RSA_PSS, bytes */
    GBytes *label;     /* (unowned) RSA_OAEP; nullable */
} SignetKeyScheme;

/* What a key to be generated must be able to do. */
typedef struct {
    guint32 type;
    gboolean can_decrypt; /* RSA decryption, ECDH */
} SignetKeyTemplate;

typedef enum {
    SIGNET_TOKEN_STATE_UNKNOWN, /* not tried yet */
    SIGNET_TOKEN_STATE_READY,
    SIGNET_TOKEN_STATE_ABSENT,
    SIGNET_TOKEN_STATE_FAILED,
} SignetTokenState;

const char *signet_token_state_name(SignetTokenState state);

/* Facts for people and for policy; strings are static or owned by the token. */
typedef struct {
    const char *kind;       /* "tpm", "pkcs11" */
    const char *protection; /* "tpm", "smartcard", "hsm", "software" */
    const char *description; /* manufacturer, model, firmware */
} SignetTokenInfo;

/* A backend. All functions block, run on the worker thread only and set an error of kind TOKEN_ABSENT, TOKEN_FAILED, BUSY,
 * UNSUPPORTED, PIN_NEEDED or CORRUPT. data: the digest (sign), the ciphertext (decrypt), the peer's point (derive). */
typedef struct {
    /* Opens the device and fills info; called before the first operation, and again after an error TOKEN_ABSENT. */
    gboolean (*open)(gpointer backend, SignetTokenInfo *ret_info, GError **error);
    SignetKey *(*generate)(gpointer backend, const SignetKeyTemplate *template, GError **error);
    GBytes *(*sign)(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest, GError **error);
    GBytes *(*decrypt)(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext, GError **error);
    GBytes *(*derive)(gpointer backend, SignetKey *key, GBytes *peer_point, GError **error);
    /* Destroys what the token itself keeps of the key, and whatever is loaded; idempotent. */
    gboolean (*destroy)(gpointer backend, SignetKey *key, GError **error);
    void (*free)(gpointer backend);
} SignetTokenBackend;

typedef struct {
    const char *name;   /* copied */
    guint queue_limit;  /* requests waiting, all clients together; more are refused with BUSY at once */
    guint client_limit; /* … of one client; 0: half of queue_limit */
} SignetTokenSettings;

/* Takes the backend. The worker starts at the first request. The token belongs to the main context of the thread that makes it:
 * all functions below are called there, and only there. A pending request keeps the token alive until it is over or cancelled. */
SignetToken *signet_token_new(const SignetTokenSettings *settings, const SignetTokenBackend *vtable, gpointer backend);
SignetToken *signet_token_ref(SignetToken *token);
void signet_token_unref(SignetToken *token); /* the last one waits for the operation that is running (a cancelled one) */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetToken, signet_token_unref)

const char *signet_token_get_name(const SignetToken *token);
SignetTokenState signet_token_get_state(const SignetToken *token);
/* Why it is ABSENT or FAILED, in words; NULL otherwise. Borrowed. */
const char *signet_token_get_problem(const SignetToken *token);
SignetTokenInfo signet_token_get_info(const SignetToken *token);
/* Called in the main context whenever the state changes; one listener. */
typedef void (*SignetTokenChanged)(SignetToken *token, gpointer data);
void signet_token_set_listener(SignetToken *token, SignetTokenChanged changed, gpointer data);

/* Who waits, and how long. */
typedef struct {
    guint64 client;     /* fairness: requests with the same number share one place in the round robin; 0: the agent itself */
    guint timeout_ms;   /* in the queue and on the token together; TIMED_OUT then; 0: 30,000 */
} SignetTokenWait;

/* result: the signature (DER for ECDSA), plaintext or x coordinate (borrowed during the call), NULL with error. */
typedef void (*SignetTokenDone)(GBytes *result, const GError *error, gpointer data);
typedef void (*SignetTokenKeyDone)(SignetKey *key, const GError *error, gpointer data);

/* Each calls done exactly once, never from within the call itself. Returns an id for signet_token_cancel(), never 0. */
guint64 signet_token_sign(SignetToken *token, const SignetTokenWait *wait, SignetKey *key, const SignetKeyScheme *scheme,
                          GBytes *digest, SignetTokenDone done, gpointer data);
guint64 signet_token_decrypt(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                             const SignetKeyScheme *scheme, GBytes *ciphertext, SignetTokenDone done, gpointer data);
guint64 signet_token_derive(SignetToken *token, const SignetTokenWait *wait, SignetKey *key, GBytes *peer_point,
                            SignetTokenDone done, gpointer data);
guint64 signet_token_generate(SignetToken *token, const SignetTokenWait *wait, const SignetKeyTemplate *template,
                              SignetTokenKeyDone done, gpointer data);
guint64 signet_token_destroy(SignetToken *token, const SignetTokenWait *wait, SignetKey *key, SignetTokenDone done,
                             gpointer data);
/* Opens the device if it is not open: to learn its facts. */
guint64 signet_token_probe(SignetToken *token, const SignetTokenWait *wait, SignetTokenDone done, gpointer data);
/* done is not called any more; the result of a running operation is thrown away. Harmless for an id that is over. */
void signet_token_cancel(SignetToken *token, guint64 id);

/* Numbers for status and tests. */
typedef struct {
    guint waiting;
    guint64 done;
    guint64 refused_busy;
    guint64 timed_out;
} SignetTokenCounts;
SignetTokenCounts signet_token_get_counts(const SignetToken *token);
