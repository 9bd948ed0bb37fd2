/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* SHA-256 to sixteen characters that can be read aloud. */

#include "policy/device-code.h"

#define BYTES 10
#define GROUP 4

char *
signet_device_code(gconstpointer spki, gsize size)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* no I, L, O, U */
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    GString *code = g_string_new(NULL);
    guint8 digest[32];
    gsize digest_size = sizeof(digest);
    guint bits = 0;
    guint n_bits = 0;

    g_checksum_update(checksum, spki, (gssize)size);
    g_checksum_get_digest(checksum, digest, &digest_size);
    for (guint i = 0; i < BYTES; i++) {
        bits = bits << 8 | digest[i];
        for (n_bits += 8; n_bits >= 5; n_bits -= 5) {
            if (code->len % (GROUP + 1) == GROUP)
                g_string_append_c(code, '-');
            g_string_append_c(code, letters[bits >> (n_bits - 5) & 31]);
        }
    }
    return g_string_free(code, FALSE);
}
