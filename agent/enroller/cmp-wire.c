/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Carries CMP messages. */

#include "agent/enroller/cmp-wire.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroller/cmp-words.h"
#include "agent/enroller/refusal.h"
#include "provider/wire/der.h"
#include "provider/wire/limits.h"

#define CONTENT_TYPE "application/pkixcmp"
#define ANSWER_MAX   ((gsize)256 * 1024)

/* PKIBody's alternatives that libcrypto's headers do not name (RFC 4210 5.1.2) */
enum { IP = 1, CP = 3, KUP = 8, GENP = 22, POLL_REP = 26 };

void
signet_cmp_wire_clear(SignetCmpWire *wire)
{
    g_clear_pointer(&wire->waiting, g_bytes_unref);
    g_clear_pointer(&wire->polled, g_bytes_unref);
    g_clear_pointer(&wire->general, g_bytes_unref);
    g_queue_clear_full(&wire->replay, (GDestroyNotify)g_bytes_unref);
    g_clear_pointer(&wire->complaint, g_free);
    g_clear_error(&wire->failure);
}

static GBytes *
write_message(const OSSL_CMP_MSG *message)
{
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *data = NULL;

    if (!bio || i2d_OSSL_CMP_MSG_bio(bio, message) <= 0)
        return NULL;
    long size = BIO_get_mem_data(bio, &data);
    return g_bytes_new(data, (gsize)size);
}

static OSSL_CMP_MSG *
read_message(GBytes *der)
{
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(der, &size);
    g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
    OSSL_CMP_MSG *message = bio && size > 0 ? d2i_OSSL_CMP_MSG_bio(bio, NULL) : NULL;

    if (message && BIO_pending(bio) == 0)
        return message;
    OSSL_CMP_MSG_free(message);
    ERR_clear_error();
    return NULL;
}

/* RFC 6712 3.3: a server may say an error message in any status. */
static GBytes *
ask(SignetCmpWire *wire, GBytes *body, GError **error)
{
    g_auto(SignetHttpResponse) response = {0};
    const SignetHttpRequest request = {.url = wire->url,
                                       .body = body,
                                       .content_type = CONTENT_TYPE,
                                       .accept = CONTENT_TYPE,
                                       .body_max = ANSWER_MAX,
                                       .is_plain_enough = TRUE,
                                       .is_kept = TRUE};

    if (!signet_http_do(wire->http, &request, &response, error))
        return NULL;
    gboolean is_cmp = g_strcmp0(response.content_type, CONTENT_TYPE) == 0;
    if (response.status != 200 && !is_cmp) {
        signet_refusal_set(&response, "the request", error);
        return NULL;
    }
    return g_bytes_new(response.body->data, response.body->len);
}

static void
keep(GBytes **slot, GBytes *der)
{
    g_clear_pointer(slot, g_bytes_unref);
    *slot = g_bytes_ref(der);
}

static OSSL_CMP_MSG *
take_answer(SignetCmpWire *wire, GBytes *der)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    OSSL_CMP_MSG *message = read_message(der);
    int type = message ? OSSL_CMP_MSG_get_bodytype(message) : -1;

    g_clear_pointer(&wire->complaint, g_free);
    wire->complaint = signet_cmp_words_of_error(data, size);
    if (!message)
        signet_error_set(&wire->failure, SIGNET_ERROR_CORRUPT,
                         "the answer of '%s' is not a CMP message", wire->url);
    if (type == IP || type == CP || type == KUP)
        keep(&wire->waiting, der);
    if (type == GENP)
        keep(&wire->general, der);
    if (type == POLL_REP)
        keep(&wire->polled, der);
    return message;
}

/* As if it had just arrived: it answers a request that another process sent. */
static OSSL_CMP_MSG *
replay(SignetCmpWire *wire, OSSL_CMP_CTX *cmp)
{
    g_autoptr(GBytes) der = g_queue_pop_head(&wire->replay);
    OSSL_CMP_MSG *message = take_answer(wire, der);
    const ASN1_OCTET_STRING *nonce =
        message ? OSSL_CMP_HDR_get0_recipNonce(OSSL_CMP_MSG_get0_header(message)) : NULL;

    if (nonce)
        OSSL_CMP_CTX_set1_senderNonce(cmp, nonce);
    return message;
}

static OSSL_CMP_MSG *
transfer(OSSL_CMP_CTX *cmp, const OSSL_CMP_MSG *request)
{
    SignetCmpWire *wire = OSSL_CMP_CTX_get_transfer_cb_arg(cmp);
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GBytes) answer = NULL;

    g_clear_error(&wire->failure);
    if (!g_queue_is_empty(&wire->replay))
        return replay(wire, cmp);
    wire->is_asked = TRUE;
    body = write_message(request);
    if (!body) {
        signet_crypto_fail(&wire->failure, "cannot write the request");
        return NULL;
    }
    answer = ask(wire, body, &wire->failure);
    return answer ? take_answer(wire, answer) : NULL;
}

void
signet_cmp_wire_connect(SignetCmpWire *wire, OSSL_CMP_CTX *cmp)
{
    OSSL_CMP_CTX_set_transfer_cb(cmp, transfer);
    OSSL_CMP_CTX_set_transfer_cb_arg(cmp, wire);
}

/* --- from one process to the next --- */

static void
append(GByteArray *state, GBytes *bytes)
{
    gsize size = 0;
    const guint8 *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    g_byte_array_append(state, data, (guint)size);
}

GBytes *
signet_cmp_wire_dup_state(const SignetCmpWire *wire, guint8 tag)
{
    g_autoptr(GByteArray) state = g_byte_array_new();

    g_byte_array_append(state, &tag, 1);
    append(state, wire->waiting);
    append(state, wire->polled);
    if (!wire->waiting || !wire->polled || state->len > SIGNET_WIRE_STATE_MAX)
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&state));
}

gboolean
signet_cmp_wire_resume(SignetCmpWire *wire, OSSL_CMP_CTX *cmp, GBytes *state)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(state, &size);
    struct signet_bytes rest = {data + 1, size > 0 ? size - 1 : 0};
    struct signet_der waiting, polled;

    if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &waiting) ||
        !signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &polled) || rest.size > 0)
        return FALSE;
    GBytes *first = g_bytes_new(waiting.whole.data, waiting.whole.size);
    g_queue_push_tail(&wire->replay, first);
    g_queue_push_tail(&wire->replay, g_bytes_new(polled.whole.data, polled.whole.size));
    OSSL_CMP_MSG *message = read_message(first);
    const ASN1_OCTET_STRING *id =
        message ? OSSL_CMP_HDR_get0_transactionID(OSSL_CMP_MSG_get0_header(message)) : NULL;
    gboolean is_set = id && OSSL_CMP_CTX_set1_transactionID(cmp, id);
    OSSL_CMP_MSG_free(message);
    return is_set;
}
