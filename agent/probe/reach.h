/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which component of a path is in this process's way. libc only. */

#pragma once

/* 0, or the errno with which the walk along the path ends; then what stands in the way was said:
 * NAME.error (its words), NAME.at (the component), NAME.owner ("root:adm 0700", where it exists).
 * access_mode: R_OK, W_OK, F_OK: what is wanted of the end. */
int signet_reach(const char *name, const char *path, int access_mode);
