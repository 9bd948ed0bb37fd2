/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What callers write in an a{sv} of options and in the name of a signature scheme. Pure; nothing
 * unknown is passed over. */

#pragma once

#include "agent/token/token.h"

typedef struct {
    SignetKeyScheme scheme;
    guint32 generation; /* 0: the current one */
    gboolean is_digest;
} SignetSignOptions;

/* scheme: "ecdsa-sha256", "rsa-pkcs1-sha384", "rsa-pss-sha512" …; options: a{sv} of generation (u),
 * salt_length (u), digest (b). BAD_REQUEST names what is wrong. */
gboolean signet_sign_options_parse(const char *scheme, GVariant *options,
                                   SignetSignOptions *ret_options, GError **error);
/* options: a{sv} of last_try (b), again (b). Leaves the PIN alone. */
gboolean
signet_unlock_options_parse(GVariant *options, SignetTokenUnlock *ret_unlock, GError **error);
/* options: a{sv} of no_wait (b). */
gboolean signet_rotate_options_parse(GVariant *options, gboolean *ret_no_wait, GError **error);
