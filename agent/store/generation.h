/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One key and the certificate issued for it, as a value. */

#pragma once

#include "agent/base/key.h"

/* One key and the certificate issued for it; immutable. */
typedef struct {
    guint32 number;
    char *token;      /* (owned) */
    SignetKey *key;   /* (owned) */
    gint64 created_s; /* when the key was made */
    GPtrArray *chain; /* (owned) of GBytes, DER, leaf first; empty while there is no certificate */
    GPtrArray *anchors;  /* (owned) of GBytes, DER; may be empty */
    gint64 not_before_s; /* of the leaf; 0 without one */
    gint64 not_after_s;
    gint64 issuer_after_s; /* when the first of the certificates above it ends; 0: none is known */
} SignetGeneration;

/* Chain and anchors (nullable) are referenced: they must not change any more. */
SignetGeneration *signet_generation_new(guint32 number, const char *token, SignetKey *key,
                                        gint64 created_s, GPtrArray *chain, GPtrArray *anchors);
SignetGeneration *signet_generation_ref(SignetGeneration *generation);
void signet_generation_unref(SignetGeneration *generation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetGeneration, signet_generation_unref)
