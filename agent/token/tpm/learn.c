/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a TPM says when it is asked: capabilities, parameters it accepts, which one it is, and how
 * it pads. */

#include "agent/token/tpm/learn.h"

#include <string.h>

#include "agent/token/rsa.h"
#include "agent/token/tpm/context.h"
#include "agent/token/tpm/ek.h"
#include "agent/token/tpm/error.h"
#include "agent/token/tpm/public.h"
#include "policy/facts.h"

#define TLS13_SALT 32 /* as long as the digest, RFC 8446, 4.2.3: SHA-256 here */

static const guint32 KEY_TYPES[] = {
#define X(symbol, number, name, family, bits, signature_max) number,
    SIGNET_KEY_TYPES(X)
#undef X
};

typedef struct {
    guint32 number;
    const char *name;
} Word;

static const Word ALGORITHMS[] = {
    {TPM2_ALG_RSA, "rsa"},           {TPM2_ALG_ECC, "ecc"},
    {TPM2_ALG_ECDSA, "ecdsa"},       {TPM2_ALG_ECDH, "ecdh"},
    {TPM2_ALG_ECDAA, "ecdaa"},       {TPM2_ALG_ECSCHNORR, "ecschnorr"},
    {TPM2_ALG_RSASSA, "rsassa"},     {TPM2_ALG_RSAPSS, "rsapss"},
    {TPM2_ALG_RSAES, "rsaes"},       {TPM2_ALG_OAEP, "oaep"},
    {TPM2_ALG_AES, "aes"},           {TPM2_ALG_CAMELLIA, "camellia"},
    {TPM2_ALG_SM4, "sm4"},           {TPM2_ALG_SHA1, "sha1"},
    {TPM2_ALG_SHA256, "sha256"},     {TPM2_ALG_SHA384, "sha384"},
    {TPM2_ALG_SHA512, "sha512"},     {TPM2_ALG_SM3_256, "sm3-256"},
    {TPM2_ALG_SHA3_256, "sha3-256"}, {TPM2_ALG_SHA3_384, "sha3-384"},
    {TPM2_ALG_SHA3_512, "sha3-512"}, {TPM2_ALG_HMAC, "hmac"},
};

static const Word CURVES[] = {
    {TPM2_ECC_NIST_P192, "P-192"}, {TPM2_ECC_NIST_P224, "P-224"},   {TPM2_ECC_NIST_P256, "P-256"},
    {TPM2_ECC_NIST_P384, "P-384"}, {TPM2_ECC_NIST_P521, "P-521"},   {TPM2_ECC_BN_P256, "BN-P256"},
    {TPM2_ECC_BN_P638, "BN-P638"}, {TPM2_ECC_SM2_P256, "SM2-P256"},
};

typedef struct {
    GVariantDict *facts; /* (unowned): the caller's */
    SignetTpmUse use;
    gboolean has_rsa_decrypt;
    gboolean has_ecdh_zgen;
    GBytes *digest;    /* (unowned) PSS only */
    GBytes *signature; /* (owned, nullable) PSS only, the result */
    TSS2_RC refusal;   /* PSS only: it does not pad at all */
} Lesson;

static TSS2_RC
ask(SignetTpm *tpm, TPM2_CAP capability, guint32 first, guint32 count, TPMS_CAPABILITY_DATA **data)
{
    return Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, capability,
                              first, count, NULL, data);
}

/* Numbers that have no name are shown as numbers. */
static void
add_word(GVariantBuilder *list, const Word *words, gsize n_words, guint32 number)
{
    g_autofree char *text = NULL;

    for (gsize i = 0; i < n_words; i++) {
        if (words[i].number == number) {
            g_variant_builder_add(list, "s", words[i].name);
            return;
        }
    }
    text = g_strdup_printf("0x%04x", number);
    g_variant_builder_add(list, "s", text);
}

/* --- lists --- */

