/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A job's permissions in CMP. The messages are walked field by field: what has no place here is not
 * signed, and no parser of CMP is let loose on the enroller's bytes. */

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/grant.h"
#include "agent/enroll/job.h"
#include "agent/enroll/parse.h"
#include "provider/wire/der.h"

typedef struct signet_bytes Span;
typedef struct signet_der Element;

#define CONTEXT_LAST   30
#define CONTEXT_NUMBER 0x81 /* CertTemplate's serialNumber, an INTEGER */
#define ENUMERATED     0x0a
#define OTHER_REASON   "it has another reason than the job's, or says more than that"

static gboolean
deny(GError **error, const char *words)
{
    return signet_error_set(error, SIGNET_ERROR_DENIED, "%s", words);
}

/* Takes one element with a context tag, constructed, above *last, and says which. */
static gboolean
take_context(Span *rest, int *last, Element *ret_element, int *ret_number)
{
    for (int number = *last + 1; number <= CONTEXT_LAST; number++) {
        if (signet_der_expect(rest, (uint8_t)SIGNET_DER_CONTEXT(number), ret_element)) {
            *last = *ret_number = number;
            return TRUE;
        }
    }
    return FALSE;
}

/* An implicitly tagged SEQUENCE as it is without the tag. */
static guint8 *
dup_untagged(Span whole)
{
    guint8 *copy = g_memdup2(whole.data, whole.size);

    copy[0] = SIGNET_DER_SEQUENCE;
    return copy;
}

/* --- CertRequest, RFC 4211 section 5 --- */

/* Numbers of CertTemplate's fields */
enum { ISSUER = 3, VALIDITY = 4, SUBJECT = 5, PUBLIC_KEY = 6, EXTENSIONS = 9 };

/* All (owned, nullable). */
typedef struct {
    X509_NAME *subject;
    GBytes *spki;
    SignetExtensionStack *extensions;
} Template;

static void
template_clear(Template *template)
{
    X509_NAME_free(template->subject);
    g_clear_pointer(&template->spki, g_bytes_unref);
    sk_X509_EXTENSION_pop_free(template->extensions, X509_EXTENSION_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Template, template_clear)

static gboolean
read_subject(Template *template, Span content)
{
    const guint8 *at = content.data;

    template->subject = d2i_X509_NAME(NULL, &at, (long)content.size);
    return template->subject && at == content.data + content.size;
}

static gboolean
read_extensions(Template *template, Span whole)
{
    g_autofree guint8 *der = dup_untagged(whole);
    const guint8 *at = der;

    template->extensions = d2i_X509_EXTENSIONS(NULL, &at, (long)whole.size);
    return template->extensions && at == der + whole.size;
}

static gboolean
read_field(Template *template, int number, const Element *field)
{
    switch (number) {
    case ISSUER:   /* a wish; the answer is checked anyway */
    case VALIDITY: /* likewise */
        return TRUE;
    case SUBJECT:
        return read_subject(template, field->content);
    case PUBLIC_KEY:
        template->spki = g_bytes_new_take(dup_untagged(field->whole), field->whole.size);
        return TRUE;
    case EXTENSIONS:
        return read_extensions(template, field->whole);
    default: /* numbers, not an enum of ours */
        return FALSE;
    }
}

static gboolean
check_template(const SignetJobRequest *request, Span fields, GError **error)
{
    g_auto(Template) template = {0};
    Element field;
    int last = -1;
    int number = 0;
    gboolean is_good = TRUE;

    while (is_good && fields.size > 0)
        is_good =
            take_context(&fields, &last, &field, &number) && read_field(&template, number, &field);
    ERR_clear_error();
    if (!is_good)
        return deny(error, "its template has a field that no job needs, or that is malformed");
    if (!template.subject)
        template.subject = X509_NAME_new();
    return signet_grant_check_holder(request, template.subject, template.spki, template.extensions,
                                     error);
}

/* id-regCtrl-oldCertID, 1.3.6.1.5.5.7.5.1.5 */
static gboolean
check_controls(Span controls, GError **error)
{
    static const guint8 old_certificate[] = {0x2b, 6, 1, 5, 5, 7, 5, 1, 5};
    Element control, oid, value;

    if (!signet_der_expect(&controls, SIGNET_DER_SEQUENCE, &control) || controls.size > 0 ||
        !signet_der_expect(&control.content, SIGNET_DER_OID, &oid) ||
        !signet_der_next(&control.content, &value) || control.content.size > 0 ||
        oid.content.size != sizeof(old_certificate) ||
        memcmp(oid.content.data, old_certificate, sizeof(old_certificate)) != 0)
        return deny(error, "it has a control other than the certificate that is replaced");
    return TRUE;
}

static gboolean
check_cert_request(const SignetJobRequest *request, Span fields, GError **error)
{
    Element number, template, controls;

    if (!signet_der_expect(&fields, SIGNET_DER_INTEGER, &number) ||
        !signet_der_expect(&fields, SIGNET_DER_SEQUENCE, &template))
        return deny(error, "it is not a CertRequest");
    if (signet_der_expect(&fields, SIGNET_DER_SEQUENCE, &controls) &&
        !check_controls(controls.content, error))
        return FALSE;
    if (fields.size > 0)
        return deny(error, "there is something behind its CertRequest");
    return check_template(request, template.content, error);
}

/* --- RevReqContent, RFC 4210 5.3.9 --- */

/* Issuer and number of the certificate that is to be revoked, as they stand in it. */
static gboolean
find_certificate(const SignetJobRequest *request, Span *ret_serial, Span *ret_issuer)
{
    gsize size = 0;
    const guint8 *data =
        request->certificates ? g_bytes_get_data(request->certificates, &size) : NULL;
    Span rest = {data, size};
    Element whole, tbs, field;

    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &whole) ||
        !signet_der_expect(&whole.content, SIGNET_DER_SEQUENCE, &tbs))
        return FALSE;
    rest = tbs.content;
    (void)signet_der_expect(&rest, SIGNET_DER_CONTEXT(0), &field);
    if (!signet_der_expect(&rest, SIGNET_DER_INTEGER, &field))
        return FALSE;
    *ret_serial = field.content;
    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &field) ||
        !signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &field))
        return FALSE;
    *ret_issuer = field.whole;
    return TRUE;
}

