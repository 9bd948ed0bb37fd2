/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Stands before two functions of libcrypto. A new library context loads its providers and their
 * tables of algorithms anew, 0.25 ms each time: five sixths of what a signature on a software TPM
 * takes. A used one differs in nothing but that they are loaded. Two users never have the same one
 * at a time. Nobody else in the agent makes contexts. */

#include "agent/token/tpm/recycle.h"

#include <dlfcn.h>
#include <glib.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

#define KEPT_MAX 8

typedef OSSL_LIB_CTX *(*NewFunction)(void);
typedef void (*FreeFunction)(OSSL_LIB_CTX *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards everything below */
static gboolean recycles;
static OSSL_LIB_CTX *kept[KEPT_MAX]; /* (owned) */
static guint kept_count;

/* libcrypto's own; *ret_function is a pointer to a function. */
static void
find_real(const char *name, void *ret_function)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (!symbol)
        g_error("libcrypto has no %s", name);
    memcpy(ret_function, &symbol, sizeof symbol);
}

static OSSL_LIB_CTX *
take(void)
{
    OSSL_LIB_CTX *context;

    pthread_mutex_lock(&mutex);
    context = kept_count > 0 ? kept[--kept_count] : NULL;
    pthread_mutex_unlock(&mutex);
    return context;
}

static gboolean
keep(OSSL_LIB_CTX *context)
{
    gboolean has_room;

    pthread_mutex_lock(&mutex);
    has_room = recycles && kept_count < KEPT_MAX;
    if (has_room)
        kept[kept_count++] = context;
    pthread_mutex_unlock(&mutex);
    return has_room;
}

__attribute__((visibility("default"))) OSSL_LIB_CTX *
OSSL_LIB_CTX_new(void)
{
    OSSL_LIB_CTX *context = take();
    NewFunction real;

    if (context)
        return context;
    find_real("OSSL_LIB_CTX_new", &real);
    return real();
}

__attribute__((visibility("default"))) void
OSSL_LIB_CTX_free(OSSL_LIB_CTX *context)
{
    FreeFunction real;

    if (!context || keep(context))
        return;
    find_real("OSSL_LIB_CTX_free", &real);
    real(context);
}

void
signet_tpm_recycle_contexts(void)
{
    pthread_mutex_lock(&mutex);
    recycles = TRUE;
    pthread_mutex_unlock(&mutex);
}
