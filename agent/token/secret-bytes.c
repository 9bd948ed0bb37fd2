/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The size stands before the bytes, so that the free function knows what to cleanse. */

#include "agent/token/secret-bytes.h"

#include <openssl/crypto.h>
#include <string.h>

typedef struct {
    gsize size;
    guint8 data[];
} Block;

static void
block_free(gpointer data)
{
    Block *block = data;

    OPENSSL_cleanse(block->data, block->size);
    g_free(block);
}

GBytes *
signet_secret_bytes_new(gconstpointer data, gsize size)
{
    Block *block = g_malloc(sizeof *block + size);

    block->size = size;
    if (size > 0)
        memcpy(block->data, data, size);
    return g_bytes_new_with_free_func(block->data, size, block_free, block);
}
