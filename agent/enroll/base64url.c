/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* base64url, strictly. */

#include "agent/enroll/base64url.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
signet_base64url_encode(gconstpointer data, gsize size)
{
    char *text = g_base64_encode(data, size);

    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

GBytes *
signet_base64url_decode(const char *text, gsize size)
{
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)(size / 4 * 3 + 3));
    guint32 bits = 0;
    guint n_bits = 0;

    for (gsize i = 0; i < size; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (!found)
            return NULL;
        bits = (bits << 6 | (guint32)(found - alphabet)) & 0xfff;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        guint8 byte = (guint8)(bits >> n_bits);
        g_byte_array_append(out, &byte, 1);
    }
    if (n_bits >= 6 || bits & ((1u << n_bits) - 1))
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}
