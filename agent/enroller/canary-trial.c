/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What came of showing a certificate to a peer, in words. */

#include "agent/enroller/canary-trial.h"

gboolean
signet_trial_fail(const SignetTrial *trial, GError **error, SignetErrorKind kind, const char *what)
{
    return signet_error_set(error, kind, "canary '%s:%s' %s", trial->peer.host, trial->peer.port,
                            what);
}

/* A fatal alert of the peer has a number of its own. */
gboolean
signet_trial_judge(const SignetTrial *trial, unsigned long code, const char *doing, GError **error)
{
    gboolean is_alert = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                        ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET &&
                        ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET + 256;
    const char *reason = ERR_reason_error_string(code);
    g_autofree char *what =
        g_strdup_printf(is_alert ? "does not accept the new certificate%s: %s" : "%s: %s",
                        is_alert ? "" : doing, reason ? reason : "the connection was closed");

    ERR_clear_error();
    return signet_trial_fail(
        trial, error,
        is_alert && trial->is_asked ? SIGNET_ERROR_CA_REFUSED : SIGNET_ERROR_CA_UNREACHABLE, what);
}
