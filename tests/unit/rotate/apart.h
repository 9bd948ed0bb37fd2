/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Lives of an agent one after the other: each in a process of its own, on a directory that stays.
 */

#pragma once

/* A new one, its path owned by the caller; in memory where possible: a thousand identities cost ten
 * thousand fsyncs, and so do hundreds of rotations. */
char *apart_make_directory(const char *name);
/* With all that is in it. */
void apart_remove(const char *path);
/* Does the work in a process of its own, since it has threads and may end at any time; 0: to its
 * end, else the exit status. A signal fails the test. */
int apart_run(void (*work)(void));
