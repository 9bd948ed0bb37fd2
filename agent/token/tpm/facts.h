/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a TPM says of itself. Private to agent/token/tpm. */

#pragma once

#include <glib.h>
#include <tss2/tss2_esys.h>

typedef struct {
    char *description;      /* (owned, nullable) manufacturer, model, firmware */
    char *manufacturer;     /* (owned, nullable) */
    char *model;            /* (owned, nullable) */
    char *firmware;         /* (owned, nullable) */
    char *specification;    /* (owned, nullable) */
    const char *protection; /* static; as in SignetTokenInfo */
    guint capacity;         /* transient objects that fit */
    guint hashes;           /* mask of 1 << enum signet_hash */
} SignetTpmFacts;

/* Replaces what facts holds. */
TSS2_RC signet_tpm_facts_read(ESYS_CONTEXT *esys, SignetTpmFacts *facts);
/* Adds what it holds for people. */
void signet_tpm_facts_describe(const SignetTpmFacts *facts, GVariantDict *dict);
void signet_tpm_facts_clear(SignetTpmFacts *facts);
