/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which way a CA is asked for a revocation. */

#include "agent/enroller/revoke.h"

#include "agent/base/error.h"
#include "agent/enroller/acme.h"
#include "agent/enroller/cmp.h"

gboolean
signet_revoke(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome, GError **error)
{
    static const struct {
        const char *protocol;
        SignetProtocolEnroll revoke;
    } ways[] = {{"cmp", signet_cmp_revoke}, {"acme", signet_acme_revoke}};
    const SignetJobRequest *job = context->job;
    gsize row = 0;
    gsize size = 0;

    while (row < G_N_ELEMENTS(ways) && g_strcmp0(job->ca_protocol, ways[row].protocol) != 0)
        row++;
    if (row == G_N_ELEMENTS(ways))
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "a CA of protocol '%s' cannot be asked for that", job->ca_protocol);
    if (!ways[row].revoke(context, outcome, error))
        return FALSE;
    const guint8 *der = g_bytes_get_data(job->certificates, &size);
    g_byte_array_append(outcome->chain, der, (guint)size);
    return TRUE;
}
