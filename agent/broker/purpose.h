/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is about to be signed? Recognised from the bytes alone. Pure; bounded; never allocates. */

#pragma once

#include <glib.h>

#include "policy/model.h"

/* One SignetPurpose, never ANY, or 0 when the bytes are none of them:
 *   TLS_CLIENT, TLS_SERVER  RFC 8446 4.4.3: 64 spaces, the context string, 0, a hash of 32, 48 or
 * 64 bytes TLS_CLIENT              RFC 5246 7.4.8: complete handshake messages from ClientHello to
 * ClientKeyExchange TLS_SERVER              RFC 5246 7.4.3, RFC 8422 5.4: two randoms and
 * ServerECDHParams (or ServerDHParams), nothing left over CSR                     RFC 2986:
 * CertificationRequestInfo, strict DER to the end CERTIFICATE             RFC 5280: TBSCertificate,
 * strict DER to the end SSH_USERAUTH            RFC 4252 section 7: session id, byte 50, …,
 * "publickey", nothing left over */
SignetPurpose signet_purpose_recognise(const guint8 *message, gsize size);
