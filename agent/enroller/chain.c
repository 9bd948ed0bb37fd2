/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* From a heap of certificates to a chain. */

#include "agent/enroller/chain.h"

#include "agent/base/error.h"
#include "agent/enroll/parse.h"
#include "agent/enroller/answer.h"
#include "provider/wire/limits.h"

#define CHAIN_MAX        9 /* the agent takes ten, an anchor among them perhaps */
#define ANCHORS_MAX      8
#define ANCHORS_SIZE_MAX 8192u

static X509 *
find_leaf(const SignetJobRequest *job, SignetX509Stack *found)
{
    for (int i = 0; i < sk_X509_num(found); i++) {
        X509 *certificate = sk_X509_value(found, i);
        g_autoptr(GBytes) spki = signet_parse_dup_spki(X509_get_X509_PUBKEY(certificate));

        if (spki && g_bytes_equal(spki, job->spki))
            return certificate;
    }
    return NULL;
}

static gboolean
is_issuer(X509 *issuer, X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    gboolean is_it = X509_check_issued(issuer, certificate) == X509_V_OK && key &&
                     X509_verify(certificate, key) == 1;

    ERR_clear_error();
    return is_it;
}

/* The same certificate, made anew to last longer. */
static gboolean
is_longer(const X509 *a, const X509 *b)
{
    return X509_NAME_cmp(X509_get_issuer_name(a), X509_get_issuer_name(b)) == 0 &&
           signet_parse_time(X509_get0_notAfter(a)) > signet_parse_time(X509_get0_notAfter(b));
}

static X509 *
find_issuer(SignetX509Stack *list, X509 *certificate)
{
    X509 *issuer = NULL;

    for (int i = 0; i < sk_X509_num(list); i++) {
        X509 *candidate = sk_X509_value(list, i);

        if ((!issuer || is_longer(candidate, issuer)) && is_issuer(candidate, certificate))
            issuer = candidate;
    }
    return issuer;
}

static gboolean
append(GByteArray *out, X509 *certificate, gsize max)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);
    gboolean fits = size > 0 && out->len + (gsize)size <= max;

    if (fits)
        g_byte_array_append(out, der, (guint)size);
    OPENSSL_free(der);
    return fits;
}

static gboolean
is_self_signed(X509 *certificate)
{
    return X509_self_signed(certificate, 1) == 1;
}

/* The last one that was reached: a root, or the highest there is. NULL: too long. */
static X509 *
append_path(GByteArray *out, X509 *leaf, SignetX509Stack *found, SignetX509Stack *authorities)
{
    X509 *at = leaf;

    for (int i = 0; i < CHAIN_MAX; i++) {
        if (!append(out, at, SIGNET_WIRE_CHAIN_MAX))
            return NULL;
        X509 *issuer = find_issuer(found, at);
        if (!issuer)
            issuer = find_issuer(authorities, at);
        if (!issuer || issuer == at)
            return at;
        if (is_self_signed(issuer))
            return issuer;
        at = issuer;
    }
    return NULL;
}

/* The root of the path first, so that it is there if not all fit. */
static void
append_anchors(GByteArray *out, X509 *top, SignetX509Stack *authorities)
{
    int n = 0;

    if (find_issuer(authorities, top) && append(out, top, ANCHORS_SIZE_MAX))
        n++;
    for (int i = 0; i < sk_X509_num(authorities) && n < ANCHORS_MAX; i++) {
        X509 *authority = sk_X509_value(authorities, i);

        if (X509_cmp(authority, top) != 0 && is_self_signed(authority) &&
            append(out, authority, ANCHORS_SIZE_MAX))
            n++;
    }
    ERR_clear_error();
}

gboolean
signet_chain_is_strong(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    int digest = NID_undef, key = NID_undef;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, &key) == 1 && digest != NID_md5 &&
           digest != NID_md4 && digest != NID_md2 && digest != NID_sha1;
}

void
signet_chain_append_roots(GByteArray *out, SignetX509Stack *authorities)
{
    int n = 0;

    for (int i = 0; i < sk_X509_num(authorities) && n < ANCHORS_MAX; i++) {
        X509 *authority = sk_X509_value(authorities, i);

        if (is_self_signed(authority) && append(out, authority, ANCHORS_SIZE_MAX))
            n++;
    }
    ERR_clear_error();
}

gboolean
signet_chain_build(const SignetJobRequest *job, SignetX509Stack *found,
                   SignetX509Stack *authorities, SignetEnrollerOutcome *outcome, GError **error)
{
    X509 *leaf = find_leaf(job, found);
    X509 *top;

    if (!leaf)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the answer holds no certificate for the new key");
    g_byte_array_set_size(outcome->chain, 0);
    g_byte_array_set_size(outcome->anchors, 0);
    top = append_path(outcome->chain, leaf, found, authorities);
    if (!top) {
        g_byte_array_set_size(outcome->chain, 0);
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the chain of the certificate is longer than %d, or larger than %u "
                                "bytes",
                                CHAIN_MAX, SIGNET_WIRE_CHAIN_MAX);
    }
    append_anchors(outcome->anchors, top, authorities);
    return TRUE;
}

gboolean
signet_chain_build_given(const SignetJobRequest *job, SignetX509Stack *found,
                         SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(SignetX509Stack) authorities =
        signet_answer_add_anchors(found, job->remote.anchors, error);

    if (!authorities || !signet_chain_build(job, found, authorities, outcome, error))
        return FALSE;
    if (outcome->anchors->len > 0)
        return TRUE;
    g_byte_array_set_size(outcome->chain, 0);
    return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the CA's root is not there; add it to the certificates, or name it in "
                            "Trust= of the CA");
}
