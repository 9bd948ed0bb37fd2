/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads CsrAttrs ::= SEQUENCE OF AttrOrOID, and CertificationRequestInfoTemplate. */

#include "agent/enroller/est-attributes.h"

#include <openssl/asn1t.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/names.h"
#include "agent/enroller/est-demand.h"

#define SIZE_MAX_READ  16384u
#define ATTRIBUTES_MAX 64
/* RFC 9908 3.4; libcrypto 3 has no names for them */
#define OID_TEMPLATE            "1.2.840.113549.1.9.16.2.61"
#define OID_EXTENSIONS_TEMPLATE "1.2.840.113549.1.9.16.2.62"
#define TAG_SEQUENCE            (V_ASN1_CONSTRUCTED | V_ASN1_SEQUENCE)
#define TAG_SET                 (V_ASN1_CONSTRUCTED | V_ASN1_SET)
/* What cannot be the size of a key is a placeholder that says nothing. */
#define RSA_BITS_MIN 1024

typedef ASN1_SEQUENCE_ANY Sequence;

static void
sequence_free(Sequence *sequence)
{
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sequence, sequence_free)

typedef struct {
    SignetEstDemands demands;
    EVP_PKEY *key;      /* (owned) */
    X509_NAME *subject; /* (owned) */
    GENERAL_NAMES *alt; /* (owned) */
    char *unmet;        /* (owned, nullable) the first kind of key that ours is not */
    gboolean is_key_met;
} Reader;

static void
reader_clear(Reader *reader)
{
    EVP_PKEY_free(reader->key);
    X509_NAME_free(reader->subject);
    GENERAL_NAMES_free(reader->alt);
    g_free(reader->unmet);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

/* --- DER --- */

static Sequence *
read_bytes(const guint8 *at, gsize size, gboolean is_set)
{
    const guint8 *end = at + size;
    g_autoptr(Sequence) sequence = is_set ? d2i_ASN1_SET_ANY(NULL, &at, (long)size)
                                          : d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)size);

    return sequence && at == end ? g_steal_pointer(&sequence) : NULL;
}

/* NULL: it is none. */
static Sequence *
read_items(const ASN1_TYPE *item, int type)
{
    if (!item || item->type != type || ASN1_STRING_length(item->value.asn1_string) == 0)
        return NULL;
    return read_bytes(ASN1_STRING_get0_data(item->value.asn1_string),
                      (gsize)ASN1_STRING_length(item->value.asn1_string), type == V_ASN1_SET);
}

/* The same under an implicit tag of the context, [number]. */
static Sequence *
read_tagged(const ASN1_TYPE *item, guint8 number, gboolean is_set)
{
    const ASN1_STRING *raw = item && item->type == V_ASN1_OTHER ? item->value.asn1_string : NULL;
    gsize size = raw ? (gsize)ASN1_STRING_length(raw) : 0;
    const guint8 *data = raw ? ASN1_STRING_get0_data(raw) : NULL;

    if (size == 0 || data[0] != (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED | number))
        return NULL;
    g_autofree guint8 *copy = g_memdup2(data, size);
    copy[0] = is_set ? TAG_SET : TAG_SEQUENCE;
    return read_bytes(copy, size, is_set);
}

static const ASN1_OBJECT *
get_object(const Sequence *sequence, int i)
{
    const ASN1_TYPE *item = i < sk_ASN1_TYPE_num(sequence) ? sk_ASN1_TYPE_value(sequence, i) : NULL;

    return item && item->type == V_ASN1_OBJECT ? item->value.object : NULL;
}

static gboolean
is_object(const ASN1_OBJECT *object, const char *oid)
{
    char text[64];

    return OBJ_obj2txt(text, sizeof(text), object, 1) > 0 && g_str_equal(text, oid);
}

static gboolean
fail(GError **error)
{
    return signet_error_set(error, SIGNET_ERROR_CORRUPT, "csrattrs cannot be read");
}

/* --- keys and digests --- */

static void
take_key(Reader *reader, const SignetEstKey *wanted)
{
    g_autofree char *words = signet_est_key_describe(wanted);

    if (!words)
        return;
    reader->is_key_met = reader->is_key_met || signet_est_key_fits(wanted, reader->key);
    if (!reader->unmet)
        reader->unmet = g_steal_pointer(&words);
}

