/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the files of the engine share. Inside agent/rotate only. */

#pragma once

#include "agent/enroll/material.h"
#include "agent/rotate/disk-thread.h"
#include "agent/rotate/context.h"
#include "agent/rotate/machine.h"
#include "policy/device-code.h"

#define SIGNET_ENTRY_WHY_SIZE 192
#define SIGNET_ENTRY_KEYGEN_S 300 /* an RSA key of 4096 bits on a slow TPM */
#define SIGNET_ENTRY_CANARY_S 60

typedef struct {
    SignetEngineDone done; /* (nullable) */
    gpointer data;
} SignetWaiter;

/* adopt.c: a key that is being adopted. */
typedef struct SignetAdopting SignetAdopting;

/* One identity of the policy. Counted, because tasks on the disk thread outlive its place in the
 * table. */
typedef struct {
    SignetEngine *engine; /* (unowned): outlives us, it waits for the disk thread before it goes */
    char *name;           /* (owned) */
    const SignetIdentityPolicy *policy; /* (unowned): lives in engine->policy; NULL: gone from the
                                           policy, nothing is to be done */
    SignetMachine machine;
    char *wish;       /* (owned) SignetMachineInput.wish */
    char *blocked;    /* (owned, nullable) SignetMachineInput.blocked */
    char *no_new_key; /* (owned, nullable) SignetMachineInput.no_new_key */
    guint64 seed;
    char *problem;                        /* (owned, nullable) why it is damaged and left alone */
    char next_text[48];                   /* behind SignetIdentityStatus.next … */
    char why_text[SIGNET_ENTRY_WHY_SIZE]; /* … why, … */
    char device_code[SIGNET_DEVICE_CODE_SIZE]; /* … and device_code */
    char *revocation_text;  /* (owned, nullable) behind SignetIdentityStatus.revocation */
    gint64 journal_retry_s; /* the last write failed: again then; 0: it did not */
    GArray *waiters;        /* (owned) of SignetWaiter */
    guint32 reported;       /* the generation that programs reported failures of … */
    guint n_reports;        /* … so many */
    /* the effect under way */
    SignetToken *token;    /* (owned, nullable) */
    guint64 token_id;      /* 0: none */
    GBytes *digest;        /* (owned, nullable) of the test signature */
    SignetJob *job;        /* (owned, nullable) while signet-enroll runs */
    GBytes *answer;        /* (owned, nullable) what a person brought, until it is looked at */
    SignetJob *revoke_job; /* (owned, nullable) beside it: a revocation is asked for */
    gboolean is_revoking;  /* from the wish until the answer */
    SignetWaiter revoke_waiter;
    SignetAdopting *adopting; /* (owned, nullable) from the wish until it is stored */
    /* looking beside it */
    SignetJob *check_job;   /* (owned, nullable) while signet-enroll runs */
    GArray *check_waiters;  /* (owned) of SignetWaiter */
    gboolean is_look_short; /* the one under way leaves out what somebody wants to know since */
    /* retiring beside it */
    SignetToken *retire_token; /* (owned, nullable) */
    guint64 retire_token_id;
} SignetEntry;

struct SignetEngine {
    SignetEngineContext context;
    char *host_name;      /* (owned) */
    char *machine_id;     /* (owned) */
    SignetPolicy *policy; /* (owned, nullable) */
    GHashTable *entries;  /* (owned) name → SignetEntry (owned) */
    GPtrArray *order;   /* (owned) of SignetEntry (unowned): in entries; CAs first, then by name */
    GPtrArray *leaving; /* (owned) of SignetEntry (owned): gone from the policy, and a token still
                           works for them */
    SignetDiskThread *disk; /* (owned) */
    GSource *timer;         /* (owned) */
    GSource *usage_timer;   /* (owned) */
    GPtrArray *refusals; /* (owned) of GSource (owned): answers to signet_engine_rotate() that are
                            on their way */
    gboolean is_rescan_due; /* fingerprints have to be made anew: a CA has changed */
    SignetEngineListener listener;
    gpointer listener_data;
};

