/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a PKCS#11 token says of itself: C_GetInfo, C_GetSlotInfo, C_GetTokenInfo and its mechanisms.
 */

#include "agent/token/pkcs11/learn.h"

#include <stdlib.h>

#include "agent/token/pkcs11/error.h"
#include "agent/token/pkcs11/object.h"
#include "agent/token/rsa.h"
#include "policy/facts.h"

#define MECHANISMS_MAX 512
#define DIGEST_SIZE    32

static const guint32 KEY_TYPES[] = {
#define X(symbol, number, name, family, bits, signature_max) number,
    SIGNET_KEY_TYPES(X)
#undef X
};

static const struct {
    CK_MECHANISM_TYPE type;
    const char *name;
} MECHANISMS[] = {
#define M(symbol)       \
    {                   \
        symbol, #symbol \
    }
    M(CKM_RSA_PKCS_KEY_PAIR_GEN),
    M(CKM_RSA_PKCS),
    M(CKM_RSA_X_509),
    M(CKM_RSA_PKCS_OAEP),
    M(CKM_RSA_PKCS_PSS),
    M(CKM_SHA1_RSA_PKCS),
    M(CKM_SHA256_RSA_PKCS),
    M(CKM_SHA384_RSA_PKCS),
    M(CKM_SHA512_RSA_PKCS),
    M(CKM_SHA256_RSA_PKCS_PSS),
    M(CKM_SHA384_RSA_PKCS_PSS),
    M(CKM_SHA512_RSA_PKCS_PSS),
    M(CKM_EC_KEY_PAIR_GEN),
    M(CKM_ECDSA),
    M(CKM_ECDSA_SHA1),
    M(CKM_ECDSA_SHA256),
    M(CKM_ECDSA_SHA384),
    M(CKM_ECDSA_SHA512),
    M(CKM_ECDH1_DERIVE),
    M(CKM_ECDH1_COFACTOR_DERIVE),
    M(CKM_EC_EDWARDS_KEY_PAIR_GEN),
    M(CKM_EDDSA),
#undef M
};

static const struct {
    CK_FLAGS flag;
    const char *name;
} TOKEN_FLAGS[] = {
    {CKF_WRITE_PROTECTED, "write protected"},
    {CKF_LOGIN_REQUIRED, "login required"},
    {CKF_PROTECTED_AUTHENTICATION_PATH, "PIN pad"},
    {CKF_RNG, "random numbers"},
    {CKF_USER_PIN_COUNT_LOW, "a wrong PIN was tried"},
    {CKF_USER_PIN_FINAL_TRY, "last try for the PIN"},
    {CKF_USER_PIN_LOCKED, "PIN locked"},
    {CKF_USER_PIN_TO_BE_CHANGED, "PIN to be changed"},
};

/* --- words --- */

static void
add_text(GVariantDict *facts, const char *word, const unsigned char *text, gsize size)
{
    char *plain = p11_kit_space_strdup(text, size);
    g_autofree char *valid = g_utf8_make_valid(plain, -1);

    free(plain);
    if (*valid)
        g_variant_dict_insert(facts, word, "s", valid);
}

static void
add_version(GVariantDict *facts, const char *word, const char *before, CK_VERSION version)
{
    g_autofree char *text =
        g_strdup_printf("%s%s%u.%u", before, *before ? " " : "", version.major, version.minor);

    g_variant_dict_insert(facts, word, "s", text);
}

static void
learn_flags(const CK_TOKEN_INFO *token, GVariantDict *facts)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < G_N_ELEMENTS(TOKEN_FLAGS); i++) {
        if (token->flags & TOKEN_FLAGS[i].flag)
            g_variant_builder_add(&list, "s", TOKEN_FLAGS[i].name);
    }
    g_variant_dict_insert_value(facts, SIGNET_FACT_FLAGS, g_variant_builder_end(&list));
}

static void
learn_library(SignetPkcs11 *p11, GVariantDict *facts)
{
    CK_INFO info = {0};
    char *plain;
    g_autofree char *valid = NULL;

    if (p11->functions->C_GetInfo(&info) != CKR_OK)
        return;
    plain = p11_kit_space_strdup(info.libraryDescription, sizeof info.libraryDescription);
    valid = g_utf8_make_valid(plain, -1);
    free(plain);
    add_version(facts, SIGNET_FACT_LIBRARY, valid, info.libraryVersion);
    add_version(facts, SIGNET_FACT_SPECIFICATION, "Cryptoki", info.cryptokiVersion);
}

