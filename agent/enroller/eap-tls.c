/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* EAP-TLS between memory BIOs. */

#include "agent/enroller/eap-tls.h"

#include <openssl/err.h>
#include <string.h>

#define FRAGMENT 1000 /* of TLS in one response: with all around it less than any link's MTU */
#define MESSAGE_MAX \
    (64 * 1024) /* RFC 5216 3.1 has four bytes for it; a chain of certificates fits */

enum { REQUEST = 1, RESPONSE = 2 };
enum { IDENTITY = 1, NOTIFICATION = 2, NAK = 3, TLS = 13 };
enum { HAS_LENGTH = 0x80, HAS_MORE = 0x40, IS_START = 0x20 };

struct SignetEapTls {
    SSL *ssl;        /* (owned) */
    char *user;      /* (owned) */
    GByteArray *in;  /* (owned) a message whose fragments are still coming */
    GByteArray *out; /* (owned) the last message … */
    guint sent;      /* … so much of which has been sent */
    gboolean is_begun;
    gboolean is_complete;
    gboolean is_confirmed;
    unsigned long failure;
};

/* A request taken apart. */
typedef struct {
    guint8 identifier;
    guint8 type;
    guint8 flags; /* TLS only */
    guint32 length;
    const guint8 *data;
    guint size;
} Request;

SignetEapTls *
signet_eap_tls_new(SSL_CTX *context, const char *user)
{
    SignetEapTls *eap = g_new0(SignetEapTls, 1);

    eap->ssl = SSL_new(context);
    eap->user = g_strdup(user);
    eap->in = g_byte_array_new();
    eap->out = g_byte_array_new();
    if (eap->ssl) {
        SSL_set_bio(eap->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(eap->ssl);
    }
    return eap;
}

void
signet_eap_tls_free(SignetEapTls *eap)
{
    SSL_free(eap->ssl);
    g_free(eap->user);
    g_byte_array_unref(eap->in);
    g_byte_array_unref(eap->out);
    g_free(eap);
}

/* --- packets --- */

static gboolean
read_tls(Request *request)
{
    if (request->size < 1)
        return FALSE;
    request->flags = request->data[0];
    request->data++;
    request->size--;
    if (!(request->flags & HAS_LENGTH))
        return TRUE;
    if (request->size < 4)
        return FALSE;
    for (guint i = 0; i < 4; i++)
        request->length = request->length << 8 | request->data[i];
    request->data += 4;
    request->size -= 4;
    return request->length <= MESSAGE_MAX;
}

static gboolean
read_request(const GByteArray *packet, Request *ret_request)
{
    const guint8 *data = packet->data;

    if (packet->len < 5 || data[0] != REQUEST || ((guint)data[2] << 8 | data[3]) != packet->len)
        return FALSE;
    *ret_request = (Request) {
        .identifier = data[1], .type = data[4], .data = data + 5, .size = packet->len - 5};
    return ret_request->type != TLS || read_tls(ret_request);
}

static void
write_response(GByteArray *response, guint8 identifier, guint8 type, gconstpointer data, guint size)
{
    guint length = 5 + size;
    const guint8 head[] = {RESPONSE, identifier, (guint8)(length >> 8), (guint8)length, type};

    g_byte_array_set_size(response, 0);
    g_byte_array_append(response, head, sizeof(head));
    g_byte_array_append(response, data, size);
}

/* The next fragment of what is to be sent; nothing at all is an acknowledgement. */
static void
write_fragment(SignetEapTls *eap, guint8 identifier, GByteArray *response)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    guint size = MIN(eap->out->len - eap->sent, FRAGMENT);
    gboolean is_first = eap->sent == 0;
    gboolean has_more = eap->sent + size < eap->out->len;
    const guint8 flags =
        (guint8)((is_first && has_more ? HAS_LENGTH : 0) | (has_more ? HAS_MORE : 0));
    const guint32 length = GUINT32_TO_BE(eap->out->len);

    g_byte_array_append(body, &flags, 1);
    if (flags & HAS_LENGTH)
        g_byte_array_append(body, (const guint8 *)&length, sizeof(length));
    if (size > 0)
        g_byte_array_append(body, eap->out->data + eap->sent, size);
    eap->sent += size;
    write_response(response, identifier, TLS, body->data, body->len);
}

/* --- TLS --- */

static void
take_failure(SignetEapTls *eap)
{
    eap->failure = ERR_peek_last_error();
    if (eap->failure == 0)
        eap->failure = ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
    ERR_clear_error();
}

