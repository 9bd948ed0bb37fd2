/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What drives one kind of device (tpm/, pkcs11/, fakes in the tests): synchronous, knowing nothing
 * of queues; and the values it speaks in. */

#pragma once

#include <glib.h>

#include "agent/base/error.h"
#include "agent/base/key.h"
#include "agent/base/secret.h"
#include "provider/wire/catalogue.h"

typedef struct {
    guint32 scheme;    /* enum signet_scheme */
    guint32 hash;      /* enum signet_hash; RSA_PKCS1 with NONE: signed as it is, no DigestInfo;
                          EDDSA: NONE */
    guint32 mgf1_hash; /* RSA_PSS, RSA_OAEP */
    guint16 salt_len;  /* RSA_PSS, bytes */
    GBytes *label;     /* (unowned) RSA_OAEP; nullable */
} SignetKeyScheme;

/* What a key to be generated must be able to do. */
typedef struct {
    guint32 type;
    gboolean can_decrypt; /* RSA decryption, ECDH */
    guint pcr_bank;       /* TPM: bits of the bank's digests: 160, 256, 384 */
    guint32 pcrs;         /* mask of 1 << number: it works while they are as now; 0: always */
    const char *name; /* (nullable) hexadecimal, 16 bytes: what a token that keeps keys calls it;
                         what is there under that name, and made by an agent, is destroyed first */
    gboolean is_attester; /* it signs nothing but what the token itself says (evidence) */
} SignetKeyTemplate;

/* What a token says of a key, as words of an a{sv}: all bytes (ay) or lists of bytes (aay), as the
 * TPM encodes them (TCG TPM 2.0 part 2). */
#define SIGNET_EVIDENCE_ATTESTATION "attestation" /* TPMS_ATTEST */
#define SIGNET_EVIDENCE_SIGNATURE   "signature"   /* TPMT_SIGNATURE by the attester */
#define SIGNET_EVIDENCE_KEY         "key"         /* TPMT_PUBLIC */
#define SIGNET_EVIDENCE_ATTESTER    "attester"    /* TPMT_PUBLIC */
#define SIGNET_EVIDENCE_ENDORSEMENT "endorsement" /* the maker's certificates, DER */
#define SIGNET_EVIDENCE_ISSUERS     "issuers" /* … of those who signed them, as far as there */

#define SIGNET_EVIDENCE_DATA_MAX 64

/* Whoever made it learns whether attester and endorsement key are of one TPM: only that gives the
 * answer (TCG TPM 2.0 part 1, 24). */
typedef struct {
    GBytes *endorsement; /* SubjectPublicKeyInfo of the endorsement key that it is for, DER */
    GBytes *credential;  /* TPM2B_ID_OBJECT */
    GBytes *secret;      /* TPM2B_ENCRYPTED_SECRET */
} SignetTokenChallenge;

/* What can be learned about a device. */
typedef enum {
    SIGNET_LESSON_CAPABILITIES, /* what it says of itself */
    SIGNET_LESSON_IDENTITY,     /* which device it is, and its certificates; takes a TPM longer */
    SIGNET_LESSON_PSS,          /* how it pads RSA-PSS: has it sign with an RSA key */
} SignetLesson;

typedef enum {
    SIGNET_TOKEN_STATE_UNKNOWN, /* not tried yet */
    SIGNET_TOKEN_STATE_READY,
    SIGNET_TOKEN_STATE_ABSENT,
    SIGNET_TOKEN_STATE_FAILED,
    SIGNET_TOKEN_STATE_LOCKED, /* it is there, and wants a PIN that the agent has not */
} SignetTokenState;

/* How a token is logged in to. Static; empty where it asks for no PIN, or is not known yet. */
typedef struct {
    const char *unlock_by; /* "pin", "reader" (typed at its own keys), "configuration" */
    const char *tries;     /* left for the PIN: "low", "last", "none" */
} SignetTokenLock;

/* A person unlocks a token. */
typedef struct {
    SignetSecret *pin; /* (unowned, nullable) NULL: it is typed at the reader, or the one in the
                          configuration is sent once more */
    gboolean last_try; /* send it also when no other try is left */
    gboolean again;    /* … and when the token has refused it before */
} SignetTokenUnlock;

