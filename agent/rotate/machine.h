/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The life of one identity as a pure function: step(machine, event, input, now) → machine, effects.
 * No clock, no disk, no token. The engine journals the new machine, does the effects, and feeds
 * back what came of them.
 *
 *   absent ─► keygen ─► enrolling ─► verifying ─► promoting ─► active ─► (due) ─► keygen …
 *
 * There is no terminal state: every state has an effect under way whose outcome is awaited, a time
 * at which it goes on (deadlines), or a condition of the input that wakes it (waiting-ca,
 * blocked-by-policy). Retiring old generations runs beside it, one at a time, and so does looking
 * at what others say of the current certificate. */

#pragma once

#include "policy/findings.h"
#include "policy/schedule.h"

/* S(SYMBOL, "name") */
#define SIGNET_MACHINE_STATES(S)                                                                  \
    S(ABSENT, "absent")               /* nothing yet */                                           \
    S(WAITING_TOKEN, "waiting-token") /* the token is not there, or wants a PIN */                \
    S(WAITING_CA, "waiting-ca")       /* the local CA has no certificate yet */                   \
    S(KEYGEN, "keygen")               /* effect GENERATE, COPY_KEY or ADOPT under way */          \
    S(ENROLLING, "enrolling")         /* effect ENROLL under way */                               \
    S(PENDING_CA, "pending-ca")       /* the CA has not decided */                                \
    S(VERIFYING, "verifying")         /* effect VERIFY under way */                               \
    S(CANARY, "canary")               /* effect CANARY under way */                               \
    S(PROMOTING, "promoting")         /* effect PROMOTE under way */                              \
    S(ROLLING_BACK, "rolling-back")   /* effect RESTORE under way */                              \
    S(ACTIVE, "active")               /* nothing to do until it is due */                         \
    S(FAILED, "failed")               /* will be tried again; the old generation stays current */ \
    S(BLOCKED, "blocked-by-policy")   /* the policy cannot be served; its change wakes it */

/* Where the pending generation comes from. O(SYMBOL, "name") */
#define SIGNET_MACHINE_ORIGINS(O)                                               \
    O(OURS, "ours")               /* the key is made, or copied from current */ \
    O(ADOPTED_KEY, "adopted-key") /* the key was there; the CA certifies it */  \
    O(ADOPTED, "adopted")         /* key and certificate were there */

typedef enum {
#define O(symbol, name) SIGNET_MACHINE_##symbol,
    SIGNET_MACHINE_ORIGINS(O)
#undef O
} SignetMachineOrigin;

const char *signet_machine_origin_name(SignetMachineOrigin origin);
gboolean signet_machine_origin_from_name(const char *name, SignetMachineOrigin *ret_origin);

typedef enum {
#define S(symbol, name) SIGNET_MACHINE_##symbol,
    SIGNET_MACHINE_STATES(S)
#undef S
} SignetMachineState;

/* Static; NULL for a number that is no state. */
const char *signet_machine_state_name(SignetMachineState state);
gboolean signet_machine_state_from_name(const char *name, SignetMachineState *ret_state);

#define SIGNET_MACHINE_RETIRED_MAX   16
#define SIGNET_MACHINE_CAUSE_SIZE    384
#define SIGNET_MACHINE_WISH_SIZE     65 /* hexadecimal SHA-256 */
#define SIGNET_MACHINE_KEY_NAME_SIZE (10 + 1 + 2 * SIGNET_KEY_NAME_BYTES + 1)
#define SIGNET_KEY_NAME_BYTES        16

/* An old generation that is still there. */
typedef struct {
    guint32 number;
    guint tries; /* 0: usable until retire_at_s; else being destroyed, and usable no more */
    gint64 retire_at_s;
} SignetRetired;

/* What others say of the current generation's certificate, as far as it is known. */
typedef struct {
    guint32 number;     /* the current generation */
    guint failures;     /* in a row, in which nothing could be learned of its revocation */
    gboolean is_silent; /* the last look at its revocation learned nothing: found.words say why */
    gint64 last_s;      /* the last look, or the promotion */
    gint64 next_s;      /* the next at revocation and authorities … */
    gint64 window_last_s;
    gint64 window_next_s; /* … and at the window */
    SignetFindings found; /* the last that was learned of each; looks: of these */
} SignetWatch;

