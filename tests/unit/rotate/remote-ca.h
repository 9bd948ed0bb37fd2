/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA elsewhere, behind the fake enroller: it thinks about every request once before it issues,
 * and keeps books on the disk, since it outlives the agent. Used through FakeCa.remote.
 *
 * A request that comes again with a state must come with the one that was given last for that key:
 * the order, the transaction, the request as it was. Whoever brings another is a mistake of ours,
 * and the process ends. */

#pragma once

#include "agent/base/clock.h"
#include "agent/enroll/job.h"
#include "agent/store/inventory.h"

typedef enum {
    REMOTE_HONEST,
    REMOTE_DIES_BEFORE, /* the enroller is killed before the CA has heard of anything … */
    REMOTE_DIES_AFTER,  /* … or when the CA has taken note, and before the agent has */
} RemoteFault;

typedef struct {
    const char *books; /* (unowned) path of a file */
    const SignetInventory *inventory;
    const SignetClock *clock;
    RemoteFault fault;
    guint at;     /* the job that it befalls */
    guint n_jobs; /* that were started */
} RemoteCa;

/* What the books say. */
typedef struct {
    guint n_keys;     /* that certificates were asked for */
    guint n_orders;   /* requests without a state */
    guint n_issued;   /* certificates */
    guint n_accounts; /* ACME */
} RemoteBooks;

/* The CA's key, once for all that fork later; its certificate goes to that file. */
void remote_ca_make_key(const char *path);
void remote_ca_free_key(void);
/* data: RemoteCa */
void remote_ca_answer(SignetJob *job, gpointer data);
RemoteBooks remote_ca_read(const char *books);