/* Keyed hashes, modes and the like are of no interest for keys. */
static TSS2_RC
learn_algorithms(SignetTpm *tpm, GVariantDict *facts)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    GVariantBuilder all, hashes;
    TSS2_RC rc = ask(tpm, TPM2_CAP_ALGS, TPM2_ALG_FIRST, TPM2_MAX_CAP_ALGS, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    g_variant_builder_init(&all, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_builder_init(&hashes, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < data->data.algorithms.count; i++) {
        const TPMS_ALG_PROPERTY *algorithm = &data->data.algorithms.algProperties[i];
        gboolean is_plain_hash = algorithm->algProperties == TPMA_ALGORITHM_HASH;

        for (guint j = 0; j < G_N_ELEMENTS(ALGORITHMS); j++) {
            if (ALGORITHMS[j].number == algorithm->alg)
                g_variant_builder_add(is_plain_hash ? &hashes : &all, "s", ALGORITHMS[j].name);
        }
    }
    Esys_Free(data);
    g_variant_dict_insert_value(facts, SIGNET_FACT_ALGORITHMS, g_variant_builder_end(&all));
    g_variant_dict_insert_value(facts, SIGNET_FACT_HASHES, g_variant_builder_end(&hashes));
    return TSS2_RC_SUCCESS;
}

static TSS2_RC
learn_curves(SignetTpm *tpm, GVariantDict *facts)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    GVariantBuilder list;
    TSS2_RC rc = ask(tpm, TPM2_CAP_ECC_CURVES, TPM2_ECC_NONE, TPM2_MAX_ECC_CURVES, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < data->data.eccCurves.count; i++)
        add_word(&list, CURVES, G_N_ELEMENTS(CURVES), data->data.eccCurves.eccCurves[i]);
    Esys_Free(data);
    g_variant_dict_insert_value(facts, SIGNET_FACT_CURVES, g_variant_builder_end(&list));
    return TSS2_RC_SUCCESS;
}

static TSS2_RC
learn_commands(SignetTpm *tpm, Lesson *lesson)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC rc = ask(tpm, TPM2_CAP_COMMANDS, TPM2_CC_FIRST, TPM2_MAX_CAP_CC, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    lesson->has_rsa_decrypt = lesson->has_ecdh_zgen = FALSE;
    for (guint i = 0; i < data->data.command.count; i++) {
        TPM2_CC command =
            data->data.command.commandAttributes[i] & (TPMA_CC_COMMANDINDEX_MASK | TPMA_CC_V);

        lesson->has_rsa_decrypt |= command == TPM2_CC_RSA_Decrypt;
        lesson->has_ecdh_zgen |= command == TPM2_CC_ECDH_ZGen;
    }
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_COMMANDS, "u", data->data.command.count);
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

/* --- numbers --- */

static TSS2_RC
learn_number(SignetTpm *tpm, GVariantDict *facts, TPM2_PT property, const char *word)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TSS2_RC rc = ask(tpm, TPM2_CAP_TPM_PROPERTIES, property, 1, &data);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    if (data->data.tpmProperties.count > 0 &&
        data->data.tpmProperties.tpmProperty[0].property == property)
        g_variant_dict_insert(facts, word, "u", data->data.tpmProperties.tpmProperty[0].value);
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

static TSS2_RC
learn_numbers(SignetTpm *tpm, GVariantDict *facts)
{
    static const struct {
        TPM2_PT property;
        const char *word;
    } numbers[] = {
        {TPM2_PT_HR_TRANSIENT_MIN, SIGNET_FACT_MAX_OBJECTS},
        {TPM2_PT_ACTIVE_SESSIONS_MAX, SIGNET_FACT_MAX_SESSIONS},
        {TPM2_PT_LOCKOUT_COUNTER, SIGNET_FACT_LOCKOUT_COUNTER},
        {TPM2_PT_MAX_AUTH_FAIL, SIGNET_FACT_LOCKOUT_LIMIT},
        {TPM2_PT_LOCKOUT_INTERVAL, SIGNET_FACT_LOCKOUT_INTERVAL},
        {TPM2_PT_LOCKOUT_RECOVERY, SIGNET_FACT_LOCKOUT_RECOVERY},
    };
    TSS2_RC rc = TSS2_RC_SUCCESS;

    for (guint i = 0; i < G_N_ELEMENTS(numbers) && rc == TSS2_RC_SUCCESS; i++)
        rc = learn_number(tpm, facts, numbers[i].property, numbers[i].word);
    return rc;
}

/* --- keys --- */