/* A plain value. Kept in the journal, but for the fields that say otherwise. */
typedef struct {
    SignetMachineState state;
    gint64 since_s; /* when the state was entered */
    gint64 next_s;  /* FAILED, WAITING_TOKEN, PENDING_CA: when it goes on */
    guint attempt;  /* failed attempts in a row */
    char cause[SIGNET_MACHINE_CAUSE_SIZE];
    guint32 current;              /* not in the journal: live/NAME says it */
    SignetCertificateFacts facts; /* of current; not in the journal: its certificate says it */
    guint32 pending;              /* 0: none */
    SignetMachineState resume;    /* where pending goes on: KEYGEN, ENROLLING or VERIFYING */
    SignetMachineOrigin origin;   /* of pending */
    guint32 last_number;          /* the highest ever given away: numbers are not used twice */
    gint64 pending_since_s; /* since when the CA has not decided; 0: it has, or was not asked */
    char current_wish[SIGNET_MACHINE_WISH_SIZE]; /* the wish that current was made for */
    char pending_wish[SIGNET_MACHINE_WISH_SIZE];
    char tried_wish[SIGNET_MACHINE_WISH_SIZE]; /* of the last attempt; not in the journal */
    guint32 alarmed;     /* the generation whose approaching end was reported */
    guint32 announced;   /* the generation whose promotion was told; a start tells what is not */
    gboolean is_refused; /* the canary's peer did not accept pending; cleared with it */
    /* "NUMBER:HEX": what the key of that generation is called on its token, chosen before it is
     * made. The engine's; kept until another is made, so that what an interrupted attempt left is
     * found.
     */
    char key_name[SIGNET_MACHINE_KEY_NAME_SIZE];
    guint32 restoring; /* the generation that becomes current again; 0: none */
    SignetRetired retired[SIGNET_MACHINE_RETIRED_MAX];
    guint n_retired;
    guint32 retiring;      /* not in the journal: effect RETIRE under way; 0: none */
    gboolean is_requested; /* not in the journal: an administrator, or a crash, wants a new one */
    gboolean is_asked;     /* not in the journal: somebody asked for the rotation under way */
    gboolean
        is_key_refused; /* not in the journal: the token cannot make what the policy asks for */
    SignetWatch watch;
    gint64 leaving_s;    /* since when the issuer of current is on its way out; 0: it is not */
    guint32 revoked;     /* this generation and those before it do not count any more; 0: none */
    guint32 revoked_key; /* nor do keys that were made for them; 0: none */
    guint32
        current_key; /* the generation that the key of current was made for; 0: current itself */
    guint32 pending_key;     /* likewise */
    guint32 checking;        /* not in the journal: effect CHECK under way, for it; 0: none … */
    guint checking_looks;    /* … of these; mask of SignetLook */
    gboolean is_check_asked; /* not in the journal: somebody wants to know now */
} SignetMachine;

/* The world as far as it decides. Borrowed. */
typedef struct {
    const SignetRotationProfile *rotation; /* never NULL */
    guint64 seed;
    const char *blocked; /* (nullable) why the policy cannot be served, in words */
    gboolean is_ca_ready;
    const char *wish; /* fingerprint of what the policy asks for: a change is a reason to rotate */
    gboolean is_key_kept; /* the current key still fits the policy (token, type): NewKey= decides */
    gint64 utc_offset_s;  /* of local time, now: windows are in it */
    gint64
        clock_floor_s; /* a clock that says less has not been set: nothing begins or ends by it */
    const char
        *no_new_key;     /* (nullable) why no key can be made, in words; NewKey= is then 'never' */
    gboolean has_canary; /* a new certificate is tried at a peer before it is promoted */
    guint looks;         /* mask of SignetLook: of whom something can be learned */
} SignetMachineInput;

