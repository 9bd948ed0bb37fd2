/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What every fuzz target defines: libFuzzer calls it, and so does main.c. */

#pragma once

#include <stddef.h>
#include <stdint.h>

/* Aborts on a finding; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
