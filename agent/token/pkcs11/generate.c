/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key is asked for with every protection, and then looked at: modules have been seen to ignore
 * what they were asked for. */

#include "agent/token/pkcs11/generate.h"

#include <string.h>

#include "agent/token/pkcs11/error.h"
#include "agent/token/pkcs11/object.h"
#include "agent/token/pkcs11/public.h"

#define ATTRIBUTES_MAX 16

/* What attributes point to. */
typedef struct {
    guint8 id[SIGNET_PKCS11_ID_BYTES];
    char label[7 + 2 * SIGNET_PKCS11_ID_BYTES + 1]; /* "signet 0123…" */
    CK_ULONG bits;
    CK_OBJECT_HANDLE public;
    CK_OBJECT_HANDLE private;
} Pair;

typedef struct {
    CK_ATTRIBUTE attributes[ATTRIBUTES_MAX];
    CK_ULONG n;
} Template;

static void
add(Template *template, CK_ATTRIBUTE_TYPE type, const void *value, gsize size)
{
    g_assert(template->n < ATTRIBUTES_MAX);
    template->attributes[template->n++] = (CK_ATTRIBUTE) {type, (void *)value, size};
}

static void
add_boolean(Template *template, CK_ATTRIBUTE_TYPE type, gboolean value)
{
    static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

    add(template, type, value ? &yes : &no, sizeof yes);
}

static void
add_name(Template *template, const Pair *pair)
{
    add(template, CKA_ID, pair->id, sizeof pair->id);
    add(template, CKA_LABEL, pair->label, strlen(pair->label));
    add_boolean(template, CKA_TOKEN, TRUE);
}

static void
fill_private(Template *template, const Pair *pair, const SignetKeyTemplate *key)
{
    add_name(template, pair);
    add_boolean(template, CKA_PRIVATE, TRUE);
    add_boolean(template, CKA_SENSITIVE, TRUE);
    add_boolean(template, CKA_EXTRACTABLE, FALSE);
    add_boolean(template, CKA_SIGN, TRUE);
    switch ((enum signet_family)signet_key_type_family(key->type)) {
    case SIGNET_FAMILY_RSA:
        add_boolean(template, CKA_DECRYPT, key->can_decrypt);
        add_boolean(template, CKA_UNWRAP, FALSE);
        break;
    case SIGNET_FAMILY_EC:
        add_boolean(template, CKA_DERIVE, key->can_decrypt);
        break;
    case SIGNET_FAMILY_ED25519:
        break;
    }
}

static void
fill_public(Template *template, Pair *pair, const SignetKeyTemplate *key, gboolean by_name)
{
    static const guint8 exponent[] = {1, 0, 1};
    gsize size;
    const guint8 *params = signet_pkcs11_curve_params(key->type, by_name, &size);

    add_name(template, pair);
    add_boolean(template, CKA_PRIVATE, FALSE);
    add_boolean(template, CKA_VERIFY, TRUE);
    if (params) {
        add(template, CKA_EC_PARAMS, params, size);
        return;
    }
    pair->bits = signet_key_type_bits(key->type);
    add(template, CKA_MODULUS_BITS, &pair->bits, sizeof pair->bits);
    add(template, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    add_boolean(template, CKA_ENCRYPT, key->can_decrypt);
}

static void
choose_id(Pair *pair, const char *name)
{
    g_autoptr(SignetSecret) random = signet_secret_new_random(sizeof pair->id);
    gsize size;

    memcpy(pair->id, signet_secret_get(random, &size), sizeof pair->id);
    if (!name || strlen(name) != 2 * sizeof pair->id)
        return;
    for (guint i = 0; i < sizeof pair->id; i++)
        pair->id[i] = (guint8)(g_ascii_xdigit_value(name[2 * i]) << 4 |
                               g_ascii_xdigit_value(name[2 * i + 1]));
}

static void
choose_name(Pair *pair, const char *name)
{
    choose_id(pair, name);
    memcpy(pair->label, "signet ", 7);
    for (guint i = 0; i < sizeof pair->id; i++)
        g_snprintf(pair->label + 7 + 2 * i, 3, "%02x", pair->id[i]);
}

/* What cannot be destroyed stays, unused. */
static void
destroy(SignetPkcs11 *p11, const Pair *pair)
{
    p11->functions->C_DestroyObject(p11->session, pair->private);
    p11->functions->C_DestroyObject(p11->session, pair->public);
}

static SignetKey *
write_down(SignetPkcs11 *p11, const SignetKeyTemplate *template, const Pair *pair, GError **error)
{
    g_autoptr(GBytes) spki = signet_pkcs11_read_spki(p11, pair->public);
    g_autoptr(GBytes) blob = NULL;

    if (!spki) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' made a key and does not tell its public half", p11->name);
        return NULL;
    }
    blob = signet_pkcs11_blob(p11, pair->id, sizeof pair->id, error);
    return blob ? signet_key_new(template->type, blob, NULL, spki) : NULL;
}

