/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A strict reader of DER (X.690 section 10): walks elements, never allocates. Anything but low tag
 * numbers and definite, shortest lengths below 2^24 is malformed. */

#pragma once

#include <glib.h>

#define SIGNET_DER_INTEGER    0x02
#define SIGNET_DER_BIT_STRING 0x03
#define SIGNET_DER_SEQUENCE   0x30
#define SIGNET_DER_SET        0x31
#define SIGNET_DER_UTC_TIME   0x17
#define SIGNET_DER_TIME       0x18
#define SIGNET_DER_CONTEXT(n) (0xa0 | (n)) /* constructed */

typedef struct {
    const guint8 *data;
    gsize size;
} SignetDer;

/* Takes the first element off *der: its tag, its contents and (nullable) the whole of it, header
 * included. */
gboolean
signet_der_next(SignetDer *der, guint8 *ret_tag, SignetDer *ret_contents, SignetDer *ret_whole);
/* The same, but only if it has this tag; *der is left alone otherwise. */
gboolean signet_der_expect(SignetDer *der, guint8 tag, SignetDer *ret_contents);
/* Is the whole of it one well-formed SEQUENCE or SET, down to the leaves (at most 16 levels)? */
gboolean signet_der_is_document(const guint8 *data, gsize size);
