/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl request IDENTITY, signetctl import IDENTITY FILE: for a CA that a person goes to. */

#include "agent/ctl/commands.h"

#include <string.h>

#include "agent/ctl/file.h"
#include "agent/ctl/spki.h"
#include "policy/device-code.h"

#define TIMEOUT_MS 330000
#define IMPORT_MAX 24576u

SignetCtlExit
signet_ctl_request(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autofree char *doing = g_strdup_printf("show the request of '%s'", argv[0]);
    g_autofree char *pem = NULL;
    g_autoptr(GError) error = NULL;
    GVariantDict dict;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    if (!signet_dbus_identity1_call_get_request_sync(identity, G_DBUS_CALL_FLAGS_NONE, -1, &pem,
                                                     NULL, &error))
        return signet_ctl_report(error, doing);
    g_autoptr(GBytes) spki = signet_spki_find((const guint8 *)pem, strlen(pem));
    g_autofree char *words =
        spki ? signet_device_code(g_bytes_get_data(spki, NULL), g_bytes_get_size(spki)) : NULL;
    if (!ctl->is_json) {
        signet_ctl_print_text(pem);
        g_printerr("device code: %s\n", words ? words : "?"); /* the request may go to a file */
        return SIGNET_CTL_OK;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", argv[0]);
    g_variant_dict_insert(&dict, "request", "s", pem);
    g_variant_dict_insert(&dict, "device_code", "s", words ? words : "");
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
    return SIGNET_CTL_OK;
}

static void
print_outcome(const SignetCtl *ctl, const char *name, guint generation)
{
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (!ctl->is_json) {
        line = g_strdup_printf("%s: generation %u is current\n", name, generation);
        signet_ctl_print_text(line);
        return;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", name);
    g_variant_dict_insert(&dict, "generation", "u", generation);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

SignetCtlExit
signet_ctl_import(SignetCtl *ctl, int argc, char **argv)
{
    g_autofree char *buffer = g_malloc(IMPORT_MAX);
    gssize size = signet_ctl_read_file(argv[1], buffer, IMPORT_MAX);
    SignetCtlExit code = size < 0 ? SIGNET_CTL_FAILED : signet_ctl_connect(ctl);
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autofree char *doing = g_strdup_printf("import '%s' for '%s'", argv[1], argv[0]);
    g_autoptr(GError) error = NULL;
    guint generation = 0;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, argv[0]);
    if (!identity)
        return SIGNET_CTL_FAILED;
    GVariant *bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, buffer, (gsize)size, 1);
    g_autoptr(GVariant) reply = g_dbus_proxy_call_sync(
        G_DBUS_PROXY(identity), "Import", g_variant_new("(@ay)", bytes),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_variant_get(reply, "(u)", &generation);
    print_outcome(ctl, argv[0], generation);
    return SIGNET_CTL_OK;
}
