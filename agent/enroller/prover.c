/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which proof goes where. */

#include "agent/enroller/prover.h"

#include <openssl/evp.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/hook.h"
#include "agent/enroller/responder.h"

#define HTTP_PORT 80

struct SignetProver {
    SignetResponder *responder; /* (owned, nullable) */
    SignetHook *hook;           /* (owned, nullable) */
    gboolean is_http_hooked;
    gboolean is_dns_hooked;
};

static gboolean
is_program(const char *option)
{
    return g_strcmp0(option, "program") == 0;
}

static gboolean
prepare_responder(SignetProver *prover, const char *http, GError **error)
{
    const char *colon = http ? strchr(http, ':') : NULL;
    guint64 port = HTTP_PORT;

    if (!http || is_program(http))
        return TRUE;
    if (colon && !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Http01= is malformed");
    prover->responder = signet_responder_new((guint16)port, error);
    return prover->responder != NULL;
}

static gboolean
prepare_hook(SignetProver *prover, const char *program, GError **error)
{
    if (!prover->is_http_hooked && !prover->is_dns_hooked)
        return TRUE;
    if (!program)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "Http01=program or Dns01=program without Program=");
    prover->hook = signet_hook_new(program, error);
    return prover->hook != NULL;
}

SignetProver *
signet_prover_new(const SignetJobRequest *job, GError **error)
{
    const char *http = signet_remote_get_option(&job->remote, "Http01");
    g_autoptr(SignetProver) prover = g_new0(SignetProver, 1);

    prover->is_http_hooked = is_program(http);
    prover->is_dns_hooked = is_program(signet_remote_get_option(&job->remote, "Dns01"));
    if (prepare_hook(prover, signet_remote_get_option(&job->remote, "Program"), error) &&
        prepare_responder(prover, http, error))
        return g_steal_pointer(&prover);
    return NULL;
}

void
signet_prover_free(SignetProver *prover)
{
    g_clear_pointer(&prover->hook, signet_hook_free);
    g_clear_pointer(&prover->responder, signet_responder_free);
    g_free(prover);
}

gboolean
signet_prover_can(const SignetProver *prover, const char *type)
{
    if (strcmp(type, "http-01") == 0)
        return prover->responder || prover->is_http_hooked;
    return strcmp(type, "dns-01") == 0 && prover->is_dns_hooked;
}

/* RFC 8555 8.4 */
static gboolean
add_record(SignetProver *prover, const SignetProof *proof, GError **error)
{
    g_autofree char *record = g_strconcat("_acme-challenge.", proof->name, NULL);
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!EVP_Digest(proof->proof, strlen(proof->proof), digest, &size, EVP_sha256(), NULL))
        return signet_error_set(error, SIGNET_ERROR_FAILED, "cannot make a digest");
    g_autofree char *value = signet_base64url_encode(digest, size);
    const SignetHookCall call = {proof->type, proof->name, record, value};
    return signet_hook_add(prover->hook, &call, error);
}

gboolean
signet_prover_add(SignetProver *prover, const SignetProof *proof, GError **error)
{
    const SignetHookCall call = {proof->type, proof->name, proof->token, proof->proof};

    if (strcmp(proof->type, "dns-01") == 0)
        return add_record(prover, proof, error);
    if (!prover->responder)
        return signet_hook_add(prover->hook, &call, error);
    signet_responder_add(prover->responder, proof->token, proof->proof);
    return signet_responder_start(prover->responder, error);
}
