/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a crashed life left. Inside agent/store only. */

#pragma once

#include "agent/store/layout.h"

/* Removes temporaries, generations without a record and live files without a generation, but never
 * what live/NAME points at. */
void signet_sweep(const SignetLayout *layout);
