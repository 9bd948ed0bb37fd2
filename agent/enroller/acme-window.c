/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Asks an ACME server when it wants a certificate to be renewed. */

#include "agent/enroller/acme-window.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/findings.h"
#include "agent/enroll/origin.h"
#include "agent/enroller/acme-order.h"
#include "agent/enroller/acme-read.h"
#include "agent/enroller/refusal.h"

static GBytes *
get(const SignetProtocolContext *context, const char *url, const char *what,
    guint *ret_retry_after_s, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    const SignetHttpRequest request = {.url = url};

    if (!signet_origin_has(context->job->remote.url, url)) {
        signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                         "the server sends us to '%s', which is not its own", url);
        return NULL;
    }
    if (!signet_http_do(context->http, &request, &response, error))
        return NULL;
    if (response.status != 200) {
        signet_refusal_set(&response, what, error);
        return NULL;
    }
    *ret_retry_after_s = response.retry_after_s;
    return g_byte_array_free_to_bytes(g_steal_pointer(&response.body));
}

static gboolean
look(const SignetProtocolContext *context, const char *base, X509 *certificate,
     SignetFindings *findings, GError **error)
{
    g_autofree char *id = signet_acme_certificate_id(certificate);
    g_autofree char *url =
        id ? g_strconcat(base, g_str_has_suffix(base, "/") ? "" : "/", id, NULL) : NULL;
    guint retry_after_s = 0;
    g_autoptr(GBytes) json = url ? get(context, url, "renewalInfo", &retry_after_s, error) : NULL;
    g_autofree char *reason = NULL;

    if (!id)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "the certificate does not name its issuer's key");
    if (!json || !signet_acme_window_read(json, &findings->window_start_s, &findings->window_end_s,
                                          &reason, error))
        return FALSE;
    findings->retry_after_s = retry_after_s;
    signet_findings_set_words(findings->window_words, reason);
    return TRUE;
}

gboolean
signet_acme_window_look(const SignetProtocolContext *context, X509 *certificate,
                        SignetFindings *findings, GError **error)
{
    g_auto(SignetAcmeDirectory) directory = {0};
    guint ignored = 0;
    g_autoptr(GBytes) json = context->job->remote.url ? get(context, context->job->remote.url,
                                                            "directory", &ignored, error)
                                                      : NULL;

    if (!context->job->remote.url)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
    if (!json || !signet_acme_directory_read(&directory, json, error))
        return FALSE;
    if (directory.renewal)
        return look(context, directory.renewal, certificate, findings, error);
    signet_findings_set_words(findings->window_words, "the CA has no renewal information");
    return TRUE;
}
