/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Walks a general response field by field. */

#include "agent/enroller/cmp-genp.h"

#include <string.h>

#include "agent/enroll/parse.h"
#include "agent/enroller/answer.h"
#include "provider/wire/der.h"

#define BODY_GENP 22
#define INFOS_MAX 16

/* 1.3.6.1.5.5.7.4 */
static const guint8 id_it[] = {0x2b, 6, 1, 5, 5, 7, 4};

static gboolean
is_info(struct signet_bytes oid, guint8 number)
{
    return oid.size == sizeof(id_it) + 1 && memcmp(oid.data, id_it, sizeof(id_it)) == 0 &&
           oid.data[sizeof(id_it)] == number;
}

gboolean
signet_cmp_genp_find(struct signet_bytes message, guint8 number, struct signet_bytes *ret_value)
{
    struct signet_der whole, header, body, list, info, oid, value;

    if (!signet_der_expect(&message, SIGNET_DER_SEQUENCE, &whole) ||
        !signet_der_expect(&whole.content, SIGNET_DER_SEQUENCE, &header) ||
        !signet_der_expect(&whole.content, SIGNET_DER_CONTEXT(BODY_GENP), &body) ||
        !signet_der_expect(&body.content, SIGNET_DER_SEQUENCE, &list) || body.content.size > 0)
        return FALSE;
    for (int i = 0; i < INFOS_MAX && list.content.size > 0; i++) {
        if (!signet_der_expect(&list.content, SIGNET_DER_SEQUENCE, &info) ||
            !signet_der_expect(&info.content, SIGNET_DER_OID, &oid))
            return FALSE;
        if (!is_info(oid.content, number))
            continue;
        if (!signet_der_next(&info.content, &value) || info.content.size > 0)
            return FALSE;
        *ret_value = value.whole;
        return TRUE;
    }
    return FALSE;
}

/* --- certificates --- */

static X509 *
read_certificate(struct signet_bytes der)
{
    const guint8 *at = der.data;
    g_autoptr(X509) certificate =
        der.size <= SIGNET_CERTIFICATE_MAX ? d2i_X509(NULL, &at, (long)der.size) : NULL;

    ERR_clear_error();
    return certificate && at == der.data + der.size ? g_steal_pointer(&certificate) : NULL;
}

SignetX509Stack *
signet_cmp_genp_read_certificates(struct signet_bytes value)
{
    g_autoptr(SignetX509Stack) certificates = sk_X509_new_null();
    struct signet_der list, one;

    if (!signet_der_expect(&value, SIGNET_DER_SEQUENCE, &list) || value.size > 0)
        return NULL;
    while (list.content.size > 0) {
        X509 *certificate = signet_der_expect(&list.content, SIGNET_DER_SEQUENCE, &one)
                                ? read_certificate(one.whole)
                                : NULL;

        if (!certificate || sk_X509_num(certificates) >= SIGNET_ANSWER_CERTIFICATES_MAX ||
            sk_X509_push(certificates, certificate) <= 0) {
            X509_free(certificate);
            return NULL;
        }
    }
    return g_steal_pointer(&certificates);
}

/* --- a root --- */

static gboolean
is_valid(const X509 *certificate, gint64 now_s)
{
    return signet_parse_time(X509_get0_notBefore(certificate)) <= now_s &&
           signet_parse_time(X509_get0_notAfter(certificate)) > now_s;
}

static gboolean
is_signed_by(X509 *certificate, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);

    return key &&
           X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0 &&
           X509_verify(certificate, key) == 1;
}

static gboolean
is_proven(X509 *new_with_new, X509 *new_with_old, X509 *known, gint64 now_s)
{
    EVP_PKEY *key = X509_get0_pubkey(new_with_new);
    EVP_PKEY *proven = X509_get0_pubkey(new_with_old);

    return key && proven && EVP_PKEY_eq(key, proven) == 1 &&
           X509_NAME_cmp(X509_get_subject_name(new_with_new),
                         X509_get_subject_name(new_with_old)) == 0 &&
           X509_check_ca(new_with_new) > 0 && X509_check_ca(new_with_old) > 0 &&
           X509_check_ca(known) > 0 && is_valid(new_with_new, now_s) &&
           is_valid(new_with_old, now_s) && is_signed_by(new_with_new, new_with_new) &&
           is_signed_by(new_with_old, known) && X509_cmp(new_with_new, known) != 0;
}

X509 *
signet_cmp_genp_prove_root(struct signet_bytes value, X509 *known, gint64 now_s)
{
    struct signet_der content, root, tagged, link;

    if (!signet_der_expect(&value, SIGNET_DER_SEQUENCE, &content) || value.size > 0 ||
        !signet_der_expect(&content.content, SIGNET_DER_SEQUENCE, &root) ||
        !signet_der_expect(&content.content, SIGNET_DER_CONTEXT(0), &tagged) ||
        !signet_der_expect(&tagged.content, SIGNET_DER_SEQUENCE, &link) || tagged.content.size > 0)
        return NULL;
    g_autoptr(X509) new_with_new = read_certificate(root.whole);
    g_autoptr(X509) new_with_old = read_certificate(link.whole);
    gboolean is_good =
        new_with_new && new_with_old && is_proven(new_with_new, new_with_old, known, now_s);

    ERR_clear_error();
    return is_good ? g_steal_pointer(&new_with_new) : NULL;
}
