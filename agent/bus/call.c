/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The way of a method call: who calls, may they, do it. */

#include "agent/bus/call.h"

#include "agent/base/log.h"
#include "agent/bus/agent.h"
#include "agent/bus/evidence.h"
#include "agent/bus/identity.h"
#include "agent/bus/token.h"

#define LOG_INTERVAL_US (1 * G_USEC_PER_SEC)

/* The gate says who may; this says who does it. */
static const struct {
    const char *interface;
    const char *method;
    void (*handle)(SignetBusCall *call);
} handlers[] = {
    {"org.signet.Agent1", "Reload", signet_bus_agent_reload},
    {"org.signet.Identity1", "GetCredentials", signet_bus_identity_get_credentials},
    {"org.signet.Identity1", "GetUsage", signet_bus_identity_get_usage},
    {"org.signet.Identity1", "Sign", signet_bus_identity_sign},
    {"org.signet.Identity1", "Enroll", signet_bus_identity_enroll},
    {"org.signet.Identity1", "Rotate", signet_bus_identity_rotate},
    {"org.signet.Identity1", "Rollback", signet_bus_identity_rollback},
    {"org.signet.Identity1", "Check", signet_bus_identity_check},
    {"org.signet.Identity1", "Revoke", signet_bus_identity_revoke},
    {"org.signet.Identity1", "ReportFailure", signet_bus_identity_report_failure},
    {"org.signet.Identity1", "Adopt", signet_bus_identity_adopt},
    {"org.signet.Identity1", "GetRequest", signet_bus_identity_get_request},
    {"org.signet.Identity1", "Import", signet_bus_identity_import},
    {"org.signet.Identity1", "Attest", signet_bus_identity_attest},
    {"org.signet.Token1", "GetCounts", signet_bus_token_get_counts},
    {"org.signet.Token1", "Unlock", signet_bus_token_unlock},
    {"org.signet.Token1", "Lock", signet_bus_token_lock},
    {"org.signet.Token1", "GetFacts", signet_bus_token_get_facts},
    {"org.signet.Token1", "Measure", signet_bus_token_measure},
    {"org.signet.Token1", "AnswerChallenge", signet_bus_token_answer_challenge},
    {"org.signet.Token1", "ImportAttesterCertificate", signet_bus_token_import_attester},
};

static void
call_free(gpointer data)
{
    SignetBusCall *call = data;

    if (call->use)
        signet_broker_cancel(call->bus->context.broker, call->use);
    if (call->request)
        signet_token_cancel(call->token, call->request);
    if (call->wish)
        signet_attester_cancel(call->bus->context.attester, call->wish);
    g_clear_pointer(&call->token, signet_token_unref);
    if (call->deadline)
        g_source_remove(call->deadline);
    g_clear_object(&call->invocation);
    g_object_unref(call->object);
    g_free(call);
}

static void
end(SignetBusCall *call)
{
    g_hash_table_remove(call->bus->calls, &call->id);
}

void
signet_bus_call_reply(SignetBusCall *call, GVariant *value)
{
    g_dbus_method_invocation_return_value(g_steal_pointer(&call->invocation), value);
    end(call);
}

void
signet_bus_call_fail(SignetBusCall *call, const GError *error)
{
    g_autofree char *valid = g_utf8_make_valid(error->message, -1); /* it may name a file */

    g_dbus_method_invocation_return_dbus_error(g_steal_pointer(&call->invocation),
                                               signet_error_dbus_name(signet_error_kind(error)),
                                               valid);
    end(call);
}

SignetBusCall *
signet_bus_find_call(SignetBus *bus, gint64 id)
{
    return g_hash_table_lookup(bus->calls, &id);
}

const char *
signet_bus_call_get_identity(const SignetBusCall *call)
{
    return SIGNET_DBUS_IS_IDENTITY1(call->object)
               ? signet_dbus_identity1_get_name(SIGNET_DBUS_IDENTITY1(call->object))
               : NULL;
}

const char *
signet_bus_call_get_token(const SignetBusCall *call)
{
    return SIGNET_DBUS_IS_TOKEN1(call->object)
               ? signet_dbus_token1_get_name(SIGNET_DBUS_TOKEN1(call->object))
               : NULL;
}

gboolean
signet_bus_has_handler(const char *interface, const char *method)
{
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (g_str_equal(handlers[i].interface, interface) &&
            g_str_equal(handlers[i].method, method))
            return TRUE;
    }
    return FALSE;
}

static void
handle(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (g_str_equal(handlers[i].interface, call->row->interface) &&
            g_str_equal(handlers[i].method, call->row->method)) {
            handlers[i].handle(call);
            return;
        }
    }
    error = signet_error_new(SIGNET_ERROR_UNSUPPORTED, "'%s' is not there", call->row->method);
    signet_bus_call_fail(call, error);
}

