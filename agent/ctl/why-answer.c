/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What stands in the way: one table of checks in the order in which a program comes upon them, each
 * with its own sentence and what to do about it. */

#include "agent/ctl/why.h"

#include <string.h>

#include "agent/ctl/child.h"
#include "agent/ctl/policy-files.h"

void
signet_why_answer_clear(SignetWhyAnswer *answer)
{
    g_clear_pointer(&answer->reason, g_free);
    g_clear_pointer(&answer->advice, g_free);
}

/* Sets both; TRUE: this is it. */
static gboolean
answer(SignetWhyAnswer *ret, char *reason, char *advice)
{
    ret->reason = reason;
    ret->advice = advice;
    return TRUE;
}

static const char *
found(const SignetWhy *why, const char *name)
{
    return why->found ? signet_probe_report_get(why->found, name) : NULL;
}

static gboolean
is_found(const SignetWhy *why, const char *name, const char *value)
{
    return g_strcmp0(found(why, name), value) == 0;
}

static const char *
identity_of(const SignetWhy *why)
{
    return why->identity ? why->identity : "it";
}

/* A program in a mount namespace or root of its own sees another file system. */
static const char *
as_seen(const SignetWhy *why)
{
    return is_found(why, "entered.mounts", "yes") || is_found(why, "entered.root", "yes")
               ? " as the unit sees it"
               : "";
}

/* "'/x' is not readable: Permission denied at '/x/y' (root:root 0700)" by what signet_reach() said
 * under that name. */
static char *
describe_path(const SignetWhy *why, const char *name, const char *path)
{
    g_autofree char *error = g_strconcat(name, ".error", NULL);
    g_autofree char *at = g_strconcat(name, ".at", NULL);
    g_autofree char *owner = g_strconcat(name, ".owner", NULL);
    const char *where = found(why, at);

    return g_strdup_printf("'%s'%s cannot be used by %s: %s%s%s%s%s%s%s", path, as_seen(why),
                           why->role.user, found(why, error), where ? " at '" : "",
                           where ? where : "", where ? "'" : "", found(why, owner) ? " (" : "",
                           found(why, owner) ? found(why, owner) : "",
                           found(why, owner) ? ")" : "");
}

static char *
advise_path(const SignetWhy *why, const char *name)
{
    g_autofree char *error = g_strconcat(name, ".error", NULL);
    g_autofree char *at = g_strconcat(name, ".at", NULL);
    const char *what = found(why, error);

    if (g_strcmp0(what, "Permission denied") == 0 && found(why, at))
        return g_strdup_printf("let %s pass: chmod or chgrp '%s', or another place for it",
                               why->role.user, found(why, at));
    if (*as_seen(why))
        return g_strdup("give it to the unit: BindReadOnlyPaths= in its settings");
    return g_strdup("check the name, and with 'signetctl show IDENTITY' where the files are");
}

/* --- the checks --- */

static gboolean
check_role(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *error = found(why, "role.error");

    return error &&
           answer(ret, g_strdup_printf("%s cannot be played here: %s", why->role.user, error),
                  g_strdup("run it as root, outside of containers"));
}

static gboolean
check_filter(const SignetWhy *why, SignetWhyAnswer *ret)
{
    return is_found(why, SIGNET_CHILD_KILLED, "yes") &&
           answer(ret,
                  g_strdup_printf("its filter of system calls (SystemCallFilter=) ends a program "
                                  "of %s that does what using a key takes",
                                  why->role.user),
                  g_strdup("the kernel's audit record (type=1326, journalctl -k) names the call: "
                           "add it to SystemCallFilter= in the unit's settings"));
}

