/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Carries identities through enrolment and rotation: feeds events to the pure machine, journals
 * each effect before doing it, does it, journals the outcome, and replays at start. Main thread;
 * disk work runs on one worker thread. */

#pragma once

#include "agent/rotate/context.h"

SignetEngine *signet_engine_new(const SignetEngineContext *context);
void signet_engine_free(SignetEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetEngine, signet_engine_free)

/* Reads the store into the inventory, finishes or undoes what a crash left, and starts. Blocks; a
 * damaged identity is reported in ret_problems (of char *) and left alone, the others go on.
 * Identities on disk that the policy does not name are not served; their files and keys stay, and
 * they are taken up again when the policy names them. */
gboolean signet_engine_start(SignetEngine *engine, SignetPolicy *policy, GPtrArray *ret_problems,
                             GError **error);
/* Identities appear, change and go as above; signet_tokens_apply() comes first. Takes a reference.
 */
void signet_engine_set_policy(SignetEngine *engine, SignetPolicy *policy);

/* An administrator's wish. done (nullable) is called once, never from within the call, when the
 * rotation has been promoted or has failed this time (also: waits for the token, the CA); a failed
 * one is tried again by itself. NOT_FOUND, BUSY (one is under way), CORRUPT. A rotation in the
 * overlap of earlier ones is nothing special. */
void signet_engine_rotate(SignetEngine *engine, const char *identity, SignetEngineDone done,
                          gpointer data);
/* A key that others made, and perhaps its certificate, for the identity's next generation. */
typedef struct {
    GBytes *name;            /* what signet_token_adopt() takes */
    SignetSecret *auth;      /* (nullable) of the key */
    GPtrArray *certificates; /* (nullable) of GBytes, DER: the key's own, and others up to the root,
                                in any order */
    gboolean is_enrolled;    /* the CA is to certify the key whether it has a certificate or not */
    gboolean is_ours;        /* the key may be destroyed when it is retired */
} SignetAdoption;

/* Looks for the key on the identity's token, tries it, checks it and the certificate that it has
 * (else the CA certifies the key), and makes them the current generation in the same way as any
 * other. done as above, and: whatever the token says of the key, POLICY when it or its certificate
 * does not fit. What was not stored when the agent dies was never asked for. */
void signet_engine_adopt(SignetEngine *engine, const char *identity, const SignetAdoption *adoption,
                         SignetEngineDone done, gpointer data);
/* The most bytes of certificates that may be brought. */
#define SIGNET_ENGINE_IMPORT_MAX 24576u
/* For a CA with Protocol=manual: what a person brought from it, as it is: certificates in PEM or
 * DER, or a PKCS#7. An enroller reads it, and it is checked like any CA's answer; when it is wrong
 * the request waits on. done as for signet_engine_rotate(), and: POLICY for another CA, NOT_FOUND
 * when no request waits, BAD_REQUEST when it is too much. */
void signet_engine_import(SignetEngine *engine, const char *identity, GBytes *answer,
                          SignetEngineDone done, gpointer data);
/* The request that waits to be carried to the CA; read from the disk. done may be called before
 * this returns, and is not when the engine is freed first. Errors as for signet_engine_import(). */
void signet_engine_get_request(SignetEngine *engine, const char *identity,
                               SignetEngineRequestDone done, gpointer data);
/* The current generation does not work: the newest earlier one that is still usable becomes current
 * again, the other stays usable as if it had been replaced, and a new one is made after a pause.
 * reason: in words, cut at 200 characters. As signet_engine_rotate(); NOT_FOUND also when there is
 * nothing to go back to. */
void signet_engine_rollback(SignetEngine *engine, const char *identity, const char *reason,
                            SignetEngineDone done, gpointer data);
/* An administrator wants to know what others say of the current certificate: whether it is revoked,
 * when its CA wants it renewed, whether its issuer is still there. done is called when that is
 * known and shown by the status, or could not be asked; joins a look under way. NOT_FOUND, CORRUPT,
 * POLICY where nobody could be asked. */
