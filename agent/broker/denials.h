/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keeps a peer that is refused again and again from filling the log. Pure: the time is an argument.
 * Private to agent/broker. */

#pragma once

#include <glib.h>

#define SIGNET_DENIALS_INTERVAL_US \
    (10 * G_USEC_PER_SEC)      /* between two records about one user and identity */
#define SIGNET_DENIALS_MAX 256 /* pairs remembered */

typedef struct SignetDenials SignetDenials;

SignetDenials *signet_denials_new(void);
void signet_denials_free(SignetDenials *denials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetDenials, signet_denials_free)

/* TRUE when this refusal is to be recorded; *ret_suppressed then says how many before it were not.
 * identity: NULL for one that does not exist, since a peer can invent names without end. */
gboolean signet_denials_admit(SignetDenials *denials, guint32 uid, const char *identity,
                              gint64 now_us, guint *ret_suppressed);