/* CK_EFFECTIVELY_INFINITE is 0, which is "no limit" for us too. */
static void
learn_token(const CK_TOKEN_INFO *token, GVariantDict *facts)
{
    add_text(facts, SIGNET_FACT_MANUFACTURER, token->manufacturerID, sizeof token->manufacturerID);
    add_text(facts, SIGNET_FACT_MODEL, token->model, sizeof token->model);
    add_text(facts, SIGNET_FACT_SERIAL, token->serialNumber, sizeof token->serialNumber);
    add_version(facts, SIGNET_FACT_HARDWARE, "", token->hardwareVersion);
    add_version(facts, SIGNET_FACT_FIRMWARE, "", token->firmwareVersion);
    if (token->ulMaxRwSessionCount != CK_UNAVAILABLE_INFORMATION &&
        token->ulMaxRwSessionCount <= G_MAXUINT32)
        g_variant_dict_insert(facts, SIGNET_FACT_MAX_SESSIONS, "u",
                              (guint32)token->ulMaxRwSessionCount);
    learn_flags(token, facts);
}

/* --- mechanisms --- */

typedef struct {
    SignetPkcs11 *p11;
    CK_MECHANISM_TYPE types[MECHANISMS_MAX];
    CK_ULONG n; /* 0: the token does not say */
} Mechanisms;

static void
read_mechanisms(SignetPkcs11 *p11, Mechanisms *ret_mechanisms)
{
    ret_mechanisms->p11 = p11;
    ret_mechanisms->n = MECHANISMS_MAX;
    if (p11->functions->C_GetMechanismList(p11->slot.id, ret_mechanisms->types,
                                           &ret_mechanisms->n) != CKR_OK ||
        ret_mechanisms->n > MECHANISMS_MAX)
        ret_mechanisms->n = 0;
}

/* C_GetMechanismInfo alone would not do: SoftHSM answers it for mechanisms that are switched off.
 */
static gboolean
is_listed(const Mechanisms *mechanisms, CK_MECHANISM_TYPE type)
{
    for (CK_ULONG i = 0; i < mechanisms->n; i++) {
        if (mechanisms->types[i] == type)
            return TRUE;
    }
    return mechanisms->n == 0;
}

/* Sizes should be in bits (PKCS #11 2.40, 2.1 and 2.3), and some modules tell bytes. Where the
 * module says nothing of use, everything is taken to be possible. */
static gboolean
is_in_range(const CK_MECHANISM_INFO *info, guint bits)
{
    gsize bytes_below = bits >= 1024 ? 1024 : 112; /* no maximum in bits is as low */
    gsize scale = info->ulMaxKeySize < bytes_below ? 8 : 1;

    if (info->ulMaxKeySize == 0 || info->ulMaxKeySize < info->ulMinKeySize)
        return TRUE;
    return bits + (scale > 1 ? 7 : 0) >= info->ulMinKeySize * scale &&
           bits <= info->ulMaxKeySize * scale;
}

/* bits 0: any size */
static gboolean
can(const Mechanisms *mechanisms, CK_MECHANISM_TYPE mechanism, CK_FLAGS flag, guint bits)
{
    SignetPkcs11 *p11 = mechanisms->p11;
    CK_MECHANISM_INFO info = {0};

    return is_listed(mechanisms, mechanism) &&
           p11->functions->C_GetMechanismInfo(p11->slot.id, mechanism, &info) == CKR_OK &&
           info.flags & flag && (bits == 0 || is_in_range(&info, bits));
}

static void
add_if(GStrvBuilder *list, gboolean condition, guint32 type)
{
    if (condition)
        g_strv_builder_add(list, signet_key_type_name(type));
}

static void
insert_list(GVariantDict *facts, const char *word, GStrvBuilder *list)
{
    g_auto(GStrv) names = g_strv_builder_end(list);

    g_variant_dict_insert(facts, word, "^as", names);
}

static void
learn_keys(const Mechanisms *mechanisms, GVariantDict *facts)
{
    g_autoptr(GStrvBuilder) keys = g_strv_builder_new();
    g_autoptr(GStrvBuilder) uses = g_strv_builder_new();
    g_autoptr(GStrvBuilder) decrypt = g_strv_builder_new();
    g_autoptr(GStrvBuilder) derive = g_strv_builder_new();
    gboolean is_writable = !(mechanisms->p11->slot.token.flags & CKF_WRITE_PROTECTED);

    for (guint i = 0; i < G_N_ELEMENTS(KEY_TYPES); i++) {
        guint32 type = KEY_TYPES[i];
        guint bits = signet_key_type_bits(type);

        if (signet_key_type_is_rsa(type)) {
            gboolean signs = can(mechanisms, CKM_RSA_PKCS, CKF_SIGN, bits);

            add_if(uses, signs, type);
            add_if(keys,
                   signs && is_writable &&
                       can(mechanisms, CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, bits),
                   type);
            add_if(decrypt, can(mechanisms, CKM_RSA_PKCS, CKF_DECRYPT, bits), type);
        } else if (signet_key_type_is_ec(type)) {
            gboolean signs = can(mechanisms, CKM_ECDSA, CKF_SIGN, bits);

            add_if(uses, signs, type);
            add_if(keys,
                   signs && is_writable &&
                       can(mechanisms, CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, bits),
                   type);
            add_if(derive, can(mechanisms, CKM_ECDH1_DERIVE, CKF_DERIVE, bits), type);
        } else {
            /* 255, 256, 32: modules do not agree on the size of Ed25519 */
            gboolean signs = can(mechanisms, CKM_EDDSA, CKF_SIGN, 0);

            add_if(uses, signs, type);
            add_if(keys,
                   signs && is_writable &&
                       can(mechanisms, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, 0),
                   type);
        }
    }
    insert_list(facts, SIGNET_FACT_KEYS, keys);
    insert_list(facts, SIGNET_FACT_USES, uses);
    insert_list(facts, SIGNET_FACT_DECRYPT, decrypt);
    insert_list(facts, SIGNET_FACT_DERIVE, derive);
}

