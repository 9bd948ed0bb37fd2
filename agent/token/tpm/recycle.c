/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Stands before two functions of libcrypto, for one caller: tpm2-tss. A new library context loads
 * its providers and their tables of algorithms anew, 0.25 ms each time: five sixths of what a
 * signature on a software TPM takes. One that tpm2-tss used differs in nothing but that they are
 * loaded, and no two users have the same one at a time. Everybody else in the process, PKCS#11
 * modules above all, gets libcrypto's own functions: what they did to a context stays with them. */

#include "agent/token/tpm/recycle.h"

#include <dlfcn.h>
#include <glib.h>
#include <link.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <tss2/tss2_esys.h>

#define KEPT_MAX 8

typedef OSSL_LIB_CTX *(*NewFunction)(void);
typedef void (*FreeFunction)(OSSL_LIB_CTX *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards everything below */
static gboolean recycles;
static uintptr_t tss_begin, tss_end; /* where libtss2-esys is loaded */
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

/* Finds the loaded object that holds Esys_Initialize(). */
static int
find_tss(struct dl_phdr_info *object, size_t size, void *data)
{
    uintptr_t wanted = (uintptr_t)Esys_Initialize;
    uintptr_t begin = UINTPTR_MAX, end = 0;

    for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

        if (segment->p_type != PT_LOAD)
            continue;
        begin = MIN(begin, object->dlpi_addr + segment->p_vaddr);
        end = MAX(end, object->dlpi_addr + segment->p_vaddr + segment->p_memsz);
    }
    if (wanted < begin || wanted >= end)
        return 0;
    tss_begin = begin;
    tss_end = end;
    return 1;
}

/* caller: a return address. Call with the mutex held. */
static gboolean
is_tss(const void *caller)
{
    return recycles && (uintptr_t)caller >= tss_begin && (uintptr_t)caller < tss_end;
}

static OSSL_LIB_CTX *
take(const void *caller)
{
    OSSL_LIB_CTX *context;

    pthread_mutex_lock(&mutex);
    context = is_tss(caller) && kept_count > 0 ? kept[--kept_count] : NULL;
    pthread_mutex_unlock(&mutex);
    return context;
}

static gboolean
keep(OSSL_LIB_CTX *context, const void *caller)
{
    gboolean has_room;

    pthread_mutex_lock(&mutex);
    has_room = is_tss(caller) && kept_count < KEPT_MAX;
    if (has_room)
        kept[kept_count++] = context;
    pthread_mutex_unlock(&mutex);
    return has_room;
}

__attribute__((visibility("default"))) OSSL_LIB_CTX *
OSSL_LIB_CTX_new(void)
{
    OSSL_LIB_CTX *context = take(__builtin_return_address(0));
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

    if (!context || keep(context, __builtin_return_address(0)))
        return;
    find_real("OSSL_LIB_CTX_free", &real);
    real(context);
}

void
signet_tpm_recycle_contexts(void)
{
    pthread_mutex_lock(&mutex);
    if (!recycles)
        recycles = dl_iterate_phdr(find_tss, NULL) != 0;
    pthread_mutex_unlock(&mutex);
}