typedef enum {
    SIGNET_EVENT_BEGIN,  /* go on, if it is due (deadlines); the engine limits how many do */
    SIGNET_EVENT_TICK,   /* time has passed: retire, alarm */
    SIGNET_EVENT_ROTATE, /* an administrator's wish */
    SIGNET_EVENT_ADOPT,  /* likewise: a key that was found, and is to be stored; origin */
    SIGNET_EVENT_TOKEN_BACK,
    SIGNET_EVENT_KEY_MADE,    /* and stored */
    SIGNET_EVENT_KEY_REFUSED, /* the token cannot make such keys: cause */
    SIGNET_EVENT_ISSUED,      /* and stored */
    SIGNET_EVENT_CA_PENDING,  /* after_s */
    SIGNET_EVENT_VERIFIED,
    SIGNET_EVENT_REJECTED, /* the certificate is not what was asked for */
    SIGNET_EVENT_KEY_BAD,  /* the key does not sign: a new one is needed */
    SIGNET_EVENT_CANARY_PASSED,
    SIGNET_EVENT_CANARY_REFUSED, /* the peer does not accept the certificate: cause */
    SIGNET_EVENT_PROMOTED,       /* facts */
    SIGNET_EVENT_ROLLBACK, /* the current generation does not work: cause; needs one to go back to
                            */
    SIGNET_EVENT_RESTORED, /* facts */
    SIGNET_EVENT_FAILED,   /* the effect under way failed: cause */
    SIGNET_EVENT_TOKEN_MISSING, /* the effect under way failed because the token is not there */
    SIGNET_EVENT_RETIRED,
    SIGNET_EVENT_RETIRE_FAILED,
    SIGNET_EVENT_CHECK,        /* look at what others say, if it is time (deadlines) */
    SIGNET_EVENT_CHECK_NOW,    /* likewise, whatever the time: somebody wants to know */
    SIGNET_EVENT_CHECKED,      /* findings */
    SIGNET_EVENT_CHECK_FAILED, /* cause */
    SIGNET_EVENT_REVOKED,      /* the CA has revoked current, since it was asked to: findings */
} SignetMachineEventKind;

typedef struct {
    SignetMachineEventKind kind;
    const char *cause; /* (nullable) in words; borrowed */
    gint64 after_s;
    SignetCertificateFacts facts;
    SignetMachineOrigin origin;     /* ADOPT */
    const SignetFindings *findings; /* CHECKED, REVOKED; borrowed */
} SignetMachineEvent;

/* What the engine has to do. All but TELL_… each have exactly one outcome event. */
typedef enum {
    SIGNET_EFFECT_GENERATE = 1 << 0, /* a new key for pending → KEY_MADE, KEY_REFUSED, FAILED,
                                        TOKEN_MISSING */
    SIGNET_EFFECT_COPY_KEY = 1 << 1, /* the current key for pending → KEY_MADE, FAILED */
    SIGNET_EFFECT_ENROLL = 1 << 2,   /* → ISSUED, CA_PENDING, FAILED, TOKEN_MISSING */
    SIGNET_EFFECT_VERIFY = 1 << 3,   /* → VERIFIED, REJECTED, KEY_BAD, FAILED, TOKEN_MISSING */
    SIGNET_EFFECT_PROMOTE = 1 << 4,  /* → PROMOTED, FAILED */
    SIGNET_EFFECT_RETIRE = 1 << 5,   /* destroy machine.retiring → RETIRED, RETIRE_FAILED */
    SIGNET_EFFECT_CANARY = 1 << 6,   /* → CANARY_PASSED, CANARY_REFUSED, FAILED, TOKEN_MISSING */
    SIGNET_EFFECT_RESTORE = 1 << 7,  /* make machine.restoring current → RESTORED, FAILED */
    SIGNET_EFFECT_TELL_FAILED = 1 << 8,
    SIGNET_EFFECT_TELL_ROTATED = 1 << 9,
    SIGNET_EFFECT_TELL_EXPIRING = 1 << 10,
    SIGNET_EFFECT_TELL_RETIRED = 1 << 11,
    SIGNET_EFFECT_ADOPT = 1 << 12, /* the key that was found for pending, and its certificate when
                                      it has one → KEY_MADE, ISSUED, FAILED */
    SIGNET_EFFECT_CHECK = 1 << 13, /* look at machine.checking_looks of machine.checking → CHECKED,
                                      CHECK_FAILED */
    SIGNET_EFFECT_TELL_REVOKED = 1 << 14,
} SignetMachineEffect;

