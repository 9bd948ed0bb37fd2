/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The device code: what the person at the device and the operator of the CA compare before a
 * request is approved. Pure. */

#pragma once

#include <glib.h>

/* Of a SubjectPublicKeyInfo (DER): the first 80 bits of its SHA-256 in Crockford's base 32, in four
 * groups: "7ZK4-M2QF-09TA-8HXE". Whoever wants another key approved in its place has to find one
 * with the same code: 2^80 tries for one code, or 2^80 / N where any of N waiting devices will do;
 * what is ground out in advance helps as far as it can be stored (2^45 keys: one chance in 2^35).
 * Two keys with one code (2^40) help nobody: the device chose its key itself. */
char *signet_device_code(gconstpointer spki, gsize size);
#define SIGNET_DEVICE_CODE_SIZE (4 * 4 + 3 + 1) /* with the zero behind it */
