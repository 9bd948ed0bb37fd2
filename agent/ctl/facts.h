/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The facts of a token, for people. */

#pragma once

#include "agent/ctl/table.h"

/* Rows "what", "value" for what is known, but the times. facts: as GetFacts gives them. */
void signet_facts_add_rows(SignetTable *table, GVariant *facts, gint64 now_s);
/* A table of what operations cost: measured, and as applications had it. (nullable) NULL: nothing
 * is known of that. (owned by the caller) */
SignetTable *signet_facts_times_table(GVariant *facts);
/* "850 us", "2.3 ms", "1.2 s" (owned by the caller) */
char *signet_facts_duration(guint64 duration_us);
