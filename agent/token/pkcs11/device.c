/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Many inside, or one alone. */

#include "agent/token/pkcs11/device.h"

#include <string.h>
#include <time.h>

#include "agent/base/error.h"

#define ALONE_S   5
#define SETTLE_US (400 * 1000) /* how often pcscd looks at a reader that does not tell it */

SignetPkcs11Device *
signet_pkcs11_device_new(const char *name, const char *uri, SignetPkcs11Login *login,
                         const char *program)
{
    SignetPkcs11Device *device = g_new0(SignetPkcs11Device, 1);
    pthread_rwlockattr_t attributes;

    device->name = g_strdup(name);
    device->uri_text = g_strdup(uri);
    /* Who wants to be alone shall not wait for ever while operations come and go. */
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&device->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    device->login = login;
    if (program)
        device->isolate = signet_pkcs11_isolate_new(name, program);
    device->slot.isolate = device->isolate;
    return device;
}

void
signet_pkcs11_device_free(SignetPkcs11Device *device)
{
    signet_pkcs11_slot_clear(&device->slot);
    g_clear_pointer(&device->isolate, signet_pkcs11_isolate_free);
    signet_pkcs11_login_free(device->login);
    pthread_rwlock_destroy(&device->lock);
    g_free(device->uri_text);
    g_free(device->name);
    g_free(device);
}

void
signet_pkcs11_device_enter(SignetPkcs11Device *device)
{
    pthread_rwlock_rdlock(&device->lock);
}

void
signet_pkcs11_device_leave(SignetPkcs11Device *device)
{
    pthread_rwlock_unlock(&device->lock);
}

static gboolean
restart(SignetPkcs11Device *device, GError **error)
{
    signet_pkcs11_slot_clear(&device->slot);
    device->epoch++;
    if (signet_pkcs11_slot_find(&device->slot, device->name, device->uri_text, error))
        return TRUE;
    signet_pkcs11_slot_clear(&device->slot);
    return FALSE;
}

gboolean
signet_pkcs11_device_restart(SignetPkcs11Device *device, guint epoch, GError **error)
{
    struct timespec deadline;
    gboolean ok = TRUE;

    if (g_get_monotonic_time() < __atomic_load_n(&device->settled_us, __ATOMIC_RELAXED))
        return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                                "token '%s' was removed, or does not work; insert it",
                                device->name);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += ALONE_S;
    signet_pkcs11_device_leave(device);
    if (pthread_rwlock_timedwrlock(&device->lock, &deadline) == 0) {
        if (device->epoch == epoch || !device->slot.functions)
            ok = restart(device, error);
        pthread_rwlock_unlock(&device->lock);
    } else {
        ok = signet_error_set(error, SIGNET_ERROR_BUSY,
                              "token '%s' cannot be opened again: an operation on it has not ended "
                              "for %d s; try again later",
                              device->name, ALONE_S);
    }
    signet_pkcs11_device_enter(device);
    return ok;
}

void
signet_pkcs11_device_let_settle(SignetPkcs11Device *device)
{
    __atomic_store_n(&device->settled_us, g_get_monotonic_time() + SETTLE_US, __ATOMIC_RELAXED);
}

gboolean
signet_pkcs11_device_is_same(const SignetPkcs11Device *device)
{
    const CK_TOKEN_INFO *was = &device->slot.token;
    CK_TOKEN_INFO is;

    return device->slot.functions->C_GetTokenInfo(device->slot.id, &is) == CKR_OK &&
           memcmp(is.label, was->label, sizeof is.label) == 0 &&
           memcmp(is.manufacturerID, was->manufacturerID, sizeof is.manufacturerID) == 0 &&
           memcmp(is.model, was->model, sizeof is.model) == 0 &&
           memcmp(is.serialNumber, was->serialNumber, sizeof is.serialNumber) == 0;
}
