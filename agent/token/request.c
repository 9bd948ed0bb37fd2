/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Requests and events as values. */

#include "agent/token/request.h"

SignetStateEvent *
signet_state_event_new(SignetTokenState state, const SignetTokenInfo *info, const char *problem)
{
    SignetStateEvent *event = g_new0(SignetStateEvent, 1);

    event->event.kind = SIGNET_EVENT_STATE;
    event->event.link.data = event;
    event->state = state;
    if (info)
        event->info = *info;
    event->problem = g_strdup(problem);
    return event;
}

void
signet_state_event_free(SignetStateEvent *event)
{
    g_free(event->problem);
    g_free(event);
}

void
signet_request_init(SignetRequest *request, SignetOp op, SignetKey *key,
                    const SignetKeyScheme *scheme, GBytes *data)
{
    request->event.kind = SIGNET_EVENT_DONE;
    request->event.link.data = request;
    request->op = op;
    request->key = key ? signet_key_ref(key) : NULL;
    request->data = data ? g_bytes_ref(data) : NULL;
    if (scheme) {
        request->scheme = *scheme;
        request->scheme.label = scheme->label ? g_bytes_ref(scheme->label) : NULL;
    }
}

void
signet_request_free(SignetRequest *request)
{
    g_clear_pointer(&request->key, signet_key_unref);
    g_clear_pointer(&request->scheme.label, g_bytes_unref);
    g_clear_pointer(&request->data, g_bytes_unref);
    g_clear_pointer(&request->unlock.pin, signet_secret_unref);
    g_clear_pointer(&request->auth, signet_secret_unref);
    g_clear_pointer(&request->attester, signet_key_unref);
    g_clear_pointer(&request->challenge.endorsement, g_bytes_unref);
    g_clear_pointer(&request->challenge.credential, g_bytes_unref);
    g_clear_pointer(&request->challenge.secret, g_bytes_unref);
    g_clear_pointer(&request->result, g_bytes_unref);
    g_clear_pointer(&request->result_key, signet_key_unref);
    g_clear_error(&request->error);
    g_free(request);
}

SignetRequest *
signet_request_of_item(SignetQueueItem *item)
{
    return (SignetRequest *)((char *)item - G_STRUCT_OFFSET(SignetRequest, item));
}

static void
learn(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend)
{
    g_auto(GVariantDict) facts = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) value = NULL;

    if (vtable->learn &&
        !vtable->learn(backend, request->lesson, request->key, &facts, &request->error))
        return;
    value = g_variant_ref_sink(g_variant_dict_end(&facts));
    request->result = g_variant_get_data_as_bytes(value);
}

static void
adopt(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend)
{
    if (vtable->adopt)
        request->result_key =
            vtable->adopt(backend, request->data, request->auth, &request->result, &request->error);
    else
        signet_error_set(&request->error, SIGNET_ERROR_UNSUPPORTED,
                         "the token has no keys that could be adopted");
}

static void
certify(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend)
{
    g_auto(GVariantDict) evidence = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) value = NULL;

    if (!vtable->certify(backend, request->attester, request->key, request->data, &evidence,
                         &request->error))
        return;
    value = g_variant_ref_sink(g_variant_dict_end(&evidence));
    request->result = g_variant_get_data_as_bytes(value);
}

static void
give_evidence(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend)
{
    if (!vtable->certify)
        signet_error_set(&request->error, SIGNET_ERROR_UNSUPPORTED,
                         "the token is no TPM: it cannot prove where its keys are");
    else if (request->op == SIGNET_OP_CERTIFY)
        certify(request, vtable, backend);
    else
        request->result =
            vtable->activate(backend, request->attester, &request->challenge, &request->error);
}

void
signet_request_run(SignetRequest *request, const SignetTokenBackend *vtable, gpointer backend)
{
    gint64 start_us = g_get_monotonic_time();

    switch (request->op) {
    case SIGNET_OP_SIGN:
        request->result =
            vtable->sign(backend, request->key, &request->scheme, request->data, &request->error);
        break;
    case SIGNET_OP_DECRYPT:
        request->result = vtable->decrypt(backend, request->key, &request->scheme, request->data,
                                          &request->error);
        break;
    case SIGNET_OP_DERIVE:
        request->result = vtable->derive(backend, request->key, request->data, &request->error);
        break;
    case SIGNET_OP_GENERATE:
        request->result_key = vtable->generate(backend, &request->template, &request->error);
        break;
    case SIGNET_OP_ADOPT:
        adopt(request, vtable, backend);
        break;
    case SIGNET_OP_DESTROY:
        vtable->destroy(backend, request->key, &request->error);
        break;
    case SIGNET_OP_PROBE:
        if (vtable->check)
            vtable->check(backend, &request->error);
        break;
    case SIGNET_OP_LEARN:
        learn(request, vtable, backend);
        break;
    case SIGNET_OP_CERTIFY:
    case SIGNET_OP_ACTIVATE:
        give_evidence(request, vtable, backend);
        break;
    case SIGNET_OP_UNLOCK:
    case SIGNET_OP_LOCK:
        break; /* the worker's: they open and close what the others need open */
    }
    if (request->error && vtable->explain)
        vtable->explain(backend, &request->error);
    request->duration_us = g_get_monotonic_time() - start_us;
}
