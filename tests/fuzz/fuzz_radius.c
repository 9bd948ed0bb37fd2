/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of a RADIUS canary. The first byte says what follows: a datagram (made the answer to
 * the request and proved, so that what is behind the proof is reached, or left as it is), or
 * requests of EAP, one after the other, each behind two bytes of size. */

#include <stdlib.h>

#include "agent/enroller/eap-tls.h"
#include "agent/enroller/radius.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/radius.h"

#define SECRET "testing123"

static SignetSecret *secret;
static SSL_CTX *context;

static void
prepare(void)
{
    if (context)
        return;
    secret = signet_secret_new(SECRET, strlen(SECRET));
    context = SSL_CTX_new(TLS_client_method());
    if (!context)
        abort();
}

static void
try_datagram(const uint8_t *data, size_t size, gboolean is_proved)
{
    static const SignetRadiusRequest request = {.identifier = 1};
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_auto(SignetRadiusReply) reply = {0};

    g_byte_array_append(packet, data, (guint)size);
    if (is_proved && size >= 20 && size <= SIGNET_RADIUS_MAX) {
        packet->data[1] = 1;
        radius_seal(packet, request.authenticator, SECRET);
    }
    if (signet_radius_reply_read(NULL, packet->data, packet->len, &request, secret, &reply) ==
            SIGNET_RADIUS_TAKEN &&
        (reply.eap->len > SIGNET_RADIUS_MAX ||
         (reply.state && g_bytes_get_size(reply.state) > 253)))
        abort();
}

static void
try_conversation(const uint8_t *data, size_t size)
{
    g_autoptr(SignetEapTls) eap = signet_eap_tls_new(context, "user");
    g_autoptr(GByteArray) response = g_byte_array_new();

    signet_eap_tls_begin(eap, response);
    while (size >= 2) {
        size_t part = MIN((size_t)data[0] << 8 | data[1], size - 2);
        g_autoptr(GByteArray) request = g_byte_array_new();

        g_byte_array_append(request, data + 2, (guint)part);
        if (!signet_eap_tls_answer(eap, request, response, NULL))
            return;
        if (response->len < 5 || response->len > 1400 || response->data[0] != 2)
            abort();
        data += 2 + part;
        size -= 2 + part;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prepare();
    if (size == 0)
        return 0;
    if (data[0] % 3 == 2)
        try_conversation(data + 1, size - 1);
    else
        try_datagram(data + 1, size - 1, data[0] % 3 == 1);
    return 0;
}
