/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Certificates as they travel: DER, one after the other. */

#include "agent/door/chain.h"

#include "provider/wire/der.h"

GBytes *
signet_chain_join(const GPtrArray *chain)
{
    GByteArray *joined = g_byte_array_new();

    for (guint i = 0; chain && i < chain->len; i++) {
        gsize size;
        const guint8 *der = g_bytes_get_data(chain->pdata[i], &size);

        g_byte_array_append(joined, der, (guint)size);
    }
    return g_byte_array_free_to_bytes(joined);
}

GPtrArray *
signet_chain_split(const guint8 *data, gsize size)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    struct signet_bytes rest = {data, size};
    struct signet_der certificate;

    while (rest.size > 0) {
        if (!signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &certificate))
            return NULL;
        g_ptr_array_add(chain, g_bytes_new(certificate.whole.data, certificate.whole.size));
    }
    return g_steal_pointer(&chain);
}
