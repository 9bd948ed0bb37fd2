/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Enroll, Rotate, Adopt, Import, Check and Revoke: starting what the rotation engine does, and
 * waiting for how it ends. */

#include "agent/bus/identity.h"

#include "agent/base/log.h"
#include "agent/bus/adoption.h"
#include "agent/bus/options.h"
#include "agent/store/pem.h"

#define WAIT_S     300
#define STARTED_MS 100 /* whatever refuses a wish does so within this time */

/* What the engine keeps until it is done: it cannot be told that nobody listens any more. */
typedef struct {
    SignetBusWeak *weak; /* (owned) */
    gint64 id;
} Promise;

static gboolean
on_deadline(gpointer data)
{
    SignetBusCall *call = data;
    g_autoptr(GError) error = signet_error_new(
        SIGNET_ERROR_TIMED_OUT, "'%s' is still at it after %d minutes; it goes on, see its State",
        signet_bus_call_get_identity(call), WAIT_S / 60);

    call->deadline = 0;
    signet_bus_call_fail(call, error);
    return G_SOURCE_REMOVE;
}

static gboolean
is_enroll(const SignetBusCall *call)
{
    return g_str_equal(call->row->method, "Enroll");
}

static void
on_done(const char *identity, guint32 generation, const GError *error, gpointer data)
{
    g_autofree Promise *promise = data;
    SignetBusCall *call =
        promise->weak->bus ? signet_bus_find_call(promise->weak->bus, promise->id) : NULL;

    g_rc_box_release(promise->weak);
    if (!call)
        return;
    if (!error)
        signet_bus_call_reply(call, g_variant_new("(u)", generation));
    else if (signet_error_is(error, SIGNET_ERROR_BUSY) && is_enroll(call))
        call->is_waiting = TRUE; /* for the one that is under way */
    else
        signet_bus_call_fail(call, error);
}

static gboolean
on_started(gpointer data)
{
    SignetBusCall *call = data;

    call->deadline = 0;
    signet_bus_call_reply(call, g_variant_new("(u)", 0u));
    return G_SOURCE_REMOVE;
}

static Promise *
make_promise(SignetBusCall *call, gboolean no_wait)
{
    Promise *promise = g_new(Promise, 1);

    promise->weak = g_rc_box_acquire(call->bus->weak);
    promise->id = call->id;
    call->deadline = no_wait ? g_timeout_add(STARTED_MS, on_started, call)
                             : g_timeout_add_seconds(WAIT_S, on_deadline, call);
    return promise;
}

/* The engine may answer before this returns: the call is not touched after it was told. */
static void
start(SignetBusCall *call, gboolean no_wait)
{
    signet_engine_rotate(call->bus->context.engine, signet_bus_call_get_identity(call), on_done,
                         make_promise(call, no_wait));
}

void
signet_bus_identity_rollback(SignetBusCall *call)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    SignetBus *bus = call->bus;
    Promise *promise = g_new(Promise, 1);
    const char *reason = NULL;

    g_variant_get(parameters, "(&s)", &reason);
    promise->weak = g_rc_box_acquire(bus->weak);
    promise->id = call->id;
    call->deadline = g_timeout_add_seconds(WAIT_S, on_deadline, call);
    signet_engine_rollback(bus->context.engine, signet_bus_call_get_identity(call), reason, on_done,
                           promise);
}

/* CRLReason (RFC 5280 5.3.1), as far as the holder of a certificate can have one. */
static gboolean
read_reason(const char *name, guint *ret_reason)
{
    static const struct {
        const char *name;
        guint reason;
    } reasons[] = {
        {"unspecified", 0}, {"keyCompromise", 1},        {"affiliationChanged", 3},
        {"superseded", 4},  {"cessationOfOperation", 5}, {"privilegeWithdrawn", 9},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++) {
        if (g_str_equal(reasons[i].name, name)) {
            *ret_reason = reasons[i].reason;
            return TRUE;
        }
    }
    return FALSE;
}

void
signet_bus_identity_revoke(SignetBusCall *call)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    const char *identity = signet_bus_call_get_identity(call);
    g_autofree char *uid = g_strdup_printf("%u", (guint)signet_peer_get_uid(call->caller->peer));
    g_autoptr(GError) error = NULL;
    const char *name = NULL;
    guint32 generation = 0;
    guint reason = 0;

    g_variant_get(parameters, "(u&s)", &generation, &name);
    if (!read_reason(name, &reason)) {
        error = signet_error_new(SIGNET_ERROR_BAD_REQUEST,
                                 "'%.40s' is no reason for a revocation; write unspecified, "
                                 "keyCompromise, affiliationChanged, superseded, "
                                 "cessationOfOperation or privilegeWithdrawn",
                                 name);
        signet_bus_call_fail(call, error);
        return;
    }
    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("SIGNET_IDENTITY", identity, "SIGNET_PEER_UID", uid),
               "%s (uid %s) wants generation %u of '%s' to be revoked: %s",
               signet_peer_get_program(call->caller->peer), uid, generation, identity, name);
    signet_engine_revoke(call->bus->context.engine, identity, generation, reason, on_done,
                         make_promise(call, FALSE));
}

