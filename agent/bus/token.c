/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects /org/signet/token/NAME. */

#include "agent/bus/token.h"

#include "policy/facts.h"

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

static void
update_keys(SignetDbusToken1 *object, SignetToken *token)
{
    GVariant *facts = signet_token_get_facts(token);
    g_auto(GStrv) keys = NULL;
    const char *const none[] = {NULL};

    if (facts)
        g_variant_lookup(facts, SIGNET_FACT_KEYS, "^as", &keys);
    signet_dbus_token1_set_keys(object, keys ? (const char *const *)keys : none);
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
    update_keys(object, token);
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

/* Floating. */
static GVariant *
tell_facts(const SignetBusContext *context, const SignetToken *token)
{
    g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(signet_token_get_facts(token));
    const char *progress = context->get_progress
                               ? context->get_progress(signet_token_get_name(token), context->data)
                               : NULL;

    g_variant_dict_insert(&facts, "fresh", "b", signet_token_has_fresh_facts(token));
    g_variant_dict_insert_value(&facts, "in_use",
                                signet_timings_to_variant(signet_token_get_timings(token)));
    if (progress)
        g_variant_dict_insert(&facts, "progress", "s", progress);
    return g_variant_dict_end(&facts);
}

void
signet_bus_token_get_facts(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;

    if (signet_bus_token_find(call, &error))
        signet_bus_call_reply(
            call, g_variant_new("(@a{sv})", tell_facts(&call->bus->context, call->token)));
    else
        signet_bus_call_fail(call, error);
}

static gboolean
measure(SignetBusCall *call, GError **error)
{
    const SignetBusContext *context = &call->bus->context;

    if (!signet_bus_token_find(call, error))
        return FALSE;
    if (!context->measure)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "this agent does not measure");
    return context->measure(signet_token_get_name(call->token), context->data, error);
}

void
signet_bus_token_measure(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;

    if (measure(call, &error))
        signet_bus_call_reply(call, NULL);
    else
        signet_bus_call_fail(call, error);
}
