/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The administrator's policy as immutable values. glib-2.0 only: no file, no clock, no network;
 * bytes in, decisions out. */

#pragma once

#include <glib.h>
#include <stdint.h>

/* What a signature is for. A set of them is a bit mask. P(SYMBOL, bit, "name in Purposes=") */
#define SIGNET_PURPOSES(P)                                                                        \
    P(TLS_CLIENT, 0, "tls-client")     /* TLS 1.2 and 1.3 CertificateVerify of a client */        \
    P(TLS_SERVER, 1, "tls-server")     /* TLS 1.3 CertificateVerify, TLS 1.2 ServerKeyExchange */ \
    P(CSR, 2, "csr")                   /* PKCS#10, RFC 2986 */                                    \
    P(SSH_USERAUTH, 3, "ssh-userauth") /* RFC 4252 section 7 */                                   \
    P(CERTIFICATE, 4, "certificate")   /* a TBSCertificate; a local CA's own key, by job only */  \
    P(DECRYPT, 5, "decrypt")           /* RSA decryption */                                       \
    P(DERIVE, 6, "derive")             /* ECDH */                                                 \
    P(ANY, 7, "any")                   /* everything here but 'certificate' */                    \
    P(SIGN, 8, "sign")                 /* signatures of whatever is asked, also of bare digests */

typedef enum {
#define P(symbol, bit, name) SIGNET_PURPOSE_##symbol = 1 << bit,
    SIGNET_PURPOSES(P)
#undef P
} SignetPurpose;

const char *signet_purpose_name(SignetPurpose purpose);
/* 0 when unknown */
SignetPurpose signet_purpose_from_name(const char *name);

typedef enum {
    SIGNET_RULE_USER,
    SIGNET_RULE_GROUP,
    SIGNET_RULE_UNIT,
    SIGNET_RULE_LABEL,
} SignetRuleKind;

typedef struct {
    SignetRuleKind kind;
    char *value; /* (owned) a name, or decimal digits for a uid or gid */
} SignetRule;

typedef enum {
    SIGNET_NEW_KEY_ALWAYS,
    SIGNET_NEW_KEY_AGE,
    SIGNET_NEW_KEY_NEVER,
} SignetNewKey;

typedef enum {
    SIGNET_RENEW_AUTO,
    SIGNET_RENEW_PERCENT, /* of the lifetime */
    SIGNET_RENEW_BEFORE,  /* seconds before expiry */
} SignetRenewKind;

/* A span of the week in local time, of Window=. */
typedef struct {
    guint8 days;       /* mask: 1 << 0 is Monday; the day on which it begins */
    guint16 begin_min; /* minutes after midnight, 0 to 1439 */
    guint16 end_min;   /* likewise, 1 to 1440; not after begin_min: on the next day */
} SignetWindow;

/* A duration that may be 'auto': -1. Seconds. */
#define SIGNET_AUTO (-1)

/* What follows when the certificate in use is found to be revoked. */
typedef enum {
    SIGNET_ON_REVOKED_ROTATE,  /* a new one at once; the old one serves until it is there */
    SIGNET_ON_REVOKED_NOTIFY,  /* it is told, and nothing else */
    SIGNET_ON_REVOKED_DISABLE, /* a new one at once; nobody may use the old one meanwhile */
} SignetOnRevoked;

/* CheckRevocation=never */
#define SIGNET_CHECK_NEVER 0

typedef struct {
    char *name; /* (owned) */
    SignetRenewKind renew_kind;
    double renew_percent;
    gint64 renew_before_s;
    double jitter_percent;
    SignetNewKey new_key;
    gint64 new_key_age_s;
    gint64 overlap_s;     /* or SIGNET_AUTO: min(24h, 10 % of what the old certificate has left) */
    gint64 retry_first_s; /* default 60 */
    gint64 retry_max_s;   /* or SIGNET_AUTO: clamp(4 % of the lifetime, 60 s, 6 h) */
    gint64 pending_timeout_s;    /* default 7 d */
    gint64 critical_remaining_s; /* or SIGNET_AUTO: max(10 % of the lifetime, 15 min) */
    char *canary; /* (owned, nullable) policy/canary.h: a peer that tries a new certificate */
    char *canary_secret_file;       /* (owned, nullable) path; RADIUS only */
    char *canary_secret_credential; /* (owned, nullable) likewise: name of a systemd credential */
    char *canary_trust; /* (owned, nullable) path of a PEM file with the anchors of the peer */
    char *canary_user;  /* (owned, nullable) RADIUS only; placeholders */
    GArray *windows; /* (owned, nullable) of SignetWindow: when renewals may begin; none: always */
    gint64 issued_before_s; /* keys made before are replaced, spread over … ; 0: none are */
    gint64 within_s;        /* … this time from then on; default 24 h */
    SignetOnRevoked on_revoked;
    gint64
        check_s; /* from one look at CRL or OCSP to the next, SIGNET_AUTO or SIGNET_CHECK_NEVER */
} SignetRotationProfile;

