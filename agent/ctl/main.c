/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: which command, with which options. */

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/commands.h"
#include "agent/ctl/suggest.h"

#define NO_WAIT    (1u << 0)
#define CONFIG_DIR (1u << 1)
#define NAMES      (1u << 2)
#define SIMULATE   (1u << 3)
#define ADOPTION   (1u << 4)
#define UNLOCK     (1u << 5)
#define SETUP      (1u << 6)
#define ATTEST     (1u << 7)
#define VERIFY     (1u << 8)
#define WHY        (1u << 9)
#define REVOCATION (1u << 10)

typedef struct {
    const char *name;
    const char *arguments; /* as in the usage line */
    int min_arguments;
    int max_arguments;
    guint options; /* beyond those that all have */
    SignetCtlRun run;
    const char *summary;
    const char *examples;
} Command;

static const Command commands[] = {
    {"status", "", 0, 0, 0, signet_ctl_status, "how the agent is, and what needs attention",
     "  signetctl status\n  signetctl status --json | jq -r .state"},
    {"list", "", 0, 0, NAMES, signet_ctl_list, "the identities, one line each",
     "  signetctl list\n  signetctl list --json | jq -r '.[] | select(.state != \"active\").name'"},
    {"show", "IDENTITY", 1, 1, 0, signet_ctl_show,
     "one identity: state, certificate, files, and who uses which generation",
     "  signetctl show wifi\n  signetctl show wifi --json | jq -r .live_path"},
    {"enroll", "IDENTITY", 1, 1, NO_WAIT, signet_ctl_enroll,
     "obtain a certificate for an identity that has none", "  signetctl enroll wifi"},
    {"rotate", "IDENTITY", 1, 1, NO_WAIT, signet_ctl_rotate,
     "replace key and certificate of an identity now",
     "  signetctl rotate wifi\n  signetctl rotate wifi --no-wait"},
    {"check", "IDENTITY", 1, 1, 0, signet_ctl_check,
     "ask now whether its certificate is revoked, and when its CA wants it renewed",
     "  signetctl check vpn\n  signetctl check vpn --json | jq -r .revocation"},
    {"rollback", "IDENTITY [REASON]", 1, 2, 0, signet_ctl_rollback,
     "make the generation before current again, because this one does not work",
     "  signetctl rollback vpn 'the gateway refuses it'"},
    {"revoke", "IDENTITY", 1, 1, REVOCATION, signet_ctl_revoke,
     "have the CA revoke a certificate of an identity; cannot be taken back",
     "  signetctl revoke vpn --generation 7 --reason superseded\n"
     "  signetctl revoke vpn --reason keyCompromise"},
    {"adopt", "IDENTITY", 1, 1, NO_WAIT | ADOPTION, signet_ctl_adopt,
     "make a key that exists already the identity's own",
     "  signetctl adopt vpn --object 'pkcs11:id=%01'\n"
     "  signetctl adopt vpn --key /etc/tpm/vpn.pem --cert /etc/tpm/vpn-chain.pem"},
    {"request", "IDENTITY", 1, 1, 0, signet_ctl_request,
     "print the request that waits to be given to a CA by hand",
     "  signetctl request wifi > wifi.csr"},
    {"import", "IDENTITY FILE", 2, 2, 0, signet_ctl_import,
     "hand over the certificates that the CA gave for it", "  signetctl import wifi chain.pem"},
    {"device-code", "FILE", 1, 1, 0, signet_ctl_device_code,
     "the device code of a request, certificate or public key; needs no agent",
     "  signetctl device-code wifi.csr\n"
     "  openssl req -in wifi.csr -noout -pubkey | signetctl device-code -"},
    {"attest", "[IDENTITY]", 0, 1, ATTEST, signet_ctl_attest,
     "evidence of the TPM that an identity's key was made in it and cannot leave it",
     "  signetctl attest wifi --nonce 5f3c… -o wifi.evidence\n"
     "  signetctl attest --challenge wifi.challenge -o wifi.answer\n"
     "  signetctl attest wifi --import-ak-certificate ak-chain.pem"},
    {"verify-evidence", "FILE", 1, 1, VERIFY, signet_ctl_verify,
     "judge evidence of another machine; needs no agent and no TPM",
     "  signetctl verify-evidence wifi.evidence --ek-trust makers.pem --make-challenge "
     "wifi.challenge\n"
     "  signetctl verify-evidence wifi.evidence --ek-trust makers.pem --nonce 5f3c… \\\n"
     "      --challenge wifi.challenge --answer wifi.answer"},
    {"reload", "", 0, 0, 0, signet_ctl_reload, "read the policy files again",
     "  signetctl policy check && signetctl reload"},
    {"watch", "", 0, 0, 0, signet_ctl_watch, "what happens, line by line, until interrupted",
     "  signetctl watch\n  signetctl watch --json | jq -c 'select(.event == \"rotated\")'"},
    {"token", "[list | show [NAME] | measure [NAME]]", 0, 2, NAMES | NO_WAIT, signet_ctl_token,
     "the tokens, what is known of one, and what its operations cost",
     "  signetctl token list\n  signetctl token show tpm\n  signetctl token measure tpm\n"
     "  signetctl token show tpm --json | jq .facts.keys"},
    {"unlock", "TOKEN", 1, 1, UNLOCK, signet_ctl_unlock,
     "give the agent the PIN of a token: asked for, or from standard input",
     "  signetctl unlock card\n  signetctl unlock card < /run/keys/card.pin"},
    {"lock", "TOKEN", 1, 1, 0, signet_ctl_lock,
     "log out of a token, and have the agent forget its PIN", "  signetctl lock card"},
    {"policy", "check|show|simulate [IDENTITY]", 1, 2, CONFIG_DIR | SIMULATE, signet_ctl_policy,
     "check the policy files, or tell what they will lead to; needs no agent",
     "  signetctl policy check --config-dir ./etc\n"
     "  signetctl policy show wifi\n"
     "  signetctl policy simulate wifi --to +1y\n"
     "  signetctl policy simulate wifi --ca-away 2026-12-24 --ca-back 2027-01-07\n"
     "  signetctl policy simulate wifi --fleet 100000 --within 1h"},
    {"why-not", "[PROGRAM] IDENTITY|FILE", 1, 2, WHY | CONFIG_DIR, signet_ctl_why_not,
     "what stands between a program and a key, found by trying",
     "  signetctl why-not wifi\n"
     "  signetctl why-not curl /var/lib/signet/live/app/key.pem --user www-data\n"
     "  signetctl why-not web --unit nginx.service --purpose tls-server"},
    {"setup", "openssl", 1, 1, SETUP, signet_ctl_setup,
     "switch the provider on for all programs that use OpenSSL, or off again; needs no agent",
     "  signetctl setup openssl --dry-run\n"
     "  signetctl setup openssl\n"
     "  signetctl setup openssl --check\n"
     "  signetctl setup openssl --undo"},
    {"version", "", 0, 0, 0, signet_ctl_version, "the versions of signetctl and of the agent",
     "  signetctl version"},
};

