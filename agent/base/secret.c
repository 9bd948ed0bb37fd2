/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Bytes that must not leak: locked in memory where the limit allows, cleansed when freed, never
 * printable. */

#include "agent/base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/base/registers.h"

#define READ_MAX 1024

struct SignetSecret {
    gatomicrefcount references;
    guint8
        *data; /* (owned) pages of its own: heap neighbours never share a locked or undumped page */
    gsize size;
    gsize mapped;
};

static SignetSecret *
secret_alloc(gsize size)
{
    gsize page = (gsize)sysconf(_SC_PAGESIZE);
    SignetSecret *secret = g_new0(SignetSecret, 1);

    g_atomic_ref_count_init(&secret->references);
    secret->size = size;
    secret->mapped = (size / page + 1) * page;
    secret->data =
        mmap(NULL, secret->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret->data == MAP_FAILED)
        g_error("cannot map %" G_GSIZE_FORMAT " bytes for a secret: %s", secret->mapped,
                g_strerror(errno));

    /* Best effort each: a low RLIMIT_MEMLOCK or an old kernel must not stop the agent. */
    (void)mlock(secret->data, secret->mapped);
    (void)madvise(secret->data, secret->mapped, MADV_DONTDUMP);
    (void)madvise(secret->data, secret->mapped, MADV_WIPEONFORK);
    return secret;
}

SignetSecret *
signet_secret_new(gconstpointer data, gsize size)
{
    SignetSecret *secret = secret_alloc(size);

    if (size > 0)
        memcpy(secret->data, data, size);
    signet_registers_cleanse();
    return secret;
}

SignetSecret *
signet_secret_new_random(gsize size)
{
    SignetSecret *secret = secret_alloc(size);
    gsize done = 0;

    while (done < size) {
        gssize got = getrandom(secret->data + done, size - done, 0);

        if (got < 0 && errno != EINTR)
            g_error("cannot get random bytes from the kernel: %s", g_strerror(errno));
        if (got > 0)
            done += (gsize)got;
    }
    return secret;
}

/* -1 with errno. */
static gssize
read_all(int fd, char *text, gsize size)
{
    gsize done = 0;

    while (done < size) {
        gssize got = read(fd, text + done, size - done);

        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            done += (gsize)got;
    }
    return (gssize)done;
}

SignetSecret *
signet_secret_read(int fd, gsize max_size)
{
    char text[READ_MAX + 3];
    gssize size = read_all(fd, text, MIN(max_size, READ_MAX) + 3);
    SignetSecret *secret = NULL;

    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    if (size > 0 && (gsize)size <= max_size)
        secret = signet_secret_new(text, (gsize)size);
    else if (size >= 0)
        errno = size == 0 ? ENODATA : EFBIG;
    explicit_bzero(text, sizeof text);
    return secret;
}

SignetSecret *
signet_secret_ref(SignetSecret *secret)
{
    g_atomic_ref_count_inc(&secret->references);
    return secret;
}

void
signet_secret_unref(SignetSecret *secret)
{
    if (!secret || !g_atomic_ref_count_dec(&secret->references))
        return;
    explicit_bzero(secret->data, secret->mapped);
    munmap(secret->data, secret->mapped);
    g_free(secret);
}

gconstpointer
signet_secret_get(const SignetSecret *secret, gsize *ret_size)
{
    if (ret_size)
        *ret_size = secret->size;
    return secret->data;
}

/* --- as GBytes --- */

/* The size stands before the bytes, so that the free function knows what to cleanse. */
typedef struct {
    gsize size;
    guint8 data[];
} Block;

static void
block_free(gpointer data)
{
    Block *block = data;

    explicit_bzero(block->data, block->size);
    g_free(block);
}

GBytes *
signet_secret_bytes_new(gconstpointer data, gsize size)
{
    Block *block = g_malloc(sizeof *block + size);

    block->size = size;
    if (size > 0)
        memcpy(block->data, data, size);
    signet_registers_cleanse();
    return g_bytes_new_with_free_func(block->data, size, block_free, block);
}
