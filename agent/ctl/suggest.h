/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Did you mean …? */

#pragma once

#include <glib.h>

/* The word (NULL-terminated list) nearest to what was typed, by edits; NULL when none is near.
 * Borrowed. */
const char *signet_suggest(const char *typed, const char *const *words);
