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
    SignetTokenState state = signet_token_get_state(token);
    const char *problem = or_empty(signet_token_get_problem(token));
    gboolean is_new_state =
        g_strcmp0(signet_dbus_token1_get_state(object), signet_token_state_name(state)) != 0;
    gboolean is_new_problem = g_strcmp0(signet_dbus_token1_get_problem(object), problem) != 0;

    if (is_new_state && state == SIGNET_TOKEN_STATE_READY)
        signet_dbus_token1_emit_token_added(object);
    if (is_new_state && state == SIGNET_TOKEN_STATE_ABSENT)
        signet_dbus_token1_emit_token_removed(object, problem);
    if ((is_new_state || is_new_problem) && state == SIGNET_TOKEN_STATE_LOCKED)
        signet_dbus_token1_emit_pin_needed(object, problem,
                                           or_empty(signet_token_get_info(token).lock.tries));
}

void
signet_bus_token_update(SignetDbusToken1 *object, SignetToken *token)
{
    SignetTokenInfo info = signet_token_get_info(token);

    announce(object, token);
    signet_dbus_token1_set_unlock_by(object, or_empty(info.lock.unlock_by));
    signet_dbus_token1_set_tries(object, or_empty(info.lock.tries));
    signet_dbus_token1_set_kind(object, or_empty(info.kind));
    signet_dbus_token1_set_protection(object, or_empty(info.protection));
    signet_dbus_token1_set_description(object, or_empty(info.description));
    signet_dbus_token1_set_state(object, signet_token_state_name(signet_token_get_state(token)));
    signet_dbus_token1_set_problem(object, or_empty(signet_token_get_problem(token)));
}

gboolean
signet_bus_token_find(SignetBusCall *call, GError **error)
{
    const char *name = signet_dbus_token1_get_name(SIGNET_DBUS_TOKEN1(call->object));
    SignetToken *token = signet_tokens_get(call->bus->context.tokens, name);

    if (!token)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "there is no token '%s' any more",
                                name);
    call->token = signet_token_ref(token);
    return TRUE;
}

void
signet_bus_token_get_counts(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;
    SignetTokenCounts counts = {0};

    if (!signet_bus_token_find(call, &error)) {
        signet_bus_call_fail(call, error);
        return;
    }
    counts = signet_token_get_counts(call->token);
    signet_bus_call_reply(call, g_variant_new("(uttt)", counts.waiting, counts.done,
                                              counts.refused_busy, counts.timed_out));
}
