/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Decodes answers. */

#include "agent/enroller/answer.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/parse.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)

static const char begin[] = "-----BEGIN ";

static gboolean
is_white(guint8 byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* What stands between the first pair of dashed lines. FALSE when there is none. */
static gboolean
strip_dashes(const guint8 **data, gsize *size)
{
    const guint8 *line = memchr(*data, '\n', *size);
    const guint8 *end;

    if (!line)
        return FALSE;
    *size -= (gsize)(line + 1 - *data);
    *data = line + 1;
    end = memmem(*data, *size, "-----END ", strlen("-----END "));
    if (!end)
        return FALSE;
    *size = (gsize)(end - *data);
    return TRUE;
}

static int
value_of(guint8 byte)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = byte ? strchr(alphabet, byte) : NULL;

    return found ? (int)(found - alphabet) : -1;
}

/* RFC 4648 section 4, with white space anywhere; NULL for any other byte or a wrong end. */
static GByteArray *
decode_base64(const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)(size / 4 * 3 + 3));
    guint32 bits = 0;
    guint n = 0; /* characters of the group */
    guint padding = 0;

    for (gsize i = 0; i < size; i++) {
        int value = value_of(data[i]);

        if (is_white(data[i]))
            continue;
        if (data[i] == '=' && n >= 2)
            padding++;
        else if (value < 0 || padding > 0)
            return NULL;
        bits = bits << 6 | (guint32)MAX(value, 0);
        if (++n < 4)
            continue;
        const guint8 bytes[3] = {(guint8)(bits >> 16), (guint8)(bits >> 8), (guint8)bits};
        g_byte_array_append(out, bytes, 3 - padding);
        n = 0;
    }
    return n == 0 ? g_steal_pointer(&out) : NULL;
}

GBytes *
signet_answer_decode(const guint8 *data, gsize size, GError **error)
{
    g_autoptr(GByteArray) bytes = NULL;

    /* DER of a sequence begins with '0', its base64 with 'M' */
    if (size > 0 && data[0] == 0x30)
        return g_bytes_new(data, size);
    /* libest's server sends the end of its string along */
    while (size > 0 && data[size - 1] == '\0')
        size--;
    while (size > 0 && is_white(data[0])) {
        data++;
        size--;
    }
    if (size > strlen(begin) && memcmp(data, begin, strlen(begin)) == 0 &&
        !strip_dashes(&data, &size))
        size = 0;
    bytes = decode_base64(data, size);
    if (bytes && bytes->len > 0)
        return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
    signet_error_set(error, SIGNET_ERROR_CORRUPT, "the answer is neither DER nor base64");
    return NULL;
}

static PKCS7 *
parse_pkcs7(OSSL_LIB_CTX *library, GBytes *der)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(der, &size);
    const guint8 *end = at + size;
    PKCS7 *envelope = PKCS7_new_ex(library, NULL);

    if (!d2i_PKCS7(&envelope, &at, (long)size))
        return NULL; /* it has been freed */
    if (at == end && PKCS7_type_is_signed(envelope) && envelope->d.sign)
        return envelope;
    PKCS7_free(envelope);
    return NULL;
}

/* Into a context of our own, and as strictly as every certificate is read. */
static gboolean
add_certificate(SignetX509Stack *list, X509 *certificate)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);
    g_autoptr(GBytes) bytes = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;
    X509 *copy = bytes ? signet_parse_certificate(bytes, NULL) : NULL;

    OPENSSL_free(der);
    if (copy)
        sk_X509_push(list, copy);
    return copy != NULL;
}

SignetX509Stack *
signet_answer_read_certificates(OSSL_LIB_CTX *library, GBytes *der, GError **error)
{
    g_autoptr(PKCS7) envelope = parse_pkcs7(library, der);
    g_autoptr(SignetX509Stack) list = sk_X509_new_null();
    int n = envelope ? MAX(sk_X509_num(envelope->d.sign->cert), 0) : 0;

    ERR_clear_error();
    if (!envelope || n == 0) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "%s",
                         envelope ? "the answer holds no certificate"
                                  : "the answer is not PKCS#7 with certificates");
        return NULL;
    }
    if (n > SIGNET_ANSWER_CERTIFICATES_MAX) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "the answer holds %d certificates, at most %d are taken", n,
                         SIGNET_ANSWER_CERTIFICATES_MAX);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        if (add_certificate(list, sk_X509_value(envelope->d.sign->cert, i)))
            continue;
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "certificate %d of the answer cannot be read",
                         i + 1);
        return NULL;
    }
    return g_steal_pointer(&list);
}

/* NULL: one of them cannot be read, or there are too many. */
static SignetX509Stack *
read_pem(const guint8 *data, gsize size)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
    g_autoptr(SignetX509Stack) list = sk_X509_new_null();
    X509 *certificate;
    gboolean is_good = TRUE;

    while (is_good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        is_good = sk_X509_num(list) < SIGNET_ANSWER_CERTIFICATES_MAX &&
                  add_certificate(list, certificate);
        X509_free(certificate);
    }
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (!is_good || sk_X509_num(list) == 0 || (code && ERR_GET_REASON(code) != PEM_R_NO_START_LINE))
        return NULL;
    return g_steal_pointer(&list);
}

static SignetX509Stack *
read_one(GBytes *der)
{
    g_autoptr(SignetX509Stack) list = sk_X509_new_null();
    X509 *certificate = signet_parse_certificate(der, NULL);

    ERR_clear_error();
    if (!certificate)
        return NULL;
    sk_X509_push(list, certificate);
    return g_steal_pointer(&list);
}

SignetX509Stack *
signet_answer_read_any(OSSL_LIB_CTX *library, GBytes *answer, GError **error)
{
    static const char mark[] = "-----BEGIN CERTIFICATE-----";
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(answer, &size);
    SignetX509Stack *list;

    if (size > 0 && memmem(data, size, mark, strlen(mark))) {
        list = read_pem(data, size);
        if (!list)
            signet_error_set(error, SIGNET_ERROR_CORRUPT,
                             "a certificate in it cannot be read, or they are more than %d",
                             SIGNET_ANSWER_CERTIFICATES_MAX);
        return list;
    }
    g_autoptr(GBytes) der = signet_answer_decode(data, size, error);
    list = der ? read_one(der) : NULL;
    return list || !der ? list : signet_answer_read_certificates(library, der, error);
}

SignetX509Stack *
signet_answer_add_anchors(const SignetX509Stack *found, GBytes *anchors, GError **error)
{
    g_autoptr(SignetX509Stack) all = X509_chain_up_ref((SignetX509Stack *)found);
    gsize size = 0;
    const guint8 *at = anchors ? g_bytes_get_data(anchors, &size) : NULL;
    const guint8 *end = size ? at + size : at;

    while (at < end) {
        X509 *anchor = d2i_X509(NULL, &at, (long)(end - at));

        if (!anchor) {
            ERR_clear_error();
            signet_error_set(error, SIGNET_ERROR_CORRUPT, "the job's trust anchors cannot be read");
            return NULL;
        }
        sk_X509_push(all, anchor);
    }
    return g_steal_pointer(&all);
}
