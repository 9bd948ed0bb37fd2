/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: what its commands share: settings, the connection to the agent, output, errors and
 * exit codes. */

#pragma once

#include "dbus/signet-dbus.h"

/* Documented in signetctl(1). */
typedef enum {
    SIGNET_CTL_OK = 0,
    SIGNET_CTL_FAILED = 1,
    SIGNET_CTL_USAGE = 2,
    SIGNET_CTL_UNREACHABLE = 3,
    SIGNET_CTL_DENIED = 4,
} SignetCtlExit;

typedef struct {
    gboolean is_json;
    gboolean is_no_wait; /* enroll, rotate, adopt, token measure */
    gboolean is_names;   /* list, token */
    char *bus_address;   /* (owned, nullable) NULL: the system bus */
    char *config_dir;    /* (owned, nullable) policy */
    char *state_dir;     /* (owned, nullable) likewise */
    struct {
        char *from, *to, *lifetime, *within, *ca_away, *ca_back,
            *issuer_end; /* (owned, nullable) as written */
        int fleet;       /* devices; 0: this one */
        gboolean is_csv;
    } simulate; /* policy simulate */
    struct {
        char *key_file, *object, *cert_file, *password_file; /* (owned, nullable) */
        gboolean is_password_asked;
        gboolean is_enrolled;
        gboolean is_taken_over;
    } adoption; /* adopt */
    struct {
        gboolean is_last_try, is_again;
        int pin_fd; /* -1: none */
    } unlock;
    struct {
        char *config; /* (owned, nullable) NULL: the one that programs read */
        gboolean is_undo, is_dry_run, is_check;
    } setup; /* setup openssl */
    struct {
        char *nonce, *output, *challenge_file, *certificate_file; /* (owned, nullable) */
    } attest;
    struct {
        char *ek_trust, *ak_trust, *nonce, *challenge_out; /* (owned, nullable) … */
        char *challenge, *answer, *key_out;                /* … */
    } verify;                                              /* verify-evidence */
    struct {
        char *user, *unit, *purpose; /* (owned, nullable) */
    } why;                           /* why-not */
    struct {
        int generation;          /* 0: the current one */
        char *reason;            /* (owned, nullable) */
    } revocation;                /* revoke */
    GDBusObjectManager *manager; /* (owned, nullable) once connected */
} SignetCtl;

/* The bus that the agent is on. Blocks. */
GDBusConnection *signet_ctl_open_bus(const SignetCtl *ctl, GError **error);
/* Finds the agent's objects. Blocks. Says on stderr why not. */
SignetCtlExit signet_ctl_connect(SignetCtl *ctl);
/* The same without a word, and without starting it. */
gboolean signet_ctl_is_there(SignetCtl *ctl);
gboolean signet_ctl_is_agent_running(const SignetCtl *ctl);

/* NULL: said on stderr. */
SignetDbusAgent1 *signet_ctl_get_agent(const SignetCtl *ctl);
SignetDbusIdentity1 *signet_ctl_find_identity(const SignetCtl *ctl, const char *name);
SignetDbusToken1 *signet_ctl_find_token(const SignetCtl *ctl, const char *name);
/* All proxies of an interface, sorted by their property Name; free with g_ptr_array_unref(). */
GPtrArray *signet_ctl_list_proxies(const SignetCtl *ctl, const char *interface);
#define SIGNET_CTL_IDENTITY "org.signet.Identity1"
#define SIGNET_CTL_TOKEN    "org.signet.Token1"
#define SIGNET_CTL_AGENT    "org.signet.Agent1"

/* All properties of a proxy with names as --json has them (not_after); sorted; the caller adds to
 * it and ends it. */
void signet_ctl_add_properties(GVariantDict *dict, GDBusProxy *proxy);
/* Prints a value as JSON and a newline; sinks it. */
void signet_ctl_print_json(GVariant *value, gboolean is_pretty);
void signet_ctl_print_text(const char *text);

/* "signetctl: cannot rotate 'wifi': …" on stderr, with what to do next; the code to exit with.
 * doing: "rotate 'wifi'". */
SignetCtlExit signet_ctl_report(const GError *error, const char *doing);
/* The same sort of line for mistakes of the caller. */
SignetCtlExit signet_ctl_refuse(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Seconds since 1970. */
gint64 signet_ctl_now(void);
