/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A request for a person to carry, and the certificates that were brought back. */

#include "agent/enroller/manual.h"

#include "agent/base/error.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/request.h"
#include "provider/wire/limits.h"

#define RETRY_AFTER_S 3600 /* nothing happens then: an answer comes by itself */

gboolean
signet_manual_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                     GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    g_autoptr(GBytes) csr =
        signet_request_make_der(context->crypto, context->job, NULL, remote->state, error);

    if (!csr)
        return FALSE;
    if (g_bytes_get_size(csr) > SIGNET_WIRE_STATE_MAX)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the request is larger than %u bytes; ask for fewer names",
                                SIGNET_WIRE_STATE_MAX);
    outcome->state = g_steal_pointer(&csr);
    if (!remote->answer) {
        outcome->retry_after_s = RETRY_AFTER_S;
        return TRUE;
    }
    g_autoptr(SignetX509Stack) found =
        signet_answer_read_any(signet_crypto_get_library(context->crypto), remote->answer, error);
    return found && signet_chain_build_given(context->job, found, outcome, error);
}