static gboolean
is_same(Span one, Span other)
{
    return one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

/* CertTemplate with the two fields and no more */
static gboolean
check_revoked(const SignetJobRequest *request, Span fields, GError **error)
{
    Span serial, issuer;
    Element number, name;

    if (!find_certificate(request, &serial, &issuer) ||
        !signet_der_expect(&fields, CONTEXT_NUMBER, &number) ||
        !signet_der_expect(&fields, SIGNET_DER_CONTEXT(ISSUER), &name) || fields.size > 0 ||
        !is_same(number.content, serial) || !is_same(name.content, issuer))
        return deny(error, "it would revoke another certificate than the job's");
    return TRUE;
}

/* Extensions: reasonCode (RFC 5280 5.3.1) and no other; none at all says "unspecified" */
static gboolean
check_reason(const SignetJobRequest *request, Span extensions, GError **error)
{
    static const guint8 reason_code[] = {0x55, 0x1d, 0x15};
    Element extension, oid, value, number;

    if (!signet_der_expect(&extensions, SIGNET_DER_SEQUENCE, &extension) || extensions.size > 0 ||
        !signet_der_expect(&extension.content, SIGNET_DER_OID, &oid) ||
        !is_same(oid.content, (Span) {reason_code, sizeof(reason_code)}) ||
        !signet_der_expect(&extension.content, SIGNET_DER_OCTET_STRING, &value) ||
        extension.content.size > 0 || !signet_der_expect(&value.content, ENUMERATED, &number) ||
        value.content.size > 0 || number.content.size != 1 ||
        number.content.data[0] != request->reason)
        return deny(error, OTHER_REASON);
    return TRUE;
}

static gboolean
check_revocation(const SignetJobRequest *request, Span list, GError **error)
{
    Element details, template, extensions;

    if (!signet_der_expect(&list, SIGNET_DER_SEQUENCE, &details) || list.size > 0 ||
        !signet_der_expect(&details.content, SIGNET_DER_SEQUENCE, &template))
        return deny(error, "it is not one wish for a revocation");
    if (signet_der_expect(&details.content, SIGNET_DER_SEQUENCE, &extensions)
            ? !check_reason(request, extensions.content, error)
            : request->reason != 0 && !deny(error, OTHER_REASON))
        return FALSE;
    if (details.content.size > 0)
        return deny(error, "there is something behind its wish for a revocation");
    return check_revoked(request, template.content, error);
}

/* --- ProtectedPart, RFC 4210 5.1 --- */

/* Numbers of PKIBody's alternatives */
enum {
    IR = 0,
    CR = 2,
    P10CR = 4,
    KUR = 7,
    RR = 11,
    GENM = 21,
    ERROR_MESSAGE = 23,
    CERT_CONF = 24,
    POLL_REQ = 25
};

/* One CertReqMsg with its CertRequest and the proof by signature; no further information. */
static gboolean
check_requests(const SignetJobRequest *request, Span messages, GError **error)
{
    Element message, cert_request, proof;

    if (!signet_der_expect(&messages, SIGNET_DER_SEQUENCE, &message) || messages.size > 0 ||
        !signet_der_expect(&message.content, SIGNET_DER_SEQUENCE, &cert_request) ||
        !signet_der_expect(&message.content, SIGNET_DER_CONTEXT(1), &proof) ||
        message.content.size > 0)
        return deny(error, "it is not one request for a certificate with a proof by signature");
    return check_cert_request(request, cert_request.content, error);
}

/* CertificationRequest: what is signed of it is judged, its signature is the CA's business. */
static gboolean
check_pkcs10(const SignetJobRequest *request, Span fields, GError **error)
{
    Element info, algorithm, signature;

    if (!signet_der_expect(&fields, SIGNET_DER_SEQUENCE, &info) ||
        !signet_der_expect(&fields, SIGNET_DER_SEQUENCE, &algorithm) ||
        !signet_der_expect(&fields, SIGNET_DER_BIT_STRING, &signature) || fields.size > 0)
        return deny(error, "its body is not a PKCS#10 request");
    g_autoptr(GBytes) message = g_bytes_new(info.whole.data, info.whole.size);
    return signet_grant_allows_csr(request, message, error);
}

/* One question: for the CA's certificates, or for what follows a root (RFC 9483 4.3.1, 4.3.2). */
static gboolean
check_question(Span infos, GError **error)
{
    static const guint8 ca_certs[] = {0x2b, 6, 1, 5, 5, 7, 4, 17};
    static const guint8 root_cert[] = {0x2b, 6, 1, 5, 5, 7, 4, 20};
    Element info, oid, root;

    if (!signet_der_expect(&infos, SIGNET_DER_SEQUENCE, &info) || infos.size > 0 ||
        !signet_der_expect(&info.content, SIGNET_DER_OID, &oid))
        return deny(error, "it is not one question");
    gboolean is_root = is_same(oid.content, (Span) {root_cert, sizeof(root_cert)});
    if (!is_root && !is_same(oid.content, (Span) {ca_certs, sizeof(ca_certs)}))
        return deny(error, "it asks for something else than certificates of the CA");
    if (is_root && (!signet_der_expect(&info.content, SIGNET_DER_SEQUENCE, &root) ||
                    root.whole.size > SIGNET_CERTIFICATE_MAX))
        return deny(error, "it names no root");
    return info.content.size == 0 || deny(error, "there is something behind its question");
}

static gboolean
check_body(const SignetJobRequest *request, int number, Span body, GError **error)
{
    Element content;

    if (!signet_der_expect(&body, SIGNET_DER_SEQUENCE, &content) || body.size > 0)
        return deny(error, "its body is malformed");
    if (g_strcmp0(request->protocol, SIGNET_JOB_REVOKE) == 0)
        return number == RR ? check_revocation(request, content.content, error)
                            : number == ERROR_MESSAGE ||
                                  deny(error, "its body is not a wish for a revocation");
    if (number == GENM)
        return check_question(content.content, error);
    if (g_strcmp0(request->protocol, SIGNET_JOB_CHECK) == 0)
        return number == ERROR_MESSAGE || deny(error, "its body is not a question");
    switch (number) {
    case IR:
    case CR:
    case KUR:
        return check_requests(request, content.content, error);
    case P10CR:
        return check_pkcs10(request, content.content, error);
    case ERROR_MESSAGE:
    case CERT_CONF:
    case POLL_REQ:
        return TRUE;
    default: /* numbers, not an enum of ours */
        return deny(error, "its body is of a kind that no job needs");
    }
}

/* Version, two names, then optional fields: who speaks to whom is for the CA to judge. */
static gboolean
is_header(Span fields)
{
    Element element;
    int name = 0;
    int last = -1;
    int number = 0;

    if (!signet_der_expect(&fields, SIGNET_DER_INTEGER, &element))
        return FALSE;
    for (int i = 0; i < 2; i++) {
        int none = -1;

        if (!take_context(&fields, &none, &element, &name))
            return FALSE;
    }
    while (fields.size > 0) {
        if (!take_context(&fields, &last, &element, &number))
            return FALSE;
    }
    return last <= 8;
}

static gboolean
check_pki_message(const SignetJobRequest *request, Span message, GError **error)
{
    Element part, header, body;
    int last = -1;
    int number = 0;

    if (!signet_der_is_document(message) ||
        !signet_der_expect(&message, SIGNET_DER_SEQUENCE, &part) ||
        !signet_der_expect(&part.content, SIGNET_DER_SEQUENCE, &header) ||
        !is_header(header.content) || !take_context(&part.content, &last, &body, &number) ||
        part.content.size > 0)
        return deny(error, "it is not the protected part of a CMP message in DER");
    return check_body(request, number, body.content, error);
}

/* --- the grants --- */

static Span
span_of(GBytes *message)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(message, &size);

    return (Span) {data, size};
}

gboolean
signet_grant_allows_cert_request(const SignetJobRequest *request, GBytes *message, GError **error)
{
    g_autoptr(GError) reason = NULL;
    Span bytes = span_of(message);
    Element whole;

    if (!signet_der_is_document(bytes) || !signet_der_expect(&bytes, SIGNET_DER_SEQUENCE, &whole))
        deny(&reason, "it is not a CertRequest in DER");
    else if (check_cert_request(request, whole.content, &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this request: %s", request->identity,
                            reason->message);
}

gboolean
signet_grant_allows_pki_message(const SignetJobRequest *request, GBytes *message, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (check_pki_message(request, span_of(message), &reason))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_DENIED,
                            "the job of '%s' may not sign this message: %s", request->identity,
                            reason->message);
}
