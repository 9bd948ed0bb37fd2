/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a CA says of itself in a general response of CMP (RFC 9810 5.3.20), read. Who said it is
 * judged by others; the bytes are anybody's. Pure. */

#pragma once

#include "agent/enroll/openssl.h"
#include "provider/wire/wire.h"

/* Last number of id-it, 1.3.6.1.5.5.7.4 */
enum {
    SIGNET_CMP_CA_CERTS = 17,        /* RFC 9810 5.3.19.14 */
    SIGNET_CMP_ROOT_KEY_UPDATE = 18, /* 5.3.19.15 */
    SIGNET_CMP_ROOT_CERT = 20,       /* likewise: the question for it */
};

/* message: a PKIMessage in DER. FALSE: it is no general response with this information and a value;
 * else the value points into the message. */
gboolean
signet_cmp_genp_find(struct signet_bytes message, guint8 number, struct signet_bytes *ret_value);
/* CaCertsValue: NULL when it is malformed, or has more than SIGNET_ANSWER_CERTIFICATES_MAX. */
SignetX509Stack *signet_cmp_genp_read_certificates(struct signet_bytes value);
/* RootCaKeyUpdateContent: the new root, if the one that is known (its certificate) has signed it:
 * newWithOld is by the old key, newWithNew has the same name and key, is a CA's, signed by itself
 * and valid now (RFC 9810 4.4, 6.1). NULL: it proves nothing, or is no other root. */
X509 *signet_cmp_genp_prove_root(struct signet_bytes value, X509 *known, gint64 now_s);
