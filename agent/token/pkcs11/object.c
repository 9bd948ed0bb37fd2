/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* CKA_ID finds a key, its public key proves it. */

#include "agent/token/pkcs11/object.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/token/pkcs11/error.h"
#include "agent/token/pkcs11/public.h"
#include "agent/token/spki.h"

#define ATTRIBUTE_MAX 16384 /* a certificate; RSA-8192 has a modulus of 1,024 bytes */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(P11KitUri, p11_kit_uri_free)

/* --- URIs --- */

#define KEY_URI P11_KIT_URI_FOR_OBJECT_ON_TOKEN

GBytes *
signet_pkcs11_blob(SignetPkcs11 *p11, const guint8 *id, gsize id_size, GError **error)
{
    g_autoptr(P11KitUri) uri = p11_kit_uri_new();
    CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &private, sizeof private},
                                 {CKA_ID, (void *)id, id_size}};
    char *text = NULL;
    GBytes *blob;
    int rc;

    *p11_kit_uri_get_token_info(uri) = p11->slot.token;
    p11_kit_uri_set_attributes(uri, attributes, G_N_ELEMENTS(attributes));
    rc = p11_kit_uri_format(uri, KEY_URI, &text);
    if (rc != P11_KIT_URI_OK) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' made a key that cannot be written down: %s", p11->name,
                         p11_kit_uri_message(rc));
        return NULL;
    }
    blob = g_bytes_new(text, strlen(text));
    free(text);
    return blob;
}

static P11KitUri *
parse_blob(const SignetPkcs11 *p11, const SignetKey *key, GError **error)
{
    g_autoptr(P11KitUri) uri = p11_kit_uri_new();
    gsize size;
    const char *bytes = g_bytes_get_data(key->blob, &size);
    g_autofree char *text = g_strndup(bytes, size);

    if (p11_kit_uri_parse(text, KEY_URI, uri) != P11_KIT_URI_OK ||
        !p11_kit_uri_get_attribute(uri, CKA_ID)) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "the stored key is not one of token '%s': it is no PKCS#11 URI with an id",
                         p11->name);
        return NULL;
    }
    if (!p11_kit_uri_match_token_info(uri, &p11->slot.token)) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                         "token '%s' is another one than the one with the key '%s'; insert that",
                         p11->name, text);
        return NULL;
    }
    return g_steal_pointer(&uri);
}

/* --- attributes --- */

GBytes *
signet_pkcs11_get_attribute(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    guint8 value[ATTRIBUTE_MAX];
    CK_ATTRIBUTE attribute = {type, value, sizeof value};

    if (p11->functions->C_GetAttributeValue(p11->session, object, &attribute, 1) != CKR_OK ||
        attribute.ulValueLen == 0 || attribute.ulValueLen > sizeof value)
        return NULL;
    return g_bytes_new(value, attribute.ulValueLen);
}

gboolean
signet_pkcs11_is_known_to_be(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                             CK_BBOOL wanted)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};

    return p11->functions->C_GetAttributeValue(p11->session, object, &attribute, 1) == CKR_OK &&
           attribute.ulValueLen == sizeof value && !value == !wanted;
}

GBytes *
signet_pkcs11_read_spki(SignetPkcs11 *p11, CK_OBJECT_HANDLE object)
{
    CK_KEY_TYPE type = CKK_VENDOR_DEFINED;
    CK_ATTRIBUTE attribute = {CKA_KEY_TYPE, &type, sizeof type};
    gboolean is_rsa;
    g_autoptr(GBytes) first = NULL;
    g_autoptr(GBytes) second = NULL;

    if (p11->functions->C_GetAttributeValue(p11->session, object, &attribute, 1) != CKR_OK ||
        (type != CKK_RSA && type != CKK_EC && type != CKK_EC_EDWARDS))
        return NULL;
    is_rsa = type == CKK_RSA;
    first = signet_pkcs11_get_attribute(p11, object, is_rsa ? CKA_MODULUS : CKA_EC_PARAMS);
    second = signet_pkcs11_get_attribute(p11, object, is_rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT);
    if (!first || !second)
        return NULL;
    return is_rsa ? signet_pkcs11_spki_of_rsa(first, second)
                  : signet_pkcs11_spki_of_ec(first, second);
}