static char *
describe_commands(void)
{
    GString *text = g_string_new("Commands:\n");

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *usage =
            g_strstrip(g_strdup_printf("%s %s", commands[i].name, commands[i].arguments));

        g_string_append_printf(text, "  %-18s %s\n", usage, commands[i].summary);
    }
    g_string_append(text, "\nMore about a command: signetctl COMMAND --help\n"
                          "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the agent cannot be "
                          "reached, 4 not allowed");
    return g_string_free(text, FALSE);
}

static void
add_simulate_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.from,
         "Enrolled then, as in 2026-12-01 or +10d; default: now", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.to,
         "Tell until then; default: three renewals", "TIME"},
        {"lifetime", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.lifetime,
         "Of the CA's certificates, where the policy does not say it", "DURATION"},
        {"ca-away", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.ca_away,
         "From then on the CA cannot be reached", "TIME"},
        {"ca-back", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.ca_back,
         "Until then; default: for good", "TIME"},
        {"issuer-end", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.issuer_end,
         "The certificate that the CA issues by ends then, and has no successor before", "TIME"},
        {"fleet", 0, 0, G_OPTION_ARG_INT, &ctl->simulate.fleet,
         "What so many devices ask of the CA, hour by hour", "N"},
        {"within", 0, 0, G_OPTION_ARG_STRING, &ctl->simulate.within,
         "How long the fleet's enrolment takes; default: 1h", "DURATION"},
        {"csv", 0, 0, G_OPTION_ARG_NONE, &ctl->simulate.is_csv, "Print CSV", NULL},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_adoption_options(GOptionContext *context, SignetCtl *ctl)
{
    GOptionEntry entries[] = {
        {"object", 0, 0, G_OPTION_ARG_STRING, &ctl->adoption.object,
         "The key on a PKCS#11 token, by id or label; default: the only one", "URI"},
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &ctl->adoption.key_file,
         "The key of a TPM: a TSS2 PRIVATE KEY", "FILE"},
        {"cert", 0, 0, G_OPTION_ARG_FILENAME, &ctl->adoption.cert_file,
         "Its certificate and those above it (PEM)", "FILE"},
        {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &ctl->adoption.password_file,
         "The key's password; '-' is standard input", "FILE"},
        {"ask-password", 0, 0, G_OPTION_ARG_NONE, &ctl->adoption.is_password_asked,
         "Ask for the key's password", NULL},
        {"enroll", 0, 0, G_OPTION_ARG_NONE, &ctl->adoption.is_enrolled,
         "Obtain a new certificate for the key from the identity's CA", NULL},
        {"take-over", 0, 0, G_OPTION_ARG_NONE, &ctl->adoption.is_taken_over,
         "Let the agent destroy the key when it retires it", NULL},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_unlock_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"pin-fd", 0, 0, G_OPTION_ARG_INT, &ctl->unlock.pin_fd, "Read the PIN from this descriptor",
         "N"},
        {"last-try", 0, 0, G_OPTION_ARG_NONE, &ctl->unlock.is_last_try,
         "Send it although no other try is left", NULL},
        {"again", 0, 0, G_OPTION_ARG_NONE, &ctl->unlock.is_again,
         "Send it although the token has refused it before", NULL},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_setup_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"undo", 0, 0, G_OPTION_ARG_NONE, &ctl->setup.is_undo, "Switch it off again", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &ctl->setup.is_dry_run,
         "Try it, show it, and change nothing", NULL},
        {"check", 0, 0, G_OPTION_ARG_NONE, &ctl->setup.is_check,
         "Tell whether it is on, and for which programs", NULL},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &ctl->setup.config,
         "This file instead of the machine's openssl.cnf", "FILE"},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_why_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"user", 0, 0, G_OPTION_ARG_STRING, &ctl->why.user, "Try as this user; needs root", "USER"},
        {"unit", 0, 0, G_OPTION_ARG_STRING, &ctl->why.unit,
         "Try as this systemd unit's process; needs root", "UNIT"},
        {"purpose", 0, 0, G_OPTION_ARG_STRING, &ctl->why.purpose,
         "tls-client, tls-server or sign; default: what the program needs", "PURPOSE"},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_attest_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"nonce", 0, 0, G_OPTION_ARG_STRING, &ctl->attest.nonce,
         "What the TPM signs along, so that the evidence is known to be fresh", "HEX"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &ctl->attest.output,
         "Write to this file instead of standard output", "FILE"},
        {"challenge", 0, 0, G_OPTION_ARG_FILENAME, &ctl->attest.challenge_file,
         "Answer this challenge of verify-evidence", "FILE"},
        {"import-ak-certificate", 0, 0, G_OPTION_ARG_FILENAME, &ctl->attest.certificate_file,
         "Keep this certificate of the token's attestation key, and those above it (PEM)", "FILE"},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_verify_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"ek-trust", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.ek_trust,
         "Certificates that are believed of makers of TPMs (PEM)", "FILE"},
        {"ak-trust", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.ak_trust,
         "Certificates of CAs that certify attestation keys (PEM)", "FILE"},
        {"nonce", 0, 0, G_OPTION_ARG_STRING, &ctl->verify.nonce,
         "What the evidence must have been made for", "HEX"},
        {"make-challenge", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.challenge_out,
         "Write a challenge for the machine, and FILE.secret, which stays here", "FILE"},
        {"challenge", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.challenge,
         "The challenge that --answer belongs to", "FILE"},
        {"answer", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.answer,
         "What the machine has answered", "FILE"},
        {"ak-key", 0, 0, G_OPTION_ARG_FILENAME, &ctl->verify.key_out,
         "Once all is proven, write the attestation key (PEM) for a CA to certify", "FILE"},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_revocation_options(GOptionContext *context, SignetCtl *ctl)
{
    const GOptionEntry entries[] = {
        {"generation", 0, 0, G_OPTION_ARG_INT, &ctl->revocation.generation,
         "Whose certificate; default: the current one", "N"},
        {"reason", 0, 0, G_OPTION_ARG_STRING, &ctl->revocation.reason,
         "unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation or "
         "privilegeWithdrawn",
         "REASON"},
        {NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void
add_options(GOptionContext *context, SignetCtl *ctl, guint options)
{
    GOptionEntry common[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &ctl->is_json, "Print JSON, for scripts", NULL},
        {"bus-address", 0, 0, G_OPTION_ARG_STRING, &ctl->bus_address,
         "Talk to the agent on this bus instead of the system bus", "ADDRESS"},
        {NULL},
    };
    GOptionEntry no_wait[] = {
        {"no-wait", 0, 0, G_OPTION_ARG_NONE, &ctl->is_no_wait, "Return as soon as it has started",
         NULL},
        {NULL},
    };
    GOptionEntry config_dir[] = {
        {"config-dir", 0, 0, G_OPTION_ARG_FILENAME, &ctl->config_dir,
         "Read this directory instead of /etc/signet", "DIRECTORY"},
        {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &ctl->state_dir,
         "Where the agent keeps what it knows of tokens, instead of /var/lib/signet", "DIRECTORY"},
        {NULL},
    };
    GOptionEntry names[] = {
        {"names", 0, 0, G_OPTION_ARG_NONE, &ctl->is_names, "Print names only", NULL},
        {NULL},
    };

    g_option_context_add_main_entries(context, common, NULL);
    if (options & SIMULATE)
        add_simulate_options(context, ctl);
    if (options & ADOPTION)
        add_adoption_options(context, ctl);
    if (options & WHY)
        add_why_options(context, ctl);
    if (options & SETUP)
        add_setup_options(context, ctl);
    if (options & UNLOCK)
        add_unlock_options(context, ctl);
    if (options & ATTEST)
        add_attest_options(context, ctl);
    if (options & VERIFY)
        add_verify_options(context, ctl);
    if (options & REVOCATION)
        add_revocation_options(context, ctl);
    if (options & NO_WAIT)
        g_option_context_add_main_entries(context, no_wait, NULL);
    if (options & CONFIG_DIR)
        g_option_context_add_main_entries(context, config_dir, NULL);
    if (options & NAMES)
        g_option_context_add_main_entries(context, names, NULL);
}

static const Command *
find_command(const char *name)
{
    const char *words[G_N_ELEMENTS(commands) + 1] = {NULL};
    const char *near = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(commands[i].name, name))
            return &commands[i];
        words[i] = commands[i].name;
    }
    near = signet_suggest(name, words);
    if (near)
        (void)signet_ctl_refuse("there is no command '%s'; did you mean '%s'?", name, near);
    else
        (void)signet_ctl_refuse("there is no command '%s'; see: signetctl --help", name);
    return NULL;
}

