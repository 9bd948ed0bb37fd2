/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl verify-evidence FILE: judges evidence of another machine, without its agent and without
 * a TPM. */

#include "agent/ctl/commands.h"

#include "agent/base/error.h"
#include "agent/ctl/file.h"
#include "agent/evidence/verify.h"

#define TRUST_MAX     (1024u * 1024)
#define NONCE_MAX     64
#define SECRET_SUFFIX ".secret"

/* What was read for the judge; all (owned, nullable). */
typedef struct {
    GBytes *endorsers;
    GBytes *attestation_cas;
    GBytes *nonce;
    GBytes *answer;
    SignetExpectation expectation;
} Material;

static void
material_clear(Material *material)
{
    g_clear_pointer(&material->endorsers, g_bytes_unref);
    g_clear_pointer(&material->attestation_cas, g_bytes_unref);
    g_clear_pointer(&material->nonce, g_bytes_unref);
    g_clear_pointer(&material->answer, g_bytes_unref);
    signet_expectation_clear(&material->expectation);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Material, material_clear)

static gboolean
complain(const char *path, const GError *error)
{
    g_printerr("signetctl: '%s': %s\n", path, error->message);
    return FALSE;
}

static gboolean
read_answer(const SignetCtl *ctl, Material *material)
{
    g_autofree char *secret_file = g_strconcat(ctl->verify.challenge, SECRET_SUFFIX, NULL);
    g_autoptr(GBytes) secret = signet_ctl_read_bytes(secret_file, SIGNET_EVIDENCE_FILE_MAX);
    g_autoptr(GBytes) text =
        secret ? signet_ctl_read_bytes(ctl->verify.answer, SIGNET_EVIDENCE_FILE_MAX) : NULL;
    g_autoptr(GError) error = NULL;

    if (!text)
        return FALSE;
    if (!signet_expectation_from_text(&material->expectation, secret, &error))
        return complain(secret_file, error);
    material->answer = signet_answer_from_text(text, &error);
    return material->answer || complain(ctl->verify.answer, error);
}

static SignetCtlExit
read_material(const SignetCtl *ctl, Material *material)
{
    if (ctl->verify.nonce) {
        material->nonce = signet_ctl_read_hex(ctl->verify.nonce, NONCE_MAX);
        if (!material->nonce)
            return SIGNET_CTL_USAGE;
    }
    material->endorsers = signet_ctl_read_bytes(ctl->verify.ek_trust, TRUST_MAX);
    if (!material->endorsers)
        return SIGNET_CTL_FAILED;
    if (ctl->verify.ak_trust) {
        material->attestation_cas = signet_ctl_read_bytes(ctl->verify.ak_trust, TRUST_MAX);
        if (!material->attestation_cas)
            return SIGNET_CTL_FAILED;
    }
    return !ctl->verify.answer || read_answer(ctl, material) ? SIGNET_CTL_OK : SIGNET_CTL_FAILED;
}

/* --- telling --- */

static void
print_list(const char *head, const GPtrArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        g_autofree char *line = g_strdup_printf("%s %s\n", head, (const char *)list->pdata[i]);

        signet_ctl_print_text(line);
    }
}

static void
add_list(GVariantDict *dict, const char *name, const GPtrArray *list)
{
    g_variant_dict_insert_value(
        dict, name,
        list ? g_variant_new_strv((const char *const *)list->pdata, (gssize)list->len)
             : g_variant_new_strv(NULL, 0));
}

static void
print_json(const SignetEvidence *evidence, const SignetEvidenceReport *report,
           const GError *failure)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", evidence->identity ? evidence->identity : "");
    g_variant_dict_insert(&dict, "generation", "u", evidence->generation);
    g_variant_dict_insert(&dict, "good", "b", failure == NULL);
    g_variant_dict_insert(&dict, "bound", "b", !failure && report->is_bound);
    g_variant_dict_insert(&dict, "failure", "s", failure ? failure->message : "");
    add_list(&dict, "proven", failure ? NULL : report->proven);
    add_list(&dict, "unproven", failure ? NULL : report->unproven);
    if (report->maker)
        g_variant_dict_insert(&dict, "endorsement", "s", report->maker);
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static void
print_report(const SignetCtl *ctl, const SignetEvidence *evidence,
             const SignetEvidenceReport *report)
{
    g_autofree char *line = NULL;

    if (ctl->is_json) {
        print_json(evidence, report, NULL);
        return;
    }
    line = g_strdup_printf("identity '%s', generation %u; endorsement key %s\n", evidence->identity,
                           evidence->generation, report->maker);
    signet_ctl_print_text(line);
    print_list("proven:    ", report->proven);
    print_list("NOT PROVEN:", report->unproven);
}