/* entry.c */
SignetEntry *signet_entry_new(SignetEngine *engine, const SignetIdentityPolicy *policy);
SignetEntry *signet_entry_ref(SignetEntry *entry);
void signet_entry_unref(SignetEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetEntry, signet_entry_unref)

/* What the schedule goes by: a certificate is good for no longer than those above it. */
SignetCertificateFacts signet_generation_facts(const SignetGeneration *generation);

/* Of the pending generation, while its request waits for the CA's decision; else empty. Borrowed.
 */
const char *signet_entry_get_device_code(SignetEntry *entry);

/* The broker learns which generations nobody may use any more. */
void signet_entry_bar(const SignetEntry *entry);

/* request.c: what the policy asks for. */
SignetMachineInput signet_entry_input(const SignetEntry *entry);
/* Of whom something can be learned: mask of SignetLook. */
guint signet_entry_find_looks(const SignetEntry *entry);
/* Makes wish and blocked anew. */
void signet_entry_refresh(SignetEntry *entry);
/* (nullable) Free with g_free(): why the token must not have this identity's keys, as far as it has
 * been opened. */
char *signet_entry_find_weakness(const SignetEntry *entry);
/* What a job needs that is on the disk. */
typedef struct {
    SignetMaterial read; /* (owned) */
    GBytes *state;       /* (owned, nullable) SignetJobRemote.state */
    GBytes *answer;      /* (owned, nullable) SignetJobRemote.answer */
} SignetSupplies;
/* reading.c: a task of the disk thread that reads what a job needs from the files that the policy
 * names; policy, and all that lives in it, is the one of then. */
typedef struct {
    SignetEntry *entry;                    /* (owned) */
    SignetPolicy *policy;                  /* (owned): the next two live in it */
    const SignetCaProfile *ca;             /* (unowned, nullable) */
    const SignetRotationProfile *rotation; /* (unowned, nullable) */
    guint32 number;                        /* the generation that the job is for */
    guint reason;                          /* revoke.c */
    SignetMaterial read;                   /* (owned) */
    GError *error;                         /* (owned, nullable) the outcome */
} SignetReading;
SignetReading *signet_reading_new(SignetEntry *entry, guint32 number);
void signet_reading_free(gpointer reading);
/* The request for a certificate for this generation; for a check alone it is never started. NULL
 * without a CA in the policy. supplies: nullable, a local CA and a check need none. */
SignetJob *signet_entry_make_job(const SignetEntry *entry, const SignetGeneration *generation,
                                 const SignetSupplies *supplies);
/* The wish that the CA revoke this generation's certificate. */
SignetJob *
signet_entry_make_revocation(const SignetEntry *entry, const SignetGeneration *generation,
                             const SignetSupplies *supplies, guint reason);
/* revoke.c: whoever waits for a revocation is answered with the error. */
void signet_entry_end_revoking(SignetEntry *entry, const GError *error);
/* CanaryUser=, else the first of Dns=, else the identity's name. */
char *signet_entry_dup_canary_user(const SignetEntry *entry);
/* (nullable) Borrowed from the policy. */
const SignetCaProfile *signet_entry_get_ca(const SignetEntry *entry);

/* load.c: what the disk holds becomes machine and inventory; problems in words are appended.
 * Blocks. */
void signet_entry_load(SignetEntry *entry, GPtrArray *ret_problems);

/* enroll.c: asks the CA. */
void signet_entry_enroll(SignetEntry *entry);
/* What is waiting to be carried to it; see signet_engine_get_request(). */
void signet_entry_get_request(SignetEntry *entry, SignetEngineRequestDone done, gpointer data);
/* effects.c: do them; each outcome comes back through signet_entry_advance(). */
void signet_entry_do(SignetEntry *entry, guint effects);
/* The enroller is killed; what a token does for an entry ends without an outcome, or, when
 * everything ends, is cancelled too. */