/* Several kinds may be named: one that fits is enough. */
static gboolean
check_keys(const Reader *reader, GError **error)
{
    if (!reader->unmet || reader->is_key_met)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA asks for %s; change Key= of the identity", reader->unmet);
}

/* "sha384", "ecdsa-with-SHA384": how the request is signed. The first that the key can. */
static void
take_digest(Reader *reader, int nid)
{
    static const struct {
        int nid;
        const char *name;
    } digests[] = {{NID_sha256, "SHA256"}, {NID_sha384, "SHA384"}, {NID_sha512, "SHA512"}};
    int digest = nid, key = NID_undef;

    if (OBJ_find_sigid_algs(nid, &digest, &key) && key != EVP_PKEY_get_base_id(reader->key))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(digests) && !reader->demands.wishes->digest; i++) {
        if (digests[i].nid == digest)
            reader->demands.wishes->digest = digests[i].name;
    }
}

/* An object identifier alone, which says that something of the kind is wanted. */
static void
take_object(Reader *reader, const ASN1_OBJECT *object, gboolean is_templated)
{
    const SignetEstKey wanted = {.algorithm = OBJ_obj2nid(object)};

    if (wanted.algorithm == NID_pkcs9_challengePassword)
        reader->demands.wishes->is_linked = TRUE;
    else if (!is_templated)
        take_key(reader, &wanted);
    take_digest(reader, wanted.algorithm);
}

static void
take_key_attribute(Reader *reader, int algorithm, const Sequence *values)
{
    SignetEstKey wanted = {.algorithm = algorithm};
    const ASN1_TYPE *value = sk_ASN1_TYPE_num(values) ? sk_ASN1_TYPE_value(values, 0) : NULL;

    if (value && algorithm == NID_X9_62_id_ecPublicKey && value->type == V_ASN1_OBJECT)
        wanted.curve = OBJ_obj2nid(value->value.object);
    if (value && algorithm == NID_rsaEncryption && value->type == V_ASN1_INTEGER)
        wanted.bits = ASN1_INTEGER_get(value->value.integer);
    take_key(reader, &wanted);
}

/* --- extensions --- */

/* SEQUENCE { extnID, critical DEFAULT FALSE, extnValue }, in a template without value */
static gboolean
take_extension(const Reader *reader, const ASN1_TYPE *item, GError **error)
{
    g_autoptr(Sequence) parts = read_items(item, V_ASN1_SEQUENCE);
    const ASN1_OBJECT *type = parts ? get_object(parts, 0) : NULL;
    int n = parts ? sk_ASN1_TYPE_num(parts) : 0;
    const ASN1_TYPE *last = n > 0 ? sk_ASN1_TYPE_value(parts, n - 1) : NULL;
    gboolean has_value = last && last->type == V_ASN1_OCTET_STRING;
    int n_expected = 1 + has_value;

    if (n > 1 && sk_ASN1_TYPE_value(parts, 1)->type == V_ASN1_BOOLEAN)
        n_expected++;
    if (!type || n != n_expected)
        return fail(error);
    return signet_est_demand_extension(&reader->demands, type,
                                       has_value ? last->value.octet_string : NULL, error);
}

/* A list of extensions (RFC 9908 3.2), or, as older servers have it, object identifiers of some. */
static gboolean
take_extensions(const Reader *reader, const Sequence *values, GError **error)
{
    for (int i = 0; i < sk_ASN1_TYPE_num(values); i++) {
        const ASN1_TYPE *value = sk_ASN1_TYPE_value(values, i);
        const ASN1_OBJECT *bare = get_object(values, i);
        g_autoptr(Sequence) list = bare ? NULL : read_items(value, V_ASN1_SEQUENCE);

        if (bare && !signet_est_demand_extension(&reader->demands, bare, NULL, error))
            return FALSE;
        if (!bare && !list)
            return fail(error);
        for (int k = 0; list && k < sk_ASN1_TYPE_num(list); k++) {
            if (!take_extension(reader, sk_ASN1_TYPE_value(list, k), error))
                return FALSE;
        }
    }
    return TRUE;
}

/* --- attributes --- */

