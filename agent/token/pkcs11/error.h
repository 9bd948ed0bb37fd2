/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a CK_RV means for the one who sees it, in words. Private to agent/token/pkcs11. */

#pragma once

#include <glib.h>
#include <p11-kit/p11-kit.h>

/* The token went away, or lost our session or login: after opening it again the same operation may
 * succeed. */
gboolean signet_pkcs11_is_lost(CK_RV rv);
/* The mechanism, its parameters or the key do not go together: another mechanism may. */
gboolean signet_pkcs11_is_unfit(CK_RV rv);
/* "token 'NAME' cannot WHAT: why; what to do". Always FALSE. */
gboolean signet_pkcs11_error_set(GError **error, const char *name, const char *what, CK_RV rv);
