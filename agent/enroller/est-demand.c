/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Names, usages and keys that a CA demands. */

#include "agent/enroller/est-demand.h"

#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/names.h"

#define TEXT_MAX 64

/* --- usages --- */

/* RFC 5280 4.2.1.3, by bit */
static const char *const usage_names[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                          "dataEncipherment", "keyAgreement",   "keyCertSign",
                                          "cRLSign",          "encipherOnly",   "decipherOnly"};

static guint
allowed_usages(const SignetEstDemands *demands)
{
    guint purposes = demands->job->purposes;
    guint allowed = 1u << SIGNET_KU_DIGITAL_SIGNATURE;

    if (EVP_PKEY_is_a(demands->key, "RSA"))
        allowed |= 1u << SIGNET_KU_KEY_ENCIPHERMENT;
    if (EVP_PKEY_is_a(demands->key, "EC"))
        allowed |= 1u << SIGNET_KU_KEY_AGREEMENT;
    if (purposes & (SIGNET_PURPOSE_SIGN | SIGNET_PURPOSE_ANY))
        allowed |= 1u << SIGNET_KU_NON_REPUDIATION;
    if (EVP_PKEY_is_a(demands->key, "RSA") &&
        purposes & (SIGNET_PURPOSE_DECRYPT | SIGNET_PURPOSE_ANY))
        allowed |= 1u << SIGNET_KU_DATA_ENCIPHERMENT;
    return allowed;
}

static gboolean
demand_usage(const SignetEstDemands *demands, ASN1_BIT_STRING *usage, GError **error)
{
    guint allowed = allowed_usages(demands);
    guint wanted = 0;

    for (guint bit = 0; bit < G_N_ELEMENTS(usage_names); bit++) {
        if (!ASN1_BIT_STRING_get_bit(usage, (int)bit))
            continue;
        if (!(allowed & 1u << bit))
            return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                    "the CA asks for key usage %s, which Key= and Purposes= of the "
                                    "identity do not have",
                                    usage_names[bit]);
        wanted |= 1u << bit;
    }
    if (!(wanted & 1u << SIGNET_KU_DIGITAL_SIGNATURE))
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for a key usage without digitalSignature, but the key "
                                "is to sign");
    demands->wishes->key_usage = wanted;
    return TRUE;
}

static gboolean
has_object(const EXTENDED_KEY_USAGE *usages, const ASN1_OBJECT *object)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), object) == 0)
            return TRUE;
    }
    return FALSE;
}

static const ASN1_OBJECT *
find_other(const EXTENDED_KEY_USAGE *usages, const EXTENDED_KEY_USAGE *others)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        if (!has_object(others, sk_ASN1_OBJECT_value(usages, i)))
            return sk_ASN1_OBJECT_value(usages, i);
    }
    return NULL;
}

/* What a CA demands is all that it wants to see: neither more nor less than the purposes give. */
static gboolean
demand_extended_usage(const SignetEstDemands *demands, const EXTENDED_KEY_USAGE *wanted,
                      GError **error)
{
    g_autoptr(EXTENDED_KEY_USAGE) ours = signet_names_make_eku(demands->job->purposes);
    const ASN1_OBJECT *foreign = find_other(wanted, ours);
    const ASN1_OBJECT *lacking = find_other(ours, wanted);
    char text[TEXT_MAX];

    if (!foreign && !lacking)
        return TRUE;
    OBJ_obj2txt(text, sizeof(text), foreign ? foreign : lacking, 0);
    if (foreign)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for extended key usage '%s', which Purposes= of the "
                                "identity does not have",
                                text);
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA asks for an extended key usage without '%s', which Purposes= "
                            "of the identity has",
                            text);
}

static gboolean
demand_constraints(const SignetEstDemands *demands, const BASIC_CONSTRAINTS *basic, GError **error)
{
    if (basic->ca)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for a request for another CA's certificate");
    demands->wishes->has_constraints = TRUE;
    return TRUE;
}

/* --- names --- */

static const char *
key_of_kind(int kind)
{
    switch (kind) { /* libcrypto's, no enum */
    case GEN_DNS:
        return "Dns=";
    case GEN_IPADD:
        return "Ip=";
    case GEN_URI:
        return "Uri=";
    case GEN_EMAIL:
        return "Email=";
    default:
        return NULL;
    }
}

static gboolean
is_placeholder(const GENERAL_NAME *name)
{
    int kind = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);

    return key_of_kind(kind) && ASN1_STRING_length(value) == 0;
}

static gboolean
has_name(const GENERAL_NAMES *names, GENERAL_NAME *wanted, gboolean is_any)
{
    int wanted_kind = 0;

    GENERAL_NAME_get0_value(wanted, &wanted_kind);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        int kind = 0;

        GENERAL_NAME_get0_value(name, &kind);
        if (is_any ? kind == wanted_kind : GENERAL_NAME_cmp(name, wanted) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Our names may be more than those: the CA decides what it makes of them. */
static gboolean
demand_alt(const SignetEstDemands *demands, const GENERAL_NAMES *wanted, GError **error)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(wanted); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(wanted, i);
        gboolean is_any = is_placeholder(name);
        int kind = 0;

        if (has_name(demands->alt, name, is_any))
            continue;
        GENERAL_NAME_get0_value(name, &kind);
        g_autofree char *text = signet_names_dup_text(name);
        const char *key = key_of_kind(kind);
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                is_any ? "the CA asks for an alternative name of kind '%s'; write "
                                         "%s of the identity"
                                       : "the CA asks for the alternative name '%s', which is not "
                                         "one of %s of the identity",
                                text, key ? key : "the names");
    }
    return TRUE;
}

/* --- extensions --- */

