/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The public key in a request, a certificate or by itself, as somebody sent it: as much of it as is
 * needed, and nothing believed. */

#pragma once

#include <glib.h>

/* PKCS#10 (RFC 2986), certificate (RFC 5280) or SubjectPublicKeyInfo: DER, base64, or PEM among
 * other text (several of one kind: the first; of more than one kind: none). Its
 * SubjectPublicKeyInfo, DER; NULL: there is none. */
GBytes *signet_spki_find(const guint8 *data, gsize size);
