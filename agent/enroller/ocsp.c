/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Makes OCSP requests, and judges answers. */

#include "agent/enroller/ocsp.h"

#include "agent/base/error.h"
#include "agent/enroll/parse.h"
#include "agent/enroller/chain.h"

#define SKEW_S    300
#define AGE_MAX_S 86400
#define NONCE     16
#define URLS_MAX  4

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OCSP_RESPONSE, OCSP_RESPONSE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OCSP_BASICRESP, OCSP_BASICRESP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OCSP_CERTID, OCSP_CERTID_free)

static gboolean
fail(GError **error, SignetErrorKind kind, const char *what)
{
    ERR_clear_error();
    return signet_error_set(error, kind, "%s", what);
}

/* The digest names the certificate, it protects nothing: SHA-1 is what all responders know (RFC
 * 5019 2.1.1). */
OCSP_REQUEST *
signet_ocsp_make_request(X509 *certificate, X509 *issuer, GError **error)
{
    g_autoptr(OCSP_REQUEST) request = OCSP_REQUEST_new();
    g_autoptr(OCSP_CERTID) id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);

    if (!request || !id || !OCSP_request_add0_id(request, id)) {
        fail(error, SIGNET_ERROR_FAILED, "cannot make an OCSP request");
        return NULL;
    }
    (void)g_steal_pointer(&id);
    OCSP_request_add1_nonce(request, NULL, NONCE);
    return g_steal_pointer(&request);
}

GBytes *
signet_ocsp_to_der(OCSP_REQUEST *request)
{
    guint8 *der = NULL;
    int size = i2d_OCSP_REQUEST(request, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)MAX(size, 0));

    OPENSSL_free(der);
    return bytes;
}

/* --- the answer --- */

static OCSP_BASICRESP *
read_answer(GBytes *answer, GError **error)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(answer, &size), *at = data;
    g_autoptr(OCSP_RESPONSE) response = d2i_OCSP_RESPONSE(NULL, &at, (long)size);
    g_autofree char *words = NULL;

    if (!response || at != data + size) {
        fail(error, SIGNET_ERROR_CORRUPT, "its answer is no OCSP response");
        return NULL;
    }
    int status = OCSP_response_status(response);
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        words = g_strdup_printf("it answers '%s'", OCSP_response_status_str(status));
        fail(error, SIGNET_ERROR_CA_REFUSED, words);
        return NULL;
    }
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic)
        fail(error, SIGNET_ERROR_CORRUPT, "its answer is of an unknown kind");
    return basic;
}

/* The issuer vouches for its responder; who vouches for the issuer was asked when the certificate
 * came. */
static gboolean
is_authorised(OCSP_BASICRESP *basic, X509 *issuer, gint64 now_s)
{
    g_autoptr(X509_STORE) store = X509_STORE_new();
    g_autoptr(SignetX509Stack) known = sk_X509_new_null();

    if (!store || !known || X509_STORE_add_cert(store, issuer) != 1 || !X509_up_ref(issuer))
        return FALSE;
    if (sk_X509_push(known, issuer) <= 0) {
        X509_free(issuer);
        return FALSE;
    }
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)now_s);
    return OCSP_basic_verify(basic, known, store, 0) == 1;
}

static gboolean
check_age(gint64 this_update_s, gint64 next_update_s, gint64 now_s, GError **error)
{
    if (this_update_s > now_s + SKEW_S)
        return fail(error, SIGNET_ERROR_FAILED, "its answer is of the future; is the clock right?");
    if (next_update_s ? next_update_s > now_s : this_update_s > now_s - AGE_MAX_S)
        return TRUE;
    return fail(error, SIGNET_ERROR_FAILED, "its answer is too old");
}

static gint64
to_time(const ASN1_GENERALIZEDTIME *time)
{
    return time ? MAX(signet_parse_time(time), 0) : 0;
}

static gboolean
take_status(OCSP_BASICRESP *basic, OCSP_CERTID *id, gint64 now_s, SignetFindings *found,
            GError **error)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int status = V_OCSP_CERTSTATUS_UNKNOWN, reason = 0;

    if (!OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this_update, &next_update))
        return fail(error, SIGNET_ERROR_CORRUPT, "its answer is about another certificate");
    found->this_update_s = to_time(this_update);
    found->next_update_s = to_time(next_update);
    if (!check_age(found->this_update_s, found->next_update_s, now_s, error))
        return FALSE;
    if (status == V_OCSP_CERTSTATUS_UNKNOWN)
        return fail(error, SIGNET_ERROR_CA_REFUSED, "it does not know the certificate");
    found->standing = SIGNET_STANDING_GOOD;
    if (status == V_OCSP_CERTSTATUS_GOOD)
        return TRUE;
    found->standing = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? SIGNET_STANDING_HELD
                                                                    : SIGNET_STANDING_REVOKED;
    found->reason = reason > 0 && reason <= CRL_REASON_AA_COMPROMISE ? (guint)reason : 0;
    found->revoked_s = to_time(revoked);
    return TRUE;
}

gboolean
signet_ocsp_judge(GBytes *answer, OCSP_REQUEST *request, X509 *issuer, gint64 now_s,
                  SignetFindings *findings, GError **error)
{
    g_autoptr(OCSP_BASICRESP) basic = read_answer(answer, error);
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    SignetFindings found = {0};

    if (!basic)
        return FALSE;
    if (!is_authorised(basic, issuer, now_s))
        return fail(error, SIGNET_ERROR_DENIED,
                    "its answer is not signed by the certificate's issuer or in its name");
    if (!signet_chain_is_strong(OCSP_resp_get0_tbs_sigalg(basic)))
        return fail(error, SIGNET_ERROR_DENIED,
                    "its answer is signed with a digest that forgeries can be found for");
    /* absent is well: many answers are made beforehand */
    if (OCSP_check_nonce(request, basic) == 0)
        return fail(error, SIGNET_ERROR_DENIED, "its answer is to another question");
    if (!take_status(basic, id, now_s, &found, error))
        return FALSE;
    ERR_clear_error();
    findings->standing = found.standing;
    findings->reason = found.reason;
    findings->revoked_s = found.revoked_s;
    findings->this_update_s = found.this_update_s;
    findings->next_update_s = found.next_update_s;
    return TRUE;
}

char **
signet_ocsp_dup_urls(X509 *certificate)
{
    STACK_OF(OPENSSL_STRING) *responders = X509_get1_ocsp(certificate);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    int n = 0;

    for (int i = 0; i < sk_OPENSSL_STRING_num(responders) && n < URLS_MAX; i++) {
        const char *url = sk_OPENSSL_STRING_value(responders, i);

        if (g_ascii_strncasecmp(url, "http://", 7) != 0 &&
            g_ascii_strncasecmp(url, "https://", 8) != 0)
            continue;
        g_strv_builder_add(builder, url);
        n++;
    }
    X509_email_free(responders);
    return g_strv_builder_end(builder);
}
