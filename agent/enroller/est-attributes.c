/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads CsrAttrs ::= SEQUENCE OF AttrOrOID. */

#include "agent/enroller/est-attributes.h"

#include <openssl/asn1t.h>

#include "agent/base/error.h"

#define ATTRIBUTES_MAX 64

typedef ASN1_SEQUENCE_ANY Sequence;

static void
sequence_free(Sequence *sequence)
{
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sequence, sequence_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_PUBKEY, X509_PUBKEY_free)

static Sequence *
read_sequence(const ASN1_STRING *der, gboolean is_set)
{
    const guint8 *at = ASN1_STRING_get0_data(der);
    const guint8 *end = ASN1_STRING_length(der) ? at + ASN1_STRING_length(der) : at;
    g_autoptr(Sequence) sequence = is_set ? d2i_ASN1_SET_ANY(NULL, &at, (long)(end - at))
                                          : d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)(end - at));

    return sequence && at == end ? g_steal_pointer(&sequence) : NULL;
}

/* The kind of key that an attribute asks for; both 0: it is about something else. */
typedef struct {
    int algorithm; /* NID_X9_62_id_ecPublicKey, NID_rsaEncryption */
    int curve;     /* of EC; 0: any */
    long bits;     /* of RSA; 0: any */
} Wanted;

static void
read_value(Wanted *wanted, const ASN1_TYPE *value)
{
    if (wanted->algorithm == NID_X9_62_id_ecPublicKey && value->type == V_ASN1_OBJECT)
        wanted->curve = OBJ_obj2nid(value->value.object);
    if (wanted->algorithm == NID_rsaEncryption && value->type == V_ASN1_INTEGER)
        wanted->bits = ASN1_INTEGER_get(value->value.integer);
}

/* Attribute ::= SEQUENCE { type OID, values SET OF ANY } */
static gboolean
read_attribute(const ASN1_TYPE *item, Wanted *ret_wanted)
{
    g_autoptr(Sequence) parts = NULL;
    g_autoptr(Sequence) values = NULL;

    if (item->type == V_ASN1_OBJECT) {
        ret_wanted->algorithm = OBJ_obj2nid(item->value.object);
        return TRUE;
    }
    parts = item->type == V_ASN1_SEQUENCE ? read_sequence(item->value.sequence, FALSE) : NULL;
    if (!parts || sk_ASN1_TYPE_num(parts) != 2 ||
        sk_ASN1_TYPE_value(parts, 0)->type != V_ASN1_OBJECT ||
        sk_ASN1_TYPE_value(parts, 1)->type != V_ASN1_SET)
        return FALSE;
    ret_wanted->algorithm = OBJ_obj2nid(sk_ASN1_TYPE_value(parts, 0)->value.object);
    values = read_sequence(sk_ASN1_TYPE_value(parts, 1)->value.set, TRUE);
    if (!values)
        return FALSE;
    if (sk_ASN1_TYPE_num(values) > 0)
        read_value(ret_wanted, sk_ASN1_TYPE_value(values, 0));
    return TRUE;
}

/* "EC key on secp384r1", as far as it is said; NULL: no wish about keys. */
static char *
describe(const Wanted *wanted)
{
    if (wanted->algorithm == NID_X9_62_id_ecPublicKey)
        return wanted->curve ? g_strdup_printf("an EC key on %s", OBJ_nid2sn(wanted->curve))
                             : g_strdup("an EC key");
    if (wanted->algorithm == NID_rsaEncryption)
        return wanted->bits > 0 ? g_strdup_printf("an RSA key of %ld bits", wanted->bits)
                                : g_strdup("an RSA key");
    return NULL;
}

static gboolean
fits(const Wanted *wanted, EVP_PKEY *key)
{
    char group[64] = "";

    if (wanted->algorithm == NID_rsaEncryption)
        return EVP_PKEY_is_a(key, "RSA") &&
               (wanted->bits <= 0 || EVP_PKEY_get_bits(key) == wanted->bits);
    if (!EVP_PKEY_is_a(key, "EC"))
        return FALSE;
    return wanted->curve == 0 || (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
                                  OBJ_txt2nid(group) == wanted->curve);
}

static EVP_PKEY *
read_key(GBytes *spki)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(spki, &size);

    return d2i_PUBKEY(NULL, &at, (long)size);
}

/* Several kinds may be named: one that fits is enough. */
static gboolean
check_all(Sequence *attributes, EVP_PKEY *key, GError **error)
{
    g_autofree char *unmet = NULL;

    for (int i = 0; i < sk_ASN1_TYPE_num(attributes); i++) {
        Wanted wanted = {0};
        g_autofree char *words = NULL;

        if (!read_attribute(sk_ASN1_TYPE_value(attributes, i), &wanted))
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "attribute %d of csrattrs cannot be read", i + 1);
        words = describe(&wanted);
        if (words && fits(&wanted, key))
            return TRUE;
        if (words && !unmet)
            unmet = g_steal_pointer(&words);
    }
    if (!unmet)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA asks for %s; change Key= of the identity", unmet);
}

gboolean
signet_est_attributes_check(GBytes *der, GBytes *spki, GError **error)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(der, &size);
    const guint8 *end = size ? at + size : at;
    g_autoptr(Sequence) attributes = size ? d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)size) : NULL;
    g_autoptr(EVP_PKEY) key = read_key(spki);
    gboolean is_read =
        attributes && at == end && key && sk_ASN1_TYPE_num(attributes) <= ATTRIBUTES_MAX;
    gboolean is_good =
        is_read ? check_all(attributes, key, error)
                : signet_error_set(error, SIGNET_ERROR_CORRUPT, "csrattrs cannot be read");

    ERR_clear_error();
    return is_good;
}
