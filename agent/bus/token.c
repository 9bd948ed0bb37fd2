/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects /org/signet/token/NAME. */

#include "agent/bus/token.h"

SignetDbusToken1 *
signet_bus_token_new(const char *name)
{
    SignetDbusToken1 *object = signet_dbus_token1_skeleton_new();

    signet_dbus_token1_set_name(object, name);
    signet_dbus_token1_set_state(object, signet_token_state_name(SIGNET_TOKEN_STATE_UNKNOWN));
    return object;
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

static void
announce(SignetDbusToken1 *object, SignetToken *token)
{
    const char *ready = signet_token_state_name(SIGNET_TOKEN_STATE_READY);
    const char *absent = signet_token_state_name(SIGNET_TOKEN_STATE_ABSENT);
    const char *old_state = signet_dbus_token1_get_state(object);
    const char *new_state = signet_token_state_name(signet_token_get_state(token));

    if (g_strcmp0(old_state, new_state) == 0)
        return;
    if (g_str_equal(new_state, ready))
        signet_dbus_token1_emit_token_added(object);
    if (g_str_equal(new_state, absent))
        signet_dbus_token1_emit_token_removed(object, or_empty(signet_token_get_problem(token)));
}

void
signet_bus_token_update(SignetDbusToken1 *object, SignetToken *token)
{
    SignetTokenInfo info = signet_token_get_info(token);

    announce(object, token);
    signet_dbus_token1_set_kind(object, or_empty(info.kind));
    signet_dbus_token1_set_protection(object, or_empty(info.protection));
    signet_dbus_token1_set_description(object, or_empty(info.description));
    signet_dbus_token1_set_state(object, signet_token_state_name(signet_token_get_state(token)));
    signet_dbus_token1_set_problem(object, or_empty(signet_token_get_problem(token)));
}

void
signet_bus_token_get_counts(SignetBusCall *call)
{
    const char *name = signet_dbus_token1_get_name(SIGNET_DBUS_TOKEN1(call->object));
    SignetToken *token = signet_tokens_get(call->bus->context.tokens, name);
    g_autoptr(GError) error = NULL;
    SignetTokenCounts counts = {0};

    if (!token) {
        error = signet_error_new(SIGNET_ERROR_NOT_FOUND, "there is no token '%s' any more", name);
        signet_bus_call_fail(call, error);
        return;
    }
    counts = signet_token_get_counts(token);
    signet_bus_call_reply(call, g_variant_new("(uttt)", counts.waiting, counts.done,
                                              counts.refused_busy, counts.timed_out));
}
