/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the key of an ACME account may sign: requests to this CA for this certificate. Anything else
 * that an account can do (give itself another key, end itself, revoke) it does not do here. */

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/grant.h"
#include "agent/enroll/job.h"
#include "agent/enroll/json.h"
#include "agent/enroll/openssl.h"
#include "agent/enroll/origin.h"

#define JWS_MAX (48 * 1024)

static gboolean
deny(GError **error, const char *why)
{
    return signet_error_set(error, SIGNET_ERROR_DENIED, "%s", why);
}

/* --- members --- */

/* What an object may have: name and type, and whether it has to be there. */
typedef struct {
    const char *name;
    json_type type;
    gboolean is_needed;
} Member;

/* RFC 8555 6.2; that there is either a 'jwk' or a 'kid' comes later. */
static const Member header_members[] = {
    {"alg", JSON_STRING, TRUE},  {"nonce", JSON_STRING, TRUE}, {"url", JSON_STRING, TRUE},
    {"kid", JSON_STRING, FALSE}, {"jwk", JSON_OBJECT, FALSE},  {NULL},
};

/* newAccount (7.3), newOrder (7.4, RFC 9773 section 5), finalize (7.4), a response to
 * device-attest-01; a challenge's response is an object without any. */
static const Member payload_members[] = {
    {"termsOfServiceAgreed", JSON_TRUE, FALSE},
    {"onlyReturnExisting", JSON_TRUE, FALSE},
    {"contact", JSON_ARRAY, FALSE},
    {"externalAccountBinding", JSON_OBJECT, FALSE},
    {"identifiers", JSON_ARRAY, FALSE},
    {"profile", JSON_STRING, FALSE},
    {"replaces", JSON_STRING, FALSE},
    {"csr", JSON_STRING, FALSE},
    {"attObj", JSON_STRING, FALSE},
    {NULL},
};

/* revokeCert (7.6), and before it the question for the account (7.3.1). */
static const Member revocation_members[] = {
    {"onlyReturnExisting", JSON_TRUE, FALSE},
    {"certificate", JSON_STRING, FALSE},
    {"reason", JSON_INTEGER, FALSE},
    {NULL},
};

static const Member *
find_member(const Member *members, const char *name)
{
    while (members->name && strcmp(members->name, name) != 0)
        members++;
    return members->name ? members : NULL;
}

static gboolean
check_members(const json_t *object, const Member *members, const char *what, GError **error)
{
    const char *name;
    json_t *value;

    for (const Member *member = members; member->name; member++) {
        if (member->is_needed && !json_object_get(object, member->name))
            return signet_error_set(error, SIGNET_ERROR_DENIED, "its %s has no '%s'", what,
                                    member->name);
    }
    json_object_foreach((json_t *)object, name, value)
    {
        const Member *member = find_member(members, name);

        if (!member || json_typeof(value) != member->type)
            return signet_error_set(error, SIGNET_ERROR_DENIED,
                                    "its %s has a '%.32s' that no job needs", what, name);
    }
    return TRUE;
}

/* --- names and keys --- */

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
check_identifiers(const SignetJobRequest *request, const json_t *identifiers, GError **error)
{
    const char *const permanent[] = {request->permanent, NULL};

    for (gsize i = 0; i < json_array_size(identifiers); i++) {
        const char *type = NULL;
        const char *value = NULL;

        if (json_unpack(json_array_get(identifiers, i), "{s:s, s:s !}", "type", &type, "value",
                        &value) != 0)
            return deny(error, "one of its identifiers is malformed");
        const char *const *list = strcmp(type, "dns") == 0                    ? request->dns
                                  : strcmp(type, "ip") == 0                   ? request->ip
                                  : strcmp(type, "permanent-identifier") == 0 ? permanent
                                                                              : NULL;
        if (!is_listed(list, value))
            return signet_error_set(error, SIGNET_ERROR_DENIED,
                                    "it orders '%.64s', which was not asked for", value);
    }
    return TRUE;
}

