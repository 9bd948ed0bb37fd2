/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl attest: evidence of where a key is, answers to challenges, and the attestation key's
 * certificate. */

#include "agent/ctl/commands.h"

#include <string.h>

#include "agent/ctl/file.h"
#include "agent/evidence/bundle.h"

#define TIMEOUT_MS       120000
#define NONCE_MAX        64
#define CERTIFICATES_MAX 65536u

/* --- what is said --- */

static GBytes *
take_bytes(GVariant *dict, const char *name)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(dict, name, G_VARIANT_TYPE_BYTESTRING);

    return value ? g_variant_get_data_as_bytes(value) : g_bytes_new(NULL, 0);
}

static GPtrArray *
take_list(GVariant *dict, const char *name)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(dict, name, G_VARIANT_TYPE("aay"));
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (gsize i = 0; value && i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) item = g_variant_get_child_value(value, i);

        g_ptr_array_add(list, g_variant_get_data_as_bytes(item));
    }
    return list;
}

static char *
make_evidence(const char *identity, GBytes *nonce, GVariant *said)
{
    g_auto(SignetEvidence) evidence = {
        .identity = g_strdup(identity),
        .nonce = g_bytes_ref(nonce),
        .attestation = take_bytes(said, "attestation"),
        .signature = take_bytes(said, "signature"),
        .key = take_bytes(said, "key"),
        .attester = take_bytes(said, "attester"),
        .attesters = take_list(said, "attester_certificates"),
        .endorsement = take_list(said, "endorsement"),
        .issuers = take_list(said, "issuers"),
        .certificate = take_list(said, "certificates"),
    };

    g_variant_lookup(said, "token", "s", &evidence.token);
    g_variant_lookup(said, "generation", "u", &evidence.generation);
    return signet_evidence_to_text(&evidence);
}

static SignetCtlExit
put_out(const SignetCtl *ctl, const char *text, const char *what)
{
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (!ctl->attest.output) {
        signet_ctl_print_text(text);
        return SIGNET_CTL_OK;
    }
    if (!signet_ctl_write_file(ctl->attest.output, text, FALSE))
        return SIGNET_CTL_FAILED;
    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "file", "s", ctl->attest.output);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
    } else {
        line = g_strdup_printf("%s: %s\n", ctl->attest.output, what);
        signet_ctl_print_text(line);
    }
    return SIGNET_CTL_OK;
}

static GVariant *
bytes_to_variant(GBytes *bytes)
{
    return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static SignetCtlExit
attest(SignetCtl *ctl, const char *name)
{
    g_autoptr(GBytes) nonce = signet_ctl_read_hex(ctl->attest.nonce, NONCE_MAX);
    SignetCtlExit code = nonce ? signet_ctl_connect(ctl) : SIGNET_CTL_USAGE;
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autofree char *doing = g_strdup_printf("attest '%s'", name);
    g_autoptr(GError) error = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, name);
    if (!identity)
        return SIGNET_CTL_FAILED;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_sync(
        G_DBUS_PROXY(identity), "Attest", g_variant_new("(@ay)", bytes_to_variant(nonce)),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_autoptr(GVariant) said = g_variant_get_child_value(reply, 0);
    g_autofree char *text = make_evidence(name, nonce, said);
    return put_out(ctl, text, "evidence; to be judged by: signetctl verify-evidence");
}

/* --- a challenge --- */

static SignetCtlExit
answer(SignetCtl *ctl)
{
    g_autoptr(GBytes) text =
        signet_ctl_read_bytes(ctl->attest.challenge_file, SIGNET_EVIDENCE_FILE_MAX);
    g_auto(SignetChallenge) challenge = {0};
    SignetCtlExit code = text ? signet_ctl_connect(ctl) : SIGNET_CTL_FAILED;
    g_autoptr(SignetDbusToken1) token = NULL;
    g_autofree char *doing = g_strdup_printf("answer '%s'", ctl->attest.challenge_file);
    g_autoptr(GError) error = NULL;

    if (text && !signet_challenge_from_text(&challenge, text, &error))
        return signet_ctl_report(error, doing);
    if (code != SIGNET_CTL_OK)
        return code;
    token = signet_ctl_find_token(ctl, challenge.token);
    if (!token)
        return SIGNET_CTL_FAILED;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_sync(
        G_DBUS_PROXY(token), "AnswerChallenge",
        g_variant_new("(@ay@ay@ay)", bytes_to_variant(challenge.endorsement),
                      bytes_to_variant(challenge.credential), bytes_to_variant(challenge.secret)),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error);
    if (!reply)
        return signet_ctl_report(error, doing);
    g_autoptr(GVariant) value = g_variant_get_child_value(reply, 0);
    g_autoptr(GBytes) bytes = g_variant_get_data_as_bytes(value);
    g_autofree char *out = signet_answer_to_text(bytes);
    return put_out(ctl, out, "the answer; for: signetctl verify-evidence --answer");
}

/* --- the attestation key's certificate --- */

static SignetCtlExit
import(SignetCtl *ctl, const char *name)
{
    const char *path = ctl->attest.certificate_file;
    g_autoptr(GBytes) pem = signet_ctl_read_bytes(path, CERTIFICATES_MAX);
    SignetCtlExit code = pem ? signet_ctl_connect(ctl) : SIGNET_CTL_FAILED;
    g_autoptr(SignetDbusIdentity1) identity = NULL;
    g_autoptr(SignetDbusToken1) token = NULL;
    g_autofree char *doing = g_strdup_printf("import '%s'", path);
    g_autoptr(GError) error = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    identity = signet_ctl_find_identity(ctl, name);
    token = identity ? signet_ctl_find_token(ctl, signet_dbus_identity1_get_token(identity)) : NULL;
    if (!token)
        return SIGNET_CTL_FAILED;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_sync(
        G_DBUS_PROXY(token), "ImportAttesterCertificate",
        g_variant_new("(@ay)", bytes_to_variant(pem)),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, NULL, &error);
    return reply ? SIGNET_CTL_OK : signet_ctl_report(error, doing);
}

SignetCtlExit
signet_ctl_attest(SignetCtl *ctl, int argc, char **argv)
{
    gboolean is_answer = ctl->attest.challenge_file != NULL;
    gboolean is_import = ctl->attest.certificate_file != NULL;

    if (is_answer + is_import > 1 || (ctl->attest.nonce && (is_answer || is_import)) ||
        argc != (is_answer ? 0 : 1))
        return signet_ctl_refuse("usage: signetctl attest IDENTITY [--nonce HEX], attest "
                                 "--challenge FILE or attest IDENTITY --import-ak-certificate "
                                 "FILE; see: signetctl attest --help");
    if (is_answer)
        return answer(ctl);
    return is_import ? import(ctl, argv[0]) : attest(ctl, argv[0]);
}
