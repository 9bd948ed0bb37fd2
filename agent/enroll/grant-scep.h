/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the fd of a SCEP job may sign beside its request, judged from the bytes. Pure. */

#pragma once

#include "agent/enroll/request.h"

/* The signed attributes of a message to the CA (RFC 5652 5.4, RFC 8894 3.2.1): a DER SET of content
 * type, message digest, message type (PKCSReq, RenewalReq, CertPoll), transaction ID, sender nonce
 * and perhaps the time of signing, each once, and nothing else. DENIED. */
gboolean signet_grant_is_scep_attributes(const guint8 *data, gsize size, GError **error);
