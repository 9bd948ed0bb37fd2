/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a public key is, by libcrypto. */

#include "agent/token/spki.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

/* As in Key= of the policy. */
static char *
dup_name(EVP_PKEY *pkey)
{
    char group[32] = "";

    if (EVP_PKEY_is_a(pkey, "RSA"))
        return g_strdup_printf("rsa:%d", EVP_PKEY_get_bits(pkey));
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return g_strdup("ed25519");
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        !EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                        NULL))
        return NULL;
    const char *nist = EC_curve_nid2nist(OBJ_sn2nid(group));
    return g_strconcat("ec:", nist ? nist : group, NULL);
}

guint32
signet_spki_key_type(GBytes *spki)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(spki, &size);
    g_autoptr(EVP_PKEY) pkey = d2i_PUBKEY(NULL, &der, (long)size);
    g_autofree char *name = pkey ? dup_name(pkey) : NULL;

    ERR_clear_error();
    return name ? signet_key_type_from_name(name) : 0;
}

GBytes *
signet_spki_of_certificate(GBytes *certificate)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(certificate, &size);
    g_autoptr(X509) x509 = d2i_X509(NULL, &der, (long)size);
    g_autoptr(EVP_PKEY) pkey = x509 ? X509_get_pubkey(x509) : NULL;
    unsigned char *out = NULL;
    int out_size = pkey ? i2d_PUBKEY(pkey, &out) : -1;
    GBytes *spki = out_size > 0 ? g_bytes_new(out, (gsize)out_size) : NULL;

    OPENSSL_free(out);
    ERR_clear_error();
    return spki;
}