gboolean
signet_pkcs11_check_protection(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, gboolean is_adopted,
                               const char *what, GError **error)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        CK_BBOOL wanted;
        const char *fault;
    } demands[] = {
        {CKA_EXTRACTABLE, CK_FALSE, "is extractable"},
        {CKA_SENSITIVE, CK_TRUE, "is not sensitive"},
        {CKA_LOCAL, CK_TRUE, "was not made by the token"},
    };

    if (p11->allow_extractable)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
        /* whoever adopts a key knows where it was made */
        if (is_adopted && demands[i].type == CKA_LOCAL)
            continue;
        if (!signet_pkcs11_is_known_to_be(p11, object, demands[i].type, demands[i].wanted))
            return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                    "token '%s' %s: it %s, or the token does not say that it is "
                                    "not so; AllowExtractable=yes would permit it",
                                    p11->name, what, demands[i].fault);
    }
    return TRUE;
}

/* --- finding --- */

CK_RV
signet_pkcs11_find(SignetPkcs11 *p11, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id,
                   SignetPkcs11Found *ret_found)
{
    CK_ATTRIBUTE template[2] = {{CKA_CLASS, &class, sizeof class}};
    CK_FUNCTION_LIST *functions = p11->functions;
    CK_RV rv;

    if (id)
        template[1] = *id;
    ret_found->n = 0;
    rv = functions->C_FindObjectsInit(p11->session, template, id ? 2 : 1);
    if (rv != CKR_OK)
        return rv;
    rv = functions->C_FindObjects(p11->session, ret_found->objects, SIGNET_PKCS11_FOUND_MAX,
                                  &ret_found->n);
    functions->C_FindObjectsFinal(p11->session);
    return rv;
}

GBytes *
signet_pkcs11_read_certificate(SignetPkcs11 *p11, CK_OBJECT_HANDLE object)
{
    CK_CERTIFICATE_TYPE type = CKC_VENDOR_DEFINED;
    CK_ATTRIBUTE attribute = {CKA_CERTIFICATE_TYPE, &type, sizeof type};

    if (p11->functions->C_GetAttributeValue(p11->session, object, &attribute, 1) != CKR_OK ||
        type != CKC_X_509)
        return NULL;
    return signet_pkcs11_get_attribute(p11, object, CKA_VALUE);
}

static gboolean
is_half(SignetPkcs11 *p11, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id, GBytes *spki)
{
    SignetPkcs11Found found;

    signet_pkcs11_find(p11, class, id, &found);
    for (CK_ULONG i = 0; i < found.n; i++) {
        g_autoptr(GBytes) certificate = NULL;
        g_autoptr(GBytes) other = NULL;

        if (class == CKO_CERTIFICATE) {
            certificate = signet_pkcs11_read_certificate(p11, found.objects[i]);
            other = certificate ? signet_spki_of_certificate(certificate) : NULL;
        } else {
            other = signet_pkcs11_read_spki(p11, found.objects[i]);
        }
        if (other && g_bytes_equal(other, spki))
            return TRUE;
    }
    return FALSE;
}

/* Has the private key this public key? A card may keep the public half in an object of its own, or
 * in a certificate only. */
static gboolean
is_pair(SignetPkcs11 *p11, CK_OBJECT_HANDLE private, const CK_ATTRIBUTE *id, GBytes *spki)
{
    g_autoptr(GBytes) own = signet_pkcs11_read_spki(p11, private);

    if (own)
        return g_bytes_equal(own, spki);
    return is_half(p11, CKO_PUBLIC_KEY, id, spki) || is_half(p11, CKO_CERTIFICATE, id, spki);
}

static gboolean
report_missing(SignetPkcs11 *p11, gboolean has_others, GError **error)
{
    if (has_others)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the key with this id on token '%s' has another public key: it was "
                                "replaced; enrol the identity again",
                                p11->name);
    return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                            "the key is not on token '%s' any more: it was deleted; enrol the "
                            "identity again",
                            p11->name);
}

/* *ret_object is 0 when none is there, CK_INVALID_HANDLE. */
static gboolean
look_up(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, gboolean *ret_has_others,
        GError **error)
{
    g_autoptr(P11KitUri) uri = parse_blob(p11, key, error);
    SignetPkcs11Found found;
    CK_ATTRIBUTE *id = uri ? p11_kit_uri_get_attribute(uri, CKA_ID) : NULL;
    CK_RV rv;

    *ret_object = 0;
    if (!uri)
        return FALSE;
    rv = signet_pkcs11_find(p11, CKO_PRIVATE_KEY, id, &found);
    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, p11->name, "find the key", rv);
    *ret_has_others = found.n > 0;
    for (CK_ULONG i = 0; i < found.n && *ret_object == 0; i++) {
        if (is_pair(p11, found.objects[i], id, key->spki))
            *ret_object = found.objects[i];
    }
    return TRUE;
}

