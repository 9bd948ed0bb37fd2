/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How an identity is, for people: why, who has to act, what happens next, and until when. */

#pragma once

#include "agent/ctl/ctl.h"
#include "agent/ctl/table.h"

/* Rows of two columns. */
void signet_ctl_add_state(SignetTable *table, SignetDbusIdentity1 *identity);
/* When its CA wants it renewed, what becomes of its issuer, when others are asked next: rows for
 * what is known. */
void signet_ctl_add_watch(SignetTable *table, SignetDbusIdentity1 *identity);
/* Is there anything that somebody might want to know at night? */
gboolean signet_ctl_needs_attention(SignetDbusIdentity1 *identity);