/* Attribute ::= SEQUENCE { type OID, values SET OF ANY }; NULL: it is none. */
static Sequence *
read_attribute(const ASN1_TYPE *item, Sequence **ret_values)
{
    g_autoptr(Sequence) parts = read_items(item, V_ASN1_SEQUENCE);
    Sequence *values = parts && sk_ASN1_TYPE_num(parts) == 2 && get_object(parts, 0)
                           ? read_items(sk_ASN1_TYPE_value(parts, 1), V_ASN1_SET)
                           : NULL;

    *ret_values = values;
    return values ? g_steal_pointer(&parts) : NULL;
}

static gboolean
take_attribute(Reader *reader, const ASN1_OBJECT *type, const Sequence *values, GError **error)
{
    int nid = OBJ_obj2nid(type);

    if (nid == NID_ext_req || is_object(type, OID_EXTENSIONS_TEMPLATE))
        return take_extensions(reader, values, error);
    if (nid == NID_pkcs9_challengePassword)
        reader->demands.wishes->is_linked = TRUE;
    take_key_attribute(reader, nid, values);
    return TRUE;
}

/* --- the template --- */

/* SEQUENCE OF SET OF SEQUENCE { type, value OPTIONAL } */
static gboolean
take_subject(const Reader *reader, const Sequence *rdns, GError **error)
{
    for (int i = 0; i < sk_ASN1_TYPE_num(rdns); i++) {
        g_autoptr(Sequence) rdn = read_items(sk_ASN1_TYPE_value(rdns, i), V_ASN1_SET);

        if (!rdn)
            return fail(error);
        for (int k = 0; k < sk_ASN1_TYPE_num(rdn); k++) {
            g_autoptr(Sequence) pair = read_items(sk_ASN1_TYPE_value(rdn, k), V_ASN1_SEQUENCE);
            int n = pair ? sk_ASN1_TYPE_num(pair) : 0;

            if (n < 1 || n > 2 || !get_object(pair, 0))
                return fail(error);
            if (!signet_est_demand_subject(&reader->demands, get_object(pair, 0),
                                           n == 2 ? sk_ASN1_TYPE_value(pair, 1) : NULL, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* Of RSA a key is shown that is none, but has the size. */
static long
read_rsa_bits(const ASN1_TYPE *placeholder)
{
    const ASN1_STRING *bits = placeholder->value.asn1_string;
    g_autoptr(Sequence) numbers =
        read_bytes(ASN1_STRING_get0_data(bits), (gsize)ASN1_STRING_length(bits), FALSE);
    const ASN1_TYPE *modulus =
        numbers && sk_ASN1_TYPE_num(numbers) == 2 ? sk_ASN1_TYPE_value(numbers, 0) : NULL;
    long n = modulus && modulus->type == V_ASN1_INTEGER
                 ? (long)ASN1_STRING_length(modulus->value.asn1_string) * 8
                 : 0;

    return n >= RSA_BITS_MIN ? n : 0;
}

/* SEQUENCE { AlgorithmIdentifier, subjectPublicKey BIT STRING OPTIONAL } */
static gboolean
take_public_key(Reader *reader, const Sequence *parts, GError **error)
{
    int n = sk_ASN1_TYPE_num(parts);
    g_autoptr(Sequence) algorithm =
        n > 0 ? read_items(sk_ASN1_TYPE_value(parts, 0), V_ASN1_SEQUENCE) : NULL;
    const ASN1_OBJECT *type = algorithm ? get_object(algorithm, 0) : NULL;
    SignetEstKey wanted = {0};

    if (!type || n > 2 || (n == 2 && sk_ASN1_TYPE_value(parts, 1)->type != V_ASN1_BIT_STRING))
        return fail(error);
    wanted.algorithm = OBJ_obj2nid(type);
    if (wanted.algorithm == NID_X9_62_id_ecPublicKey && get_object(algorithm, 1))
        wanted.curve = OBJ_obj2nid(get_object(algorithm, 1));
    if (wanted.algorithm == NID_rsaEncryption && n == 2)
        wanted.bits = read_rsa_bits(sk_ASN1_TYPE_value(parts, 1));
    take_key(reader, &wanted);
    return TRUE;
}

static gboolean
take_template_attributes(Reader *reader, const Sequence *attributes, GError **error)
{
    for (int i = 0; i < sk_ASN1_TYPE_num(attributes); i++) {
        g_autoptr(Sequence) values = NULL;
        g_autoptr(Sequence) parts = read_attribute(sk_ASN1_TYPE_value(attributes, i), &values);

        if (!parts)
            return fail(error);
        if (!take_attribute(reader, get_object(parts, 0), values, error))
            return FALSE;
    }
    return TRUE;
}

/* SEQUENCE { version, subject OPTIONAL, subjectPKInfo [0] OPTIONAL, attributes [1] } */
static gboolean
take_template(Reader *reader, const ASN1_TYPE *value, GError **error)
{
    g_autoptr(Sequence) parts = read_items(value, V_ASN1_SEQUENCE);
    int n = parts ? sk_ASN1_TYPE_num(parts) : 0;
    int at = 1;

    if (n < 2 || sk_ASN1_TYPE_value(parts, 0)->type != V_ASN1_INTEGER ||
        ASN1_INTEGER_get(sk_ASN1_TYPE_value(parts, 0)->value.integer) != 0)
        return fail(error);
    g_autoptr(Sequence) subject = read_items(sk_ASN1_TYPE_value(parts, at), V_ASN1_SEQUENCE);
    at += subject != NULL;
    g_autoptr(Sequence) key = at < n ? read_tagged(sk_ASN1_TYPE_value(parts, at), 0, FALSE) : NULL;
    at += key != NULL;
    g_autoptr(Sequence) attributes =
        at < n ? read_tagged(sk_ASN1_TYPE_value(parts, at), 1, TRUE) : NULL;
    at += attributes != NULL;
    if (at != n || !attributes)
        return fail(error);
    return (!subject || take_subject(reader, subject, error)) &&
           (!key || take_public_key(reader, key, error)) &&
           take_template_attributes(reader, attributes, error);
}

/* --- all of it --- */

static gboolean
has_template(const Sequence *list)
{
    for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
        g_autoptr(Sequence) values = NULL;
        g_autoptr(Sequence) parts = read_attribute(sk_ASN1_TYPE_value(list, i), &values);

        if (parts && is_object(get_object(parts, 0), OID_TEMPLATE))
            return TRUE;
    }
    return FALSE;
}

static gboolean
take_item(Reader *reader, const Sequence *list, int i, gboolean is_templated, GError **error)
{
    const ASN1_OBJECT *bare = get_object(list, i);
    g_autoptr(Sequence) values = NULL;
    g_autoptr(Sequence) parts = bare ? NULL : read_attribute(sk_ASN1_TYPE_value(list, i), &values);

    if (bare) {
        take_object(reader, bare, is_templated);
        return TRUE;
    }
    if (!parts)
        return fail(error);
    if (!is_object(get_object(parts, 0), OID_TEMPLATE))
        return is_templated || take_attribute(reader, get_object(parts, 0), values, error);
    if (sk_ASN1_TYPE_num(values) != 1)
        return fail(error);
    return take_template(reader, sk_ASN1_TYPE_value(values, 0), error);
}

static gboolean
take_all(Reader *reader, const Sequence *list, GError **error)
{
    gboolean is_templated = has_template(list);

    for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
        if (!take_item(reader, list, i, is_templated, error))
            return FALSE;
    }
    return check_keys(reader, error);
}

static EVP_PKEY *
read_key(GBytes *spki)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(spki, &size);

    return d2i_PUBKEY(NULL, &at, (long)size);
}

gboolean
signet_est_attributes_read(GBytes *der, const SignetJobRequest *job,
                           SignetRequestWishes *ret_wishes, GError **error)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    g_autoptr(Sequence) list =
        size > 0 && size <= SIZE_MAX_READ ? read_bytes(data, size, FALSE) : NULL;
    SignetRequestWishes wishes = {0};
    g_auto(Reader) reader = {.key = read_key(job->spki),
                             .subject = signet_names_parse_subject(job->subject, error)};

    reader.alt = reader.subject ? signet_names_make_alt(job, error) : NULL;
    if (!reader.alt)
        return FALSE;
    reader.demands = (SignetEstDemands) {.job = job,
                                         .key = reader.key,
                                         .subject = reader.subject,
                                         .alt = reader.alt,
                                         .wishes = &wishes};
    gboolean is_good = list && reader.key && sk_ASN1_TYPE_num(list) <= ATTRIBUTES_MAX
                           ? take_all(&reader, list, error)
                           : fail(error);
    ERR_clear_error();
    if (is_good)
        *ret_wishes = wishes;
    return is_good;
}
