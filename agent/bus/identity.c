/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The objects /org/signet/identity/NAME: their properties, and using the key. */

#include "agent/bus/identity.h"

#include "agent/bus/generation.h"
#include "agent/bus/options.h"

#define MESSAGE_MAX (60 * 1024)

SignetDbusIdentity1 *
signet_bus_identity_new(const char *name)
{
    SignetDbusIdentity1 *object = signet_dbus_identity1_skeleton_new();

    signet_dbus_identity1_set_name(object, name);
    return object;
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

static void
update_from_policy(SignetBus *bus, SignetDbusIdentity1 *object, const SignetIdentityPolicy *policy)
{
    SignetToken *token = signet_tokens_get(bus->context.tokens, policy->token);
    g_autofree char *path = signet_store_dup_live_path(bus->context.store, policy->name);
    g_autoptr(GPtrArray) purposes = g_ptr_array_new();

    for (guint bit = 0; bit < 31; bit++) {
        if (policy->purposes & (1u << bit))
            g_ptr_array_add(purposes, (char *)signet_purpose_name((SignetPurpose)(1u << bit)));
    }
    g_ptr_array_add(purposes, NULL);
    signet_dbus_identity1_set_token(object, or_empty(policy->token));
    signet_dbus_identity1_set_protection(
        object, token ? or_empty(signet_token_get_info(token).protection) : "");
    signet_dbus_identity1_set_key_type(object, or_empty(policy->key));
    signet_dbus_identity1_set_ca(object, or_empty(policy->ca));
    signet_dbus_identity1_set_purposes(object, (const char *const *)purposes->pdata);
    signet_dbus_identity1_set_live_path(object, or_empty(path));
}

static void
update_from_status(SignetDbusIdentity1 *object, const SignetIdentityStatus *status)
{
    signet_dbus_identity1_set_state(object, or_empty(status->state));
    signet_dbus_identity1_set_cause(object, or_empty(status->cause));
    signet_dbus_identity1_set_since(object, status->since_s);
    signet_dbus_identity1_set_next_action(object, or_empty(status->next));
    signet_dbus_identity1_set_next_time(object, status->next_s);
    signet_dbus_identity1_set_why(object, or_empty(status->why));
    signet_dbus_identity1_set_responsible(object, or_empty(status->responsible));
    signet_dbus_identity1_set_deadline(object, status->deadline_s);
    signet_dbus_identity1_set_deadline_action(object, or_empty(status->deadline));
    signet_dbus_identity1_set_device_code(object, or_empty(status->device_code));
    signet_dbus_identity1_set_attempt(object, status->attempt);
    signet_dbus_identity1_set_current_generation(object, status->current);
    signet_dbus_identity1_set_pending_generation(object, status->pending);
    signet_dbus_identity1_set_not_after(object, status->not_after_s);
    signet_dbus_identity1_set_revocation(object, or_empty(status->revocation));
    signet_dbus_identity1_set_revoked(object, status->is_revoked);
    signet_dbus_identity1_set_last_check(object, status->last_check_s);
    signet_dbus_identity1_set_next_check(object, status->next_check_s);
    signet_dbus_identity1_set_renewal_window(
        object, g_variant_new("(xx)", status->window_start_s, status->window_end_s));
    signet_dbus_identity1_set_renewal_reason(object, or_empty(status->window));
    signet_dbus_identity1_set_issuer(object, or_empty(status->issuer));
}

void
signet_bus_identity_update(SignetBus *bus, SignetDbusIdentity1 *object)
{
    const char *name = signet_dbus_identity1_get_name(object);
    const SignetIdentityPolicy *policy =
        bus->policy ? signet_policy_get_identity(bus->policy, name) : NULL;
    const SignetGeneration *current = signet_inventory_get(bus->context.inventory, name, 0);
    g_autofree char *subject = current ? signet_bus_generation_dup_subject(current) : NULL;
    SignetIdentityStatus status = {0};

    if (policy)
        update_from_policy(bus, object, policy);
    if (signet_engine_get_status(bus->context.engine, name, &status))
        update_from_status(object, &status);
    signet_dbus_identity1_set_subject(object, or_empty(subject));
    signet_dbus_identity1_set_generations(
        object, signet_bus_generations_to_variant(bus->context.inventory, name));
}

static SignetRequester
requester_of(const SignetBusCall *call)
{
    return (SignetRequester) {.sender = call->caller->peer, .client = call->caller->client};
}

static void
add_path(GVariantBuilder *builder, const char *key, const char *directory, const char *file)
{
    g_variant_builder_add(builder, "{sv}", key,
                          g_variant_new_take_string(g_build_filename(directory, file, NULL)));
}

static GVariant *
credentials_to_variant(const SignetGeneration *generation, const char *name, const char *directory)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_path(&builder, "key", directory, "key.pem");
    add_path(&builder, "cert", directory, "cert.pem");
    add_path(&builder, "fullchain", directory, "fullchain.pem");
    add_path(&builder, "identity", directory, "identity.pem");
    if (generation->chain->len > 1)
        add_path(&builder, "chain", directory, "chain.pem");
    if (generation->anchors->len > 0)
        add_path(&builder, "ca", directory, "ca.pem");
    g_variant_builder_add(
        &builder, "{sv}", "uri",
        g_variant_new_printf("signet:%s;generation=%u", name, generation->number));
    g_variant_builder_add(&builder, "{sv}", "pkcs11",
                          g_variant_new_printf("pkcs11:token=Signet;object=%s", name));
    g_variant_builder_add(&builder, "{sv}", "generation", g_variant_new_uint32(generation->number));
    return g_variant_builder_end(&builder);
}