void signet_engine_check(SignetEngine *engine, const char *identity, SignetEngineDone done,
                         gpointer data);
/* An administrator wants the CA to revoke the certificate of this generation (0: the current one),
 * for this reason (CRLReason, RFC 5280 5.3.1). done is called with that generation when the CA says
 * that it has, or why not. When it was the current one, a rotation follows. NOT_FOUND, CORRUPT,
 * BUSY, POLICY where the CA's protocol has no way to say it. */
void signet_engine_revoke(SignetEngine *engine, const char *identity, guint32 generation,
                          guint reason, SignetEngineDone done, gpointer data);
/* A program says that its peer did not accept this generation. Three times for the current one are
 * a reason to roll back, while there is something to go back to; all else is logged only. */
void signet_engine_report(SignetEngine *engine, const char *identity, guint32 generation,
                          const char *program, const char *reason);
/* Looks at all deadlines again: after resume and clock changes. */
void signet_engine_wake(SignetEngine *engine);
/* Wire this to the registry's listener: identities that wait for the token go on. */
void signet_engine_on_token(SignetToken *token, gpointer engine);

/* Who has to act for an identity to go on. R(SYMBOL, "name") */
#define SIGNET_RESPONSIBLES(R)                                                 \
    R(AGENT, "agent")                 /* nobody: it goes on by itself */       \
    R(CA, "ca")                       /* the CA, or who decides there */       \
    R(PERSON, "person")               /* somebody at the machine: card, PIN */ \
    R(ADMINISTRATOR, "administrator") /* whoever writes the policy and sees to the CA */

typedef enum {
#define R(symbol, name) SIGNET_RESPONSIBLE_##symbol,
    SIGNET_RESPONSIBLES(R)
#undef R
} SignetResponsible;

typedef struct {
    const char *state; /* "active", "enrolling", "failed" … static */
    const char *cause; /* (nullable) what is wrong, in words; borrowed until the next change */
    const char *why;   /* never NULL: the cause, or why it is in this state although all is well;
                          borrowed likewise */
    const char *responsible; /* never NULL: of SIGNET_RESPONSIBLES; static */
    const char *next; /* never NULL: what happens next, e.g. "renew", "retry", "retire generation
                         3"; borrowed likewise */
    gint64 next_s;    /* when; 0: now, or waiting for something other than time */
    const char *deadline;    /* never NULL: what happens if nothing happens before; static */
    gint64 deadline_s;       /* when; 0: programs have no certificate to use as it is */
    const char *device_code; /* (nullable) of the request that the CA has not decided about;
                                borrowed likewise */
    gint64 since_s;          /* when the state was entered */
    guint attempt;           /* failed attempts in a row */
    guint32 current;         /* generations; 0: none */
    guint32 pending;
    gint64 not_after_s; /* of the current certificate; 0 without one */
    /* what others say of it */
    const char *revocation; /* (nullable) in words; borrowed likewise */
    gboolean is_revoked;
    gint64 last_check_s; /* 0: nobody was asked yet */
    gint64 next_check_s; /* 0: nobody is asked */
    const char *window;  /* (nullable) when its CA wants it renewed, in words; borrowed likewise */
    gint64 window_start_s;
    gint64 window_end_s; /* 0: it says nothing */
    const char *issuer;  /* (nullable) what becomes of its issuer, in words; borrowed likewise */
} SignetIdentityStatus;

/* FALSE when the policy has no such identity. */
gboolean signet_engine_get_status(SignetEngine *engine, const char *identity,
                                  SignetIdentityStatus *ret_status);

/* What is known of a token has changed: what it cannot serve is blocked, or not any more. */
void signet_engine_on_facts(SignetEngine *engine);
void signet_engine_set_listener(SignetEngine *engine, SignetEngineListener listener, gpointer data);
