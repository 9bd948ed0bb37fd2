/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* RADIUS packets. */

#include "agent/enroller/radius.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define ACCESS_REQUEST 1
#define HEADER         20 /* code, identifier, length, authenticator */
#define VALUE_MAX      253
#define MAC            16
#define WORDS_MAX      200

/* Types of attributes */
enum {
    USER_NAME = 1,
    REPLY_MESSAGE = 18,
    STATE = 24,
    NAS_IDENTIFIER = 32,
    EAP_MESSAGE = 79,
    MESSAGE_AUTHENTICATOR = 80
};

/* RFC 2869 5.14 */
static gboolean
make_mac(OSSL_LIB_CTX *library, const SignetSecret *secret, const guint8 *packet, gsize size,
         guint8 *ret_mac)
{
    gsize secret_size = 0;
    gsize mac_size = 0;
    const guint8 *key = signet_secret_get(secret, &secret_size);

    return EVP_Q_mac(library, "HMAC", NULL, "MD5", NULL, key, secret_size, packet, size, ret_mac,
                     MAC, &mac_size) &&
           mac_size == MAC;
}

/* RFC 2865 section 3: MD5(Code+ID+Length+RequestAuth+Attributes+Secret) */
static gboolean
make_digest(OSSL_LIB_CTX *library, const SignetSecret *secret, const guint8 *packet, gsize size,
            guint8 *ret_digest)
{
    gsize secret_size = 0;
    gconstpointer key = signet_secret_get(secret, &secret_size);
    EVP_MD *md5 = EVP_MD_fetch(library, "MD5", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean is_made = md5 && context && EVP_DigestInit_ex2(context, md5, NULL) &&
                       EVP_DigestUpdate(context, packet, size) &&
                       EVP_DigestUpdate(context, key, secret_size) &&
                       EVP_DigestFinal_ex(context, ret_digest, NULL);

    EVP_MD_CTX_free(context);
    EVP_MD_free(md5);
    return is_made;
}

/* --- requests --- */

static void
append(GByteArray *packet, guint8 type, gconstpointer value, gsize size)
{
    const guint8 head[] = {type, (guint8)(size + 2)};

    g_byte_array_append(packet, head, sizeof(head));
    g_byte_array_append(packet, value, (guint)size);
}

GByteArray *
signet_radius_request_make(OSSL_LIB_CTX *library, const SignetRadiusRequest *request,
                           const SignetSecret *secret)
{
    static const char nas[] = "signet-canary";
    static const guint8 no_mac[MAC];
    g_autoptr(GByteArray) packet = g_byte_array_new();
    const guint8 head[] = {ACCESS_REQUEST, request->identifier, 0, 0};
    gsize state_size = request->state ? g_bytes_get_size(request->state) : 0;

    if (strlen(request->user) > VALUE_MAX || state_size > VALUE_MAX)
        return NULL;
    g_byte_array_append(packet, head, sizeof(head));
    g_byte_array_append(packet, request->authenticator, SIGNET_RADIUS_AUTHENTICATOR);
    append(packet, MESSAGE_AUTHENTICATOR, no_mac, MAC);
    append(packet, USER_NAME, request->user, strlen(request->user));
    append(packet, NAS_IDENTIFIER, nas, strlen(nas));
    if (request->state)
        append(packet, STATE, g_bytes_get_data(request->state, NULL), state_size);
    for (guint at = 0; at < request->eap->len; at += VALUE_MAX)
        append(packet, EAP_MESSAGE, request->eap->data + at,
               MIN(request->eap->len - at, VALUE_MAX));
    if (packet->len > SIGNET_RADIUS_MAX)
        return NULL;
    packet->data[2] = (guint8)(packet->len >> 8);
    packet->data[3] = (guint8)packet->len;
    if (!make_mac(library, secret, packet->data, packet->len, packet->data + HEADER + 2)) {
        ERR_clear_error();
        return NULL;
    }
    return g_steal_pointer(&packet);
}

/* --- answers --- */

void
signet_radius_reply_clear(SignetRadiusReply *reply)
{
    g_clear_pointer(&reply->eap, g_byte_array_unref);
    g_clear_pointer(&reply->state, g_bytes_unref);
    if (reply->words)
        g_string_free(reply->words, TRUE);
    reply->words = NULL;
}

static void
append_words(GString *words, const guint8 *text, gsize size)
{
    for (gsize i = 0; i < size && words->len < WORDS_MAX; i++)
        g_string_append_c(words, g_ascii_isprint(text[i]) ? (char)text[i] : ' ');
}

/* FALSE: there may be one only. */
static gboolean
take_attribute(SignetRadiusReply *reply, guint8 type, const guint8 *value, gsize size,
               gsize *ret_mac_at, gsize at)
{
    switch (type) {
    case EAP_MESSAGE:
        g_byte_array_append(reply->eap, value, (guint)size);
        return TRUE;
    case REPLY_MESSAGE:
        append_words(reply->words, value, size);
        return TRUE;
    case STATE:
        if (reply->state)
            return FALSE;
        reply->state = g_bytes_new(value, size);
        return TRUE;
    case MESSAGE_AUTHENTICATOR:
        if (*ret_mac_at || size != MAC)
            return FALSE;
        *ret_mac_at = at;
        return TRUE;
    default: /* numbers, not an enum of ours: what else there may be is not needed */
        return TRUE;
    }
}

/* *ret_mac_at: where the Message-Authenticator's value is; 0: there is none. */
static gboolean
take_attributes(SignetRadiusReply *reply, const guint8 *packet, gsize length, gsize *ret_mac_at)
{
    gsize at = HEADER;

    *ret_mac_at = 0;
    while (at < length) {
        gsize size = at + 1 < length ? packet[at + 1] : 0;

        if (size < 2 || size > length - at ||
            !take_attribute(reply, packet[at], packet + at + 2, size - 2, ret_mac_at, at + 2))
            return FALSE;
        at += size;
    }
    return TRUE;
}

/* packet: with the request's authenticator in the place of its own. */
static gboolean
is_proved(OSSL_LIB_CTX *library, GByteArray *packet, const guint8 *authenticator, gsize mac_at,
          const SignetSecret *secret)
{
    guint8 given[MAC], mac[MAC], digest[MAC];

    if (!make_digest(library, secret, packet->data, packet->len, digest))
        return FALSE;
    memcpy(given, packet->data + mac_at, MAC);
    memset(packet->data + mac_at, 0, MAC);
    return make_mac(library, secret, packet->data, packet->len, mac) &&
           CRYPTO_memcmp(mac, given, MAC) == 0 && CRYPTO_memcmp(digest, authenticator, MAC) == 0;
}

static gboolean
is_answer_to(const guint8 *data, gsize size, const SignetRadiusRequest *request, gsize *ret_length)
{
    *ret_length = size >= HEADER ? (gsize)data[2] << 8 | data[3] : 0;
    if (*ret_length < HEADER || *ret_length > size || *ret_length > SIGNET_RADIUS_MAX ||
        data[1] != request->identifier)
        return FALSE;
    return data[0] == SIGNET_RADIUS_ACCEPT || data[0] == SIGNET_RADIUS_REJECT ||
           data[0] == SIGNET_RADIUS_CHALLENGE;
}

SignetRadiusVerdict
signet_radius_reply_read(OSSL_LIB_CTX *library, const guint8 *data, gsize size,
                         const SignetRadiusRequest *request, const SignetSecret *secret,
                         SignetRadiusReply *ret_reply)
{
    g_auto(SignetRadiusReply) reply = {0};
    g_autoptr(GByteArray) packet = g_byte_array_new();
    gsize length = 0;
    gsize mac_at = 0;

    if (!is_answer_to(data, size, request, &length))
        return SIGNET_RADIUS_MALFORMED;
    reply.code = data[0];
    reply.eap = g_byte_array_new();
    reply.words = g_string_new(NULL);
    if (!take_attributes(&reply, data, length, &mac_at))
        return SIGNET_RADIUS_MALFORMED;
    g_byte_array_append(packet, data, (guint)length);
    memcpy(packet->data + 4, request->authenticator, SIGNET_RADIUS_AUTHENTICATOR);
    if (mac_at == 0 || !is_proved(library, packet, data + 4, mac_at, secret)) {
        ERR_clear_error();
        return SIGNET_RADIUS_UNPROVED;
    }
    *ret_reply = reply;
    reply = (SignetRadiusReply) {0};
    return SIGNET_RADIUS_TAKEN;
}