static TSS2_RC
test_parameters(SignetTpm *tpm, const TPM2B_PUBLIC *template, gboolean *ret_accepted)
{
    TPMT_PUBLIC_PARMS parameters = {.type = template->publicArea.type,
                                    .parameters = template->publicArea.parameters};
    TSS2_RC rc = Esys_TestParms(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parameters);

    *ret_accepted = rc == TSS2_RC_SUCCESS;
    return signet_tpm_is_from_tpm(rc) && (rc & TPM2_RC_FMT1) ? TSS2_RC_SUCCESS : rc;
}

/* All RSA goes through TPM2_RSA_Decrypt, signatures too. */
static TSS2_RC
learn_keys(SignetTpm *tpm, Lesson *lesson)
{
    g_autoptr(GStrvBuilder) keys = g_strv_builder_new();
    g_autoptr(GStrvBuilder) decrypt = g_strv_builder_new();
    g_autoptr(GStrvBuilder) derive = g_strv_builder_new();
    g_auto(GStrv) made = NULL, decrypts = NULL, derives = NULL;
    TSS2_RC rc = TSS2_RC_SUCCESS;

    for (guint i = 0; i < G_N_ELEMENTS(KEY_TYPES) && rc == TSS2_RC_SUCCESS; i++) {
        const SignetKeyTemplate key = {.type = KEY_TYPES[i]};
        const char *name = signet_key_type_name(key.type);
        gboolean is_rsa = signet_key_type_is_rsa(key.type);
        gboolean is_accepted = FALSE;
        TPM2B_PUBLIC template;

        if (!signet_tpm_template(&key, &template) || (is_rsa && !lesson->has_rsa_decrypt))
            continue;
        rc = test_parameters(tpm, &template, &is_accepted);
        if (is_accepted)
            g_strv_builder_add(keys, name);
        if (is_accepted && is_rsa)
            g_strv_builder_add(decrypt, name);
        if (is_accepted && signet_key_type_is_ec(key.type) && lesson->has_ecdh_zgen)
            g_strv_builder_add(derive, name);
    }
    made = g_strv_builder_end(keys);
    decrypts = g_strv_builder_end(decrypt);
    derives = g_strv_builder_end(derive);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_KEYS, "^as", made);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_USES, "^as", made);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_DECRYPT, "^as", decrypts);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_DERIVE, "^as", derives);
    return rc;
}

static TSS2_RC
learn_rsa_sizes(SignetTpm *tpm, GVariantDict *facts)
{
    static const guint16 sizes[] = {1024, 2048, 3072, 4096};
    const SignetKeyTemplate key = {.type = SIGNET_KEY_RSA_2048};
    GVariantBuilder list;
    TPM2B_PUBLIC template;
    TSS2_RC rc = TSS2_RC_SUCCESS;

    signet_tpm_template(&key, &template);
    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < G_N_ELEMENTS(sizes) && rc == TSS2_RC_SUCCESS; i++) {
        g_autofree char *text = g_strdup_printf("%u", sizes[i]);
        gboolean is_accepted = FALSE;

        template.publicArea.parameters.rsaDetail.keyBits = sizes[i];
        rc = test_parameters(tpm, &template, &is_accepted);
        if (is_accepted)
            g_variant_builder_add(&list, "s", text);
    }
    g_variant_dict_insert_value(facts, SIGNET_FACT_RSA_SIZES, g_variant_builder_end(&list));
    return rc;
}

static TSS2_RC
attempt_capabilities(SignetTpm *tpm, gpointer data)
{
    Lesson *lesson = data;
    TSS2_RC rc = learn_commands(tpm, lesson);

    if (rc == TSS2_RC_SUCCESS)
        rc = learn_keys(tpm, lesson);
    if (rc == TSS2_RC_SUCCESS)
        rc = learn_rsa_sizes(tpm, lesson->facts);
    if (rc == TSS2_RC_SUCCESS)
        rc = learn_algorithms(tpm, lesson->facts);
    if (rc == TSS2_RC_SUCCESS)
        rc = learn_curves(tpm, lesson->facts);
    if (rc == TSS2_RC_SUCCESS)
        rc = learn_numbers(tpm, lesson->facts);
    return rc;
}

/* --- identity --- */

