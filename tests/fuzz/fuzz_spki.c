/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of signetctl device-code: whatever somebody sent to the operator of a CA. */

#include "agent/ctl/spki.h"
#include "policy/device-code.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) spki = signet_spki_find(data, size);
    g_autoptr(GBytes) again = NULL;

    if (!spki)
        return 0;
    /* what is found is a key by itself, and a code belongs to it */
    again = signet_spki_find(g_bytes_get_data(spki, NULL), g_bytes_get_size(spki));
    g_autofree char *code =
        signet_device_code(g_bytes_get_data(spki, NULL), g_bytes_get_size(spki));
    if (!again || !g_bytes_equal(spki, again) || strlen(code) + 1 != SIGNET_DEVICE_CODE_SIZE)
        abort();
    return 0;
}