/* Behind the handshake comes with TLS 1.3 one byte of zero, or an alert. */
static void
read_indication(SignetEapTls *eap)
{
    guint8 byte = 0;
    int n = SSL_read(eap->ssl, &byte, 1);
    int code = SSL_get_error(eap->ssl, n);

    if (n == 1 && byte == 0)
        eap->is_confirmed = TRUE;
    else if (code == SSL_ERROR_SSL || code == SSL_ERROR_SYSCALL)
        take_failure(eap);
    ERR_clear_error();
}

/* As far as TLS gets with what has come. */
static void
drive(SignetEapTls *eap)
{
    char *data = NULL;

    ERR_clear_error();
    if (!eap->is_complete && eap->failure == 0) {
        int rc = SSL_do_handshake(eap->ssl);

        eap->is_complete = rc == 1;
        if (rc != 1 && SSL_get_error(eap->ssl, rc) != SSL_ERROR_WANT_READ)
            take_failure(eap);
        else if (rc == 1 && SSL_version(eap->ssl) < TLS1_3_VERSION)
            eap->is_confirmed = TRUE;
    }
    if (eap->is_complete && eap->failure == 0)
        read_indication(eap);
    long size = BIO_get_mem_data(SSL_get_wbio(eap->ssl), &data);
    g_byte_array_set_size(eap->out, 0);
    if (size > 0)
        g_byte_array_append(eap->out, (const guint8 *)data, (guint)size);
    eap->sent = 0;
    (void)BIO_reset(SSL_get_wbio(eap->ssl));
}

/* --- the conversation --- */

static gboolean
take_fragment(SignetEapTls *eap, const Request *request, GError **error)
{
    if (eap->in->len + request->size > MESSAGE_MAX)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "sends a message of TLS of more than %d bytes", MESSAGE_MAX);
    if (request->size > 0)
        g_byte_array_append(eap->in, request->data, request->size);
    if (request->flags & HAS_MORE)
        return TRUE;
    if (eap->in->len > 0)
        (void)BIO_write(SSL_get_rbio(eap->ssl), eap->in->data, (int)eap->in->len);
    g_byte_array_set_size(eap->in, 0);
    return TRUE;
}

static gboolean
answer_tls(SignetEapTls *eap, const Request *request, GByteArray *ret_response, GError **error)
{
    gboolean is_start = (request->flags & IS_START) != 0;

    if (is_start == eap->is_begun)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "begins EAP-TLS %s",
                                is_start ? "twice" : "without a start");
    eap->is_begun = TRUE;
    if (eap->sent < eap->out->len) {
        if (request->size > 0)
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "sends TLS in the place of an acknowledgement");
        write_fragment(eap, request->identifier, ret_response);
        return TRUE;
    }
    if (!take_fragment(eap, request, error))
        return FALSE;
    g_byte_array_set_size(eap->out, 0);
    eap->sent = 0;
    if (!(request->flags & HAS_MORE))
        drive(eap);
    write_fragment(eap, request->identifier, ret_response);
    return TRUE;
}

void
signet_eap_tls_begin(SignetEapTls *eap, GByteArray *ret_response)
{
    write_response(ret_response, 0, IDENTITY, eap->user, (guint)strlen(eap->user));
}

gboolean
signet_eap_tls_answer(SignetEapTls *eap, const GByteArray *packet, GByteArray *ret_response,
                      GError **error)
{
    static const guint8 wish[] = {TLS};
    Request request;

    if (!eap->ssl || !read_request(packet, &request))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "sends a challenge without a request of EAP that can be read");
    switch (request.type) {
    case IDENTITY:
        write_response(ret_response, request.identifier, IDENTITY, eap->user,
                       (guint)strlen(eap->user));
        return TRUE;
    case NOTIFICATION:
        write_response(ret_response, request.identifier, NOTIFICATION, NULL, 0);
        return TRUE;
    case TLS:
        return answer_tls(eap, &request, ret_response, error);
    default: /* numbers, not an enum of ours: RFC 3748 5.3.1 */
        write_response(ret_response, request.identifier, NAK, wish, sizeof(wish));
        return TRUE;
    }
}

gboolean
signet_eap_tls_is_begun(const SignetEapTls *eap)
{
    return eap->is_begun;
}

gboolean
signet_eap_tls_is_complete(const SignetEapTls *eap)
{
    return eap->is_complete;
}

gboolean
signet_eap_tls_is_confirmed(const SignetEapTls *eap)
{
    return eap->is_confirmed;
}

unsigned long
signet_eap_tls_get_failure(const SignetEapTls *eap)
{
    return eap->failure;
}