static TSS2_RC
attempt_identity(SignetTpm *tpm, gpointer data)
{
    Lesson *lesson = data;
    GString *device = NULL;
    GVariant *certificates = NULL;
    TSS2_RC rc = signet_tpm_identify(tpm);

    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_ek_certificates(tpm, &certificates);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    device = g_string_new(tpm->facts.description);
    g_string_append(device, ", endorsement hierarchy ");
    for (guint i = 0; i < tpm->identity.size; i++)
        g_string_append_printf(device, "%02x", tpm->identity.name[i]);
    if (tpm->identity.size == 0)
        g_string_append(device, "not open to us");
    g_variant_dict_insert_value(lesson->facts, SIGNET_FACT_CERTIFICATES, certificates);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_DEVICE, "s", device->str);
    g_string_free(device, TRUE);
    return TSS2_RC_SUCCESS;
}

/* --- padding --- */

static TSS2_RC
attempt_pss(SignetTpm *tpm, gpointer data)
{
    const TPMT_TK_HASHCHECK no_ticket = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
    const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_RSAPSS,
                                    .details.rsapss.hashAlg = TPM2_ALG_SHA256};
    Lesson *lesson = data;
    TPM2B_DIGEST digest = {.size = 32};
    TPMT_SIGNATURE *signature = NULL;
    ESYS_TR object;
    TSS2_RC rc = signet_tpm_use_key(tpm, &lesson->use, &object);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    memcpy(digest.buffer, g_bytes_get_data(lesson->digest, NULL), digest.size);
    rc = Esys_Sign(tpm->esys, object, signet_tpm_auth(tpm, 0), ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                   &scheme, &no_ticket, &signature);
    if (rc == TSS2_RC_SUCCESS)
        lesson->signature = g_bytes_new(signature->signature.rsapss.sig.buffer,
                                        signature->signature.rsapss.sig.size);
    Esys_Free(signature);
    lesson->refusal = signet_tpm_is_from_tpm(rc) && (rc & TPM2_RC_FMT1) ? rc : TSS2_RC_SUCCESS;
    return lesson->refusal ? TSS2_RC_SUCCESS : rc;
}

static void
tell_pss(const Lesson *lesson, SignetKey *key)
{
    static const char ours[] = "the agent pads by itself, over the raw RSA operation";
    g_autofree char *words = NULL;
    int salt = lesson->signature ? signet_rsa_find_salt(key->spki, SIGNET_HASH_SHA256,
                                                        lesson->digest, lesson->signature)
                                 : -1;

    if (lesson->refusal)
        words = g_strdup_printf("TPM2_Sign does not do it; %s", ours);
    else if (salt < 0)
        words = g_strdup_printf("TPM2_Sign makes a signature that does not verify; %s", ours);
    else
        words = g_strdup_printf("TPM2_Sign takes a salt of %d bytes, TLS 1.3 wants %d; %s", salt,
                                TLS13_SALT, ours);
    g_variant_dict_insert(lesson->facts, SIGNET_FACT_PSS, "s", words);
}

static gboolean
learn_pss(SignetTpm *tpm, Lesson *lesson, SignetKey *key, GError **error)
{
    g_autoptr(SignetSecret) random = signet_secret_new_random(32);
    gsize size;
    gconstpointer bytes = signet_secret_get(random, &size);
    g_autoptr(GBytes) digest = g_bytes_new(bytes, size);
    gboolean ok;

    lesson->use.key = key;
    lesson->digest = digest;
    ok = signet_tpm_run(tpm, "sign with RSA-PSS", attempt_pss, lesson, &lesson->use, error);
    if (ok)
        tell_pss(lesson, key);
    g_clear_pointer(&lesson->signature, g_bytes_unref);
    return ok;
}

gboolean
signet_tpm_learn(SignetTpm *tpm, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
                 GError **error)
{
    Lesson call = {.facts = facts};

    switch (lesson) {
    case SIGNET_LESSON_CAPABILITIES:
        if (!signet_tpm_run(tpm, "be asked what it can do", attempt_capabilities, &call, NULL,
                            error))
            return FALSE;
        signet_tpm_facts_describe(&tpm->facts, facts);
        return TRUE;
    case SIGNET_LESSON_IDENTITY:
        return signet_tpm_run(tpm, "be asked which one it is", attempt_identity, &call, NULL,
                              error);
    case SIGNET_LESSON_PSS:
        return learn_pss(tpm, &call, key, error);
    }
    return TRUE;
}
