/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* p11-kit counts who uses a module, so that tokens of one module do not shut it down for each
 * other. */

#include "agent/token/pkcs11/slot.h"

#include <stdlib.h>

#include "agent/token/pkcs11/error.h"
#include "agent/base/error.h"

#define SLOTS_MAX 256

G_DEFINE_AUTOPTR_CLEANUP_FUNC(P11KitUri, p11_kit_uri_free)

/* --- modules --- */

/* Modules of certificate authorities hold no private keys. */
static gboolean
is_wanted(CK_FUNCTION_LIST *module, const char *wanted)
{
    char *trust = p11_kit_config_option(module, "trust-policy");
    char *name = p11_kit_module_get_name(module);
    gboolean is_trust = g_strcmp0(trust, "yes") == 0;
    gboolean fits = wanted ? g_strcmp0(name, wanted) == 0 : !is_trust;

    free(trust);
    free(name);
    return fits;
}

static CK_RV
initialize(SignetPkcs11Slot *slot, CK_FUNCTION_LIST *module)
{
    CK_RV rv = p11_kit_module_initialize(module);

    if (rv == CKR_OK)
        g_ptr_array_add(slot->initialized, module);
    return rv;
}

static gboolean
has_slots(CK_FUNCTION_LIST *module)
{
    CK_ULONG n = 0;

    return module->C_GetSlotList(CK_FALSE, NULL, &n) == CKR_OK && n > 0;
}

/* p11-kit's client reports a process that ended at its start as an error, or, from 0.25 on, as a
 * module without slots. */
static gboolean
load_path(SignetPkcs11Slot *slot, const char *name, const char *path, GError **error)
{
    g_autofree char *end = NULL;
    CK_RV rv;

    slot->alone = slot->isolate ? signet_pkcs11_isolate_load(slot->isolate, path, error)
                                : p11_kit_module_load(path, 0);
    if (!slot->alone && slot->isolate)
        return FALSE;
    if (!slot->alone)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' cannot be opened: module '%s' cannot be loaded: %s",
                                name, path, p11_kit_message());
    rv = initialize(slot, slot->alone);
    if (slot->isolate && (rv != CKR_OK || !has_slots(slot->alone)))
        end = signet_pkcs11_isolate_explain(slot->isolate);
    if (end)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' cannot be opened: %s when it was started", name, end);
    return rv == CKR_OK ||
           signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                            "token '%s' cannot be opened: module '%s' does not start: %s", name,
                            path, p11_kit_strerror(rv));
}

/* A module that does not start matters only when it is the one that is wanted. */
static gboolean
load_configured(SignetPkcs11Slot *slot, const char *name, const char *wanted, GError **error)
{
    CK_RV rv = CKR_OK;

    slot->configured = p11_kit_modules_load(NULL, 0);
    for (CK_FUNCTION_LIST **module = slot->configured; module && *module; module++) {
        if (is_wanted(*module, wanted))
            rv = initialize(slot, *module);
    }
    if (slot->initialized->len > 0)
        return TRUE;
    if (rv != CKR_OK)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' cannot be opened: its module does not start: %s", name,
                                p11_kit_strerror(rv));
    return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                            "token '%s' cannot be opened: p11-kit knows no module%s%s; install it, "
                            "or name its file with ?module-path= in Uri=",
                            name, wanted ? " named " : "", wanted ? wanted : "");
}

/* --- slots --- */

/* How many tokens of the module fit; the first is put into slot. */
static guint
search_module(SignetPkcs11Slot *slot, P11KitUri *uri, CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID ids[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    guint found = 0;

    if (module->C_GetSlotList(CK_TRUE, NULL, &n) != CKR_OK || n > SLOTS_MAX)
        return 0;
    n = SLOTS_MAX;
    if (module->C_GetSlotList(CK_TRUE, ids, &n) != CKR_OK)
        return 0;
    for (CK_ULONG i = 0; i < n; i++) {
        CK_TOKEN_INFO token;

        if (module->C_GetTokenInfo(ids[i], &token) != CKR_OK ||
            !(token.flags & CKF_TOKEN_INITIALIZED) || !p11_kit_uri_match_token_info(uri, &token))
            continue;
        if (found++ > 0 || slot->functions)
            continue;
        slot->functions = module;
        slot->id = ids[i];
        slot->token = token;
    }
    return found;
}

static gboolean
search(SignetPkcs11Slot *slot, const char *name, const char *uri_text, P11KitUri *uri,
       GError **error)
{
    guint found = 0;
    CK_RV rv;

    for (guint i = 0; i < slot->initialized->len; i++)
        found += search_module(slot, uri, g_ptr_array_index(slot->initialized, i));
    if (found == 0)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                                "token '%s' is not there: none fits '%s'; insert it", name,
                                uri_text);
    if (found > 1)
        return signet_error_set(
            error, SIGNET_ERROR_TOKEN_FAILED,
            "token '%s' is ambiguous: %u tokens fit '%s'; name the serial number "
            "in Uri=, or the module",
            name, found, uri_text);
    rv = slot->functions->C_GetSlotInfo(slot->id, &slot->info);
    return rv == CKR_OK || signet_pkcs11_error_set(error, name, "be opened", rv);
}

gboolean
signet_pkcs11_slot_find(SignetPkcs11Slot *slot, const char *name, const char *uri_text,
                        GError **error)
{
    g_autoptr(P11KitUri) uri = p11_kit_uri_new();
    int rc = p11_kit_uri_parse(uri_text, P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_MODULE, uri);
    const char *path = rc == P11_KIT_URI_OK ? p11_kit_uri_get_module_path(uri) : NULL;
    const char *module = rc == P11_KIT_URI_OK ? p11_kit_uri_get_module_name(uri) : NULL;

    slot->initialized = g_ptr_array_new();
    if (rc != P11_KIT_URI_OK)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' cannot be opened: its Uri= '%s' is none: %s", name,
                                uri_text, p11_kit_uri_message(rc));
    if (path ? !load_path(slot, name, path, error) : !load_configured(slot, name, module, error))
        return FALSE;
    return search(slot, name, uri_text, uri, error);
}

gboolean
signet_pkcs11_slot_check(const SignetPkcs11Slot *slot, const char *name, GError **error)
{
    CK_SLOT_INFO info;
    CK_ULONG n = 0;
    CK_RV rv;

    if (!(slot->info.flags & CKF_REMOVABLE_DEVICE))
        return TRUE;
    /* Modules look at their readers when they are asked for the list, not before. */
    rv = slot->functions->C_GetSlotList(CK_TRUE, NULL, &n);
    if (rv == CKR_OK)
        rv = slot->functions->C_GetSlotInfo(slot->id, &info);
    if (rv == CKR_OK && (info.flags & CKF_TOKEN_PRESENT))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT, "token '%s' was removed; insert it",
                            name);
}

void
signet_pkcs11_slot_clear(SignetPkcs11Slot *slot)
{
    for (guint i = 0; slot->initialized && i < slot->initialized->len; i++)
        p11_kit_module_finalize(g_ptr_array_index(slot->initialized, i));
    if (slot->alone)
        p11_kit_module_release(slot->alone);
    if (slot->configured)
        p11_kit_modules_release(slot->configured);
    g_clear_pointer(&slot->initialized, g_ptr_array_unref);
    *slot = (SignetPkcs11Slot) {.isolate = slot->isolate};
}
