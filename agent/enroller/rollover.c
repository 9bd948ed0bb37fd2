/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Compares what a CA shows of itself with what it showed. */

#include "agent/enroller/rollover.h"

#include "agent/enroll/findings.h"
#include "agent/enroll/parse.h"

#define PATH_MAX_LENGTH 10

static gboolean
is_self_signed(X509 *certificate)
{
    return X509_self_signed(certificate, 1) == 1;
}

/* The same CA, if with another certificate: name and key. */
static gboolean
is_same_ca(const X509 *a, const X509 *b)
{
    EVP_PKEY *key_a = X509_get0_pubkey(a), *key_b = X509_get0_pubkey(b);

    return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 && key_a &&
           key_b && EVP_PKEY_eq(key_a, key_b) == 1;
}

static gboolean
has_ca(const SignetX509Stack *list, const X509 *ca)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        if (is_same_ca(sk_X509_value(list, i), ca))
            return TRUE;
    }
    return FALSE;
}

/* NULL: not among them, or the certificate is its own issuer. */
static X509 *
find_issuer(const SignetX509Stack *list, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        X509 *candidate = sk_X509_value(list, i);
        EVP_PKEY *key = X509_get0_pubkey(candidate);

        if (key && candidate != certificate &&
            X509_check_issued(candidate, certificate) == X509_V_OK &&
            X509_verify(certificate, key) == 1)
            return candidate;
    }
    return NULL;
}

static gint64
begin_of(const X509 *certificate)
{
    return signet_parse_time(X509_get0_notBefore(certificate));
}

static gboolean
is_any_above_offered(const SignetX509Stack *offered, const SignetX509Stack *known, X509 *leaf)
{
    X509 *at = find_issuer(known, leaf);

    for (int i = 0; at && i < PATH_MAX_LENGTH; i++) {
        if (has_ca(offered, at))
            return TRUE;
        at = is_self_signed(at) ? NULL : find_issuer(known, at);
    }
    return FALSE;
}

static gboolean
is_any_root_new(const SignetX509Stack *offered, const SignetX509Stack *known)
{
    for (int i = 0; i < sk_X509_num(offered); i++) {
        X509 *ca = sk_X509_value(offered, i);

        if (is_self_signed(ca) && !has_ca(known, ca))
            return TRUE;
    }
    return FALSE;
}

/* An issuing CA beside that of the certificate, certified after it. */
static gboolean
is_any_issuer_younger(const SignetX509Stack *offered, const X509 *leaf)
{
    for (int i = 0; i < sk_X509_num(offered); i++) {
        X509 *ca = sk_X509_value(offered, i);

        if (!is_self_signed(ca) && X509_check_ca(ca) > 0 && begin_of(ca) > begin_of(leaf))
            return TRUE;
    }
    return FALSE;
}

/* Of the same name, with another key, certified after the certificate. */
static gboolean
has_successor(const SignetX509Stack *offered, const X509 *issuer, const X509 *leaf)
{
    for (int i = 0; i < sk_X509_num(offered); i++) {
        X509 *ca = sk_X509_value(offered, i);

        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_get_subject_name(issuer)) == 0 &&
            !is_same_ca(ca, issuer) && begin_of(ca) > begin_of(leaf))
            return TRUE;
    }
    return FALSE;
}

static gint64
end_of(const X509 *certificate)
{
    return signet_parse_time(X509_get0_notAfter(certificate));
}

/* The same name and key in a younger certificate that lasts longer. */
static gboolean
is_prolonged(const SignetX509Stack *offered, const X509 *ca, const X509 *leaf)
{
    for (int i = 0; i < sk_X509_num(offered); i++) {
        X509 *other = sk_X509_value(offered, i);

        if (is_same_ca(other, ca) && end_of(other) > end_of(ca) && begin_of(other) > begin_of(leaf))
            return TRUE;
    }
    return FALSE;
}

/* What ends before the certificate that it is to certify. */
static gboolean
is_any_above_prolonged(const SignetX509Stack *offered, const SignetX509Stack *known, X509 *leaf)
{
    X509 *at = find_issuer(known, leaf);

    for (int i = 0; at && i < PATH_MAX_LENGTH; i++) {
        if (end_of(at) < end_of(leaf) && is_prolonged(offered, at, leaf))
            return TRUE;
        at = is_self_signed(at) ? NULL : find_issuer(known, at);
    }
    return FALSE;
}

static const char *
find_reason(const SignetX509Stack *offered, const SignetX509Stack *known, X509 *leaf, X509 *issuer)
{
    if (!is_any_above_offered(offered, known, leaf) && is_any_root_new(offered, known))
        return "the CA has other roots now";
    if (!has_ca(offered, issuer) && is_any_issuer_younger(offered, leaf))
        return "the CA issues with another CA certificate now";
    if (has_successor(offered, issuer, leaf))
        return "the CA has a new key";
    if (is_any_above_prolonged(offered, known, leaf))
        return "the CA has a certificate now that lasts longer than the one above it";
    return NULL;
}

void
signet_rollover_judge(const SignetX509Stack *offered, const SignetX509Stack *known,
                      SignetFindings *findings)
{
    X509 *leaf = sk_X509_value(known, 0);
    X509 *issuer = leaf ? find_issuer(known, leaf) : NULL;
    const char *reason = issuer ? find_reason(offered, known, leaf, issuer) : NULL;

    ERR_clear_error();
    findings->is_leaving = reason != NULL;
    signet_findings_set_words(findings->issuer_words,
                              !issuer  ? "not known: its certificate is not there"
                              : reason ? reason
                                       : "the CA goes on with it");
}