/* What is not OpenSSL 3, and not for the module either. */
static gboolean
check_program(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *name = why->program.name;

    switch (why->program.tls) {
    case SIGNET_WHY_OPENSSL_OLD:
        return answer(ret,
                      g_strdup_printf("'%s' is linked to %s, and releases of OpenSSL before 3 have "
                                      "no providers",
                                      name, why->program.library),
                      g_strdup("use a build of it with OpenSSL 3"));
    case SIGNET_WHY_GO:
        return answer(
            ret,
            g_strdup_printf("'%s' is a Go program: it does TLS by itself, without OpenSSL "
                            "and PKCS#11",
                            name),
            g_strdup("put a proxy that can before it, such as stunnel, haproxy or nginx"));
    case SIGNET_WHY_JAVA:
        return answer(ret,
                      g_strdup_printf("'%s' is a Java program: it does TLS by itself, without "
                                      "OpenSSL",
                                      name),
                      g_strdup("give its SunPKCS11 provider signet-pkcs11.so as library, and list "
                               "'sign' in Purposes="));
    case SIGNET_WHY_GNUTLS:
    case SIGNET_WHY_NSS:
        if (why->is_module)
            return FALSE;
        return answer(
            ret,
            g_strdup_printf("'%s' does TLS with %s (%s), which knows nothing of OpenSSL's "
                            "providers: a file is of no use to it",
                            name, why->program.tls == SIGNET_WHY_NSS ? "NSS" : "GnuTLS",
                            why->program.library ? why->program.library : "as its name says"),
            g_strdup_printf("configure 'pkcs11:token=Signet;object=%s' in place of the file, and "
                            "list 'sign' in Purposes= of '%s'; then ask: signetctl why-not %s %s",
                            identity_of(why), identity_of(why), name, identity_of(why)));
    case SIGNET_WHY_OPENSSL:
    case SIGNET_WHY_OPENSSL_OWN:
        break;
    }
    return FALSE;
}

static gboolean
check_identity(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *cause;

    if (!why->is_root || !why->is_agent_there || !why->identity)
        return FALSE;
    if (!why->known)
        return answer(
            ret, g_strdup_printf("there is no identity '%s'", why->identity),
            g_strdup_printf("write /etc/signet/identities.d/%s.conf, then: signetctl reload",
                            why->identity));
    if (signet_dbus_identity1_get_current_generation(why->known) > 0)
        return FALSE;
    cause = signet_dbus_identity1_get_cause(why->known);
    return answer(ret,
                  g_strdup_printf("identity '%s' has no certificate yet: it is %s%s%s",
                                  why->identity, signet_dbus_identity1_get_state(why->known),
                                  cause && *cause ? ": " : "", cause ? cause : ""),
                  g_strdup_printf("signetctl show %s; when the cause is gone: signetctl enroll %s",
                                  why->identity, why->identity));
}

static gboolean
check_file(const SignetWhy *why, SignetWhyAnswer *ret)
{
    return found(why, "file.error") &&
           answer(ret, describe_path(why, "file", why->reference), advise_path(why, "file"));
}

/* What a file may hold in place of a reference. "%s": the file's label */
static const struct {
    const char *kind, *reason, *advice;
} kinds[] = {
    {"tss2", "is a TPM key of another provider (label '%s'), not a reference of Signet's",
     "name the identity's key.pem; 'signetctl adopt' makes such a key an identity's"},
    {"encrypted", "is an encrypted private key (label '%s'), not a reference of Signet's",
     "name the identity's key.pem, as 'signetctl show' tells it"},
    {"key", "is a private key of its own (label '%s'), not a reference of Signet's",
     "name the identity's key.pem, as 'signetctl show' tells it; and remove keys that lie in "
     "files"},
    {"label", "has the PEM label '%s', which no program knows as a private key",
     "its label must be PRIVATE KEY: copy the identity's key.pem as it is"},
    {"broken", "is a damaged reference: more than its end or a letter is different",
     "copy the identity's key.pem again, or set Copy= in its policy"},
    {"certificate", "holds a certificate and no key",
     "name the identity's key.pem, or identity.pem where one file is to hold both"},
    {"empty", "is empty", "name the identity's key.pem, or set Copy= in its policy"},
    {"nothing", "holds no PEM that is a key", "name the identity's key.pem"},
    {"directory", "is a directory", "name the key.pem in it"},
    {"unreadable", "cannot be read", "check it with: cat"},
};

static gboolean
check_reference(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *kind = found(why, "file.kind");
    const char *label = found(why, "file.label");

    for (gsize i = 0; kind && i < G_N_ELEMENTS(kinds); i++) {
        g_auto(GStrv) parts = g_strsplit(kinds[i].reason, "%s", 2);
        g_autofree char *reason = g_strjoinv(label ? label : "none", parts);

        if (g_str_equal(kind, kinds[i].kind))
            return answer(ret, g_strdup_printf("'%s' %s", why->reference, reason),
                          g_strdup(kinds[i].advice));
    }
    return FALSE;
}

static gboolean
check_config(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *file = found(why, "config.file");
    const char *line = found(why, "config.line");

    if (!file || !found(why, "config.error"))
        return FALSE;
    if (found(why, "config.at"))
        return answer(
            ret,
            g_strdup_printf("the openssl.cnf that is read, %s", describe_path(why, "config", file)),
            g_strdup("it must be readable by all: without it, and without an environment "
                     "variable OPENSSL_CONF that names another, no provider is loaded"));
    return answer(
        ret,
        g_strdup_printf("OpenSSL cannot read '%s': %s%s%s", file, found(why, "config.error"),
                        line ? ", line " : "", line ? line : ""),
        g_strdup("correct it; until then programs pass it over, and all of its providers"));
}

