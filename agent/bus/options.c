/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What callers write in an a{sv} of options and in the name of a signature scheme. */

#include "agent/bus/options.h"

#include <string.h>

/* The salt that a 4096 bit modulus leaves room for with the shortest digest (RFC 8017 9.1.1). */
#define SALT_MAX 478

static const struct {
    const char *prefix;
    guint32 scheme;
} schemes[] = {
    {"ecdsa-", SIGNET_SCHEME_ECDSA},
    {"rsa-pkcs1-", SIGNET_SCHEME_RSA_PKCS1},
    {"rsa-pss-", SIGNET_SCHEME_RSA_PSS},
};

static const struct {
    const char *name;
    guint32 hash;
} hashes[] = {
    {"sha256", SIGNET_HASH_SHA256},
    {"sha384", SIGNET_HASH_SHA384},
    {"sha512", SIGNET_HASH_SHA512},
};

static gboolean
parse_scheme(const char *text, SignetKeyScheme *ret_scheme)
{
    SignetKeyScheme scheme = {0};

    if (g_str_equal(text, "ed25519")) {
        *ret_scheme = (SignetKeyScheme) {.scheme = SIGNET_SCHEME_EDDSA};
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
        gsize size = strlen(schemes[i].prefix);

        if (strncmp(text, schemes[i].prefix, size) != 0)
            continue;
        scheme.scheme = schemes[i].scheme;
        for (gsize j = 0; j < G_N_ELEMENTS(hashes); j++) {
            if (g_str_equal(text + size, hashes[j].name))
                scheme.hash = hashes[j].hash;
        }
    }
    if (!scheme.scheme || !scheme.hash)
        return FALSE;
    if (scheme.scheme == SIGNET_SCHEME_RSA_PSS) {
        scheme.mgf1_hash = scheme.hash;
        scheme.salt_len = (guint16)signet_hash_size(scheme.hash);
    }
    *ret_scheme = scheme;
    return TRUE;
}

static gboolean
refuse_type(const char *key, GVariant *value, GError **error)
{
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "option '%s' cannot be of type '%s'",
                            key, g_variant_get_type_string(value));
}

static gboolean
take_uint32(const char *key, GVariant *value, guint32 *ret_number, GError **error)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return refuse_type(key, value, error);
    *ret_number = g_variant_get_uint32(value);
    return TRUE;
}

static gboolean
take_boolean(const char *key, GVariant *value, gboolean *ret_flag, GError **error)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return refuse_type(key, value, error);
    *ret_flag = g_variant_get_boolean(value);
    return TRUE;
}

static gboolean
take_salt_length(GVariant *value, SignetKeyScheme *scheme, GError **error)
{
    guint32 length = 0;

    if (!take_uint32("salt_length", value, &length, error))
        return FALSE;
    if (scheme->scheme != SIGNET_SCHEME_RSA_PSS)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "option 'salt_length' is for rsa-pss only");
    if (length > SALT_MAX)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "a salt of %u bytes is longer than any key has room for", length);
    scheme->salt_len = (guint16)length;
    return TRUE;
}

static gboolean
take_sign_option(const char *key, GVariant *value, SignetSignOptions *parsed, GError **error)
{
    if (g_str_equal(key, "generation"))
        return take_uint32(key, value, &parsed->generation, error);
    if (g_str_equal(key, "digest"))
        return take_boolean(key, value, &parsed->is_digest, error);
    if (g_str_equal(key, "salt_length"))
        return take_salt_length(value, &parsed->scheme, error);
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "there is no option '%s'", key);
}

gboolean
signet_sign_options_parse(const char *scheme, GVariant *options, SignetSignOptions *ret_options,
                          GError **error)
{
    SignetSignOptions parsed = {0};
    GVariantIter iter;
    const char *key = NULL;
    GVariant *value = NULL;
    gboolean ok = TRUE;

    if (!parse_scheme(scheme, &parsed.scheme))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "'%s' is no signature scheme; write ed25519, or ecdsa-, rsa-pkcs1- "
                                "or rsa-pss- and sha256, sha384 or sha512",
                                scheme);
    g_variant_iter_init(&iter, options);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        ok = take_sign_option(key, value, &parsed, error);
        g_variant_unref(value);
    }
    if (ok)
        *ret_options = parsed;
    return ok;
}

static gboolean
take_unlock_option(const char *key, GVariant *value, SignetTokenUnlock *parsed, GError **error)
{
    if (g_str_equal(key, "last_try"))
        return take_boolean(key, value, &parsed->last_try, error);
    if (g_str_equal(key, "again"))
        return take_boolean(key, value, &parsed->again, error);
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "there is no option '%s'", key);
}

gboolean
signet_unlock_options_parse(GVariant *options, SignetTokenUnlock *ret_unlock, GError **error)
{
    SignetTokenUnlock parsed = *ret_unlock;
    GVariantIter iter;
    const char *key = NULL;
    GVariant *value = NULL;
    gboolean ok = TRUE;

    g_variant_iter_init(&iter, options);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        ok = take_unlock_option(key, value, &parsed, error);
        g_variant_unref(value);
    }
    if (ok)
        *ret_unlock = parsed;
    return ok;
}

gboolean
signet_rotate_options_parse(GVariant *options, gboolean *ret_no_wait, GError **error)
{
    GVariantIter iter;
    const char *key = NULL;
    GVariant *value = NULL;
    gboolean no_wait = FALSE, ok = TRUE;

    g_variant_iter_init(&iter, options);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        ok = g_str_equal(key, "no_wait") ? take_boolean(key, value, &no_wait, error)
                                         : signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                                            "there is no option '%s'", key);
        g_variant_unref(value);
    }
    if (ok)
        *ret_no_wait = no_wait;
    return ok;
}
