/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* GBytes for results that are secret (plaintexts, shared secrets): cleansed when the last reference
 * goes. */

#pragma once

#include <glib.h>

/* Copies; the caller cleanses its own. */
GBytes *signet_secret_bytes_new(gconstpointer data, gsize size);