/* Is the provider, with that name, active in the configuration? */
static gboolean
is_configured(const SignetWhy *why, const char *provider, const char *yes)
{
    g_autofree char *prefix = g_strconcat(provider, " ", NULL);
    g_autofree char *suffix = g_strconcat(" ", yes, NULL);
    guint position = 0;
    const char *value;

    while ((value = signet_probe_report_next(why->found, "config.provider", &position))) {
        if (g_str_has_prefix(value, prefix) && g_str_has_suffix(value, suffix))
            return TRUE;
    }
    return FALSE;
}

static gboolean
check_activation(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *file = found(why, "config.file");
    gboolean is_node = g_strcmp0(why->program.name, "node") == 0;
    const char *what;

    if (!file || found(why, "config.error") || is_configured(why, "signet", "yes"))
        return FALSE;
    if (!found(why, "config.init"))
        what = is_node ? "it has no nodejs_conf" : "it has no openssl_conf";
    else if (!found(why, "config.providers"))
        what = "it lists no providers";
    else if (is_configured(why, "signet", "no"))
        what = "it lists signet without activate = 1";
    else if (is_configured(why, "signet", "no missing"))
        what = "it lists signet with a section that is not there";
    else
        what = "its list of providers has no signet";
    return answer(ret,
                  g_strdup_printf("the provider is not switched on in '%s'%s, which is read: %s",
                                  file, as_seen(why), what),
                  g_strdup_printf("signetctl setup openssl --config %s", file));
}

static gboolean
check_module(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *path = found(why, "module.path");

    if (!path || !found(why, "module.error"))
        return FALSE;
    if (found(why, "module.at"))
        return answer(ret, g_strdup_printf("the provider, %s", describe_path(why, "module", path)),
                      g_strdup("install it there, or name its path with module = in openssl.cnf"));
    return answer(
        ret,
        g_strdup_printf("the provider '%s' cannot be loaded: %s", path, found(why, "module.error")),
        g_strdup("install Signet again, for this OpenSSL"));
}

static gboolean
check_p11_kit(const SignetWhy *why, SignetWhyAnswer *ret)
{
    return found(why, "p11kit.error") &&
           answer(ret,
                  g_strdup_printf("%s: %s sees no token 'Signet'", found(why, "p11kit.error"),
                                  why->role.user),
                  g_strdup("install signet.module and signet-pkcs11.so where p11-kit looks; "
                           "'p11-kit list-modules' tells which it has, signet-pkcs11(7) how"));
}

static gboolean
check_default(const SignetWhy *why, SignetWhyAnswer *ret)
{
    return is_found(why, "default.active", "no") &&
           answer(ret,
                  g_strdup_printf("'default' is not active in '%s', and without it no program has "
                                  "TLS",
                                  found(why, "config.file")),
                  g_strdup("signetctl setup openssl, or activate = 1 in the section of 'default'"));
}

static gboolean
check_socket(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *path = found(why, "socket.path");
    const char *error = found(why, "socket.error");

    if (!path || !error)
        return FALSE;
    if (g_str_equal(error, "Connection refused"))
        return answer(ret, g_strdup_printf("the agent does not run: nobody listens at '%s'", path),
                      g_strdup("systemctl start signetd.socket signetd"));
    if (g_str_equal(error, "Address family not supported by protocol"))
        return answer(ret,
                      g_strdup_printf("%s may not make sockets of the family AF_UNIX, by which "
                                      "the agent is reached",
                                      why->role.user),
                      g_strdup("add AF_UNIX to RestrictAddressFamilies= in the unit's settings"));
    if (g_str_equal(error, "Operation not permitted"))
        return answer(ret,
                      g_strdup_printf("%s may not make or connect sockets, by which the agent is "
                                      "reached",
                                      why->role.user),
                      g_strdup("add @network-io to SystemCallFilter= in the unit's settings"));
    if (g_str_equal(error, "No such file or directory") && *as_seen(why))
        return answer(ret,
                      g_strdup_printf("the agent's socket '%s' is not in the file system of the "
                                      "unit (its mount namespace or root)",
                                      path),
                      g_strdup_printf("BindPaths=%s in the unit's settings; programs that load the "
                                      "key before they chroot need not have it",
                                      path));
    if (g_str_equal(error, "No such file or directory"))
        return answer(
            ret,
            g_strdup_printf("the agent's socket is not there: %s",
                            describe_path(why, "socket", path)),
            g_strdup("systemctl start signetd.socket; if it is elsewhere: socket = in the "
                     "provider's section, or SIGNET_SOCKET"));
    return answer(ret,
                  g_strdup_printf("the agent's socket, %s", describe_path(why, "socket", path)),
                  g_strdup("it is mode 0666 in a directory 0755 as installed: restore that"));
}

