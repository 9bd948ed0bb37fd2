/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Certificates as they travel: DER, one after the other. Private to agent/door. */

#pragma once

#include <glib.h>

/* Of GBytes. */
GBytes *signet_chain_join(const GPtrArray *chain);
/* Of GBytes, maybe none; NULL when it is not a row of DER sequences. */
GPtrArray *signet_chain_split(const guint8 *data, gsize size);