typedef enum {
    SIGNET_TOKEN_TPM,
    SIGNET_TOKEN_PKCS11,
} SignetTokenKind;

/* [Token NAME] in signet.conf */
typedef struct {
    char *name; /* (owned) */
    SignetTokenKind kind;
    char *tcti; /* (owned, nullable) TPM only: tpm2-tss TCTI string, e.g. device:/dev/tpmrm0 */
    gboolean bus_encryption; /* TPM only; default TRUE */
    /* PKCS#11 only */
    char *uri;                  /* (owned, nullable) RFC 7512; never NULL for such a token */
    char *pin_file;             /* (owned, nullable) path; the URI's pin-source too */
    char *pin_credential;       /* (owned, nullable) name of a systemd credential */
    gboolean ask_pin;           /* Pin=ask was written; so it is too with none of the three */
    guint max_sessions;         /* 0: what the token says */
    gboolean allow_extractable; /* default FALSE */
    gboolean isolate;           /* default FALSE */
    guint queue_limit;          /* requests waiting; default 1024 */
    gboolean measure;           /* by itself, once, in a quiet time; default TRUE */
} SignetTokenConfig;

/* How a CA is spoken to. C(SYMBOL, "Protocol=") */
#define SIGNET_CA_KINDS(C) \
    C(LOCAL, "local")      \
    C(EST, "est")          \
    C(CMP, "cmp")          \
    C(ACME, "acme")        \
    C(SCEP, "scep")        \
    C(EXEC, "exec")        \
    C(MANUAL, "manual")

typedef enum {
#define C(symbol, name) SIGNET_CA_##symbol,
    SIGNET_CA_KINDS(C)
#undef C
} SignetCaKind;

/* Protocol=; static */
const char *signet_ca_kind_name(SignetCaKind kind);

/* How this machine shows a remote CA who it is: rungs of a ladder, tried from the first on. A set
 * of them is a bit mask. R(SYMBOL, bit, "name in Bootstrap=") */
#define SIGNET_RUNGS(R)                                                                   \
    R(CURRENT, 0, "current")   /* the certificate in use */                               \
    R(EXPIRED, 1, "expired")   /* the certificate in use although it has expired */       \
    R(IDENTITY, 2, "identity") /* another identity of this machine: BootstrapIdentity= */ \
    R(SECRET, 3, "secret")     /* SecretFile=, SecretCredential= */                       \
    R(APPROVAL, 4, "approval") /* nothing: a person decides at the CA, and that is awaited */

typedef enum {
#define R(symbol, bit, name) SIGNET_RUNG_##symbol = 1 << bit,
    SIGNET_RUNGS(R)
#undef R
} SignetRung;

const char *signet_rung_name(SignetRung rung);
/* 0 when unknown */
SignetRung signet_rung_from_name(const char *name);

/* The keys of ca.d/NAME.conf for all CAs that are reached over the network */
typedef struct {
    char *url;   /* (owned, nullable) */
    char *trust; /* (owned, nullable) path of a PEM file with the anchors of the CA's server, or
                    "system" */
    char **pins; /* (owned) SHA-256 of SubjectPublicKeyInfo: 64 small hexadecimal digits each */
    char *proxy; /* (owned, nullable) URL */
    gint64 timeout_s;         /* of one whole conversation */
    char *secret_file;        /* (owned, nullable) path */
    char *secret_credential;  /* (owned, nullable) name of a systemd credential */
    gboolean is_secret_kept;  /* SecretUse=always: sent along with every request */
    guint rungs;              /* mask of SignetRung */
    char *bootstrap_identity; /* (owned, nullable) */
    char **options; /* (owned) "Key=value" of the protocol's own keys (policy/protocol.h), checked;
                       they reach the protocol's client as they are */
} SignetCaRemote;

/* ca.d/NAME.conf, group [Ca] */
typedef struct {
    char *name; /* (owned) */
    SignetCaKind kind;
    /* local: the CA's own key and certificate, kept as identity 'ca.NAME'; acme: the key of the
     * account, kept as identity 'acme.NAME' */
    char *token;   /* (owned) */
    char *key;     /* (owned) "ec:P-256" */
    char *subject; /* (owned) */
    gint64 ca_lifetime_s;
    gint64 lifetime_s;     /* of the certificates it issues */
    SignetCaRemote remote; /* all others */
} SignetCaProfile;

