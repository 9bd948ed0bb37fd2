/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Does what is asked for fit the key? */

#include "agent/broker/fit.h"

#define POINT_UNCOMPRESSED 4

static gboolean
check_pss(guint bits, const SignetKeyScheme *scheme, GError **error)
{
    gsize room = (bits - 1 + 7) / 8;
    gsize need = signet_hash_size(scheme->hash) + scheme->salt_len + 2; /* RFC 8017 9.1.1 */

    if (signet_hash_size(scheme->mgf1_hash) == 0)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "RSA-PSS needs a digest for MGF1; %u is none", scheme->mgf1_hash);
    if (need > room)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "a salt of %u bytes does not fit an RSA key of %u bits",
                                scheme->salt_len, bits);
    return TRUE;
}

/* RFC 8032 5.1: the message itself, not one of the variants for digests. */
static gboolean
check_eddsa(const SignetUse *use, GError **error)
{
    if (!use->is_digest && use->scheme.hash == SIGNET_HASH_NONE)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                            "cannot sign with '%s': Ed25519 signs messages, not digests",
                            use->identity);
}

static gboolean
check_sign_scheme(const SignetUse *use, const SignetKey *key, GError **error)
{
    gboolean has_hash = signet_hash_size(use->scheme.hash) > 0;
    gboolean fits = signet_scheme_family(use->scheme.scheme) == signet_key_type_family(key->type) &&
                    use->scheme.scheme != SIGNET_SCHEME_RSA_OAEP &&
                    use->scheme.scheme != SIGNET_SCHEME_ECDH;

    if (!fits)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "cannot sign with '%s': scheme '%s' does not fit its key (%s)",
                                use->identity, signet_scheme_name(use->scheme.scheme),
                                signet_key_type_name(key->type));
    if (use->scheme.scheme == SIGNET_SCHEME_EDDSA)
        return check_eddsa(use, error);
    if (!has_hash && !(use->is_digest && use->scheme.hash == SIGNET_HASH_NONE &&
                       use->scheme.scheme == SIGNET_SCHEME_RSA_PKCS1))
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "cannot sign with '%s': digest %u is not one of this agent's",
                                use->identity, use->scheme.hash);
    return use->scheme.scheme != SIGNET_SCHEME_RSA_PSS ||
           check_pss(signet_key_type_bits(key->type), &use->scheme, error);
}

static gboolean
check_digest_size(const SignetUse *use, const SignetKey *key, GError **error)
{
    gsize size = g_bytes_get_size(use->data);
    gsize wanted = signet_hash_size(use->scheme.hash);
    gsize room = signet_key_type_bits(key->type) / 8 - 11; /* RFC 8017 9.2; only with HASH_NONE */

    if (wanted > 0 ? size == wanted : size <= room)
        return TRUE;
    return signet_error_set(
        error, SIGNET_ERROR_BAD_REQUEST,
        "cannot sign with '%s': a digest of %" G_GSIZE_FORMAT " bytes is not a %s", use->identity,
        size, wanted > 0 ? signet_hash_name(use->scheme.hash) : "fit for its key");
}

gboolean
signet_fit_signature(const SignetUse *use, const SignetKey *key, GError **error)
{
    return check_sign_scheme(use, key, error) &&
           (!use->is_digest || check_digest_size(use, key, error));
}

gboolean
signet_fit_decryption(const SignetUse *use, const SignetKey *key, GError **error)
{
    gboolean fits =
        signet_key_type_is_rsa(key->type) && (use->scheme.scheme == SIGNET_SCHEME_RSA_PKCS1 ||
                                              use->scheme.scheme == SIGNET_SCHEME_RSA_OAEP);

    if (!fits)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "cannot decrypt with '%s': scheme '%s' does not fit its key (%s)",
                                use->identity, signet_scheme_name(use->scheme.scheme),
                                signet_key_type_name(key->type));
    if (use->scheme.scheme == SIGNET_SCHEME_RSA_OAEP &&
        (signet_hash_size(use->scheme.hash) == 0 || signet_hash_size(use->scheme.mgf1_hash) == 0))
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "cannot decrypt with '%s': RSA-OAEP needs two digests; %u and %u "
                                "are not both of this agent's",
                                use->identity, use->scheme.hash, use->scheme.mgf1_hash);
    if (g_bytes_get_size(use->data) != signet_key_type_bits(key->type) / 8)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "cannot decrypt with '%s': the ciphertext is not as long as its "
                                "key",
                                use->identity);
    return TRUE;
}

gboolean
signet_fit_derivation(const SignetUse *use, const SignetKey *key, GError **error)
{
    gsize size;
    const guint8 *point = g_bytes_get_data(use->data, &size);

    if (signet_key_type_is_ec(key->type) &&
        size == 1 + 2 * (gsize)((signet_key_type_bits(key->type) + 7) / 8) &&
        point[0] == POINT_UNCOMPRESSED)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                            "cannot derive with '%s': not a point for its key (%s)", use->identity,
                            signet_key_type_name(key->type));
}