void
signet_bus_identity_report_failure(SignetBusCall *call)
{
    const char *name = signet_bus_call_get_identity(call);
    SignetRequester requester = requester_of(call);
    const char *reason = NULL;
    guint32 generation = 0;
    g_autoptr(GError) error = NULL;

    g_variant_get(g_dbus_method_invocation_get_parameters(call->invocation), "(u&s)", &generation,
                  &reason);
    if (!signet_broker_lookup(call->bus->context.broker, &requester, name, generation, NULL,
                              &error)) {
        signet_bus_call_fail(call, error);
        return;
    }
    signet_engine_report(call->bus->context.engine, name, generation,
                         signet_peer_get_program(call->caller->peer), reason);
    signet_bus_call_reply(call, NULL);
}

void
signet_bus_identity_get_credentials(SignetBusCall *call)
{
    const char *name = signet_bus_call_get_identity(call);
    SignetRequester requester = requester_of(call);
    g_autofree char *directory = signet_store_dup_live_path(call->bus->context.store, name);
    g_autoptr(GError) error = NULL;
    const SignetGeneration *generation =
        signet_broker_lookup(call->bus->context.broker, &requester, name, 0, NULL, &error);

    if (!generation)
        signet_bus_call_fail(call, error);
    else
        signet_bus_call_reply(
            call, g_variant_new("(@a{sv})", credentials_to_variant(generation, name, directory)));
}

void
signet_bus_identity_get_usage(SignetBusCall *call)
{
    const char *name = signet_bus_call_get_identity(call);

    signet_bus_call_reply(
        call, g_variant_new("(@aa{sv})",
                            signet_bus_usage_to_variant(call->bus->context.inventory, name)));
}

static void
on_signed(GBytes *result, const GError *error, gpointer data)
{
    SignetBusCall *call = data; /* valid: a call that ends earlier cancels its use */
    GVariant *signature = NULL;

    call->use = 0;
    if (!result) {
        signet_bus_call_fail(call, error);
        return;
    }
    signature = g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, result, TRUE);
    signet_bus_call_reply(call, g_variant_new("(@ayu)", signature, call->generation));
}

static gboolean
check_size(gsize size, const SignetSignOptions *options, GError **error)
{
    if (size > MESSAGE_MAX)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "a message of %" G_GSIZE_FORMAT " bytes is too long: at most %d",
                                size, MESSAGE_MAX);
    if (options->is_digest && size != signet_hash_size(options->scheme.hash))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "%" G_GSIZE_FORMAT " bytes are no %s digest", size,
                                signet_hash_name(options->scheme.hash));
    return TRUE;
}

void
signet_bus_identity_sign(SignetBusCall *call)
{
    const char *name = signet_bus_call_get_identity(call), *scheme = NULL;
    SignetBroker *broker = call->bus->context.broker;
    SignetRequester requester = requester_of(call);
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    g_autoptr(GVariant) message = NULL, dict = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    SignetSignOptions options = {0};
    const SignetGeneration *generation = NULL;
    SignetUse use = {0};

    g_variant_get(parameters, "(@ay&s@a{sv})", &message, &scheme, &dict);
    if (signet_sign_options_parse(scheme, dict, &options, &error) &&
        check_size(g_variant_get_size(message), &options, &error))
        generation =
            signet_broker_lookup(broker, &requester, name, options.generation, NULL, &error);
    if (!generation) {
        signet_bus_call_fail(call, error);
        return;
    }
    bytes = g_variant_get_data_as_bytes(message);
    call->generation = generation->number;
    use = (SignetUse) {
        .identity = name,
        .generation = generation->number,
        .scheme = options.scheme,
        .data = bytes,
        .is_digest = options.is_digest,
    };
    call->use = signet_broker_sign(broker, &requester, &use, on_signed, call);
}