static SignetCtlExit
run_command(SignetCtl *ctl, const Command *command, int argc, char **argv)
{
    g_autofree char *usage = g_strdup_printf("%s %s", command->name, command->arguments);
    g_autoptr(GOptionContext) context = g_option_context_new(g_strchomp(usage));
    g_autofree char *description = g_strdup_printf("Examples:\n%s", command->examples);
    g_autoptr(GError) error = NULL;

    add_options(context, ctl, command->options);
    g_option_context_set_summary(context, command->summary);
    g_option_context_set_description(context, description);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return signet_ctl_refuse("%s; see: signetctl %s --help", error->message, command->name);
    if (argc > 1 && g_str_equal(argv[1], "--")) {
        argv++;
        argc--;
    }
    if (argc - 1 < command->min_arguments || argc - 1 > command->max_arguments)
        return signet_ctl_refuse("usage: signetctl %s", usage);
    return command->run(ctl, argc - 1, argv + 1);
}

/* What stands before the command belongs to all commands; the rest is the command's to parse. */
static SignetCtlExit
run(SignetCtl *ctl, int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("COMMAND");
    g_autofree char *description = describe_commands();
    g_autoptr(GError) error = NULL;
    const Command *command = NULL;

    add_options(context, ctl, 0);
    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_set_summary(context, "Sees and manages the identities of this machine.");
    g_option_context_set_description(context, description);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        return signet_ctl_refuse("%s; see: signetctl --help", error->message);
    if (argc < 2) {
        g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);

        g_printerr("%s", help);
        return SIGNET_CTL_USAGE;
    }
    if (g_str_equal(argv[1], "help")) {
        g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);

        signet_ctl_print_text(help);
        return SIGNET_CTL_OK;
    }
    command = find_command(argv[1]);
    return command ? run_command(ctl, command, argc - 1, argv + 1) : SIGNET_CTL_USAGE;
}