static void
on_checked(const char *identity, guint32 generation, const GError *error, gpointer data)
{
    g_autofree Promise *promise = data;
    SignetBus *bus = promise->weak->bus;
    SignetBusCall *call = bus ? signet_bus_find_call(bus, promise->id) : NULL;
    SignetIdentityStatus status = {0};

    g_rc_box_release(promise->weak);
    if (!call)
        return;
    if (error) {
        signet_bus_call_fail(call, error);
        return;
    }
    (void)signet_engine_get_status(bus->context.engine, identity, &status);
    signet_bus_call_reply(
        call, g_variant_new("(s)", status.revocation ? status.revocation : "nobody was asked"));
}

void
signet_bus_identity_check(SignetBusCall *call)
{
    signet_engine_check(call->bus->context.engine, signet_bus_call_get_identity(call), on_checked,
                        make_promise(call, FALSE));
}

static gboolean
take_options(SignetBusCall *call, gboolean *ret_no_wait)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters, 0);
    g_autoptr(GError) error = NULL;

    if (signet_rotate_options_parse(options, ret_no_wait, &error))
        return TRUE;
    signet_bus_call_fail(call, error);
    return FALSE;
}

void
signet_bus_identity_rotate(SignetBusCall *call)
{
    gboolean no_wait = FALSE;

    if (take_options(call, &no_wait))
        start(call, no_wait);
}

void
signet_bus_identity_adopt(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;
    g_auto(SignetBusAdoption) parsed = {0};

    if (!signet_bus_adoption_parse(call->invocation, &parsed, &error)) {
        signet_bus_call_fail(call, error);
        return;
    }
    signet_engine_adopt(call->bus->context.engine, signet_bus_call_get_identity(call),
                        &parsed.adoption, on_done, make_promise(call, parsed.no_wait));
}

void
signet_bus_identity_import(SignetBusCall *call)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    g_autoptr(GVariant) value = g_variant_get_child_value(parameters, 0);
    g_autoptr(GBytes) answer = g_variant_get_data_as_bytes(value);

    signet_engine_import(call->bus->context.engine, signet_bus_call_get_identity(call), answer,
                         on_done, make_promise(call, FALSE));
}

static void
on_request(GBytes *csr, const GError *error, gpointer data)
{
    g_autofree Promise *promise = data;
    SignetBusCall *call =
        promise->weak->bus ? signet_bus_find_call(promise->weak->bus, promise->id) : NULL;

    g_rc_box_release(promise->weak);
    if (!call)
        return;
    if (!csr) {
        signet_bus_call_fail(call, error);
        return;
    }
    g_autoptr(GString) pem = g_string_new(NULL);
    signet_pem_append_request(pem, csr);
    signet_bus_call_reply(call, g_variant_new("(s)", pem->str));
}

void
signet_bus_identity_get_request(SignetBusCall *call)
{
    signet_engine_get_request(call->bus->context.engine, signet_bus_call_get_identity(call),
                              on_request, make_promise(call, FALSE));
}

void
signet_bus_identity_enroll(SignetBusCall *call)
{
    SignetBus *bus = call->bus;
    SignetIdentityStatus status = {0};
    gboolean no_wait = FALSE;

    if (!take_options(call, &no_wait))
        return;
    if (signet_engine_get_status(bus->context.engine, signet_bus_call_get_identity(call),
                                 &status) &&
        status.current && status.not_after_s > signet_clock_now(bus->context.clock))
        signet_bus_call_reply(call, g_variant_new("(u)", status.current));
    else
        start(call, no_wait);
}

static void
answer(SignetBusCall *call, SignetEngineEvent event, guint32 generation)
{
    const char *name = signet_bus_call_get_identity(call);
    SignetIdentityStatus status = {0};
    g_autoptr(GError) error = NULL;

    if (event == SIGNET_ENGINE_ROTATED) {
        signet_bus_call_reply(call, g_variant_new("(u)", generation));
        return;
    }
    (void)signet_engine_get_status(call->bus->context.engine, name, &status);
    error = signet_error_new(SIGNET_ERROR_FAILED, "cannot enrol '%s': %s", name,
                             status.cause ? status.cause : "no reason is known");
    signet_bus_call_fail(call, error);
}

void
signet_bus_identity_answer_waiting(SignetBus *bus, const char *identity, SignetEngineEvent event,
                                   guint32 generation)
{
    g_autoptr(GList) calls = NULL;

    if (event != SIGNET_ENGINE_ROTATED && event != SIGNET_ENGINE_FAILED)
        return;
    calls = g_hash_table_get_values(bus->calls);
    for (GList *item = calls; item; item = item->next) {
        SignetBusCall *call = item->data;

        if (call->is_waiting && g_strcmp0(signet_bus_call_get_identity(call), identity) == 0)
            answer(call, event, generation);
    }
}
