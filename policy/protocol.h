/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The protocols of ca.d/NAME.conf and the keys that only one of them knows: a new protocol is a row
 * here, a new key of one a row of its table. For the inside of policy/ only. */

#pragma once

#include "policy/model.h"

/* A key of one protocol; with is_needed it has to be there. The value goes to the protocol's client
 * as text, under the same name. check: NULL when it is good, or what is wrong as the end of a
 * sentence (owned by the caller). */
typedef struct {
    const char *name;
    char *(*check)(const char *value);
    gboolean is_needed;
} SignetCaOption;

typedef struct {
    SignetCaKind kind;
    gboolean is_remote;       /* has the keys of SignetCaRemote */
    gboolean has_server;      /* those that say how to reach a server too, Url= must be there */
    gboolean is_plain_enough; /* protects itself: Url= may be http:// */
    gboolean needs_anchor;    /* over https, Trust= or Pin= has to say whom to believe */
    gboolean is_signed;       /* answers are believed by Trust=FILE or the secret, not by TLS */
    gboolean has_account;     /* Token= and Key= make the key of an account, 'acme.NAME' */
    const SignetCaOption *options;
    gsize n_options;
} SignetCaProtocol;

/* Never NULL. */
const SignetCaProtocol *signet_ca_protocol_get(SignetCaKind kind);
/* (nullable) */
const SignetCaOption *signet_ca_protocol_find(const SignetCaProtocol *protocol, const char *key);
/* The first protocol that has a key of its own of this name, or NULL. */
const SignetCaProtocol *signet_ca_protocol_of_option(const char *key);
