/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The keys that are loaded into the TPM at present, by their stored form; the least recently used
 * one goes first. Pure: whoever takes one out flushes it. Private to agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_esys.h>

typedef struct SignetTpmLoaded SignetTpmLoaded;

SignetTpmLoaded *signet_tpm_loaded_new(void);
void signet_tpm_loaded_free(SignetTpmLoaded *loaded);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetTpmLoaded, signet_tpm_loaded_free)

/* ESYS_TR_NONE when it is not loaded; else it is the most recently used one now. */
ESYS_TR signet_tpm_loaded_find(SignetTpmLoaded *loaded, GBytes *blob);
void signet_tpm_loaded_add(SignetTpmLoaded *loaded, GBytes *blob, ESYS_TR object);
/* Both take it out; ESYS_TR_NONE when there is none. */
ESYS_TR signet_tpm_loaded_take(SignetTpmLoaded *loaded, GBytes *blob);
ESYS_TR signet_tpm_loaded_take_oldest(SignetTpmLoaded *loaded);
guint signet_tpm_loaded_get_length(const SignetTpmLoaded *loaded);
void signet_tpm_loaded_clear(SignetTpmLoaded *loaded);