void signet_entry_leave(SignetEntry *entry);
void signet_entry_cancel(SignetEntry *entry);
/* adopt.c: stores what was found for the pending generation. */
void signet_entry_adopt(SignetEntry *entry);
/* Whoever waits for the search is answered with the error (NULL: is not); what was found is
 * forgotten. */
void signet_entry_end_adopting(SignetEntry *entry, const GError *error);
/* refuse.c: why neither a rotation nor an adoption can begin now; NULL: it can. Answers done with
 * an error (taken), never from within the call. */
GError *signet_engine_find_refusal(SignetEngine *engine, const char *identity, const char *doing);
void signet_engine_refuse(SignetEngine *engine, const char *identity, const SignetWaiter *waiter,
                          GError *error);
/* promote.c: publishes the pending generation and makes it current. */
void signet_entry_promote(SignetEntry *entry);
/* The same for machine.restoring. */
void signet_entry_restore(SignetEntry *entry);
/* canary.c: shows the pending certificate to the peer of Canary=. */
void signet_entry_canary(SignetEntry *entry);
/* check.c: looks what others say of machine.checking. */
void signet_entry_check(SignetEntry *entry);
/* Likewise, without having looked. */
void signet_entry_fail_check(SignetEntry *entry, const char *cause);
/* Calls and forgets those who wait for a look. */
void signet_entry_answer_check(SignetEntry *entry, const GError *error);
/* The CA refused it: perhaps others know why. */
void signet_entry_suspect(SignetEntry *entry);
/* anchors.c: what ca.pem of the next generation has: what the CA shows (nullable), and the root of
 * the one before (nullable), which goes with the renewal after that. Lists of GBytes. */
GPtrArray *
signet_anchors_for_next(const SignetGeneration *current, GPtrArray *offered, gint64 now_s);
/* What that of the current one has, with roots that are new; NULL: there are none. */
GPtrArray *signet_anchors_for_current(const SignetGeneration *current, GPtrArray *offered);
/* The CAs' certificates that came with it, and were announced since: DER, one after the other.
 * NULL: there is none. */
GBytes *signet_anchors_dup_learned(const SignetGeneration *current);
/* promote.c: the current generation's files once more, with these anchors. */
void signet_entry_republish(SignetEntry *entry, GPtrArray *anchors);
/* retire.c: destroys machine.retiring. */
void signet_entry_retire(SignetEntry *entry);
/* Fire and forget: a key that nobody will know of. */
void signet_entry_destroy_key(SignetToken *token, SignetKey *key);

/* advance.c: the one place where the state changes: steps the machine, journals it, then does its
 * effects. */
void signet_entry_advance(SignetEntry *entry, const SignetMachineEvent *event);
/* For outcomes: SIGNET_EVENT_TOKEN_MISSING for errors that say so, SIGNET_EVENT_FAILED else. */
void signet_entry_fail(SignetEntry *entry, const GError *error);
/* The journal once more, after a write that failed. */
void signet_entry_rewrite(SignetEntry *entry);
/* Calls and forgets those who wait for a rotation. */
void signet_entry_answer(SignetEntry *entry, const GError *error);
/* turn.c: whose turn it is. */
gboolean signet_engine_turn(gpointer engine);
void signet_engine_refresh(SignetEngine *engine);

/* timer.c: a source that is ready when it is told to be, once; the engine's now. */
GSource *signet_timer_new(void);
void signet_engine_schedule(SignetEngine *engine);

/* usage.c: who used what, on its way to the disk. */
void signet_engine_save_usage(SignetEngine *engine);
void signet_engine_save_usage_now(SignetEngine *engine);

/* verify.c: SHA-256 of random bytes; is this a signature by the key over the digest? */
GBytes *signet_verify_make_digest(void);
gboolean signet_verify_signature(const SignetKey *key, GBytes *digest, GBytes *signature);
SignetKeyScheme signet_verify_scheme(const SignetKey *key);
