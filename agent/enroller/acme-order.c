/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Places orders. */

#include "agent/enroller/acme-order.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/parse.h"
#include "agent/enroll/remote.h"

void
signet_acme_placed_clear(SignetAcmePlaced *placed)
{
    signet_acme_order_clear(&placed->now);
    g_clear_pointer(&placed->url, g_free);
}

static const SignetJobRequest *
job_of(const SignetAcmePlaced *placed)
{
    return placed->session->context->job;
}

static gboolean
take_answer(SignetAcmePlaced *placed, const SignetHttpResponse *response, GError **error)
{
    g_autoptr(GBytes) body = g_bytes_new(response->body->data, response->body->len);

    signet_acme_order_clear(&placed->now);
    placed->retry_after_s = response->retry_after_s;
    return signet_acme_order_read(&placed->now, body, error);
}

/* --- names --- */

static void
add_identifiers(json_t *list, const char *type, const char *const *values)
{
    for (; values && *values; values++) {
        g_autofree char *value = g_ascii_strdown(*values, -1);

        json_array_append_new(list, json_pack("{s:s, s:s}", "type", type, "value", value));
    }
}

static json_t *
make_identifiers(const SignetJobRequest *job, GError **error)
{
    json_t *list = json_array();

    add_identifiers(list, "dns", job->dns);
    add_identifiers(list, "ip", job->ip);
    if (job->permanent)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "type", "permanent-identifier", "value", job->permanent));
    if (json_array_size(list) > 0 && !(job->uri && job->uri[0]) && !(job->email && job->email[0]))
        return list;
    json_decref(list);
    signet_error_set(
        error, SIGNET_ERROR_BAD_REQUEST,
        "an ACME CA certifies Dns= and Ip=, or the CA's PermanentIdentifier=, at least "
        "one of them, and neither Uri= nor Email=");
    return NULL;
}

