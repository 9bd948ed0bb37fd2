/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Attest, AnswerChallenge and ImportAttesterCertificate. */

#include "agent/bus/evidence.h"

#include "agent/bus/token.h"
#include "agent/store/pem.h"

#define CHALLENGE_MAX    4096
#define CERTIFICATES_MAX (64 * 1024)

static GBytes *
take_bytes(SignetBusCall *call, guint nth, const char *what, gsize max, GError **error)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    g_autoptr(GVariant) value = g_variant_get_child_value(parameters, nth);

    if (g_variant_get_size(value) <= max)
        return g_variant_get_data_as_bytes(value);
    signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the %s is longer than %zu bytes", what, max);
    return NULL;
}

/* --- Attest --- */

static GVariant *
certificates_to_variant(const SignetGeneration *generation)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("aay"));
    for (guint i = 0; i < generation->chain->len; i++)
        g_variant_builder_add_value(
            &builder,
            g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, generation->chain->pdata[i], TRUE));
    return g_variant_builder_end(&builder);
}

/* The call is there: whoever ends it cancels the wish. */
static void
on_certified(GVariant *evidence, const GError *error, gpointer data)
{
    SignetBusCall *call = data;
    const char *name = signet_bus_call_get_identity(call);
    const SignetGeneration *generation =
        signet_inventory_get(call->bus->context.inventory, name, call->generation);
    g_autoptr(GError) gone = NULL;

    call->wish = 0;
    if (!error && !generation)
        gone = signet_error_new(SIGNET_ERROR_BUSY,
                                "generation %u of '%s' was retired meanwhile; ask again",
                                call->generation, name);
    if (error || gone) {
        signet_bus_call_fail(call, error ? error : gone);
        return;
    }
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(evidence);
    g_variant_dict_insert_value(&dict, "certificates", certificates_to_variant(generation));
    g_variant_dict_insert(&dict, "generation", "u", generation->number);
    g_variant_dict_insert(&dict, "token", "s", generation->token);
    signet_bus_call_reply(call, g_variant_new("(@a{sv})", g_variant_dict_end(&dict)));
}

void
signet_bus_identity_attest(SignetBusCall *call)
{
    const char *name = signet_bus_call_get_identity(call);
    const SignetBusContext *context = &call->bus->context;
    const SignetGeneration *generation = signet_inventory_get(context->inventory, name, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) nonce = take_bytes(call, 0, "nonce", SIGNET_EVIDENCE_DATA_MAX, &error);

    if (nonce && !generation)
        signet_error_set(&error, SIGNET_ERROR_NOT_FOUND, "'%s' has no certificate yet", name);
    if (error) {
        signet_bus_call_fail(call, error);
        return;
    }
    call->generation = generation->number;
    call->wish = signet_attester_certify(context->attester, generation->token, generation->key,
                                         nonce, on_certified, call);
}

/* --- AnswerChallenge --- */

static void
on_answered(GBytes *answer, const GError *error, gpointer data)
{
    SignetBusCall *call = data;

    call->wish = 0;
    if (error)
        signet_bus_call_fail(call, error);
    else
        signet_bus_call_reply(
            call, g_variant_new("(@ay)",
                                g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, answer, TRUE)));
}

void
signet_bus_token_answer_challenge(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) endorsement = NULL;
    g_autoptr(GBytes) credential = NULL;
    g_autoptr(GBytes) secret = NULL;

    if (signet_bus_token_find(call, &error))
        endorsement = take_bytes(call, 0, "endorsement key", CHALLENGE_MAX, &error);
    if (endorsement)
        credential = take_bytes(call, 1, "credential", CHALLENGE_MAX, &error);
    if (credential)
        secret = take_bytes(call, 2, "secret", CHALLENGE_MAX, &error);
    if (!secret) {
        signet_bus_call_fail(call, error);
        return;
    }
    const SignetTokenChallenge challenge = {endorsement, credential, secret};
    call->wish =
        signet_attester_activate(call->bus->context.attester, signet_token_get_name(call->token),
                                 &challenge, on_answered, call);
}

/* --- ImportAttesterCertificate --- */

static void
on_imported(const GError *error, gpointer data)
{
    SignetBusCall *call = data;

    call->wish = 0;
    if (error)
        signet_bus_call_fail(call, error);
    else
        signet_bus_call_reply(call, NULL);
}

void
signet_bus_token_import_attester(SignetBusCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pem = NULL;
    g_autoptr(GPtrArray) certificates = NULL;

    if (signet_bus_token_find(call, &error))
        pem = take_bytes(call, 0, "certificates", CERTIFICATES_MAX, &error);
    if (pem)
        certificates = signet_pem_parse_certificates(pem, CERTIFICATES_MAX, &error);
    if (!certificates) {
        signet_bus_call_fail(call, error);
        return;
    }
    call->wish =
        signet_attester_import(call->bus->context.attester, signet_token_get_name(call->token),
                               certificates, on_imported, call);
}
