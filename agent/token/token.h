/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token: the thing that holds private keys. Every operation is asynchronous: it waits in the
 * token's queue (fair between clients, bounded, with a deadline) and runs on a thread of the
 * token's; the callback runs in the main context of the thread that made the token. All functions
 * are called there, and only there. */

#pragma once

#include <gio/gio.h>

#include "agent/token/backend.h"
#include "agent/token/timings.h"

typedef struct SignetToken SignetToken;

const char *signet_token_state_name(SignetTokenState state);

typedef struct {
    const char *name;   /* copied */
    guint queue_limit;  /* requests waiting; more are refused with BUSY at once; 0: 1,024 */
    guint client_limit; /* … of one client; 0: half of queue_limit */
    guint patience_ms;  /* an operation that takes longer, and longer than its deadline, hangs; key
                           generation: ten times as long; 0: 30,000 */
} SignetTokenSettings;

/* Takes the backend. The worker starts at the first request. A pending request keeps the token
 * alive until it is over or cancelled. */
SignetToken *signet_token_new(const SignetTokenSettings *settings, const SignetTokenBackend *vtable,
                              gpointer backend);
SignetToken *signet_token_ref(SignetToken *token);
/* The last one waits for the operations that are running (cancelled ones), a second at most; one
 * that takes longer goes on alone, and a new token of the same name waits for it, in its queue. */
void signet_token_unref(SignetToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetToken, signet_token_unref)
/* Before the process ends: waits for operations that went on alone. FALSE: some hang still, and
 * nothing that they may use must be taken down. */
gboolean signet_token_wait_left(guint timeout_ms);

const char *signet_token_get_name(const SignetToken *token);
SignetTokenState signet_token_get_state(const SignetToken *token);
/* Why it is ABSENT, FAILED or LOCKED, in words; NULL otherwise. Borrowed. */
const char *signet_token_get_problem(const SignetToken *token);
SignetTokenInfo signet_token_get_info(const SignetToken *token);
/* Called in the main context whenever the state, the problem or the device behind it changes; one
 * listener. */
typedef void (*SignetTokenChanged)(SignetToken *token, gpointer data);
void signet_token_set_listener(SignetToken *token, SignetTokenChanged changed, gpointer data);

/* Who waits, and how long. */
typedef struct {
    guint64 client;    /* requests with the same number share one place in the round robin; 0: the
                          agent itself */
    guint timeout_ms;  /* in the queue and on the token together; TIMED_OUT then; 0: 30,000, to
                          generate a key 300,000 */
    gboolean is_trial; /* nobody's real use: leaves no trace in counts and timings */
} SignetTokenWait;

/* result: the signature (DER for ECDSA), plaintext or x coordinate (borrowed during the call), NULL
 * with error. */
typedef void (*SignetTokenDone)(GBytes *result, const GError *error, gpointer data);
typedef void (*SignetTokenKeyDone)(SignetKey *key, const GError *error, gpointer data);
/* certificate: nullable */
typedef void (*SignetTokenAdoptDone)(SignetKey *key, GBytes *certificate, const GError *error,
                                     gpointer data);

/* digest: with EDDSA the message itself. Each calls done exactly once, never from within the call
 * itself. wait: nullable. They return an id for signet_token_cancel(), never 0. */
guint64 signet_token_sign(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                          const SignetKeyScheme *scheme, GBytes *digest, SignetTokenDone done,
                          gpointer data);
guint64 signet_token_decrypt(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                             const SignetKeyScheme *scheme, GBytes *ciphertext,
                             SignetTokenDone done, gpointer data);
guint64 signet_token_derive(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                            GBytes *peer_point, SignetTokenDone done, gpointer data);
guint64
signet_token_generate(SignetToken *token, const SignetTokenWait *wait,
                      const SignetKeyTemplate *template, SignetTokenKeyDone done, gpointer data);
/* A key that others made: backend.h. auth: nullable. */
guint64 signet_token_adopt(SignetToken *token, const SignetTokenWait *wait, GBytes *name,
                           SignetSecret *auth, SignetTokenAdoptDone done, gpointer data);
guint64 signet_token_destroy(SignetToken *token, const SignetTokenWait *wait, SignetKey *key,
                             SignetTokenDone done, gpointer data);
/* Opens the device if it is not open, else asks it whether it is still there; not counted. */
guint64 signet_token_probe(SignetToken *token, const SignetTokenWait *wait, SignetTokenDone done,
                           gpointer data);
/* For a person who has the PIN; nothing is sent to a token that is open. UNSUPPORTED where there is
 * no PIN. */
guint64 signet_token_unlock(SignetToken *token, const SignetTokenWait *wait,
                            const SignetTokenUnlock *unlock, SignetTokenDone done, gpointer data);
/* Logs out, forgets the PIN, and logs in no more until it is unlocked: LOCKED. */
guint64 signet_token_lock(SignetToken *token, const SignetTokenWait *wait, SignetTokenDone done,
                          gpointer data);
/* result: what the lesson gave, for signet_token_facts_from_bytes(). key: SIGNET_LESSON_PSS only.
 */
guint64 signet_token_learn(SignetToken *token, const SignetTokenWait *wait, SignetLesson lesson,
                           SignetKey *key, SignetTokenDone done, gpointer data);
GVariant *signet_token_facts_from_bytes(GBytes *result);
/* Evidence: backend.h. result of certify: a{sv} for the function above; of activate: the answer. */
guint64
signet_token_certify(SignetToken *token, const SignetTokenWait *wait, SignetKey *attester,
                     SignetKey *key, GBytes *data, SignetTokenDone done, gpointer done_data);
guint64
signet_token_activate(SignetToken *token, const SignetTokenWait *wait, SignetKey *attester,
                      const SignetTokenChallenge *challenge, SignetTokenDone done, gpointer data);
/* done is not called any more; the result of a running operation is thrown away. Harmless for an id
 * that is over. */
void signet_token_cancel(SignetToken *token, guint64 id);

/* Numbers for status and tests. */
typedef struct {
    guint waiting;
    guint64 done;
    guint64 refused_busy;
    guint64 timed_out;
} SignetTokenCounts;
SignetTokenCounts signet_token_get_counts(const SignetToken *token);
/* How long the token took for each sort of operation. Borrowed. */
const SignetTimings *signet_token_get_timings(const SignetToken *token);
/* While a done is called: how long the token worked on it, without the wait in the queue. */
gint64 signet_token_get_duration_us(const SignetToken *token);

/* (nullable) What is known of the device, a{sv} in the words of policy/facts.h. Borrowed. */
GVariant *signet_token_get_facts(const SignetToken *token);
/* They were learned from the device that is there now; else an earlier life wrote them down. */
gboolean signet_token_has_fresh_facts(const SignetToken *token);
/* The listener is not called. */
void signet_token_set_facts(SignetToken *token, GVariant *facts, gboolean is_fresh);