#define SIGNET_EFFECTS_TO_DO                                                                      \
    (SIGNET_EFFECT_GENERATE | SIGNET_EFFECT_COPY_KEY | SIGNET_EFFECT_ENROLL |                     \
     SIGNET_EFFECT_VERIFY | SIGNET_EFFECT_PROMOTE | SIGNET_EFFECT_RETIRE | SIGNET_EFFECT_CANARY | \
     SIGNET_EFFECT_RESTORE | SIGNET_EFFECT_ADOPT | SIGNET_EFFECT_CHECK)
/* Those of them that belong to no state: they are done beside the main line. */
#define SIGNET_EFFECTS_BESIDE (SIGNET_EFFECT_RETIRE | SIGNET_EFFECT_CHECK)

typedef struct {
    SignetMachine machine;
    guint effects; /* mask of SignetMachineEffect */
} SignetMachineStep;

/* A machine that knows nothing: absent. */
SignetMachine signet_machine_new(gint64 now_s);
/* An event that does not fit the state (a late outcome) changes nothing. */
SignetMachineStep signet_machine_step(const SignetMachine *machine, const SignetMachineEvent *event,
                                      const SignetMachineInput *input, gint64 now_s);
/* TRUE while an effect of the main line is under way: KEYGEN, ENROLLING, VERIFYING, CANARY,
 * PROMOTING, ROLLING_BACK. */
gboolean signet_machine_is_working(const SignetMachine *machine);
/* The generation that ROLLBACK would go back to: the newest earlier one that is still usable and
 * not known to be revoked; 0: none. */
guint32 signet_machine_find_fallback(const SignetMachine *machine, gint64 now_s);

/* Is the current certificate revoked, or its key one that must not be certified again? It does not
 * authenticate anything any more. Not so while it is only held. */
gboolean signet_machine_is_revoked(const SignetMachine *machine);
/* Is the key itself in question? */
gboolean signet_machine_is_key_revoked(const SignetMachine *machine);
/* The newest generation that is, and every earlier one counts with it; 0: none. */
guint32 signet_machine_revoked_until(const SignetMachine *machine);

#define SIGNET_NEVER G_MAXINT64
typedef struct {
    gint64 begin_s; /* BEGIN goes on from then; SIGNET_NEVER: an outcome or the input is awaited */
    gint64 tick_s;  /* TICK has something to do then; or SIGNET_NEVER */
    guint32 retire_number; /* what tick_s retires; 0: it is the alarm, or nothing */
    gint64 check_s;        /* CHECK has something to do then; or SIGNET_NEVER */
} SignetMachineDeadlines;
SignetMachineDeadlines signet_machine_deadlines(const SignetMachine *machine,
                                                const SignetMachineInput *input, gint64 now_s);

/* What the disk holds, for signet_machine_recover(). */
typedef struct {
    guint32 current;
    SignetCertificateFacts facts;
    const guint32 *numbers; /* generations that have a key, ascending */
    gsize n_numbers;
    gboolean has_chain; /* the pending generation of the journal has a certificate */
} SignetMachineDisk;

/* After a start: brings what the journal said (or signet_machine_new() where there is none)
 * together with what the disk holds. An interrupted effect is done again or counted as done;
 * generations that nobody names are to be retired at once. */
SignetMachine signet_machine_recover(const SignetMachine *journal, const SignetMachineDisk *disk,
                                     const SignetMachineInput *input, gint64 now_s);
/* May the generation be used: current, pending with a key, or retired with time left? */
gboolean signet_machine_is_usable(const SignetMachine *machine, guint32 number);
