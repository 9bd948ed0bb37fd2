/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A job's permissions: requests and certificates are read strictly and compared with what the job
 * is for. */

#include "agent/enroll/grant.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/base/registers.h"
#include "agent/enroll/names.h"
#include "agent/enroll/parse.h"
#include "provider/wire/der.h"

static void
extension_stack_free(SignetExtensionStack *stack)
{
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetExtensionStack, extension_stack_free)

/* The extensions that matter to a decision. */
typedef struct {
    GENERAL_NAMES *alt;
    BASIC_CONSTRAINTS *basic;
    ASN1_BIT_STRING *usage;
    EXTENDED_KEY_USAGE *extended;
} Extensions;

static void
extensions_clear(Extensions *extensions)
{
    GENERAL_NAMES_free(extensions->alt);
    BASIC_CONSTRAINTS_free(extensions->basic);
    ASN1_BIT_STRING_free(extensions->usage);
    EXTENDED_KEY_USAGE_free(extensions->extended);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Extensions, extensions_clear)

static gboolean
is_known_extension(int nid)
{
    static const int known[] = {NID_basic_constraints,      NID_key_usage,
                                NID_ext_key_usage,          NID_subject_alt_name,
                                NID_subject_key_identifier, NID_authority_key_identifier};

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (known[i] == nid)
            return TRUE;
    return FALSE;
}

static gboolean
extensions_read(Extensions *extensions, const SignetExtensionStack *stack, GError **error)
{
    gboolean is_broken = FALSE;

    for (int i = 0; i < sk_X509_EXTENSION_num(stack); i++) {
        char text[64];
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(sk_X509_EXTENSION_value(stack, i));

        OBJ_obj2txt(text, sizeof(text), object, 0);
        if (!is_known_extension(OBJ_obj2nid(object)))
            return signet_error_set(error, SIGNET_ERROR_DENIED,
                                    "it has an extension '%s', which no job needs", text);
    }
    extensions->alt = signet_parse_extension(stack, NID_subject_alt_name, &is_broken);
    extensions->basic = signet_parse_extension(stack, NID_basic_constraints, &is_broken);
    extensions->usage = signet_parse_extension(stack, NID_key_usage, &is_broken);
    extensions->extended = signet_parse_extension(stack, NID_ext_key_usage, &is_broken);
    if (is_broken)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "one of its extensions is malformed or there twice");
    return TRUE;
}

static gboolean
has_object(const EXTENDED_KEY_USAGE *usages, const ASN1_OBJECT *object)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), object) == 0)
            return TRUE;
    return FALSE;
}

/* No more usages than the purposes give. */
static gboolean
check_extended_usage(const SignetJobRequest *request, const EXTENDED_KEY_USAGE *found,
                     GError **error)
{
    g_autoptr(EXTENDED_KEY_USAGE) allowed = signet_names_make_eku(request->purposes);

    for (int i = 0; found && i < sk_ASN1_OBJECT_num(found); i++) {
        const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(found, i);
        char text[64];

        OBJ_obj2txt(text, sizeof(text), object, 0);
        if (!has_object(allowed, object))
            return signet_error_set(
                error, SIGNET_ERROR_DENIED,
                "its extended key usage '%s' is not among the identity's purposes", text);
    }
    return TRUE;
}

/* RFC 5280 4.2.1.3: bit 5 is keyCertSign, bit 6 cRLSign */
static gboolean
is_authority(const Extensions *extensions)
{
    if (extensions->basic && extensions->basic->ca)
        return TRUE;
    return extensions->usage && (ASN1_BIT_STRING_get_bit(extensions->usage, 5) ||
                                 ASN1_BIT_STRING_get_bit(extensions->usage, 6));
}

static gboolean
check_holder(const SignetJobRequest *request, const X509_NAME *subject, GBytes *spki,
             const Extensions *extensions, GError **error)
{
    if (!spki || !request->spki || !g_bytes_equal(spki, request->spki))
        return signet_error_set(error, SIGNET_ERROR_DENIED, "its public key is not the new key's");

    g_autofree char *difference =
        signet_names_dup_difference(request, subject, extensions->alt, SIGNET_NAMES_MAY_LACK);
    if (difference)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "%s", difference);
    if (is_authority(extensions) && !request->is_ca)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "it would be a CA's");
    return check_extended_usage(request, extensions->extended, error);
}

