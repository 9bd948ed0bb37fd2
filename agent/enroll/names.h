/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who a certificate is for and what it may do, between a job's text and libcrypto's types. Used on
 * both sides: the enroller asks for and issues what the agent then compares. */

#pragma once

#include "agent/enroll/openssl.h"
#include "agent/enroll/request.h"

/* "CN=laptop7,O=Example", in the syntax of policy/subject.h and the order of RFC 4514: what is
 * written last comes first in the certificate. Empty text: the empty name. BAD_REQUEST says what is
 * wrong. */
X509_NAME *signet_names_parse_subject(const char *text, GError **error);
/* RFC 5280 4.2.1.6, of the request's lists; empty when there are none. BAD_REQUEST. */
GENERAL_NAMES *signet_names_make_alt(const SignetJobRequest *request, GError **error);
/* extKeyUsage that the purposes ask for: clientAuth, serverAuth; empty when none of them is for
 * TLS. */
EXTENDED_KEY_USAGE *signet_names_make_eku(guint purposes);

/* "DNS:host.example", cut short where it is long; owned by the caller. */
char *signet_names_dup_text(const GENERAL_NAME *name);

typedef enum {
    SIGNET_NAMES_EXACT = 0,
    SIGNET_NAMES_MAY_ADD = 1 << 0,     /* alternative names that the request does not list */
    SIGNET_NAMES_MAY_LACK = 1 << 1,    /* some that it does; the subject may be empty */
    SIGNET_NAMES_ANY_SUBJECT = 1 << 2, /* the subject is the CA's own business */
} SignetNamesRule;

/* Compares with the request; alt is nullable. NULL when it fits, else what does not: "it names
 * 'DNS:b.example', which was not asked for". */
char *signet_names_dup_difference(const SignetJobRequest *request, const X509_NAME *subject,
                                  const GENERAL_NAMES *alt, guint rule);
