/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policy files as lines: GKeyFile's syntax with the line numbers that GKeyFile does not tell. For
 * the inside of policy/ only. */

#pragma once

#include "policy/file.h"
#include "policy/problem.h"

/* One "key=value", or a "[group]" with neither. value is as written, without the spaces around it.
 */
typedef struct {
    SignetPlace place; /* group and key are owned by the scan */
    char *value;       /* (owned, nullable) */
} SignetEntry;

/* One scanned file; owns what its entries point to, but for the path. */
typedef struct {
    const char *path;   /* (unowned): the file's, which outlives the parse */
    GPtrArray *entries; /* (owned) of SignetEntry, in the order of the file */
    GPtrArray *strings; /* (owned) */
} SignetScan;

/* Comments begin with '#' and stand on lines of their own. What is no line of a key file, is too
 * large, holds NUL or is not UTF-8 is a problem; the good lines are returned all the same. */
SignetScan *signet_scan_new(const SignetPolicyFile *file, SignetProblems *problems);
void signet_scan_free(SignetScan *scan);
/* (nullable) The entry of a key, borrowed. */
const SignetEntry *signet_scan_find(const SignetScan *scan, const char *group, const char *key);
