/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl why-not: who is played, what was found by playing it, and what that means. */

#pragma once

#include "agent/ctl/ctl.h"
#include "agent/ctl/probe-report.h"

/* What a program does TLS with. */
typedef enum {
    SIGNET_WHY_OPENSSL, /* 3, of the system; also when it is not known */
    SIGNET_WHY_OPENSSL_OWN,
    SIGNET_WHY_OPENSSL_OLD,
    SIGNET_WHY_GNUTLS,
    SIGNET_WHY_NSS,
    SIGNET_WHY_JAVA,
    SIGNET_WHY_GO,
} SignetWhyTls;

typedef struct {
    char *path;    /* (owned) */
    char *name;    /* (owned) its last component, of a script its interpreter's */
    char *library; /* (owned, nullable) "libgnutls.so.30" */
    char *config;  /* (owned, nullable) the openssl.cnf that an OpenSSL of its own reads */
    SignetWhyTls tls;
    gboolean is_known; /* tls was found out */
} SignetWhyProgram;

/* Who is played. */
typedef struct {
    gboolean is_other; /* ids are to be taken */
    guint uid, gid;
    char *groups;       /* (owned, nullable) "1,2": supplementary ones */
    char *user;         /* (owned) its name, or number */
    guint pid;          /* whose surroundings are entered; 0: nobody's */
    char **environment; /* (owned) what of it matters */
    GPtrArray *unlike;  /* (owned) of char *: what is not as it will be, in words */
} SignetWhyRole;

typedef struct {
    SignetCtl *ctl;
    gboolean is_root;         /* then the agent and the policy may be asked about anything */
    SignetWhyProgram program; /* path is NULL: none was given */
    SignetWhyRole role;
    char *identity;             /* (owned, nullable) as given, or as the file says */
    char *reference;            /* (owned) a path or a URI */
    const char *purpose;        /* static, or ctl's */
    gboolean is_named;          /* the program was, and is not just what a unit runs */
    gboolean is_module;         /* through PKCS#11 */
    SignetDbusIdentity1 *known; /* (owned, nullable) the agent's, for root */
    gboolean is_agent_there;    /* it answers on the bus */
    SignetProbeReport *found;   /* (owned, nullable) */
} SignetWhy;

/* what: as typed; a name is looked for in PATH. FALSE: there is none of that name. */
gboolean
signet_why_program_find(const char *what, const SignetWhyRole *role, SignetWhyProgram *ret_program);
/* The program that a process runs. */
void signet_why_program_of(guint pid, SignetWhyProgram *ret_program);
void signet_why_program_clear(SignetWhyProgram *program);
gboolean signet_why_program_is_server(const SignetWhyProgram *program);
gboolean signet_why_program_uses_module(const SignetWhyProgram *program);

/* By ctl->why's user and unit. FALSE: said on stderr why not. */
gboolean signet_why_role_find(const SignetCtl *ctl, SignetWhyRole *ret_role);
void signet_why_role_clear(SignetWhyRole *role);

/* What stands in the way; sentences without a full stop. */
typedef struct {
    const char *check; /* static; NULL: nothing does */
    char *reason;      /* (owned) */
    char *advice;      /* (owned) */
} SignetWhyAnswer;
SignetWhyAnswer signet_why_answer(const SignetWhy *why);
void signet_why_answer_clear(SignetWhyAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetWhyAnswer, signet_why_answer_clear)