gboolean
signet_grant_check_holder(const SignetJobRequest *request, const X509_NAME *subject, GBytes *spki,
                          const SignetExtensionStack *stack, GError **error)
{
    g_auto(Extensions) extensions = {0};

    return extensions_read(&extensions, stack, error) &&
           check_holder(request, subject, spki, &extensions, error);
}

/* RFC 7030 3.5: base64 of what ends a handshake of TLS 1.2, and nothing else. */
#define LINK_SIZE 12

static gboolean
is_link(const ASN1_TYPE *value)
{
    gsize size = 0;

    if (!value || (value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_PRINTABLESTRING))
        return FALSE;
    gsize length = (gsize)ASN1_STRING_length(value->value.asn1_string);
    const guint8 *data = ASN1_STRING_get0_data(value->value.asn1_string);
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autofree guchar *bytes = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(bytes, size);
    return size == LINK_SIZE && strlen(again) == length && memcmp(again, data, length) == 0;
}

static gboolean
is_secret_shown(const SignetJobRequest *request)
{
    return request->remote.secret && g_strcmp0(request->protocol, "scep") == 0;
}

/* With SCEP the secret, with EST what ties the request to its connection. */
static gboolean
is_password_allowed(const SignetJobRequest *request, X509_ATTRIBUTE *attribute)
{
    if (is_secret_shown(request))
        return TRUE;
    return g_strcmp0(request->protocol, "est") == 0 &&
           is_link(X509_ATTRIBUTE_get0_type(attribute, 0));
}

/* At most one extension request and one challenge password, with one value each: whoever reads the
 * request must see what is seen here. */
static gboolean
has_plain_attributes(const SignetJobRequest *request, const X509_REQ *csr)
{
    int n_extensions = 0, n_passwords = 0;

    for (int i = 0; i < X509_REQ_get_attr_count(csr); i++) {
        X509_ATTRIBUTE *attribute = X509_REQ_get_attr(csr, i);
        int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
        gboolean is_password = nid == NID_pkcs9_challengePassword;

        n_extensions += nid == NID_ext_req;
        n_passwords += is_password;
        if ((nid != NID_ext_req && !is_password) || X509_ATTRIBUTE_count(attribute) != 1 ||
            (is_password && !is_password_allowed(request, attribute)))
            return FALSE;
    }
    return n_extensions <= 1 && n_passwords <= 1;
}

/* libcrypto leaves copies of what it reads behind: what it is given has the password's length, but
 * not its letters. */
static GBytes *
dup_without_password(GBytes *message)
{
    static const guint8 type[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(message, &size);
    guint8 *copy = g_memdup2(data, size);
    const guint8 *at = memmem(copy, size, type, sizeof(type));
    struct signet_bytes rest = {at ? at + sizeof(type) : copy, 0};
    struct signet_der values, value;

    rest.size = size - (gsize)(rest.data - copy);
    if (at && signet_der_expect(&rest, SIGNET_DER_SET, &values) &&
        signet_der_next(&values.content, &value))
        memset(copy + (value.content.data - copy), 'x', value.content.size);
    signet_registers_cleanse();
    return g_bytes_new_take(copy, size);
}

static gboolean
check_csr(const SignetJobRequest *request, GBytes *message, GError **error)
{
    g_autoptr(GBytes) readable =
        is_secret_shown(request) ? dup_without_password(message) : g_bytes_ref(message);
    g_autoptr(X509_REQ) csr = signet_parse_request_info(readable, error);
    if (!csr)
        return FALSE;
    if (!has_plain_attributes(request, csr))
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it has an attribute other than one extension request");

    g_autoptr(SignetExtensionStack) stack = X509_REQ_get_extensions(csr);
    if (!stack && X509_REQ_get_attr_by_NID(csr, NID_ext_req, -1) >= 0) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_DENIED, "its extension request is malformed");
    }
    g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_REQ_get_X509_PUBKEY(csr));
    return signet_grant_check_holder(request, X509_REQ_get_subject_name(csr), spki, stack, error);
}