static void
log_denied(SignetBusCall *call, const GError *denied)
{
    SignetCaller *caller = call->caller;
    g_autofree char *uid = g_strdup_printf("%u", (guint)signet_peer_get_uid(caller->peer));
    gint64 now_us = g_get_monotonic_time();

    if (caller->denied_us && now_us - caller->denied_us < LOG_INTERVAL_US)
        return;
    caller->denied_us = now_us;
    signet_log(LOG_NOTICE,
               SIGNET_LOG_FIELDS("SIGNET_METHOD", call->row->method, "SIGNET_IDENTITY",
                                 signet_bus_call_get_identity(call), "SIGNET_PEER_UID", uid),
               "refused %s to %s (uid %s): %s", call->row->method,
               signet_peer_get_program(caller->peer), uid, denied->message);
}

/* A call may end while the gate works on it, so the gate has its number, not the call. */
void
signet_bus_on_judged(const GError *denied, gint64 id, gpointer data)
{
    SignetBusCall *call = signet_bus_find_call(data, id);

    if (!call)
        return;
    if (!denied) {
        handle(call);
        return;
    }
    log_denied(call, denied);
    signet_bus_call_fail(call, denied);
}

static gboolean
is_interactive(const SignetBusCall *call)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(call->invocation);

    return (g_dbus_message_get_flags(message) &
            G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
}

void
signet_bus_on_caller(SignetCaller *caller, const GError *error, gint64 id, gpointer data)
{
    SignetBusCall *call = signet_bus_find_call(data, id);
    SignetGateQuestion question = {0};

    if (!call)
        return;
    if (!caller) {
        signet_bus_call_fail(call, error);
        return;
    }
    call->caller = caller;
    if (!call->row->action) {
        handle(call);
        return;
    }
    question = (SignetGateQuestion) {
        .action = call->row->action,
        .sender = caller->name,
        .uid = signet_peer_get_uid(caller->peer),
        .identity = signet_bus_call_get_identity(call),
        .token = signet_bus_call_get_token(call),
        .is_interactive = is_interactive(call),
    };
    signet_gate_check(call->bus->gate, &question, id);
}

static SignetBusCall *
call_new(SignetBus *bus, const SignetGateRow *row, GDBusInterfaceSkeleton *object,
         GDBusMethodInvocation *invocation)
{
    SignetBusCall *call = g_new0(SignetBusCall, 1);

    call->id = (gint64)++bus->n_calls;
    call->bus = bus;
    call->row = row;
    call->object = g_object_ref(object);
    call->invocation = invocation;
    g_hash_table_insert(bus->calls, &call->id, call);
    return call;
}

/* One for all the handle-… signals of the skeletons, whatever arguments they have: the object and
 * the invocation come first, and the invocation holds the arguments too. */
static void
on_method(GClosure *closure, GValue *ret_handled, guint n_values, const GValue *values,
          gpointer hint, gpointer row)
{
    SignetBus *bus = closure->data;
    GDBusInterfaceSkeleton *object = g_value_get_object(&values[0]);
    GDBusMethodInvocation *invocation = g_value_get_object(&values[1]);
    const char *sender = g_dbus_method_invocation_get_sender(invocation);
    SignetBusCall *call = call_new(bus, row, object, invocation);

    signet_callers_find(bus->callers, sender ? sender : "", call->id);
    g_value_set_boolean(ret_handled, TRUE);
}

/* "GetUsage" → "handle-get-usage" */
static char *
signal_of(const char *method)
{
    GString *name = g_string_new("handle");

    for (; *method; method++) {
        if (g_ascii_isupper(*method))
            g_string_append_c(name, '-');
        g_string_append_c(name, g_ascii_tolower(*method));
    }
    return g_string_free(name, FALSE);
}

GHashTable *
signet_bus_calls_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, call_free);
}

/* The skeleton itself refuses what nobody handles: a method without a row cannot be called. */
void
signet_bus_guard(SignetBus *bus, GDBusInterfaceSkeleton *object)
{
    const char *interface = g_dbus_interface_skeleton_get_info(object)->name;
    gsize n_rows = 0;
    const SignetGateRow *rows = signet_gate_list(&n_rows);

    for (gsize i = 0; i < n_rows; i++) {
        g_autofree char *signal = NULL;
        GClosure *closure = NULL;

        if (!g_str_equal(rows[i].interface, interface))
            continue;
        signal = signal_of(rows[i].method);
        closure = g_closure_new_simple(sizeof(GClosure), bus);
        g_closure_set_meta_marshal(closure, (gpointer)&rows[i], on_method);
        g_signal_connect_closure(object, signal, closure, FALSE);
    }
}

void
signet_bus_end_calls(SignetBus *bus, const SignetCaller *caller, const GError *error)
{
    g_autoptr(GList) calls = g_hash_table_get_values(bus->calls);

    for (GList *item = calls; item; item = item->next) {
        SignetBusCall *call = item->data;

        if (caller && call->caller != caller)
            continue;
        if (error)
            signet_bus_call_fail(call, error);
        else
            end(call);
    }
}
