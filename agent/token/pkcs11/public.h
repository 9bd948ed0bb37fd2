/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Public keys and signatures between PKCS#11's forms and the rest of the world's. Private to
 * agent/token/pkcs11. */

#pragma once

#include <glib.h>

#include "provider/wire/catalogue.h"

/* The key type's curve for CKA_EC_PARAMS: DER of its OID, or (by_name) of its name, which some
 * tokens want for Ed25519; static. NULL: no such curve, or no name. */
const guint8 *signet_pkcs11_curve_params(guint32 key_type, gboolean by_name, gsize *ret_size);
/* DER SubjectPublicKeyInfo of what the token says: CKA_EC_PARAMS (OID or name) and CKA_EC_POINT
 * (its DER, or the bare point, as some tokens have it). NULL when it is no curve of ours or no
 * point of it. */
GBytes *signet_pkcs11_spki_of_ec(GBytes *params, GBytes *point);
GBytes *signet_pkcs11_spki_of_rsa(GBytes *modulus, GBytes *exponent);
/* Is it an uncompressed point of the key type's curve, which is one for ECDH? */
gboolean signet_pkcs11_is_point(guint32 key_type, GBytes *point);
/* r and s, one after the other and equally long, to DER (RFC 3279, 2.2.3). NULL when odd. */
GBytes *signet_pkcs11_ecdsa_der(const guint8 *raw, gsize size);
/* Is it the key's signature of the digest? */
gboolean signet_pkcs11_ecdsa_check(GBytes *spki, GBytes *digest, GBytes *der);