gboolean
signet_grant_allows_csr(const SignetJobRequest *request, GBytes *message, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (check_csr(request, message, &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this request: %s", request->identity,
                            reason->message);
}

static gboolean
check_issuer(const SignetJobRequest *request, X509 *certificate, GError **error)
{
    const X509_NAME *issuer = X509_get_issuer_name(certificate);

    if (request->is_ca) {
        if (X509_NAME_cmp(issuer, X509_get_subject_name(certificate)) != 0)
            return signet_error_set(error, SIGNET_ERROR_DENIED,
                                    "a CA's own certificate must name itself as its issuer");
        return TRUE;
    }
    if (!request->ca_certificate)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "the job does not carry the certificate of '%s'",
                                request->ca_identity);
    g_autoptr(X509) ca = signet_parse_certificate(request->ca_certificate, error);
    if (!ca)
        return FALSE;
    if (X509_NAME_cmp(issuer, X509_get_subject_name(ca)) != 0)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "its issuer is not '%s'",
                                request->ca_identity);
    return TRUE;
}

static gboolean
check_validity(const SignetJobRequest *request, X509 *certificate, gint64 now_s, GError **error)
{
    gint64 not_before = signet_parse_time(X509_get0_notBefore(certificate));
    gint64 not_after = signet_parse_time(X509_get0_notAfter(certificate));

    if (not_before == G_MININT64 || not_after == G_MININT64 || not_after < not_before)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "its validity cannot be read or is empty");
    if (not_before < now_s - SIGNET_GRANT_BACKDATE_S || not_before > now_s + SIGNET_GRANT_SKEW_S)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "it begins at another time than now");
    if (request->lifetime_s <= 0 || not_after > now_s + request->lifetime_s + SIGNET_GRANT_SKEW_S)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it lives longer than %" G_GINT64_FORMAT " s", request->lifetime_s);
    return TRUE;
}

static gboolean
check_certificate(const SignetJobRequest *request, GBytes *message, gint64 now_s, GError **error)
{
    g_auto(Extensions) extensions = {0};
    const ASN1_BIT_STRING *issuer_id = NULL;
    const ASN1_BIT_STRING *subject_id = NULL;
    g_autoptr(X509) certificate = signet_parse_tbs(message, error);
    if (!certificate)
        return FALSE;

    X509_get0_uids(certificate, &issuer_id, &subject_id);
    if (X509_get_version(certificate) != X509_VERSION_3 || issuer_id || subject_id)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it is not of version 3, or has unique identifiers");
    g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_get_X509_PUBKEY(certificate));
    if (!extensions_read(&extensions, X509_get0_extensions(certificate), error) ||
        !check_holder(request, X509_get_subject_name(certificate), spki, &extensions, error) ||
        !check_issuer(request, certificate, error))
        return FALSE;

    /* A leaf that says nothing of its use may be used for everything: nothing must be left unsaid.
     */
    g_autoptr(EXTENDED_KEY_USAGE) asked = signet_names_make_eku(request->purposes);
    gboolean has_use = extensions.usage && (extensions.extended || sk_ASN1_OBJECT_num(asked) == 0);
    if (!extensions.basic || (!request->is_ca && !has_use))
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it does not say what it may be used for");
    return check_validity(request, certificate, now_s, error);
}

gboolean
signet_grant_allows_certificate(const SignetJobRequest *request, GBytes *message, gint64 now_s,
                                GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (check_certificate(request, message, now_s, &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this certificate: %s", request->identity,
                            reason->message);
}

static gboolean
check_scep_certificate(const SignetJobRequest *request, GBytes *message, gint64 now_s,
                       GError **error)
{
    const Extensions none = {0};
    g_autoptr(X509) certificate = signet_parse_tbs(message, error);

    if (!certificate)
        return FALSE;
    gint64 not_before = signet_parse_time(X509_get0_notBefore(certificate));
    gint64 not_after = signet_parse_time(X509_get0_notAfter(certificate));
    if (X509_get_ext_count(certificate) > 0 ||
        X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(certificate)) != 0)
        return signet_error_set(error, SIGNET_ERROR_DENIED,
                                "it has an extension, or another issuer than itself");
    if (not_before == G_MININT64 || not_after == G_MININT64 ||
        not_before < now_s - SIGNET_GRANT_BACKDATE_S || not_after > now_s + SIGNET_GRANT_SCEP_S)
        return signet_error_set(error, SIGNET_ERROR_DENIED, "it lives longer than a few days");
    g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_get_X509_PUBKEY(certificate));
    return check_holder(request, X509_get_subject_name(certificate), spki, &none, error);
}

gboolean
signet_grant_allows_scep_certificate(const SignetJobRequest *request, GBytes *message, gint64 now_s,
                                     GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (check_scep_certificate(request, message, now_s, &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this certificate: %s", request->identity,
                            reason->message);
}
