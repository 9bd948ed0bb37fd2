/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The server's side of RADIUS packets, for tests. */

#pragma once

#include <glib.h>
#include <openssl/evp.h>
#include <string.h>

/* Length, Message-Authenticator (where there is one: of 16 bytes, whatever it holds) and Response
 * Authenticator (RFC 2865 section 3, RFC 2869 5.14) of a whole packet. */
static inline void
radius_seal(GByteArray *packet, const guint8 *request_authenticator, const char *secret)
{
    g_autoptr(GByteArray) digested = NULL;
    unsigned digest_size = 0;
    gsize mac_size = 0;
    guint mac_at = 0;

    packet->data[2] = (guint8)(packet->len >> 8);
    packet->data[3] = (guint8)packet->len;
    memcpy(packet->data + 4, request_authenticator, 16);
    for (guint at = 20; at + 1 < packet->len && packet->data[at + 1] >= 2;
         at += packet->data[at + 1]) {
        if (packet->data[at] == 80 && packet->data[at + 1] == 18 && at + 18 <= packet->len)
            mac_at = at + 2;
    }
    if (mac_at) {
        memset(packet->data + mac_at, 0, 16);
        EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, secret, strlen(secret), packet->data,
                  packet->len, packet->data + mac_at, 16, &mac_size);
    }
    digested = g_byte_array_new();
    g_byte_array_append(digested, packet->data, packet->len);
    g_byte_array_append(digested, (const guint8 *)secret, (guint)strlen(secret));
    EVP_Digest(digested->data, digested->len, packet->data + 4, &digest_size, EVP_md5(), NULL);
}
