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
/* Sensitive, not extractable and, unless it is adopted, made on the token; or AllowExtractable=yes:
 * else TOKEN_FAILED, "token 'NAME' WHAT: …". */
gboolean signet_pkcs11_check_protection(SignetPkcs11 *p11, CK_OBJECT_HANDLE object,
                                        gboolean is_adopted, const char *what, GError **error);
/* NULL when the object has no such attribute, or an empty one. */
GBytes *
signet_pkcs11_get_attribute(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
/* Does the token say so? What it does not say is not so. */
gboolean signet_pkcs11_is_known_to_be(SignetPkcs11 *p11, CK_OBJECT_HANDLE object,
                                      CK_ATTRIBUTE_TYPE type, CK_BBOOL wanted);
#define SIGNET_PKCS11_FOUND_MAX 64
typedef struct {
    CK_OBJECT_HANDLE objects[SIGNET_PKCS11_FOUND_MAX];
    CK_ULONG n;
} SignetPkcs11Found;
/* The objects of a class, those with this CKA_ID only or (NULL) all. */
CK_RV signet_pkcs11_find(SignetPkcs11 *p11, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id,
                         SignetPkcs11Found *ret_found);
/* DER of the X.509 certificate in an object; NULL when it is none, or too long. */
GBytes *signet_pkcs11_read_certificate(SignetPkcs11 *p11, CK_OBJECT_HANDLE object);
/* The private key's handle. The first time after each opening it is looked up by token and CKA_ID,
 * its public key is compared and its protection checked. */
gboolean
signet_pkcs11_bind(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, GError **error);
/* Destroys the private and the public key, if they are there. */
gboolean signet_pkcs11_destroy_objects(SignetPkcs11 *p11, SignetKey *key, GError **error);