static void
clear_evidence(SignetCtl *ctl)
{
    g_free(ctl->attest.nonce);
    g_free(ctl->attest.output);
    g_free(ctl->attest.challenge_file);
    g_free(ctl->attest.certificate_file);
    g_free(ctl->verify.ek_trust);
    g_free(ctl->verify.ak_trust);
    g_free(ctl->verify.nonce);
    g_free(ctl->verify.challenge_out);
    g_free(ctl->verify.challenge);
    g_free(ctl->verify.answer);
    g_free(ctl->verify.key_out);
}

int
main(int argc, char **argv)
{
    SignetCtl ctl = {.bus_address = g_strdup(g_getenv("SIGNET_BUS_ADDRESS")), .unlock.pin_fd = -1};
    SignetCtlExit code = SIGNET_CTL_OK;

    (void)setlocale(LC_ALL, "");
    g_set_prgname("signetctl");
    code = run(&ctl, argc, argv);
    g_clear_object(&ctl.manager);
    g_free(ctl.bus_address);
    g_free(ctl.config_dir);
    g_free(ctl.state_dir);
    g_free(ctl.simulate.from);
    g_free(ctl.simulate.to);
    g_free(ctl.simulate.lifetime);
    g_free(ctl.simulate.within);
    g_free(ctl.simulate.ca_away);
    g_free(ctl.simulate.ca_back);
    g_free(ctl.simulate.issuer_end);
    g_free(ctl.revocation.reason);
    g_free(ctl.adoption.key_file);
    g_free(ctl.adoption.object);
    g_free(ctl.adoption.cert_file);
    g_free(ctl.adoption.password_file);
    g_free(ctl.setup.config);
    g_free(ctl.why.user);
    g_free(ctl.why.unit);
    g_free(ctl.why.purpose);
    clear_evidence(&ctl);
    return (int)code;
}
