/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a TSS2_RC means for the one who sees it: what to do next, and the words for people. Private
 * to agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_common.h>

typedef enum {
    SIGNET_TPM_FATE_OK,
    SIGNET_TPM_FATE_FINAL,     /* trying again gives the same */
    SIGNET_TPM_FATE_MAKE_ROOM, /* flush a loaded object, then again */
    SIGNET_TPM_FATE_AGAIN,     /* after a short pause */
    SIGNET_TPM_FATE_REOPEN, /* the TPM was reset, or lost our session or objects: set everything up,
                               then again */
    SIGNET_TPM_FATE_LOST,   /* no connection to the TPM any more */
} SignetTpmFate;

SignetTpmFate signet_tpm_fate(TSS2_RC rc);
/* The TPM answered; the layers above it did not make it up. */
gboolean signet_tpm_is_from_tpm(TSS2_RC rc);
/* Without parameter, handle or session number and layer: comparable to the TPM2_RC_ constants. */
TSS2_RC signet_tpm_plain_rc(TSS2_RC rc);
/* "token 'NAME' cannot WHAT: why; what to do". Always FALSE. */
gboolean signet_tpm_error_set(GError **error, const char *name, const char *what, TSS2_RC rc);