/* --- what the agent said --- */

/* Of either step: the status and the sentence. */
static gboolean
was_refused(const SignetWhy *why, const char *status, const char **ret_text)
{
    static const char *const steps[][2] = {{"load.status", "load.error"},
                                           {"sign.status", "sign.error"}};

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (!is_found(why, steps[i][0], status))
            continue;
        *ret_text = found(why, steps[i][1]);
        return TRUE;
    }
    return FALSE;
}

static char *
list_rules(const SignetIdentityPolicy *policy)
{
    static const char *const kind_names[] = {[SIGNET_RULE_USER] = "user",
                                             [SIGNET_RULE_GROUP] = "group",
                                             [SIGNET_RULE_UNIT] = "unit",
                                             [SIGNET_RULE_LABEL] = "label"};
    GString *text = g_string_new(NULL);

    for (guint i = 0; policy && policy->allow && i < policy->allow->len; i++) {
        const SignetRule *rule = g_ptr_array_index(policy->allow, i);

        g_string_append_printf(text, "%s%s:%s", i ? ";" : "", kind_names[rule->kind], rule->value);
    }
    return g_string_free(text, FALSE);
}

/* The Allow= line as it should be. */
static char *
advise_rule(const SignetWhy *why)
{
    g_auto(SignetPolicyReading) reading = {0};
    g_autofree char *rules = NULL;
    const char *unit = why->ctl->why.unit;

    signet_policy_reading_init(&reading, why->ctl);
    rules = list_rules(reading.policy ? signet_policy_get_identity(reading.policy, identity_of(why))
                                      : NULL);
    return g_strdup_printf("Allow=%s%s%s:%s%s in [Access] of '%s' (%s/identities.d/%s.conf), then: "
                           "signetctl policy check && signetctl reload",
                           rules, *rules ? ";" : "", unit ? "unit" : "user",
                           unit ? unit : why->role.user,
                           unit && !strchr(unit, '.') ? ".service" : "", identity_of(why),
                           reading.root, identity_of(why));
}

static gboolean
check_access(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *text = NULL;

    if (!was_refused(why, "not found", &text) || !strstr(text, "there is no identity"))
        return FALSE;
    if (!why->is_root || !why->known)
        return answer(
            ret, g_strdup(text),
            g_strdup_printf("ask an administrator whether it exists and whether its "
                            "Allow= names user '%s': the agent tells you nothing of others'",
                            why->role.user));
    return answer(ret,
                  g_strdup_printf("no rule lets %s%s%s use '%s'", why->role.user,
                                  why->ctl->why.unit ? " or unit " : "",
                                  why->ctl->why.unit ? why->ctl->why.unit : "", why->identity),
                  advise_rule(why));
}

static gboolean
check_generation(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *text = NULL;
    g_autofree char *current = NULL;

    if (!was_refused(why, "not found", &text))
        return FALSE;
    if (why->known)
        current = g_strdup_printf("; generation %u is current",
                                  signet_dbus_identity1_get_current_generation(why->known));
    return answer(
        ret, g_strdup_printf("%s%s", text, current ? current : ""),
        g_strdup("name the files in live/ instead of copies, or have them copied anew by "
                 "Copy=; a program that keeps keys loaded must be told to reload: Reload="));
}

static gboolean
check_token(const SignetWhy *why, SignetWhyAnswer *ret)
{
    static const struct {
        const char *status, *advice;
    } tokens[] = {
        {"PIN needed", "signetctl unlock %s"},
        {"token absent", "insert it, or connect it; then: signetctl token show %s"},
        {"busy", "try again; signetctl token show %s tells what it costs"},
        {"timed out", "signetctl token show %s"},
        {"token failed", "signetctl token show %s, and the agent's log: journalctl -u signetd"},
        {"corrupt", "signetctl token show %s, and the agent's log: journalctl -u signetd"},
        {"unsupported", "signetctl token show %s tells what its keys can do"},
        {"internal error", "the agent's log: journalctl -u signetd"},
        {"bad request", "the agent's log: journalctl -u signetd; are both of one version?"},
    };
    const char *token = why->known ? signet_dbus_identity1_get_token(why->known) : "TOKEN";
    const char *text = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++) {
        g_auto(GStrv) parts = g_strsplit(tokens[i].advice, "%s", 2);

        if (was_refused(why, tokens[i].status, &text))
            return answer(ret, g_strdup(text), g_strjoinv(token, parts));
    }
    return FALSE;
}