/* NULL: not one value of that type, to the last byte. */
static gpointer
read_value(int nid, const ASN1_OCTET_STRING *value)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
    const guint8 *at = ASN1_STRING_get0_data(value);
    const guint8 *end = at + ASN1_STRING_length(value);
    gpointer read = ASN1_item_d2i(NULL, &at, (long)(end - at), ASN1_ITEM_ptr(method->it));

    if (read && at == end)
        return read;
    if (read)
        ASN1_item_free(read, ASN1_ITEM_ptr(method->it));
    ERR_clear_error();
    return NULL;
}

static gboolean
demand_value(const SignetEstDemands *demands, int nid, const ASN1_OCTET_STRING *value,
             GError **error)
{
    gpointer read = read_value(nid, value);
    gboolean is_good = FALSE;

    if (!read)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the CA asks for an extension '%s' that cannot be read",
                                OBJ_nid2sn(nid));
    if (nid == NID_key_usage)
        is_good = demand_usage(demands, read, error);
    else if (nid == NID_ext_key_usage)
        is_good = demand_extended_usage(demands, read, error);
    else if (nid == NID_basic_constraints)
        is_good = demand_constraints(demands, read, error);
    else
        is_good = demand_alt(demands, read, error);
    ASN1_item_free(read, ASN1_ITEM_ptr(X509V3_EXT_get_nid(nid)->it));
    return is_good;
}

static gboolean
demand_presence(const SignetEstDemands *demands, int nid, GError **error)
{
    g_autoptr(EXTENDED_KEY_USAGE) usages = signet_names_make_eku(demands->job->purposes);

    if (nid == NID_subject_alt_name && sk_GENERAL_NAME_num(demands->alt) == 0)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for alternative names; write Dns=, Ip=, Uri= or "
                                "Email= of the identity");
    if (nid == NID_ext_key_usage && sk_ASN1_OBJECT_num(usages) == 0)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for an extended key usage, which Purposes= of the "
                                "identity does not give");
    if (nid == NID_basic_constraints)
        demands->wishes->has_constraints = TRUE;
    return TRUE;
}

gboolean
signet_est_demand_extension(const SignetEstDemands *demands, const ASN1_OBJECT *type,
                            const ASN1_OCTET_STRING *value, GError **error)
{
    int nid = OBJ_obj2nid(type);

    /* By whatever method it is made: there is but one key that it can name. */
    if (nid == NID_subject_key_identifier)
        demands->wishes->has_key_id = TRUE;
    if (nid != NID_key_usage && nid != NID_ext_key_usage && nid != NID_basic_constraints &&
        nid != NID_subject_alt_name)
        return TRUE;
    return value ? demand_value(demands, nid, value, error) : demand_presence(demands, nid, error);
}

/* --- the subject --- */

static char *
dup_text(const ASN1_STRING *string)
{
    guint8 *text = NULL;
    int size = ASN1_STRING_to_UTF8(&text, string);
    char *copy = size >= 0 ? g_strndup((const char *)text, (gsize)size) : NULL;

    OPENSSL_free(text);
    ERR_clear_error();
    return copy;
}

static gboolean
is_string(const ASN1_TYPE *value)
{
    return value->type == V_ASN1_UTF8STRING || value->type == V_ASN1_PRINTABLESTRING ||
           value->type == V_ASN1_IA5STRING || value->type == V_ASN1_T61STRING ||
           value->type == V_ASN1_BMPSTRING;
}

static gboolean
has_value(const SignetEstDemands *demands, const ASN1_OBJECT *type, const char *wanted)
{
    int at = -1;

    while ((at = X509_NAME_get_index_by_OBJ(demands->subject, type, at)) >= 0) {
        g_autofree char *ours =
            dup_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(demands->subject, at)));

        if (!wanted || g_strcmp0(ours, wanted) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean
signet_est_demand_subject(const SignetEstDemands *demands, const ASN1_OBJECT *type,
                          const ASN1_TYPE *value, GError **error)
{
    g_autofree char *wanted = value && is_string(value) ? dup_text(value->value.asn1_string) : NULL;
    char name[TEXT_MAX];

    if (value && !wanted)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "an attribute of the subject that the CA asks for cannot be read");
    if (has_value(demands, type, wanted))
        return TRUE;
    OBJ_obj2txt(name, sizeof(name), type, 0);
    if (!wanted)
        return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                                "the CA asks for '%s' in the subject; write it into Subject= of "
                                "the identity",
                                name);
    g_autofree char *shown = g_utf8_make_valid(wanted, (gssize)MIN(strlen(wanted), TEXT_MAX));
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "the CA asks for '%s' = '%s' in the subject, which Subject= of the "
                            "identity does not have",
                            name, shown);
}

/* --- keys --- */

gboolean
signet_est_key_fits(const SignetEstKey *wanted, EVP_PKEY *key)
{
    char group[TEXT_MAX] = "";

    if (wanted->algorithm == NID_rsaEncryption)
        return EVP_PKEY_is_a(key, "RSA") &&
               (wanted->bits <= 0 || EVP_PKEY_get_bits(key) == wanted->bits);
    if (!EVP_PKEY_is_a(key, "EC"))
        return FALSE;
    return wanted->curve == 0 || (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
                                  OBJ_txt2nid(group) == wanted->curve);
}

char *
signet_est_key_describe(const SignetEstKey *wanted)
{
    if (wanted->algorithm == NID_X9_62_id_ecPublicKey)
        return wanted->curve ? g_strdup_printf("an EC key on %s", OBJ_nid2sn(wanted->curve))
                             : g_strdup("an EC key");
    if (wanted->algorithm == NID_rsaEncryption)
        return wanted->bits > 0 ? g_strdup_printf("an RSA key of %ld bits", wanted->bits)
                                : g_strdup("an RSA key");
    return NULL;
}
