/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Writing to a file. */

#pragma once

#include <glib.h>

/* All of it, however often a signal comes in between; blocks. FALSE: errno says why. */
gboolean signet_write_all(int fd, gconstpointer data, gsize size);