static gboolean
check_agent(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *text = NULL;

    return was_refused(why, "no answer", &text) &&
           answer(ret, g_strdup(text),
                  g_strdup("it listens and does not answer: systemctl status signetd, and its log: "
                           "journalctl -u signetd"));
}

/* More purposes are of no use to it. */
static gboolean
check_revocation(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *text = NULL;

    return was_refused(why, "denied", &text) && strstr(text, "OnRevoked=disable") &&
           answer(ret, g_strdup(text),
                  g_strdup_printf("signetctl show %s tells whether another one is on its way, and "
                                  "what keeps it",
                                  identity_of(why)));
}

static gboolean
check_purpose(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *text = NULL;
    const char *who = g_str_equal(why->purpose, "tls-server") ? "a TLS server"
                      : g_str_equal(why->purpose, "sign")
                          ? "a program that sends digests, as PKCS#11 clients do,"
                          : "a TLS client";

    return was_refused(why, "denied", &text) &&
           answer(
               ret, g_strdup(text),
               g_strdup_printf("%s needs '%s' in Purposes= of '%s'; if that is what it shall be: "
                               "signetctl policy check && signetctl reload",
                               who, why->purpose, identity_of(why)));
}

/* What was said by no status: the library, or an agent that went away. */
static gboolean
check_rest(const SignetWhy *why, SignetWhyAnswer *ret)
{
    const char *error =
        found(why, "sign.error") ? found(why, "sign.error") : found(why, "load.error");

    return error &&
           answer(ret, g_strdup_printf("OpenSSL could not use the key: %s", error),
                  g_strdup("signetctl status, and the agent's log: journalctl -u signetd"));
}

static gboolean
check_certificate(const SignetWhy *why, SignetWhyAnswer *ret)
{
    if (found(why, "certificate.error"))
        return answer(ret,
                      g_strdup_printf(
                          "its certificate cannot be read: %s%s%s", found(why, "certificate.error"),
                          found(why, "certificate.at") ? " at " : "",
                          found(why, "certificate.at") ? found(why, "certificate.at") : ""),
                      g_strdup("copies of the key need copies of its certificate: see Copy="));
    if (is_found(why, "verified", "no"))
        return answer(ret,
                      g_strdup("the certificate beside it is not this key's: they are of different "
                               "generations"),
                      g_strdup("name both files in live/, or copy both at once by Copy="));
    return is_found(why, "certificate.expired", "yes") &&
           answer(
               ret,
               g_strdup_printf("its certificate expired at %s",
                               found(why, "certificate.not_after")),
               g_strdup_printf("signetctl show %s tells why it was not renewed", identity_of(why)));
}

/* The last word: nothing that was not tried is fine. */
static gboolean
check_outcome(const SignetWhy *why, SignetWhyAnswer *ret)
{
    return (!found(why, "signed") || !found(why, "end")) &&
           answer(ret, g_strdup("the trial did not come to its end"),
                  g_strdup("try again; if it stays so, it is a mistake of signetctl's"));
}

static const struct {
    const char *name;
    gboolean (*check)(const SignetWhy *why, SignetWhyAnswer *ret);
} checks[] = {
    {"program", check_program},
    {"role", check_role},
    {"filter", check_filter},
    {"identity", check_identity},
    {"file", check_file},
    {"reference", check_reference},
    {"config", check_config},
    {"activation", check_activation},
    {"socket", check_socket},
    {"p11-kit", check_p11_kit},
    {"module", check_module},
    {"default", check_default},
    {"access", check_access},
    {"generation", check_generation},
    {"token", check_token},
    {"agent", check_agent},
    {"revocation", check_revocation},
    {"purpose", check_purpose},
    {"key", check_rest},
    {"certificate", check_certificate},
    {"outcome", check_outcome},
};

SignetWhyAnswer
signet_why_answer(const SignetWhy *why)
{
    SignetWhyAnswer result = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (checks[i].check(why, &result)) {
            result.check = checks[i].name;
            return result;
        }
    }
    return result;
}