/* --- the next step --- */

static gboolean
write_challenge(const SignetCtl *ctl, const SignetEvidence *evidence,
                const SignetEvidenceReport *report)
{
    const char *path = ctl->verify.challenge_out;
    g_autofree char *secret_file = g_strconcat(path, SECRET_SUFFIX, NULL);
    g_auto(SignetChallenge) challenge = {0};
    g_auto(SignetExpectation) expectation = {0};
    g_autoptr(GError) error = NULL;

    if (!signet_evidence_challenge(evidence, report, &challenge, &expectation, &error))
        return complain(path, error);
    g_autofree char *text = signet_challenge_to_text(&challenge);
    g_autofree char *secret = signet_expectation_to_text(&expectation);
    return signet_ctl_write_file(secret_file, secret, TRUE) &&
           signet_ctl_write_file(path, text, FALSE);
}

static gboolean
write_key(const SignetCtl *ctl, const SignetEvidence *evidence)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pem = signet_evidence_dup_attester(evidence, &error);

    if (!pem)
        return complain(ctl->verify.key_out, error);
    return signet_ctl_write_file(ctl->verify.key_out, pem, FALSE);
}

static SignetCtlExit
judge(const SignetCtl *ctl, const SignetEvidence *evidence, const SignetEvidenceDemand *demand)
{
    g_auto(SignetEvidenceReport) report = {0};
    g_autoptr(GError) error = NULL;

    if (!signet_evidence_verify(evidence, demand, &report, &error)) {
        if (ctl->is_json)
            print_json(evidence, &report, error);
        g_printerr("signetctl: the evidence is not good: %s\n", error->message);
        return SIGNET_CTL_FAILED;
    }
    print_report(ctl, evidence, &report);
    if (ctl->verify.challenge_out && !write_challenge(ctl, evidence, &report))
        return SIGNET_CTL_FAILED;
    if (!report.is_bound && !ctl->verify.challenge_out)
        return SIGNET_CTL_FAILED;
    /* a certificate for an attestation key that nobody has answered for would be a lie */
    if (ctl->verify.key_out && report.is_bound && !write_key(ctl, evidence))
        return SIGNET_CTL_FAILED;
    return SIGNET_CTL_OK;
}

SignetCtlExit
signet_ctl_verify(SignetCtl *ctl, int argc, char **argv)
{
    g_auto(SignetEvidence) evidence = {0};
    g_auto(Material) material = {0};
    g_autoptr(GBytes) text = NULL;
    g_autoptr(GError) error = NULL;
    SignetCtlExit code;

    if (!ctl->verify.ek_trust || !ctl->verify.answer != !ctl->verify.challenge ||
        (ctl->verify.challenge_out && (ctl->verify.answer || ctl->verify.key_out)))
        return signet_ctl_refuse("--ek-trust has to be there, --answer and --challenge belong "
                                 "together, and --make-challenge comes before them and --ak-key; "
                                 "see: signetctl verify-evidence --help");
    text = signet_ctl_read_bytes(argv[0], SIGNET_EVIDENCE_FILE_MAX);
    if (!text)
        return SIGNET_CTL_FAILED;
    if (!signet_evidence_from_text(&evidence, text, &error)) {
        complain(argv[0], error);
        return SIGNET_CTL_FAILED;
    }
    code = read_material(ctl, &material);
    if (code != SIGNET_CTL_OK)
        return code;
    const SignetEvidenceDemand demand = {
        .endorsers = material.endorsers,
        .attestation_cas = material.attestation_cas,
        .nonce = material.nonce,
        .expectation = material.answer ? &material.expectation : NULL,
        .answer = material.answer,
        .now_s = signet_ctl_now(),
    };
    return judge(ctl, &evidence, &demand);
}