/* The account answers for whatever key it orders a certificate for. */
static gboolean
check_csr(const SignetJobRequest *request, const char *text, GError **error)
{
    g_autoptr(GBytes) der = signet_base64url_decode(text, strlen(text));
    gsize size = 0;
    const guint8 *start = der ? g_bytes_get_data(der, &size) : NULL;
    const guint8 *at = start;
    g_autoptr(X509_REQ) csr = start ? d2i_X509_REQ(NULL, &at, (long)size) : NULL;
    guint8 *info = NULL;
    int info_size = csr && at == start + size ? i2d_re_X509_REQ_tbs(csr, &info) : -1;

    ERR_clear_error();
    if (info_size <= 0)
        return deny(error, "its 'csr' is no request");
    g_autoptr(GBytes) message = g_bytes_new(info, (gsize)info_size);
    OPENSSL_free(info);
    return signet_grant_allows_csr(request, message, error);
}

/* --- all of it --- */

/* A part of the message as an object; NULL and DENIED when it is none. */
static json_t *
read_part(const char *text, gsize size, const char *what, GError **error)
{
    g_autoptr(GBytes) bytes = signet_base64url_decode(text, size);
    gsize n = 0;
    const char *data = bytes ? g_bytes_get_data(bytes, &n) : NULL;
    json_t *object = data ? json_loadb(data, n, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_object(object))
        return object;
    json_decref(object);
    signet_error_set(error, SIGNET_ERROR_DENIED, "its %s is not an object in base64url", what);
    return NULL;
}

static gboolean
check_header(const SignetJobRequest *request, const char *text, gsize size, GError **error)
{
    g_autoptr(json_t) header = read_part(text, size, "header", error);
    const char *base = request->remote.url;

    if (!header || !check_members(header, header_members, "header", error))
        return FALSE;
    const char *kid = json_string_value(json_object_get(header, "kid"));
    if (!kid == !json_object_get(header, "jwk"))
        return deny(error, "its header has not either a 'kid' or a 'jwk'");
    if (!signet_origin_has(base, json_string_value(json_object_get(header, "url"))) ||
        (kid && !signet_origin_has(base, kid)))
        return deny(error, "it is not for the job's CA");
    return TRUE;
}

static gboolean
check_revocation(const SignetJobRequest *request, const json_t *payload, GError **error)
{
    const char *text = json_string_value(json_object_get(payload, "certificate"));
    json_int_t reason = json_integer_value(json_object_get(payload, "reason"));

    if (!check_members(payload, revocation_members, "payload", error))
        return FALSE;
    if (!text)
        return (json_object_size(payload) == 1 && json_object_get(payload, "onlyReturnExisting")) ||
               deny(error, "it is neither a revocation nor the question for the account");
    g_autoptr(GBytes) certificate = signet_base64url_decode(text, strlen(text));
    if (!certificate || !request->certificates ||
        !g_bytes_equal(certificate, request->certificates))
        return deny(error, "it would revoke another certificate than the job's");
    return reason == request->reason || deny(error, "it has another reason than the job's");
}

static gboolean
check_payload(const SignetJobRequest *request, const char *text, gsize size, GError **error)
{
    if (size == 0)
        return TRUE; /* POST-as-GET */

    g_autoptr(json_t) payload = read_part(text, size, "payload", error);
    if (payload && g_strcmp0(request->protocol, SIGNET_JOB_REVOKE) == 0)
        return check_revocation(request, payload, error);
    if (!payload || !check_members(payload, payload_members, "payload", error) ||
        !check_identifiers(request, json_object_get(payload, "identifiers"), error))
        return FALSE;
    if (json_object_get(payload, "attObj") && !request->permanent)
        return deny(error, "it gives evidence, which was not asked for");
    const char *csr = json_string_value(json_object_get(payload, "csr"));
    return !csr || check_csr(request, csr, error);
}

static gboolean
check_jws(const SignetJobRequest *request, GBytes *message, GError **error)
{
    gsize size = 0;
    const char *text = g_bytes_get_data(message, &size);
    const char *dot = size > 0 && size <= JWS_MAX ? memchr(text, '.', size) : NULL;

    if (!dot)
        return deny(error, "it is not a request to an ACME server");
    gsize head = (gsize)(dot - text);
    return check_header(request, text, head, error) &&
           check_payload(request, dot + 1, size - head - 1, error);
}

gboolean
signet_grant_allows_jws(const SignetJobRequest *request, GBytes *message, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (check_jws(request, message, &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this with '%s': %s", request->identity,
                            request->remote.account_identity, reason->message);
}
