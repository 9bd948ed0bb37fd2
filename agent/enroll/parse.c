/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Strict reading of requests and certificates with libcrypto. */

#include "agent/enroll/parse.h"

#include <string.h>
#include <time.h>

#include "agent/base/error.h"

/* ecdsa-with-SHA256 and an empty signature: libcrypto reads only whole, signed objects. */
static const guint8 dummy_signature[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
                                         0x3d, 0x04, 0x03, 0x02, 0x03, 0x01, 0x00};

char *
signet_openssl_dup_reason(void)
{
    static const char ours[] = "signet: ";
    g_autofree char *text = NULL;
    const char *data = NULL;
    int flags = 0;
    unsigned long code = 0;

    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);
        const char *words = flags & ERR_TXT_STRING ? data : "";

        if (g_str_has_prefix(words, ours)) {
            ERR_clear_error();
            return g_strdup(words + strlen(ours));
        }
        if (!text)
            text = g_strdup_printf("%s%s%s", reason ? reason : "unknown reason",
                                   words[0] ? ": " : "", words);
    }
    return text ? g_steal_pointer(&text) : g_strdup("unknown reason");
}

static GByteArray *
wrap_unsigned(GBytes *message)
{
    gsize size = g_bytes_get_size(message);
    gsize body = size + sizeof(dummy_signature);
    guint8 head[] = {0x30, 0x83, body >> 16, body >> 8, body};
    GByteArray *wrapped = g_byte_array_sized_new(sizeof(head) + body);

    if (body < 0x80) {
        head[1] = body;
        g_byte_array_append(wrapped, head, 2);
    } else if (body < 0x100) {
        head[1] = 0x81;
        head[2] = body;
        g_byte_array_append(wrapped, head, 3);
    } else if (body < 0x10000) {
        guint8 two[] = {0x30, 0x82, body >> 8, body};
        g_byte_array_append(wrapped, two, sizeof(two));
    } else {
        g_byte_array_append(wrapped, head, sizeof(head));
    }
    g_byte_array_append(wrapped, g_bytes_get_data(message, NULL), size);
    g_byte_array_append(wrapped, dummy_signature, sizeof(dummy_signature));
    return wrapped;
}

/* What libcrypto would write is what was read: BER and hidden bytes do not pass. Takes the
 * encoding. */
static gboolean
is_same_encoding(guint8 *encoded, int size, gconstpointer data, gsize data_size)
{
    gboolean is_same =
        encoded && size >= 0 && (gsize)size == data_size && memcmp(encoded, data, data_size) == 0;

    OPENSSL_free(encoded);
    return is_same;
}

X509_REQ *
signet_parse_request_info(GBytes *message, GError **error)
{
    g_autoptr(X509_REQ) request = NULL;
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(message, &size);

    if (size > 0 && size < 0xffff00) {
        g_autoptr(GByteArray) wrapped = wrap_unsigned(message);
        const guint8 *at = wrapped->data;
        guint8 *encoded = NULL;

        request = d2i_X509_REQ(NULL, &at, wrapped->len);
        int encoded_size = request ? i2d_re_X509_REQ_tbs(request, &encoded) : -1;
        if (!is_same_encoding(encoded, encoded_size, data, size) ||
            at != wrapped->data + wrapped->len)
            g_clear_pointer(&request, X509_REQ_free);
    }
    if (!request) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "it is not a PKCS#10 request in DER");
        return NULL;
    }
    return g_steal_pointer(&request);
}

X509 *
signet_parse_tbs(GBytes *message, GError **error)
{
    g_autoptr(X509) certificate = NULL;
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(message, &size);

    if (size > 0 && size <= SIGNET_CERTIFICATE_MAX) {
        g_autoptr(GByteArray) wrapped = wrap_unsigned(message);
        const guint8 *at = wrapped->data;
        guint8 *encoded = NULL;

        certificate = d2i_X509(NULL, &at, wrapped->len);
        int encoded_size = certificate ? i2d_re_X509_tbs(certificate, &encoded) : -1;
        if (!is_same_encoding(encoded, encoded_size, data, size) ||
            at != wrapped->data + wrapped->len)
            g_clear_pointer(&certificate, X509_free);
    }
    if (!certificate) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "it is not a certificate in DER of at most %u bytes",
                         SIGNET_CERTIFICATE_MAX);
        return NULL;
    }
    return g_steal_pointer(&certificate);
}

X509 *
signet_parse_certificate(GBytes *der, GError **error)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    const guint8 *at = data;

    if (size == 0 || size > SIGNET_CERTIFICATE_MAX) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "a certificate of %" G_GSIZE_FORMAT " bytes, 1 to %u are taken", size,
                         SIGNET_CERTIFICATE_MAX);
        return NULL;
    }
    g_autoptr(X509) certificate = d2i_X509(NULL, &at, (long)size);
    if (!certificate || at != data + size) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "it is not a certificate in DER");
        return NULL;
    }
    return g_steal_pointer(&certificate);
}

gint64
signet_parse_time(const ASN1_TIME *time)
{
    struct tm parts = {0};

    if (!time || !ASN1_TIME_to_tm(time, &parts))
        return G_MININT64;
    return timegm(&parts);
}

GBytes *
signet_parse_dup_spki(X509_PUBKEY *key)
{
    guint8 *der = NULL;
    int size = key ? i2d_X509_PUBKEY(key, &der) : -1;
    GBytes *spki = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;

    OPENSSL_free(der);
    return spki;
}

gpointer
signet_parse_extension(const STACK_OF(X509_EXTENSION) * extensions, int nid, gboolean *ret_broken)
{
    int critical = 0;
    gpointer value = X509V3_get_d2i(extensions, nid, &critical, NULL);

    /* -1: absent; -2: more than once; otherwise it is there, so without a value it could not be
     * read */
    if (!value && critical != -1) {
        ERR_clear_error();
        *ret_broken = TRUE;
    }
    return value;
}
