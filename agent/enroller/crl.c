/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Walks through a CRL: libcrypto would make half a million objects of a large one. */

#include "agent/enroller/crl.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/parse.h"
#include "agent/enroller/chain.h"

#define SKEW_S   300
#define URLS_MAX 4

#define TAG_INTEGER          0x02
#define TAG_BIT_STRING       0x03
#define TAG_UTC_TIME         0x17
#define TAG_GENERALIZED_TIME 0x18
#define TAG_SEQUENCE         0x30
#define TAG_EXTENSIONS       0xa0

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_TYPE, ASN1_TYPE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_TIME, ASN1_TIME_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_ENUMERATED, ASN1_ENUMERATED_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_ALGOR, X509_ALGOR_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CRL_DIST_POINTS, CRL_DIST_POINTS_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free)

typedef STACK_OF(X509_EXTENSION) Extensions;
static void
extensions_free(Extensions *extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Extensions, extensions_free)

static gboolean
fail(GError **error, SignetErrorKind kind, const char *what)
{
    ERR_clear_error();
    return signet_error_set(error, kind, "the CRL %s", what);
}

static gboolean
fail_broken(GError **error)
{
    return fail(error, SIGNET_ERROR_CORRUPT, "is malformed");
}

/* --- walking --- */

/* What is left of some bytes. */
typedef struct {
    const guint8 *at;
    const guint8 *end;
} Der;

/* Whole elements of one byte of tag and up to four of length, as short as may be (X.690 10.1).
 * ret_all: nullable, the element with its head; ret_content: nullable. */
static gboolean
take(Der *der, guint8 tag, Der *ret_all, Der *ret_content)
{
    const guint8 *at = der->at;
    gsize left = (gsize)(der->end - at), length;
    guint n = 0;

    if (left < 2 || at[0] != tag)
        return FALSE;
    length = at[1];
    if (length >= 0x80) {
        n = (guint)length & 0x7f;
        if (n == 0 || n > 4 || left < 2 + n || at[2] == 0)
            return FALSE;
        length = 0;
        for (guint i = 0; i < n; i++)
            length = length << 8 | at[2 + i];
        if (length < 0x80)
            return FALSE;
    }
    if (length > left - 2 - n)
        return FALSE;
    der->at = at + 2 + n + length;
    if (ret_all)
        *ret_all = (Der) {at, der->at};
    if (ret_content)
        *ret_content = (Der) {at + 2 + n, der->at};
    return TRUE;
}

static gboolean
is_next(const Der *der, guint8 tag)
{
    return der->at < der->end && der->at[0] == tag;
}

static gsize
size_of(const Der *der)
{
    return (gsize)(der->end - der->at);
}

static gboolean
take_time(Der *der, gint64 *ret_time_s)
{
    Der all;

    if (!take(der, TAG_UTC_TIME, &all, NULL) && !take(der, TAG_GENERALIZED_TIME, &all, NULL))
        return FALSE;
    g_autoptr(ASN1_TIME) time = d2i_ASN1_TIME(NULL, &all.at, (long)size_of(&all));
    gint64 time_s = time ? signet_parse_time(time) : G_MININT64;

    *ret_time_s = MAX(time_s, 0);
    return time_s != G_MININT64;
}

/* (nullable): malformed */
static Extensions *
read_extensions(const Der *der)
{
    const guint8 *at = der->at;
    Extensions *extensions = d2i_X509_EXTENSIONS(NULL, &at, (long)size_of(der));

    if (extensions && at != der->end)
        g_clear_pointer(&extensions, extensions_free);
    return extensions;
}

/* The parts of a CRL, where they lie. */
typedef struct {
    Der signed_part; /* TBSCertList with its head */
    Der inner_algorithm;
    Der issuer;
    gint64 this_update_s;
    gint64 next_update_s; /* 0: absent */
    Der entries;          /* the content of revokedCertificates, or nothing */
    Der extensions;       /* Extensions, or nothing */
    Der algorithm;
    Der signature;
} Crl;

static gboolean
read_signed_part(Crl *crl, Der list)
{
    Der ignored, wrapped;

    if (is_next(&list, TAG_INTEGER) && !take(&list, TAG_INTEGER, &ignored, NULL))
        return FALSE;
    if (!take(&list, TAG_SEQUENCE, &crl->inner_algorithm, NULL) ||
        !take(&list, TAG_SEQUENCE, &crl->issuer, NULL) || !take_time(&list, &crl->this_update_s))
        return FALSE;
    if ((is_next(&list, TAG_UTC_TIME) || is_next(&list, TAG_GENERALIZED_TIME)) &&
        !take_time(&list, &crl->next_update_s))
        return FALSE;
    if (is_next(&list, TAG_SEQUENCE) && !take(&list, TAG_SEQUENCE, NULL, &crl->entries))
        return FALSE;
    if (is_next(&list, TAG_EXTENSIONS) &&
        (!take(&list, TAG_EXTENSIONS, NULL, &wrapped) ||
         !take(&wrapped, TAG_SEQUENCE, &crl->extensions, NULL) || size_of(&wrapped) > 0))
        return FALSE;
    return size_of(&list) == 0;
}