/* Opening it again answers whether the key is gone, or the token. */
static gboolean
look_up_twice(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, GError **error)
{
    gboolean has_others = FALSE;
    g_autoptr(GError) local = NULL;

    if (!look_up(p11, key, ret_object, &has_others, error))
        return FALSE;
    if (*ret_object != 0)
        return TRUE;
    if (!has_others && signet_pkcs11_doubt(p11, key->blob, &local) &&
        !look_up(p11, key, ret_object, &has_others, error))
        return FALSE;
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return *ret_object != 0 || report_missing(p11, has_others, error);
}

static void
forget_handles(SignetPkcs11 *p11)
{
    int destroyed = g_atomic_int_get(&p11->device->destroyed);

    if (destroyed != p11->keys_destroyed)
        g_hash_table_remove_all(p11->keys);
    p11->keys_destroyed = destroyed;
}

gboolean
signet_pkcs11_bind(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, GError **error)
{
    gpointer value;

    forget_handles(p11);
    if (g_hash_table_lookup_extended(p11->keys, key->blob, NULL, &value)) {
        *ret_object = (CK_OBJECT_HANDLE)value;
        return TRUE;
    }
    if (!look_up_twice(p11, key, ret_object, error) ||
        !signet_pkcs11_check_protection(p11, *ret_object, key->is_adopted,
                                        "does not protect the key", error))
        return FALSE;
    g_hash_table_insert(p11->keys, g_bytes_ref(key->blob), (gpointer)*ret_object);
    if (signet_pkcs11_is_known_to_be(p11, *ret_object, CKA_ALWAYS_AUTHENTICATE, CK_TRUE))
        g_hash_table_add(p11->careful, (gpointer)*ret_object);
    g_hash_table_remove(p11->missing, key->blob);
    return TRUE;
}

/* --- destroying --- */

static gboolean
destroy_class(SignetPkcs11 *p11, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *id, guint *destroyed,
              GError **error)
{
    SignetPkcs11Found found;
    CK_RV rv = signet_pkcs11_find(p11, class, id, &found);

    for (CK_ULONG i = 0; rv == CKR_OK && i < found.n; i++) {
        rv = p11->functions->C_DestroyObject(p11->session, found.objects[i]);
        *destroyed += rv == CKR_OK;
    }
    return rv == CKR_OK || signet_pkcs11_error_set(error, p11->name, "destroy the key", rv);
}

/* The public half last: a key that is half destroyed is found by it. */
static gboolean
destroy_pair(SignetPkcs11 *p11, SignetKey *key, guint *destroyed, GError **error)
{
    g_autoptr(P11KitUri) uri = parse_blob(p11, key, error);
    CK_ATTRIBUTE *id = uri ? p11_kit_uri_get_attribute(uri, CKA_ID) : NULL;

    return uri && destroy_class(p11, CKO_PRIVATE_KEY, id, destroyed, error) &&
           destroy_class(p11, CKO_PUBLIC_KEY, id, destroyed, error);
}

/* Another key has taken the name since: that of a later attempt to make one. */
static gboolean
is_replaced(SignetPkcs11 *p11, SignetKey *key)
{
    g_autoptr(P11KitUri) uri = parse_blob(p11, key, NULL);
    CK_ATTRIBUTE *id = uri ? p11_kit_uri_get_attribute(uri, CKA_ID) : NULL;
    SignetPkcs11Found found = {0};

    if (id)
        signet_pkcs11_find(p11, CKO_PUBLIC_KEY, id, &found);
    return found.n > 0 && !is_half(p11, CKO_PUBLIC_KEY, id, key->spki);
}

static gboolean
destroy_for_sure(SignetPkcs11 *p11, SignetKey *key, GError **error)
{
    guint destroyed = 0;
    g_autoptr(GError) local = NULL;

    if (is_replaced(p11, key))
        return TRUE;
    if (!destroy_pair(p11, key, &destroyed, error))
        return FALSE;
    if (destroyed == 0 && signet_pkcs11_doubt(p11, key->blob, &local) &&
        !destroy_pair(p11, key, &destroyed, error))
        return FALSE;
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_hash_table_remove(p11->missing, key->blob);
    return TRUE;
}

gboolean
signet_pkcs11_destroy_objects(SignetPkcs11 *p11, SignetKey *key, GError **error)
{
    gboolean ok = destroy_for_sure(p11, key, error);

    g_atomic_int_inc(&p11->device->destroyed);
    return ok;
}
