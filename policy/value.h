/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words that stand after '=' in policy files, one function for each kind. Pure. For the inside
 * of policy/ only.
 *
 * Every signet_value_set_…() reads 'value' into what 'field' points to, freeing what was there. It
 * returns NULL, or what is wrong as the end of a sentence (owned by the caller), leaving the field
 * alone. */

#pragma once

#include "policy/model.h"

typedef char *(*SignetValueSetter)(const char *value, gpointer field);

/* [a-z0-9][a-z0-9_-]{0,62} */
gboolean signet_value_is_name(const char *name);
/* What is wrong with the first %-placeholder that signet_policy_expand() would not replace (owned
 * by the caller), or NULL. */
char *signet_value_find_bad_placeholder(const char *value);
/* Splits at ';', which a backslash makes an ordinary character, and drops spaces around items and
 * empty items. Free with g_strfreev(). */
char **signet_value_split_list(const char *value);
/* The key types of Key=, as one text for people. */
#define SIGNET_VALUE_ED25519 "ed25519"
#define SIGNET_VALUE_KEYS \
    "ec:P-256, ec:P-384, ec:P-521, " SIGNET_VALUE_ED25519 ", rsa:2048, rsa:3072 or rsa:4096"
/* Does a key lie within one item of [Limits] Keys=: "ec:P-256", "rsa:2048..", "rsa:2048..3072",
 * "rsa:..3072"? */
gboolean signet_value_is_key_within(const char *key, const char *item);
gboolean signet_value_is_key_limit(const char *item);

/* The path in the attribute "pin-source" of a URI that signet_value_set_token_uri() took (owned by
 * the caller), or NULL. */
char *signet_value_dup_pin_source(const char *uri);

/* field: char ** */
char *signet_value_set_name(const char *value, gpointer field);
char *signet_value_set_text(const char *value, gpointer field);
char *signet_value_set_account(const char *value, gpointer field);
char *signet_value_set_key(const char *value, gpointer field);
char *signet_value_set_subject(const char *value, gpointer field);
/* policy/canary.h; empty: NULL */
char *signet_value_set_canary(const char *value, gpointer field);
/* The name of a user of RADIUS (RFC 7542): 1 to 200 bytes, placeholders expanded later. */
char *signet_value_set_canary_user(const char *value, gpointer field);
/* A PKCS#11 URI (RFC 7512) that names a token; absolute. */
char *signet_value_set_token_uri(const char *value, gpointer field);
char *signet_value_set_path(const char *value, gpointer field);
/* The name of a systemd credential. */
char *signet_value_set_credential(const char *value, gpointer field);
/* field: char *** */
char *signet_value_set_dns(const char *value, gpointer field);
char *signet_value_set_ip(const char *value, gpointer field);
char *signet_value_set_uri(const char *value, gpointer field);
char *signet_value_set_email(const char *value, gpointer field);
char *signet_value_set_reload(const char *value, gpointer field);
char *signet_value_set_key_limits(const char *value, gpointer field);
/* field: gint64 *, in seconds and more than 0; _or_auto also takes 'auto' and, as a number, 0s */
char *signet_value_set_duration(const char *value, gpointer field);
char *signet_value_set_duration_or_auto(const char *value, gpointer field);
/* field: guint * */
char *signet_value_set_mode(const char *value, gpointer field);
char *signet_value_set_queue_limit(const char *value, gpointer field);
char *signet_value_set_session_limit(const char *value, gpointer field);
char *signet_value_set_purposes(const char *value, gpointer field);
char *signet_value_set_protections(const char *value, gpointer field);
/* field: gboolean *; _pin takes 'ask' and nothing else */
char *signet_value_set_boolean(const char *value, gpointer field);
char *signet_value_set_pin(const char *value, gpointer field);
/* field: double *, 0 to 50 */
char *signet_value_set_jitter(const char *value, gpointer field);
/* field: GPtrArray ** of SignetRule, replaced */
char *signet_value_set_allow(const char *value, gpointer field);
/* field: SignetTokenKind *, SignetCaKind * */
char *signet_value_set_token_kind(const char *value, gpointer field);
char *signet_value_set_ca_kind(const char *value, gpointer field);
/* Keys of remote CAs. field: char **; anchors: an absolute path or "system"; proxy and url: URLs
 * without user and password */
char *signet_value_set_ca_url(const char *value, gpointer field);
char *signet_value_set_anchors(const char *value, gpointer field);
char *signet_value_set_proxy(const char *value, gpointer field);
/* field: char ***, 64 small hexadecimal digits each */
char *signet_value_set_pins(const char *value, gpointer field);
/* field: gint64 *, 5 s to 10 min */
char *signet_value_set_ca_timeout(const char *value, gpointer field);
/* field: gboolean *: TRUE for always */
char *signet_value_set_secret_use(const char *value, gpointer field);
/* field: guint *, a mask of SignetRung */
char *signet_value_set_rungs(const char *value, gpointer field);
/* field: SignetRotationProfile *, since each fills two members */
char *signet_value_set_renew(const char *value, gpointer field);
char *signet_value_set_new_key(const char *value, gpointer field);
/* field: GArray ** of SignetWindow, replaced: "Mon..Fri 22:00-05:00;Sat,Sun 00:00-24:00" */
char *signet_value_set_windows(const char *value, gpointer field);
/* field: gint64 *, seconds since 1970: "2026-12-01", "2026-12-01T10:00:00Z"; UTC without an offset.
 * Empty: 0. */
char *signet_value_set_time(const char *value, gpointer field);
/* field: SignetOnRevoked * */
char *signet_value_set_on_revoked(const char *value, gpointer field);
/* field: gint64 *: 'auto', 'never', or a duration of at least a second */
char *signet_value_set_check(const char *value, gpointer field);
/* field: SignetPcrs *; "sha256:0,2,7" */
char *signet_value_set_pcrs(const char *value, gpointer field);