static gboolean
crl_read(Crl *crl, GBytes *bytes)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    Der all = {data, data + size}, outer, list;

    return take(&all, TAG_SEQUENCE, NULL, &outer) && size_of(&all) == 0 &&
           take(&outer, TAG_SEQUENCE, &crl->signed_part, &list) &&
           take(&outer, TAG_SEQUENCE, &crl->algorithm, NULL) &&
           take(&outer, TAG_BIT_STRING, &crl->signature, NULL) && size_of(&outer) == 0 &&
           read_signed_part(crl, list);
}

/* --- whose it is --- */

static gboolean
is_signed_by(const Crl *crl, X509 *issuer)
{
    const guint8 *at = crl->signed_part.at, *algorithm_at = crl->algorithm.at;
    const guint8 *signature_at = crl->signature.at;
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    g_autoptr(X509_ALGOR) algorithm =
        d2i_X509_ALGOR(NULL, &algorithm_at, (long)size_of(&crl->algorithm));
    g_autoptr(ASN1_BIT_STRING) signature =
        d2i_ASN1_BIT_STRING(NULL, &signature_at, (long)size_of(&crl->signature));
    g_autoptr(ASN1_TYPE) list = d2i_ASN1_TYPE(NULL, &at, (long)size_of(&crl->signed_part));

    return key && algorithm && signature && list && signet_chain_is_strong(algorithm) &&
           ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, list, key) == 1;
}

static gboolean
is_named_as(const Crl *crl, const X509 *certificate)
{
    const guint8 *at = crl->issuer.at;
    g_autoptr(X509_NAME) name = d2i_X509_NAME(NULL, &at, (long)size_of(&crl->issuer));

    return name && X509_NAME_cmp(name, X509_get_issuer_name(certificate)) == 0;
}

static gboolean
check_issuer(const Crl *crl, const X509 *certificate, X509 *issuer, GError **error)
{
    if (!is_named_as(crl, certificate))
        return fail(error, SIGNET_ERROR_DENIED, "is another CA's");
    if (size_of(&crl->inner_algorithm) != size_of(&crl->algorithm) ||
        memcmp(crl->inner_algorithm.at, crl->algorithm.at, size_of(&crl->algorithm)) != 0)
        return fail_broken(error);
    if (!(X509_get_key_usage(issuer) & KU_CRL_SIGN))
        return fail(error, SIGNET_ERROR_DENIED, "is signed by a CA that may sign none");
    return is_signed_by(crl, issuer) ||
           fail(error, SIGNET_ERROR_DENIED, "is not signed by the certificate's issuer");
}

/* --- what it is about --- */

/* The names of a point, as texts; http and https only. */
static void
add_urls(GStrvBuilder *urls, const DIST_POINT_NAME *point, gboolean *ret_others)
{
    const GENERAL_NAMES *names = point && point->type == 0 ? point->name.fullname : NULL;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_IA5STRING *uri =
            name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
        g_autofree char *text =
            uri ? g_strndup((const char *)ASN1_STRING_get0_data(uri), (gsize)uri->length) : NULL;

        if (text && strlen(text) == (gsize)uri->length &&
            (g_ascii_strncasecmp(text, "http://", 7) == 0 ||
             g_ascii_strncasecmp(text, "https://", 8) == 0))
            g_strv_builder_add(urls, text);
        else
            *ret_others = TRUE;
    }
}

char **
signet_crl_dup_urls(const X509 *certificate, gboolean *ret_others)
{
    gboolean is_broken = FALSE;
    g_autoptr(CRL_DIST_POINTS) points = signet_parse_extension(
        X509_get0_extensions(certificate), NID_crl_distribution_points, &is_broken);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    char **urls;

    *ret_others = is_broken;
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);

        if (point->CRLissuer || point->reasons)
            *ret_others = TRUE;
        else
            add_urls(builder, point->distpoint, ret_others);
    }
    urls = g_strv_builder_end(builder);
    for (guint i = URLS_MAX; g_strv_length(urls) > URLS_MAX && urls[i]; i++)
        g_clear_pointer(&urls[i], g_free);
    return urls;
}