/* "CKM_ECDSA 256..521". Those without a name here are of no use to us. */
static void
learn_mechanisms(const Mechanisms *mechanisms, GVariantDict *facts)
{
    SignetPkcs11 *p11 = mechanisms->p11;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < G_N_ELEMENTS(MECHANISMS) && mechanisms->n > 0; i++) {
        CK_MECHANISM_INFO info = {0};
        g_autofree char *text = NULL;

        if (!is_listed(mechanisms, MECHANISMS[i].type) ||
            p11->functions->C_GetMechanismInfo(p11->slot.id, MECHANISMS[i].type, &info) != CKR_OK)
            continue;
        text = g_strdup_printf("%s %lu..%lu", MECHANISMS[i].name, info.ulMinKeySize,
                               info.ulMaxKeySize);
        g_variant_builder_add(&list, "s", text);
    }
    g_variant_dict_insert_value(facts, SIGNET_FACT_MECHANISMS, g_variant_builder_end(&list));
}

/* --- padding --- */

/* Bytes of the salt; -1: it does not sign so. */
static int
find_salt(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE object)
{
    CK_RSA_PKCS_PSS_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA256, DIGEST_SIZE};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &params, sizeof params};
    g_autoptr(SignetSecret) random = signet_secret_new_random(DIGEST_SIZE);
    gsize size;
    const guint8 *bytes = signet_secret_get(random, &size);
    g_autoptr(GBytes) digest = g_bytes_new(bytes, size);
    g_autoptr(GBytes) signature = NULL;
    guint8 out[1024];
    CK_ULONG out_size = sizeof out;

    if (p11->functions->C_SignInit(p11->session, &mechanism, object) != CKR_OK ||
        p11->functions->C_Sign(p11->session, (CK_BYTE_PTR)bytes, size, out, &out_size) != CKR_OK)
        return -1;
    signature = g_bytes_new(out, out_size);
    return signet_rsa_find_salt(key->spki, SIGNET_HASH_SHA256, digest, signature);
}

static gboolean
learn_pss(SignetPkcs11 *p11, SignetKey *key, GVariantDict *facts, GError **error)
{
    g_autofree char *words = NULL;
    CK_OBJECT_HANDLE object;
    int salt;

    if (!signet_pkcs11_bind(p11, key, &object, error))
        return FALSE;
    salt = p11->has_pss ? find_salt(p11, key, object) : -1;
    if (salt >= 0)
        words = g_strdup_printf("CKM_RSA_PKCS_PSS takes a salt of %d bytes when asked for %d", salt,
                                DIGEST_SIZE);
    else if (p11->has_raw_rsa)
        words = g_strdup("CKM_RSA_PKCS_PSS does not do it; the agent pads by itself, over the raw "
                         "RSA operation");
    else
        words = g_strdup("not possible: neither CKM_RSA_PKCS_PSS nor CKM_RSA_X_509");
    g_variant_dict_insert(facts, SIGNET_FACT_PSS, "s", words);
    return TRUE;
}

static void
learn_identity(SignetPkcs11 *p11, GVariantDict *facts)
{
    g_autofree char *device = g_strdup_printf("%s, %s", p11->description, p11->protection);

    g_variant_dict_insert(facts, SIGNET_FACT_DEVICE, "s", device);
}

static void
learn_capabilities(SignetPkcs11 *p11, GVariantDict *facts)
{
    Mechanisms mechanisms;

    read_mechanisms(p11, &mechanisms);
    g_variant_dict_insert(facts, SIGNET_FACT_PROTECTION, "s", p11->protection);
    learn_token(&p11->slot.token, facts);
    learn_library(p11, facts);
    learn_keys(&mechanisms, facts);
    learn_mechanisms(&mechanisms, facts);
}

gboolean
signet_pkcs11_learn(SignetPkcs11 *p11, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
                    GError **error)
{
    switch (lesson) {
    case SIGNET_LESSON_CAPABILITIES:
        learn_capabilities(p11, facts);
        return TRUE;
    case SIGNET_LESSON_IDENTITY:
        learn_identity(p11, facts);
        return TRUE;
    case SIGNET_LESSON_PSS:
        return learn_pss(p11, key, facts, error);
    }
    return TRUE;
}