/* Platform configuration registers of one bank. */
typedef struct {
    guint bank;   /* bits of its digests: 160, 256, 384 */
    guint32 mask; /* 1 << number; 0: none */
} SignetPcrs;
#define SIGNET_PCRS_MAX 8 /* in one mask */

/* identities.d/NAME.conf */
typedef struct {
    char *name;        /* (owned) */
    char *token;       /* (owned) */
    char *ca;          /* (owned) */
    char *key;         /* (owned) "ec:P-256" … */
    gboolean generate; /* default TRUE; FALSE: only adopted keys */
    SignetPcrs pcrs;   /* TPM only: the keys sign while these are as when the key was made */
    char *subject;     /* (owned) RFC 4514-like "CN=%H,O=Example"; placeholders expanded by
                          signet_policy_expand() */
    char **dns;        /* (owned) subjectAltName; placeholders too */
    char **ip;         /* (owned) */
    char **uri;        /* (owned) */
    char **email;      /* (owned) */
    char *owner;       /* (owned, nullable) of the files in live/; also allowed to use the key */
    char *group;       /* (owned, nullable) */
    guint mode;        /* of the files in live/; default 0444 */
    GPtrArray *allow;  /* (owned) of SignetRule */
    guint purposes;    /* mask of SignetPurpose */
    SignetRotationProfile *rotation; /* (unowned): lives in the same SignetPolicy; NULL only for a
                                        local CA's own identity */
    char **reload;                   /* (owned) "unit:nginx.service" */
    gboolean is_ca; /* made for a CA profile: 'ca.NAME' or 'acme.NAME', whose certificate is signed
                       by itself */
} SignetIdentityPolicy;

/* [Limits]: what a certificate's lifetime may be, whatever a CA says. Without such a group 0 and
 * G_MAXINT64. */
typedef struct {
    gint64 min_lifetime_s;
    gint64 max_lifetime_s;
} SignetLifetimeLimits;

/* How well a token keeps its keys, by its own facts. A set of them is a bit mask.
 * P(SYMBOL, bit, "word") */
#define SIGNET_PROTECTIONS(P)    \
    P(TPM, 0, "tpm")             \
    P(SMARTCARD, 1, "smartcard") \
    P(HSM, 2, "hsm")             \
    P(SOFTWARE, 3, "software") /* not at all */

typedef enum {
#define P(symbol, bit, name) SIGNET_PROTECTION_##symbol = 1 << bit,
    SIGNET_PROTECTIONS(P)
#undef P
} SignetProtection;

const char *signet_protection_name(SignetProtection protection);
/* 0 when unknown */
SignetProtection signet_protection_from_name(const char *name);

/* Everything, frozen after parsing. */
typedef struct SignetPolicy SignetPolicy;

SignetPolicy *signet_policy_ref(SignetPolicy *policy);
void signet_policy_unref(SignetPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetPolicy, signet_policy_unref)

/* All borrow. Lists are sorted by name; identities include 'ca.NAME' for every local CA,
 * 'acme.NAME' for every ACME account. */
const SignetIdentityPolicy *
signet_policy_get_identity(const SignetPolicy *policy, const char *name);
const SignetCaProfile *signet_policy_get_ca(const SignetPolicy *policy, const char *name);
const SignetTokenConfig *signet_policy_get_token(const SignetPolicy *policy, const char *name);
const GPtrArray *
signet_policy_get_identities(const SignetPolicy *policy);              /* of SignetIdentityPolicy */
const GPtrArray *signet_policy_get_cas(const SignetPolicy *policy);    /* of SignetCaProfile */
const GPtrArray *signet_policy_get_tokens(const SignetPolicy *policy); /* of SignetTokenConfig */
SignetLifetimeLimits signet_policy_get_limits(const SignetPolicy *policy);
/* Mask of SignetProtection that tokens of identities and CAs may have; 0: any. */
guint signet_policy_get_protections(const SignetPolicy *policy);
/* Tokens of identities and CAs must be able to prove where their keys are. */
gboolean signet_policy_is_evidence_required(const SignetPolicy *policy);

/* Replaces %H (host name), %m (machine id), %i (identity name), %% . Unknown placeholders are
 * refused by the parser already and stay as they are here. A subject is split first
 * (policy/subject.h) and each value expanded then: a host name must not be able to add attributes.
 */
char *signet_policy_expand(const char *template, const char *host_name, const char *machine_id,
                           const char *identity);