/* A part that is about others, signed by the same CA, would hide a revocation. */
static gboolean
is_our_part(const ISSUING_DIST_POINT *part, const X509 *certificate)
{
    gboolean others = FALSE;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) ours = signet_crl_dup_urls(certificate, &others);

    if (part->onlyCA > 0 || part->onlyattr > 0 || part->indirectCRL > 0 || part->onlysomereasons)
        return FALSE;
    if (!part->distpoint)
        return TRUE;
    add_urls(builder, part->distpoint, &others);
    g_auto(GStrv) theirs = g_strv_builder_end(builder);
    for (char **url = theirs; *url; url++) {
        if (g_strv_contains((const char *const *)ours, *url))
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_understood(const Extensions *extensions)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (nid == NID_delta_crl ||
            (X509_EXTENSION_get_critical(extension) && nid != NID_issuing_distribution_point &&
             nid != NID_authority_key_identifier && nid != NID_crl_number))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_scope(const Crl *crl, const X509 *certificate, GError **error)
{
    gboolean is_broken = FALSE;

    if (size_of(&crl->extensions) == 0)
        return TRUE;
    g_autoptr(Extensions) extensions = read_extensions(&crl->extensions);
    if (!extensions)
        return fail_broken(error);
    g_autoptr(ISSUING_DIST_POINT) part =
        signet_parse_extension(extensions, NID_issuing_distribution_point, &is_broken);
    if (is_broken)
        return fail_broken(error);
    if (!is_understood(extensions) || (part && !is_our_part(part, certificate)))
        return fail(error, SIGNET_ERROR_DENIED, "is not a complete one for this certificate");
    return TRUE;
}

static gboolean
check_age(const Crl *crl, gint64 now_s, GError **error)
{
    if (crl->this_update_s > now_s + SKEW_S)
        return fail(error, SIGNET_ERROR_FAILED, "is of the future; is the clock right?");
    if (crl->next_update_s == 0)
        return fail(error, SIGNET_ERROR_FAILED, "does not say until when it counts");
    return crl->next_update_s > now_s ||
           fail(error, SIGNET_ERROR_FAILED, "is too old: a newer one should be there");
}

/* --- who is in it --- */

static guint
read_reason(const Der *der)
{
    gboolean is_broken = FALSE;
    g_autoptr(Extensions) extensions = read_extensions(der);
    g_autoptr(ASN1_ENUMERATED) reason =
        extensions ? signet_parse_extension(extensions, NID_crl_reason, &is_broken) : NULL;
    long number = reason ? ASN1_ENUMERATED_get(reason) : 0;

    return number > 0 && number <= CRL_REASON_AA_COMPROMISE ? (guint)number : 0;
}

/* FALSE: malformed. */
static gboolean
look_at_entry(Der entry, const Der *serial, SignetFindings *findings)
{
    Der number, extensions;
    gint64 revoked_s;
    guint reason = 0;

    if (!take(&entry, TAG_INTEGER, &number, NULL))
        return FALSE;
    if (size_of(&number) != size_of(serial) || memcmp(number.at, serial->at, size_of(serial)) != 0)
        return TRUE;
    if (!take_time(&entry, &revoked_s))
        return FALSE;
    if (take(&entry, TAG_SEQUENCE, &extensions, NULL))
        reason = read_reason(&extensions);
    if (size_of(&entry) > 0)
        return FALSE;
    if (reason == CRL_REASON_REMOVE_FROM_CRL)
        return TRUE;
    findings->standing =
        reason == CRL_REASON_CERTIFICATE_HOLD ? SIGNET_STANDING_HELD : SIGNET_STANDING_REVOKED;
    findings->reason = reason;
    findings->revoked_s = revoked_s;
    return TRUE;
}

static gboolean
look_at_entries(const Crl *crl, const X509 *certificate, SignetFindings *findings, GError **error)
{
    guint8 *der = NULL;
    int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate), &der);
    const Der serial = {der, der + MAX(size, 0)};
    Der entries = crl->entries, entry;
    gboolean is_good = size > 0;

    findings->standing = SIGNET_STANDING_GOOD;
    while (is_good && size_of(&entries) > 0)
        is_good =
            take(&entries, TAG_SEQUENCE, NULL, &entry) && look_at_entry(entry, &serial, findings);
    OPENSSL_free(der);
    return is_good || fail_broken(error);
}

gboolean
signet_crl_judge(GBytes *der, X509 *certificate, X509 *issuer, gint64 now_s,
                 SignetFindings *findings, GError **error)
{
    Crl crl = {0};
    SignetFindings found = {0};

    if (!crl_read(&crl, der))
        return fail_broken(error);
    if (!check_issuer(&crl, certificate, issuer, error) || !check_scope(&crl, certificate, error) ||
        !check_age(&crl, now_s, error) || !look_at_entries(&crl, certificate, &found, error))
        return FALSE;
    ERR_clear_error();
    findings->standing = found.standing;
    findings->reason = found.reason;
    findings->revoked_s = found.revoked_s;
    findings->this_update_s = crl.this_update_s;
    findings->next_update_s = crl.next_update_s;
    return TRUE;
}