static gboolean
is_listed(const char *const *list, const char *value)
{
    for (; list && *list; list++) {
        if (g_ascii_strcasecmp(*list, value) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_wanted(const SignetJobRequest *job, const char *identifier)
{
    static const char permanent[] = "permanent-identifier:";
    const char *value = strchr(identifier, ':') + 1;

    if (g_str_has_prefix(identifier, permanent))
        return g_strcmp0(job->permanent, identifier + strlen(permanent)) == 0;
    return is_listed(g_str_has_prefix(identifier, "dns:") ? job->dns : job->ip, value);
}

/* Is it for the names of the job, and all of them? */
static gboolean
is_ours(const SignetAcmeOrder *order, const SignetJobRequest *job)
{
    guint wanted = g_strv_length((char **)job->dns) + g_strv_length((char **)job->ip) +
                   (job->permanent ? 1 : 0);

    for (char **text = order->identifiers; *text; text++) {
        if (!is_wanted(job, *text))
            return FALSE;
    }
    return g_strv_length(order->identifiers) == wanted;
}

/* --- what it takes the place of --- */

char *
signet_acme_certificate_id(const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    gboolean is_broken = FALSE;
    g_autoptr(AUTHORITY_KEYID) issuer = signet_parse_extension(
        X509_get0_extensions(certificate), NID_authority_key_identifier, &is_broken);
    guint8 *der = NULL;

    if (!issuer || !issuer->keyid)
        return NULL;
    /* the content of the DER, with the zero before a high bit */
    int size = i2d_ASN1_INTEGER(serial, &der);
    const guint8 *at = der;
    long length = 0;
    int tag, class;
    gboolean is_read = size > 0 && !(ASN1_get_object(&at, &length, &tag, &class, size) & 0x80);
    g_autofree char *key = signet_base64url_encode(ASN1_STRING_get0_data(issuer->keyid),
                                                   (gsize)ASN1_STRING_length(issuer->keyid));
    g_autofree char *number = is_read ? signet_base64url_encode(at, (gsize)length) : NULL;
    OPENSSL_free(der);
    return number ? g_strconcat(key, ".", number, NULL) : NULL;
}

/* NULL: there is none, or the server does not want to know. */
static char *
dup_replaced(const SignetAcmePlaced *placed)
{
    const SignetJobRequest *job = job_of(placed);
    g_autoptr(EVP_PKEY) key = NULL;
    g_autoptr(SignetX509Stack) chain = NULL;

    if (!placed->session->directory.renewal || job->current_generation == 0)
        return NULL;
    if (!signet_crypto_load_identity(placed->session->context->crypto, job->identity,
                                     job->current_generation, &key, &chain, NULL))
        return NULL;
    return signet_acme_certificate_id(sk_X509_value(chain, 0));
}

/* --- placing --- */

static gboolean
check_profile(const SignetAcmePlaced *placed, const char *profile, GError **error)
{
    g_autofree char *known = g_strjoinv(", ", placed->session->directory.profiles);

    if (g_strv_contains((const char *const *)placed->session->directory.profiles, profile))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA has no profile '%s' (CaProfile=); it has: %s", profile,
                            *known ? known : "none");
}

static json_t *
make_order(const SignetAcmePlaced *placed, GError **error)
{
    const char *profile = signet_remote_get_option(&job_of(placed)->remote, "CaProfile");
    json_t *identifiers = make_identifiers(job_of(placed), error);
    g_autoptr(json_t) payload = identifiers ? json_pack("{s:o}", "identifiers", identifiers) : NULL;

    if (!payload || (profile && !check_profile(placed, profile, error)))
        return NULL;
    if (profile)
        json_object_set_new(payload, "profile", json_string(profile));
    return g_steal_pointer(&payload);
}

static gboolean
send_order(SignetAcmePlaced *placed, const json_t *payload, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    if (!signet_acme_session_post(placed->session, placed->session->directory.new_order, payload,
                                  &response, error))
        return FALSE;
    g_free(placed->url);
    placed->url = signet_http_response_dup_header(&response, "Location");
    if (!placed->url)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the server does not say where the order is");
    return take_answer(placed, &response, error);
}

/* A certificate that the CA does not know, that was replaced already, or whose names are all others
 * (Pebble calls that serverInternal) is no reason to go without a new one. */
static gboolean
place_new(SignetAcmePlaced *placed, GError **error)
{
    g_autoptr(json_t) payload = make_order(placed, error);
    g_autofree char *replaced = payload ? dup_replaced(placed) : NULL;
    g_autoptr(GError) failure = NULL;

    if (!payload)
        return FALSE;
    if (replaced) {
        json_object_set_new(payload, "replaces", json_string(replaced));
        if (send_order(placed, payload, &failure))
            return TRUE;
        if (!signet_error_is(failure, SIGNET_ERROR_CA_REFUSED) &&
            !signet_acme_session_is_problem(placed->session, "serverInternal")) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        json_object_del(payload, "replaces");
    }
    return send_order(placed, payload, error);
}

gboolean
signet_acme_order_look(SignetAcmePlaced *placed, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};

    return signet_acme_session_post(placed->session, placed->url, NULL, &response, error) &&
           take_answer(placed, &response, error);
}

gboolean
signet_acme_order_place(SignetAcmePlaced *placed, GError **error)
{
    GBytes *state = job_of(placed)->remote.state;
    g_autoptr(GError) failure = NULL;
    gsize size = 0;
    const char *data = state ? g_bytes_get_data(state, &size) : NULL;

    if (size > 0) {
        placed->url = g_strndup(data, size);
        if (!signet_acme_order_look(placed, &failure)) {
            if (!signet_error_is(failure, SIGNET_ERROR_CA_REFUSED)) {
                g_propagate_error(error, g_steal_pointer(&failure));
                return FALSE;
            }
        } else if (placed->now.status != SIGNET_ACME_INVALID &&
                   is_ours(&placed->now, job_of(placed))) {
            return TRUE;
        }
    }
    return place_new(placed, error);
}

gboolean
signet_acme_order_finalize(SignetAcmePlaced *placed, GBytes *csr, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(csr, &size);
    g_autofree char *text = signet_base64url_encode(data, size);
    g_autoptr(json_t) payload = json_pack("{s:s}", "csr", text);
    g_autofree char *finalize = g_strdup(placed->now.finalize);

    return signet_acme_session_post(placed->session, finalize, payload, &response, error) &&
           take_answer(placed, &response, error);
}
