/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the broker is asked: by whom, and for which use of which key. */

#pragma once

#include "agent/base/peer.h"
#include "agent/enroll/job.h"
#include "agent/token/token.h"

/* Who asks. Both the sender of the message and the owner of the connection must be allowed (an
 * inherited connection still looks like root); a job's fd is allowed exactly what the job grants,
 * and its peers are not asked. */
typedef struct {
    SignetPeer *sender;     /* by the credentials of this very message */
    SignetPeer *connection; /* (nullable) by the credentials of the connection: NULL for D-Bus */
    SignetJob *job;         /* (nullable) */
    guint64 client;         /* fairness in the token's queue */
} SignetRequester;

typedef struct {
    const char *identity;
    guint32 generation;
    SignetKeyScheme scheme;
    GBytes *data;       /* message, digest, ciphertext or point */
    gboolean is_digest; /* sign only: data is a digest (needs 'sign') */
} SignetUse;