static CK_MECHANISM_TYPE
mechanism_of(guint32 key_type)
{
    switch ((enum signet_family)signet_key_type_family(key_type)) {
    case SIGNET_FAMILY_RSA:
        return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case SIGNET_FAMILY_ED25519:
        return CKM_EC_EDWARDS_KEY_PAIR_GEN;
    case SIGNET_FAMILY_EC:
        break;
    }
    return CKM_EC_KEY_PAIR_GEN;
}

/* What an attempt that was interrupted has left, by its label too. */
static CK_RV
destroy_left(SignetPkcs11 *p11, const Pair *pair)
{
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
    const CK_ATTRIBUTE id = {CKA_ID, (void *)pair->id, sizeof pair->id};
    CK_RV rv = CKR_OK;

    for (guint i = 0; i < G_N_ELEMENTS(classes) && rv == CKR_OK; i++) {
        SignetPkcs11Found found;

        rv = signet_pkcs11_find(p11, classes[i], &id, &found);
        for (CK_ULONG j = 0; j < found.n && rv == CKR_OK; j++) {
            g_autoptr(GBytes) label = signet_pkcs11_get_attribute(p11, found.objects[j], CKA_LABEL);

            if (label && g_bytes_get_size(label) == strlen(pair->label) &&
                memcmp(g_bytes_get_data(label, NULL), pair->label, strlen(pair->label)) == 0)
                rv = p11->functions->C_DestroyObject(p11->session, found.objects[j]);
        }
    }
    return rv;
}

static CK_RV
make_with(SignetPkcs11 *p11, const SignetKeyTemplate *key, Pair *pair, gboolean by_name)
{
    CK_MECHANISM mechanism = {mechanism_of(key->type), NULL, 0};
    Template public = {0}, private = {0};
    CK_RV rv;

    choose_name(pair, key->name);
    rv = key->name ? destroy_left(p11, pair) : CKR_OK;
    if (rv != CKR_OK)
        return rv;
    fill_public(&public, pair, key, by_name);
    fill_private(&private, pair, key);
    return p11->functions->C_GenerateKeyPair(p11->session, &mechanism, public.attributes, public.n,
                                             private.attributes, private.n, &pair->public,
                                             &pair->private);
}

/* Tokens disagree on how Ed25519 is named: those of PKCS#11 2.40 know OIDs only, some of 3.0 the
 * curve's name only. */
static CK_RV
make(SignetPkcs11 *p11, const SignetKeyTemplate *key, Pair *pair)
{
    gboolean is_ed25519 = key->type == SIGNET_KEY_ED25519;
    CK_RV rv = make_with(p11, key, pair, FALSE);

    if (is_ed25519 && (rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_DOMAIN_PARAMS_INVALID ||
                       rv == CKR_ATTRIBUTE_VALUE_INVALID || rv == CKR_TEMPLATE_INCONSISTENT))
        rv = make_with(p11, key, pair, TRUE);
    return rv;
}

/* Modules have no better words for a token that was pulled: opening it again answers whether it
 * was. */
static gboolean
is_vague(CK_RV rv)
{
    return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED;
}

SignetKey *
signet_pkcs11_generate(SignetPkcs11 *p11, const SignetKeyTemplate *template, GError **error)
{
    Pair pair = {0};
    SignetKey *key = NULL;
    g_autofree char *what =
        g_strdup_printf("generate a key of type '%s'", signet_key_type_name(template->type));
    CK_RV rv;

    if (template->is_attester) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                         "token '%s' is no TPM: it cannot prove where its keys are", p11->name);
        return NULL;
    }
    rv = make(p11, template, &pair);
    if (is_vague(rv)) {
        if (!signet_pkcs11_open(p11, error))
            return NULL;
        rv = make(p11, template, &pair);
    }
    if (rv != CKR_OK) {
        signet_pkcs11_error_set(error, p11->name, what, rv);
        return NULL;
    }
    if (signet_pkcs11_check_protection(p11, pair.private, FALSE, "made a key that is not protected",
                                       error))
        key = write_down(p11, template, &pair, error);
    if (!key)
        destroy(p11, &pair);
    return key;
}
