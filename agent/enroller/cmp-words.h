/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a CMP server says of itself, for people (RFC 4210 5.2.3). */

#pragma once

#include <openssl/cmp.h>

#include "agent/enroll/openssl.h"

/* status: PKIStatus; fail_info: bits of PKIFailureInfo, 0 or less: none; texts: nullable.
 * "rejection, badCertTemplate (the request lacks something or has what it may not): 'no such
 * profile'". Owned by the caller. */
char *signet_cmp_words(int status, int fail_info, const STACK_OF(ASN1_UTF8STRING) * texts);
/* The same, of a whole message in DER that is an error message, protected or not; NULL: it is none.
 * The bytes are anybody's. */
char *signet_cmp_words_of_error(const guint8 *der, gsize size);
/* Does it say that another way to authenticate may be accepted? */
gboolean signet_cmp_is_about_sender(int fail_info);
/* … or that the same request may be accepted later? */
gboolean signet_cmp_is_transient(int fail_info);