/* Facts for people and for policy; strings are static or owned by the token. */
typedef struct {
    const char *kind;        /* "tpm", "pkcs11" */
    const char *protection;  /* "tpm", "smartcard", "hsm", "software" */
    const char *description; /* manufacturer, model, firmware */
    guint sessions;          /* operations at once; 0: one */
    SignetTokenLock lock;
} SignetTokenInfo;

/* A backend. All functions block, run on one thread of the token's and set an error of kind
 * TOKEN_ABSENT, TOKEN_FAILED, BUSY, UNSUPPORTED, PIN_NEEDED, BAD_REQUEST or CORRUPT, but where
 * something else is said. */
typedef struct {
    /* Nullable: there is never more than one operation at once. Else the one given to
     * signet_token_new() is never opened, but each thread has one of these, from opening to
     * closing. In the main context; does not block. What it returns is freed first. */
    gpointer (*attach)(gpointer backend);
    /* Nullable, together. In the thread before and after what follows: opening and operations. */
    void (*enter)(gpointer backend);
    void (*leave)(gpointer backend);
    /* Nullable. In the main context, while an operation of this backend hangs: ends it, if that is
     * possible. Does not block. */
    gboolean (*interrupt)(gpointer backend);
    /* Nullable. In the thread, after an operation that failed: may say better why. */
    void (*explain)(gpointer backend, GError **error);
    const char *hang_advice; /* (nullable) what to do about operations that hang; static */
    /* Opens the device and fills info, also with PIN_NEEDED; called before the first operation, and
     * again after an error TOKEN_ABSENT. BUSY: others have all of the token's sessions. */
    gboolean (*open)(gpointer backend, SignetTokenInfo *ret_info, GError **error);
    /* The same for a person who has, or is, the PIN's keeper. May wait for that person, at the
     * reader. (nullable) */
    gboolean (*unlock)(gpointer backend, const SignetTokenUnlock *unlock, SignetTokenInfo *ret_info,
                       GError **error);
    /* Closes the device, so that only unlock opens it again. (nullable, together with unlock) */
    void (*lock)(gpointer backend);
    SignetKey *(*generate)(gpointer backend, const SignetKeyTemplate *template, GError **error);
    /* digest: with EDDSA the message itself */
    GBytes *(*sign)(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
                    GError **error);
    GBytes *(*decrypt)(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme,
                       GBytes *ciphertext, GError **error);
    /* peer_point: uncompressed, SEC 1 2.3.3 */
    GBytes *(*derive)(gpointer backend, SignetKey *key, GBytes *peer_point, GError **error);
    /* (nullable: it has no keys of others) A key that others made, by what its owner calls it:
     * PKCS#11: the URI of an object, empty: the only one there is; TPM: a TSS2 PRIVATE KEY.
     * auth: nullable. ret_certificate: the one that the token has for it (DER); NULL: none.
     * NOT_FOUND, POLICY when it must not be used. */
    SignetKey *(*adopt)(gpointer backend, GBytes *name, SignetSecret *auth,
                        GBytes **ret_certificate, GError **error);
    /* Destroys what the token itself keeps of the key, and whatever is loaded; idempotent. */
    gboolean (*destroy)(gpointer backend, SignetKey *key, GError **error);
    /* (nullable) Is what was opened still there? Cheap: it is asked every second. */
    gboolean (*check)(gpointer backend, GError **error);
    /* Adds what it finds to facts, in the words of policy/facts.h. key: SIGNET_LESSON_PSS only.
     * (nullable) */
    gboolean (*learn)(gpointer backend, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
                      GError **error);
    /* (nullable, together: it proves nothing) attester: made with is_attester. NOT_FOUND: it is not
     * of this device, or not any more; another one has to be made.
     * Adds to evidence, in the words above, what says that the key is in the device. data: what the
     * device is to sign along with that, at most SIGNET_EVIDENCE_DATA_MAX bytes. */
    gboolean (*certify)(gpointer backend, SignetKey *attester, SignetKey *key, GBytes *data,
                        GVariantDict *evidence, GError **error);
    /* Answers a challenge: the bytes that are hidden in it. BAD_REQUEST: it is not for this
     * attester and this device. */
    GBytes *(*activate)(gpointer backend, SignetKey *attester,
                        const SignetTokenChallenge *challenge, GError **error);
    void (*free)(gpointer backend);
} SignetTokenBackend;
