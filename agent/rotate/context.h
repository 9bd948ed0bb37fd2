/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an engine works with, and how it speaks to those above it. */

#pragma once

#include "agent/base/clock.h"
#include "agent/enroll/enroll.h"
#include "agent/store/inventory.h"
#include "agent/token/registry.h"

typedef struct SignetEngine SignetEngine;

/* All outlive the engine. */
typedef struct {
    SignetStore *store;
    SignetInventory *inventory;
    SignetTokens *tokens;
    SignetEnroll *enroll;
    const SignetClock *clock;
    const char *host_name;  /* copied */
    const char *machine_id; /* copied */
} SignetEngineContext;

typedef enum {
    SIGNET_ENGINE_CHANGED,  /* the status changed */
    SIGNET_ENGINE_ROTATED,  /* a new generation is current */
    SIGNET_ENGINE_FAILED,   /* an attempt failed: status.cause */
    SIGNET_ENGINE_EXPIRING, /* the critical remainder is reached without a renewal */
    SIGNET_ENGINE_RETIRED,  /* an old generation is gone */
    SIGNET_ENGINE_REVOKED,  /* the current certificate was found to be revoked, or held */
} SignetEngineEvent;
typedef void (*SignetEngineListener)(const char *identity, SignetEngineEvent event,
                                     guint32 generation, gpointer data);

/* See signet_engine_rotate(). generation: the current one then. */
typedef void (*SignetEngineDone)(const char *identity, guint32 generation, const GError *error,
                                 gpointer data);
/* See signet_engine_get_request(). csr: DER (RFC 2986); NULL with an error. */
typedef void (*SignetEngineRequestDone)(GBytes *csr, const GError *error, gpointer data);
