/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The decision: may this requester use this generation of this identity for this purpose? Private
 * to agent/broker. */

#pragma once

#include "agent/broker/request.h"
#include "agent/store/inventory.h"

typedef struct {
    const SignetPolicy *policy; /* (nullable) */
    SignetInventory *inventory;
    gint64 now_s;
} SignetGuard;

/* What was wrong, for two audiences. */
typedef struct {
    GError
        *error; /* (owned) for the requester: tells nothing of an identity it may use nothing of */
    char *reason;      /* (owned, nullable) for the log, when it is a refusal by policy */
    gboolean is_known; /* the identity exists */
} SignetRefusal;
void signet_refusal_clear(SignetRefusal *refusal);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetRefusal, signet_refusal_clear)

/* May it use anything of the identity? Without words, without allocation. */
gboolean signet_guard_may_see(const SignetGuard *guard, const SignetRequester *requester,
                              const char *identity);
/* The generation the requester means, if it may see it. Borrowed; NULL: ret_refusal. spki:
 * nullable. */
SignetGeneration *
signet_guard_find(const SignetGuard *guard, const SignetRequester *requester, const char *identity,
                  guint32 number, GBytes *spki, SignetRefusal *ret_refusal);
/* May it use this generation, which it may see, for that purpose? purpose 0: recognised as nothing.
 * what: "sign", "decrypt" …; message: what is to be signed, NULL for a bare digest and for other
 * uses. */
typedef struct {
    const char *what;
    const char *identity;
    SignetGeneration *generation;
    SignetPurpose purpose;
    guint32 hash; /* enum signet_hash */
    GBytes *message;
} SignetIntent;
gboolean signet_guard_check(const SignetGuard *guard, const SignetRequester *requester,
                            const SignetIntent *intent, SignetRefusal *ret_refusal);
