/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads what an ACME server answers (RFC 8555, RFC 9773). The bytes are anybody's. Pure; bounded;
 * whatever is malformed is CORRUPT, and what is not known is ignored. */

#pragma once

#include <glib.h>

typedef struct {
    char *new_nonce;   /* (owned) */
    char *new_account; /* (owned) */
    char *new_order;   /* (owned) */
    char *revoke_cert; /* (owned, nullable) */
    char *renewal;     /* (owned, nullable) renewalInfo */
    char *terms;       /* (owned, nullable) URL of what has to be agreed to */
    char **profiles;   /* (owned) names; none: there are none to choose */
    gboolean needs_external_account;
} SignetAcmeDirectory;

gboolean signet_acme_directory_read(SignetAcmeDirectory *directory, GBytes *json, GError **error);
void signet_acme_directory_clear(SignetAcmeDirectory *directory);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmeDirectory, signet_acme_directory_clear)

/* Of orders, authorisations and challenges; what is over without success is INVALID. */
typedef enum {
    SIGNET_ACME_PENDING,
    SIGNET_ACME_READY,
    SIGNET_ACME_PROCESSING,
    SIGNET_ACME_VALID,
    SIGNET_ACME_INVALID,
} SignetAcmeStatus;

typedef struct {
    SignetAcmeStatus status;
    char **identifiers;    /* (owned) "dns:gateway.example" */
    char **authorizations; /* (owned) URLs, at least one */
    char *finalize;        /* (owned) URL */
    char *certificate;     /* (owned, nullable) URL; there when VALID */
    char *problem;         /* (owned, nullable) in words */
} SignetAcmeOrder;

gboolean signet_acme_order_read(SignetAcmeOrder *order, GBytes *json, GError **error);
void signet_acme_order_clear(SignetAcmeOrder *order);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmeOrder, signet_acme_order_clear)

typedef struct {
    char *type; /* (owned) "http-01" … */
    char *url;  /* (owned) */
    SignetAcmeStatus status;
    char *token;   /* (owned) "" where the type has none */
    char *problem; /* (owned, nullable) in words */
} SignetAcmeChallenge;

typedef struct {
    SignetAcmeStatus status;
    char *type;  /* (owned) of the identifier: "dns", "ip" … */
    char *value; /* (owned) of the identifier, without "*." */
    gboolean is_wildcard;
    GPtrArray *challenges; /* (owned) of SignetAcmeChallenge */
} SignetAcmeAuthorization;

gboolean signet_acme_authorization_read(SignetAcmeAuthorization *authorization, GBytes *json,
                                        GError **error);
void signet_acme_authorization_clear(SignetAcmeAuthorization *authorization);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmeAuthorization, signet_acme_authorization_clear)
/* NULL: not offered. Borrowed. */
const SignetAcmeChallenge *
signet_acme_authorization_find(const SignetAcmeAuthorization *authorization, const char *type);

/* RFC 8555 6.7, RFC 9457. Never fails: what is no problem document has no type, and words of what
 * is readable. */
typedef struct {
    char *type;  /* (owned) what stands behind "urn:ietf:params:acme:error:", or "" */
    char *words; /* (owned) one line */
} SignetAcmeProblem;

void signet_acme_problem_read(SignetAcmeProblem *problem, GBytes *json);
void signet_acme_problem_clear(SignetAcmeProblem *problem);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetAcmeProblem, signet_acme_problem_clear)

/* suggestedWindow of a renewalInfo, seconds since 1970; it begins before it ends. ret_explanation:
 * nullable, the URL where the CA explains it; NULL when there is none; owned by the caller. */
gboolean signet_acme_window_read(GBytes *json, gint64 *ret_start_s, gint64 *ret_end_s,
                                 char **ret_explanation, GError **error);
