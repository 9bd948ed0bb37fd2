/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The chain is found from the leaf upwards by the issuers' names. */

#include "agent/enroll/bundle.h"

#include "agent/base/error.h"
#include "agent/enroll/parse.h"

static SignetX509Stack *
parse_all(GPtrArray *certificates, GError **error)
{
    g_autoptr(SignetX509Stack) stack = sk_X509_new_null();

    if (certificates->len > SIGNET_BUNDLE_MAX) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "these are %u certificates, at most %u are taken", certificates->len,
                         SIGNET_BUNDLE_MAX);
        return NULL;
    }
    for (guint i = 0; i < certificates->len; i++) {
        X509 *x509 = signet_parse_certificate(certificates->pdata[i], error);

        if (!x509) {
            g_prefix_error(error, "certificate %u: ", i + 1);
            return NULL;
        }
        sk_X509_push(stack, x509);
    }
    return g_steal_pointer(&stack);
}

static gboolean
is_self_issued(X509 *x509)
{
    return X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
}

/* -1: none */
static int
find_leaf(SignetX509Stack *stack, GBytes *spki)
{
    for (int i = 0; i < sk_X509_num(stack); i++) {
        g_autoptr(GBytes) own =
            signet_parse_dup_spki(X509_get_X509_PUBKEY(sk_X509_value(stack, i)));

        if (own && g_bytes_equal(own, spki))
            return i;
    }
    return -1;
}

/* -1: none but perhaps an anchor */
static int
find_issuer(SignetX509Stack *stack, X509 *x509)
{
    for (int i = 0; i < sk_X509_num(stack); i++) {
        X509 *other = sk_X509_value(stack, i);

        if (!is_self_issued(other) && X509_check_issued(other, x509) == X509_V_OK)
            return i;
    }
    return -1;
}

gboolean
signet_bundle_sort(GPtrArray *certificates, GBytes *spki, GPtrArray **ret_chain,
                   GPtrArray **ret_anchors, GError **error)
{
    g_autoptr(SignetX509Stack) stack = parse_all(certificates, error);
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    int at = stack ? find_leaf(stack, spki) : -1;

    if (!stack)
        return FALSE;
    if (at < 0)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND,
                                "none of the certificates has the key's public half");
    while (at >= 0 && chain->len < certificates->len) {
        g_ptr_array_add(chain, g_bytes_ref(certificates->pdata[at]));
        at = is_self_issued(sk_X509_value(stack, at))
                 ? -1
                 : find_issuer(stack, sk_X509_value(stack, at));
    }
    for (int i = 0; i < sk_X509_num(stack); i++) {
        if (is_self_issued(sk_X509_value(stack, i)))
            g_ptr_array_add(anchors, g_bytes_ref(certificates->pdata[i]));
    }
    *ret_chain = g_steal_pointer(&chain);
    *ret_anchors = g_steal_pointer(&anchors);
    return TRUE;
}
