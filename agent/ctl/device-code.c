/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl device-code FILE: what the operator of a CA compares with what the device shows. */

#include "agent/ctl/commands.h"

#include "agent/ctl/file.h"
#include "agent/ctl/spki.h"
#include "policy/device-code.h"

#define FILE_MAX (64 * 1024)

SignetCtlExit
signet_ctl_device_code(SignetCtl *ctl, int argc, char **argv)
{
    g_autofree char *buffer = g_malloc(FILE_MAX);
    gssize size = signet_ctl_read_file(argv[0], buffer, FILE_MAX);
    g_autoptr(GBytes) spki =
        size < 0 ? NULL : signet_spki_find((const guint8 *)buffer, (gsize)size);
    GVariantDict dict;

    if (size >= 0 && !spki)
        g_printerr("signetctl: '%s' is neither a certificate request nor a certificate nor a "
                   "public key (PEM or DER)\n",
                   argv[0]);
    if (!spki)
        return SIGNET_CTL_FAILED;
    g_autofree char *code =
        signet_device_code(g_bytes_get_data(spki, NULL), g_bytes_get_size(spki));
    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "device_code", "s", code);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
        return SIGNET_CTL_OK;
    }
    signet_ctl_print_text(code);
    signet_ctl_print_text("\n");
    return SIGNET_CTL_OK;
}
