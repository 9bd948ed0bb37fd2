/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One key and the certificate issued for it, as a value. */

#include "agent/store/generation.h"

#include <openssl/x509.h>

static gboolean
time_to_s(const ASN1_TIME *time, gint64 *ret_s)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(time, &tm))
        return FALSE;
    *ret_s = (gint64)timegm(&tm);
    return TRUE;
}

static X509 *
parse(GBytes *certificate)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(certificate, &size);

    return d2i_X509(NULL, &der, (long)size);
}

static void
read_validity(GBytes *leaf, gint64 *ret_not_before_s, gint64 *ret_not_after_s)
{
    X509 *x509 = parse(leaf);

    if (x509 && (!time_to_s(X509_get0_notBefore(x509), ret_not_before_s) ||
                 !time_to_s(X509_get0_notAfter(x509), ret_not_after_s)))
        *ret_not_before_s = *ret_not_after_s = 0;
    X509_free(x509);
}

/* Of several anchors that may have signed it the one that lasts longest counts. 0: none. */
static gint64
find_anchor_end(const X509 *top, const GPtrArray *anchors)
{
    gint64 end_s = 0;

    for (guint i = 0; i < anchors->len; i++) {
        X509 *anchor = parse(anchors->pdata[i]);
        gint64 anchor_end_s = 0;

        if (anchor &&
            X509_NAME_cmp(X509_get_subject_name(anchor), X509_get_issuer_name(top)) == 0 &&
            time_to_s(X509_get0_notAfter(anchor), &anchor_end_s))
            end_s = MAX(end_s, anchor_end_s);
        X509_free(anchor);
    }
    return end_s;
}

/* A path is valid as long as each certificate on it is (RFC 5280 6.1.3). */
static gint64
find_issuer_end(const GPtrArray *chain, const GPtrArray *anchors)
{
    gint64 end_s = 0;

    for (guint i = 0; i < chain->len; i++) {
        X509 *certificate = parse(chain->pdata[i]);
        gint64 here_s = 0;
        gint64 above_s =
            certificate && i == chain->len - 1 ? find_anchor_end(certificate, anchors) : 0;

        if (certificate && i > 0 && time_to_s(X509_get0_notAfter(certificate), &here_s))
            end_s = end_s ? MIN(end_s, here_s) : here_s;
        if (above_s)
            end_s = end_s ? MIN(end_s, above_s) : above_s;
        X509_free(certificate);
    }
    return end_s;
}

static GPtrArray *
ref_or_empty(GPtrArray *array)
{
    return array ? g_ptr_array_ref(array)
                 : g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
}

SignetGeneration *
signet_generation_new(guint32 number, const char *token, SignetKey *key, gint64 created_s,
                      GPtrArray *chain, GPtrArray *anchors)
{
    SignetGeneration *generation = g_atomic_rc_box_new0(SignetGeneration);

    generation->number = number;
    generation->token = g_strdup(token);
    generation->key = signet_key_ref(key);
    generation->created_s = created_s;
    generation->chain = ref_or_empty(chain);
    generation->anchors = ref_or_empty(anchors);
    if (generation->chain->len > 0)
        read_validity(generation->chain->pdata[0], &generation->not_before_s,
                      &generation->not_after_s);
    generation->issuer_after_s = find_issuer_end(generation->chain, generation->anchors);
    return generation;
}

SignetGeneration *
signet_generation_ref(SignetGeneration *generation)
{
    return g_atomic_rc_box_acquire(generation);
}

static void
generation_clear(gpointer data)
{
    SignetGeneration *generation = data;

    g_free(generation->token);
    signet_key_unref(generation->key);
    g_ptr_array_unref(generation->chain);
    g_ptr_array_unref(generation->anchors);
}

void
signet_generation_unref(SignetGeneration *generation)
{
    g_atomic_rc_box_release_full(generation, generation_clear);
}
