/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The checks of evidence, each with the sentence for its failure. */

#include "agent/evidence/verify.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/evidence/chain.h"
#include "agent/evidence/credential.h"
#include "agent/evidence/crypto.h"
#include "agent/evidence/structure.h"

#define EKU_ENDORSEMENT "2.23.133.8.1"
#define EKU_ATTESTATION "2.23.133.8.3"

/* The evidence, read. */
typedef struct {
    SignetTpmPublic key;
    SignetTpmPublic attester;
    SignetTpmSignature signature;
    SignetTpmAttestation attestation;
} Parts;

static void
parts_clear(Parts *parts)
{
    signet_tpm_public_clear(&parts->key);
    signet_tpm_public_clear(&parts->attester);
    signet_tpm_signature_clear(&parts->signature);
    signet_tpm_attestation_clear(&parts->attestation);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

static gboolean
parts_read(Parts *parts, const SignetEvidence *evidence, GError **error)
{
    if (!signet_tpm_public_read(&parts->attester, evidence->attester, error)) {
        g_prefix_error(error, "the attestation key: ");
        return FALSE;
    }
    if (!signet_tpm_public_read(&parts->key, evidence->key, error)) {
        g_prefix_error(error, "the certified key: ");
        return FALSE;
    }
    return signet_tpm_signature_read(&parts->signature, evidence->signature, error) &&
           signet_tpm_attestation_read(&parts->attestation, evidence->attestation, error);
}

static gboolean
refuse(GError **error, const char *why)
{
    return signet_error_set(error, SIGNET_ERROR_POLICY, "%s", why);
}

/* --- attributes --- */

typedef struct {
    guint32 attribute;
    gboolean wanted;
    const char *fault;
} Rule;

static const Rule attester_rules[] = {
    {SIGNET_TPM_FIXED_TPM, TRUE, "the attestation key may be moved to another TPM (not fixedTPM)"},
    {SIGNET_TPM_FIXED_PARENT, TRUE,
     "the attestation key may be moved to another parent (not fixedParent)"},
    {SIGNET_TPM_ORIGIN, TRUE,
     "the attestation key was not made in a TPM (not sensitiveDataOrigin): copies of it may exist"},
    {SIGNET_TPM_RESTRICTED, TRUE,
     "the attestation key signs whatever it is given (not restricted): what it signed need not "
     "come from a TPM"},
    {SIGNET_TPM_SIGN, TRUE, "the attestation key is not for signatures"},
    {SIGNET_TPM_DECRYPT, FALSE, "the attestation key decrypts, too"},
};

static const Rule key_rules[] = {
    {SIGNET_TPM_FIXED_TPM, TRUE, "the key may be moved to another TPM (not fixedTPM)"},
    {SIGNET_TPM_FIXED_PARENT, TRUE, "the key may be moved to another parent (not fixedParent)"},
    {SIGNET_TPM_ORIGIN, TRUE,
     "the key was not made in the TPM (not sensitiveDataOrigin): copies of it may exist"},
    {SIGNET_TPM_RESTRICTED, FALSE,
     "the key signs only what the TPM itself has made (restricted): it is no key for applications"},
};

static gboolean
check_rules(guint32 attributes, const Rule *rules, gsize n_rules, GError **error)
{
    for (gsize i = 0; i < n_rules; i++) {
        if (((attributes & rules[i].attribute) != 0) != rules[i].wanted)
            return refuse(error, rules[i].fault);
    }
    return TRUE;
}

/* --- the attestation --- */

static gboolean
has_signed(const SignetTpmSignature *signature, GBytes *message, GBytes *spki)
{
    gsize size = 0, length = 0, signature_size = 0;
    const guint8 *der = g_bytes_get_data(spki, &size);
    gconstpointer data = g_bytes_get_data(message, &length);
    const guint8 *bytes = g_bytes_get_data(signature->signature, &signature_size);
    g_autoptr(EVP_PKEY) key = d2i_PUBKEY(NULL, &der, (long)size);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    gboolean is_good = key && (EVP_PKEY_is_a(key, "RSA") == signature->is_rsa) &&
                       EVP_DigestVerifyInit_ex(context, &parameters, signature->digest, NULL, NULL,
                                               key, NULL) > 0 &&
                       (!signature->is_pss ||
                        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0) &&
                       EVP_DigestVerify(context, bytes, signature_size, data, length) == 1;

    ERR_clear_error();
    return is_good;
}

static gboolean
check_attestation(const SignetEvidence *evidence, const Parts *parts,
                  const SignetEvidenceDemand *demand, GError **error)
{
    if (!has_signed(&parts->signature, evidence->attestation, parts->attester.spki))
        return refuse(error, "the signature under the attestation is not the attestation key's");
    if (!g_bytes_equal(parts->attestation.extra, evidence->nonce))
        return refuse(error, "the nonce in the evidence is not the one that the TPM has signed");
    if (demand->nonce && !g_bytes_equal(parts->attestation.extra, demand->nonce))
        return refuse(error, "the evidence was not made for this nonce: it may be an old one");
    if (!signet_tpm_name_equal(&parts->attestation.name, &parts->key.name))
        return refuse(error, "the TPM has certified another key than the one in the evidence");
    return check_rules(parts->key.attributes, key_rules, G_N_ELEMENTS(key_rules), error);
}

/* --- certificates --- */

static gboolean
check_certificate(const SignetEvidence *evidence, const Parts *parts, GError **error)
{
    g_autoptr(GBytes) spki =
        evidence->certificate->len ? signet_chain_dup_spki(evidence->certificate->pdata[0]) : NULL;

    if (evidence->certificate->len == 0)
        return TRUE;
    if (!spki)
        return refuse(error, "the identity's certificate cannot be read");
    return g_bytes_equal(spki, parts->key.spki) ||
           refuse(error, "the identity's certificate is for another key than the certified one");
}

/* The first one that leads to somebody who is believed. */
static gboolean
find_endorsement(const SignetEvidence *evidence, const SignetEvidenceDemand *demand,
                 SignetEvidenceReport *report, GError **error)
{
    const SignetChainRule rule = {.anchors = demand->endorsers,
                                  .usage = EKU_ENDORSEMENT,
                                  .what = "endorsement certificate",
                                  .now_s = demand->now_s};
    g_autoptr(GError) first = NULL;

    if (evidence->endorsement->len == 0)
        return refuse(error, "the TPM has no endorsement certificate: nobody says whose it is");
    for (guint i = 0; i < evidence->endorsement->len && !report->endorsement; i++) {
        if (!signet_chain_check(evidence->endorsement->pdata[i], evidence->issuers, &rule,
                                first ? NULL : &first))
            continue;
        report->endorsement = signet_chain_dup_spki(evidence->endorsement->pdata[i]);
        report->maker = signet_chain_dup_words(evidence->endorsement->pdata[i]);
    }
    if (!report->endorsement)
        g_propagate_error(error, g_steal_pointer(&first));
    return report->endorsement != NULL;
}

/* --- one TPM --- */

static gboolean
is_expected(const SignetEvidenceDemand *demand, const SignetEvidenceReport *report,
            const Parts *parts, GError **error)
{
    const SignetExpectation *expected = demand->expectation;
    const SignetTpmName *name = &parts->attester.name;
    gsize size = 0, answer_size = 0, name_size = 0;
    gconstpointer wanted = g_bytes_get_data(expected->answer, &size);
    gconstpointer answer = g_bytes_get_data(demand->answer, &answer_size);
    gconstpointer named = g_bytes_get_data(expected->attester, &name_size);

    if (name_size != name->size || memcmp(named, name->bytes, name->size) != 0)
        return refuse(error, "the challenge was made for another attestation key");
    if (!g_bytes_equal(expected->endorsement, report->endorsement))
        return refuse(error, "the challenge was made for another endorsement key");
    return (size == answer_size && size > 0 && CRYPTO_memcmp(wanted, answer, size) == 0) ||
           refuse(error, "the answer is wrong: whoever gave it does not have the attestation key "
                         "and the endorsement key in one TPM");
}

static gboolean
check_attestation_ca(const SignetEvidence *evidence, const SignetEvidenceDemand *demand,
                     const Parts *parts, GError **error)
{
    const SignetChainRule rule = {.anchors = demand->attestation_cas,
                                  .usage = EKU_ATTESTATION,
                                  .what = "attestation key's certificate",
                                  .is_usage_needed = TRUE,
                                  .now_s = demand->now_s};
    g_autoptr(GBytes) spki = NULL;

    if (evidence->attesters->len == 0)
        return refuse(error, "the attestation key has no certificate");
    spki = signet_chain_dup_spki(evidence->attesters->pdata[0]);
    if (!spki || !g_bytes_equal(spki, parts->attester.spki))
        return refuse(error, "the attestation key's certificate is for another key");
    return signet_chain_check(evidence->attesters->pdata[0], evidence->attesters, &rule, error);
}

/* --- all of it --- */

static void
say(GPtrArray *list, const char *sentence)
{
    g_ptr_array_add(list, (char *)sentence);
}

static gboolean
bind(const SignetEvidence *evidence, const SignetEvidenceDemand *demand, const Parts *parts,
     SignetEvidenceReport *report, GError **error)
{
    if (demand->answer) {
        if (!is_expected(demand, report, parts, error))
            return FALSE;
        say(report->proven, "attestation key and endorsement key are in one TPM: it has answered "
                            "the challenge");
        report->is_bound = TRUE;
    }
    if (demand->attestation_cas) {
        if (!check_attestation_ca(evidence, demand, parts, error))
            return FALSE;
        say(report->proven, "a trusted CA has certified the attestation key as a TPM's");
        report->is_bound = TRUE;
    }
    if (!report->is_bound)
        say(report->unproven,
            "that the attestation key is in that TPM, or in any: whoever has seen the endorsement "
            "certificate can have made all of this; send a challenge (--make-challenge), or trust "
            "a CA for attestation keys (--ak-trust)");
    return TRUE;
}

static void
conclude(const SignetEvidence *evidence, const SignetEvidenceDemand *demand,
         SignetEvidenceReport *report)
{
    say(report->proven, "a trusted maker vouches for the TPM's endorsement key");
    say(report->proven, "the attestation key, if it is a TPM's, signs nothing but what the TPM "
                        "says");
    say(report->proven, "it says that the key was made in its TPM and cannot leave it");
    if (evidence->certificate->len > 0)
        say(report->proven, "the identity's certificate is for that key");
    else
        say(report->unproven, "which certificate the key has: there is none in the evidence");
    if (demand->nonce)
        say(report->proven, "the evidence was made for this nonce");
    else
        say(report->unproven, "that the evidence is fresh: no nonce was demanded (--nonce)");
}

gboolean
signet_evidence_verify(const SignetEvidence *evidence, const SignetEvidenceDemand *demand,
                       SignetEvidenceReport *report, GError **error)
{
    g_auto(Parts) parts = {0};

    report->proven = g_ptr_array_new();
    report->unproven = g_ptr_array_new();
    if (!parts_read(&parts, evidence, error) ||
        !check_rules(parts.attester.attributes, attester_rules, G_N_ELEMENTS(attester_rules),
                     error) ||
        !check_attestation(evidence, &parts, demand, error) ||
        !check_certificate(evidence, &parts, error) ||
        !find_endorsement(evidence, demand, report, error))
        return FALSE;
    conclude(evidence, demand, report);
    return bind(evidence, demand, &parts, report, error);
}

void
signet_evidence_report_clear(SignetEvidenceReport *report)
{
    g_clear_pointer(&report->proven, g_ptr_array_unref);
    g_clear_pointer(&report->unproven, g_ptr_array_unref);
    g_clear_pointer(&report->endorsement, g_bytes_unref);
    g_clear_pointer(&report->maker, g_free);
}

/* --- for the next step --- */

gboolean
signet_evidence_challenge(const SignetEvidence *evidence, const SignetEvidenceReport *report,
                          SignetChallenge *challenge, SignetExpectation *expectation,
                          GError **error)
{
    g_auto(SignetTpmPublic) attester = {0};
    g_auto(SignetCredential) credential = {0};
    guint8 answer[SIGNET_CREDENTIAL_ANSWER_BYTES];

    if (RAND_bytes(answer, sizeof answer) != 1)
        return signet_error_set(error, SIGNET_ERROR_FAILED, "libcrypto has no random bytes");
    if (!signet_tpm_public_read(&attester, evidence->attester, error) ||
        !signet_credential_make(&credential, report->endorsement, &attester.name, answer, error))
        return FALSE;
    challenge->token = g_strdup(evidence->token);
    challenge->endorsement = g_bytes_ref(report->endorsement);
    challenge->credential = g_bytes_ref(credential.credential);
    challenge->secret = g_bytes_ref(credential.secret);
    expectation->endorsement = g_bytes_ref(report->endorsement);
    expectation->attester = g_bytes_new(attester.name.bytes, attester.name.size);
    expectation->answer = g_bytes_new(answer, sizeof answer);
    OPENSSL_cleanse(answer, sizeof answer);
    return TRUE;
}

char *
signet_evidence_dup_attester(const SignetEvidence *evidence, GError **error)
{
    g_auto(SignetTpmPublic) attester = {0};
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    char *text = NULL;
    gsize size = 0;

    if (!signet_tpm_public_read(&attester, evidence->attester, error))
        return NULL;
    gconstpointer der = g_bytes_get_data(attester.spki, &size);
    PEM_write_bio(out, PEM_STRING_PUBLIC, "", der, (long)size);
    long length = BIO_get_mem_data(out, &text);
    return g_strndup(text, (gsize)length);
}
