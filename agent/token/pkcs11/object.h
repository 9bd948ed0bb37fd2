/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys as objects on the token: finding them again, and what is demanded of them. Private to
 * agent/token/pkcs11. */

#pragma once

#include "agent/base/key.h"
#include "agent/token/pkcs11/context.h"

#define SIGNET_PKCS11_ID_BYTES 16

/* The URI (RFC 7512) of the private key with this CKA_ID on the open token: a SignetKey's blob. */
GBytes *signet_pkcs11_blob(SignetPkcs11 *p11, const guint8 *id, gsize id_size, GError **error);
/* The public key of a key object, by its own attributes; NULL when the token does not say. */
GBytes *signet_pkcs11_read_spki(SignetPkcs11 *p11, CK_OBJECT_HANDLE object);
/* Made on the token, sensitive and not extractable, or AllowExtractable=yes: else TOKEN_FAILED,
 * "token 'NAME' WHAT: …". */
gboolean signet_pkcs11_check_protection(SignetPkcs11 *p11, CK_OBJECT_HANDLE object,
                                        const char *what, GError **error);
/* The private key's handle. The first time after each opening it is looked up by token and CKA_ID,
 * its public key is compared and its protection checked. */
gboolean
signet_pkcs11_bind(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, GError **error);
/* Destroys the private and the public key, if they are there. */
gboolean signet_pkcs11_destroy_objects(SignetPkcs11 *p11, SignetKey *key, GError **error);
