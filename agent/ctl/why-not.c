/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl why-not: what stands between a program and a key, found by trying. Who asks has no more
 * rights by it than before: another user can be played by root only, and whoever plays himself
 * learns what the agent tells him. */

#include "agent/ctl/commands.h"

#include <string.h>
#include <unistd.h>

#include "agent/ctl/child.h"
#include "agent/ctl/table.h"
#include "agent/ctl/why.h"

#define LIVE_DIR      "/var/lib/signet/live"
#define URI           "signet:"
#define MODULE_URI    "pkcs11:"
#define ARGUMENTS_MAX 20

static const char *const purposes[] = {"tls-client", "tls-server", "sign", NULL};

static void
why_clear(SignetWhy *why)
{
    signet_why_program_clear(&why->program);
    signet_why_role_clear(&why->role);
    g_free(why->identity);
    g_free(why->reference);
    g_clear_object(&why->known);
    signet_probe_report_free(why->found);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetWhy, why_clear)

/* --- what is asked --- */

/* "signet:wifi;generation=7" → "wifi" */
static char *
name_from_uri(const char *uri)
{
    return g_strndup(uri + strlen(URI), strcspn(uri + strlen(URI), ";"));
}

/* "pkcs11:token=Signet;object=wifi?…" → "wifi"; NULL: it names no object. */
static char *
name_from_module_uri(const char *uri)
{
    g_auto(GStrv) parts = g_strsplit_set(uri + strlen(MODULE_URI), ";?&", -1);

    for (char **part = parts; *part; part++) {
        if (g_str_has_prefix(*part, "object="))
            return g_uri_unescape_string(*part + strlen("object="), NULL);
    }
    return NULL;
}

static gboolean
is_name(const char *text)
{
    return g_ascii_isalnum(*text) && strlen(text) <= 64 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0';
}

/* Quietly: that the agent does not run may be the answer. */
static void
ask_agent(SignetWhy *why)
{
    g_autoptr(GPtrArray) proxies = NULL;

    why->is_agent_there = signet_ctl_is_there(why->ctl);
    if (!why->is_agent_there || !why->identity || why->known)
        return;
    proxies = signet_ctl_list_proxies(why->ctl, SIGNET_CTL_IDENTITY);
    for (guint i = 0; i < proxies->len; i++) {
        SignetDbusIdentity1 *identity = g_ptr_array_index(proxies, i);

        if (g_strcmp0(signet_dbus_identity1_get_name(identity), why->identity) == 0)
            why->known = g_object_ref(identity);
    }
}

/* The path that the identity's users are told. */
static char *
live_file(const SignetWhy *why)
{
    const char *live = why->known ? signet_dbus_identity1_get_live_path(why->known) : NULL;

    return live && *live ? g_build_filename(live, "key.pem", NULL)
                         : g_build_filename(LIVE_DIR, why->identity, "key.pem", NULL);
}

static gboolean
take_reference(SignetWhy *why, const char *what)
{
    if (g_str_has_prefix(what, URI))
        why->identity = name_from_uri(what);
    else if (g_str_has_prefix(what, MODULE_URI))
        why->identity = name_from_module_uri(what);
    else if (!strchr(what, '/'))
        why->identity = g_strdup(what);
    if (!strchr(what, '/') && (!why->identity || !is_name(why->identity))) {
        signet_ctl_refuse(
            "'%s' is neither an identity's name, a signet: or pkcs11: URI, nor a path", what);
        return FALSE;
    }
    ask_agent(why);
    why->is_module = g_str_has_prefix(what, MODULE_URI) ||
                     (why->identity && signet_why_program_uses_module(&why->program));
    if (why->is_module && why->program.tls == SIGNET_WHY_NSS)
        g_ptr_array_add(why->role.unlike, g_strdup("whether its NSS database lists the module"));
    if (strchr(what, '/'))
        why->reference = g_canonicalize_filename(what, NULL);
    else if (g_str_has_prefix(what, URI))
        why->reference = g_strdup(what);
    else
        why->reference = live_file(why);
    return TRUE;
}

/* What the program is going to sign. */
static void
take_purpose(SignetWhy *why)
{
    const char *const *listed = why->known ? signet_dbus_identity1_get_purposes(why->known) : NULL;
    gboolean is_server_key =
        listed && g_strv_contains(listed, "tls-server") && !g_strv_contains(listed, "tls-client");

    if (why->ctl->why.purpose)
        why->purpose = why->ctl->why.purpose;
    else if (why->is_module)
        why->purpose = "sign";
    else if (signet_why_program_is_server(&why->program) || (!why->is_named && is_server_key))
        why->purpose = "tls-server";
    else
        why->purpose = "tls-client";
}

/* --- the trial --- */

static gboolean
run_trial(SignetWhy *why, GError **error)
{
    const char *arguments[ARGUMENTS_MAX] = {why->is_module ? "token" : "try"};
    g_autofree char *directory = g_path_get_dirname(why->reference);
    g_autofree char *certificate = g_build_filename(directory, "cert.pem", NULL);
    g_autofree char *uid = g_strdup_printf("%u", why->role.uid);
    g_autofree char *gid = g_strdup_printf("%u", why->role.gid);
    g_autofree char *pid = g_strdup_printf("%u", why->role.pid);
    const char *config = g_environ_getenv(why->role.environment, "OPENSSL_CONF");
    gsize n = 1;

#define ADD(name, value) (arguments[n++] = (name), arguments[n++] = (value))
    if (why->is_module)
        ADD("--certificate", certificate);
    else
        ADD("--purpose", why->purpose);
    if (why->role.pid)
        ADD("--pid", pid);
    if (why->role.is_other) {
        ADD("--uid", uid);
        ADD("--gid", gid);
        ADD("--groups", why->role.groups ? why->role.groups : "");
    }
    if (why->program.config && !config && !why->is_module)
        ADD("--config", why->program.config);
    if (g_strcmp0(why->program.name, "node") == 0)
        ADD("--application", "nodejs_conf");
#undef ADD
    arguments[n++] = why->is_module ? why->identity : why->reference;
    why->found = signet_child_probe(arguments, (const char *const *)why->role.environment, error);
    return why->found != NULL;
}

/* A rotation may have come between the key and its certificate: then the second time they belong
 * together. */
static gboolean
run_trials(SignetWhy *why, GError **error)
{
    if (!run_trial(why, error))
        return FALSE;
    if (!signet_probe_report_is(why->found, "verified", "no"))
        return TRUE;
    g_clear_pointer(&why->found, signet_probe_report_free);
    return run_trial(why, error);
}

/* What could not be taken over, and what the file says when only a path was given. */
static void
take_findings(SignetWhy *why)
{
    const char *identity = signet_probe_report_get(why->found, "reference.identity");

    if (signet_probe_report_is(why->found, "entered.filter", "no"))
        g_ptr_array_add(why->role.unlike,
                        g_strdup("its filter of system calls (SystemCallFilter=, "
                                 "RestrictAddressFamilies=), which could not be read"));
    if (why->identity || !identity || !is_name(identity))
        return;
    why->identity = g_strdup(identity);
    ask_agent(why);
}

/* --- telling --- */

/* What was as it will be. */
static GPtrArray *
list_alike(const SignetWhy *why)
{
    static const struct {
        const char *finding, *what;
    } surroundings[] = {{"entered.mounts", "its mount namespace"},
                        {"entered.root", "its root directory"},
                        {"entered.cgroup", "its control group"},
                        {"entered.filter", "its filter of system calls"}};
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(list, g_strdup_printf("user %s (uid %u)", why->role.user, why->role.uid));
    for (gsize i = 0; why->role.pid && i < G_N_ELEMENTS(surroundings); i++) {
        if (signet_probe_report_is(why->found, surroundings[i].finding, "yes"))
            g_ptr_array_add(list, g_strdup(surroundings[i].what));
    }
    return list;
}

static char *
join(GPtrArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               (const char *)g_ptr_array_index(list, i));
    return g_string_free(text, FALSE);
}

static char *
describe_success(const SignetWhy *why)
{
    const char *config = signet_probe_report_get(why->found, "config.file");
    gboolean is_verified = signet_probe_report_is(why->found, "verified", "yes");

    return g_strdup_printf(
        "Nothing is in the way: %s signed with '%s' for %s, by %s%s%s; %s", why->role.user,
        why->identity ? why->identity : why->reference, why->purpose,
        config ? "'" : "'pkcs11:token=Signet;object=", config ? config : why->identity, "'",
        is_verified ? "its certificate confirms the signature"
                    : "there is no certificate beside it to check the signature with");
}

static void
print_line(const char *head, const char *text)
{
    g_autofree char *clean = signet_table_clean(text);
    g_autofree char *line = g_strdup_printf("%s%s\n", head, clean);

    signet_ctl_print_text(line);
}

static void
print_text(const SignetWhy *why, const SignetWhyAnswer *answer)
{
    g_autoptr(GPtrArray) alike = list_alike(why);
    g_autofree char *as = join(alike);
    g_autofree char *unlike = join(why->role.unlike);
    g_autofree char *success = answer->check ? NULL : describe_success(why);

    if (success)
        print_line("", success);
    else
        print_line("In the way: ", answer->reason);
    if (answer->advice)
        print_line("To do: ", answer->advice);
    print_line("Tried as: ", as);
    if (*unlike)
        print_line("Not tried: ", unlike);
    if (why->program.path && !why->program.is_known)
        print_line("Not known: ", "what the program does TLS with; it was tried as one that uses "
                                  "OpenSSL 3");
}

static GVariant *
strings(GPtrArray *list)
{
    return g_variant_new_strv((const char *const *)list->pdata, (gssize)list->len);
}

static void
print_json(const SignetWhy *why, const SignetWhyAnswer *answer)
{
    g_autoptr(GPtrArray) alike = list_alike(why);
    const char *config = signet_probe_report_get(why->found, "config.file");
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "ok", "b", answer->check == NULL);
    g_variant_dict_insert(&dict, "check", "s", answer->check ? answer->check : "");
    g_variant_dict_insert(&dict, "reason", "s", answer->reason ? answer->reason : "");
    g_variant_dict_insert(&dict, "advice", "s", answer->advice ? answer->advice : "");
    g_variant_dict_insert(&dict, "identity", "s", why->identity ? why->identity : "");
    g_variant_dict_insert(&dict, "reference", "s", why->reference);
    g_variant_dict_insert(&dict, "program", "s", why->program.path ? why->program.path : "");
    g_variant_dict_insert(&dict, "purpose", "s", why->purpose);
    g_variant_dict_insert(&dict, "door", "s", why->is_module ? "pkcs11" : "openssl");
    g_variant_dict_insert(&dict, "config", "s", config ? config : "");
    g_variant_dict_insert(&dict, "verified", "b",
                          signet_probe_report_is(why->found, "verified", "yes"));
    g_variant_dict_insert_value(&dict, "tried_as", strings(alike));
    g_variant_dict_insert_value(&dict, "not_tried", strings(why->role.unlike));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

/* The program that was named, or that the unit runs. */
static gboolean
take_program(SignetWhy *why, const char *name)
{
    if (name && signet_why_program_find(name, &why->role, &why->program))
        return TRUE;
    if (name) {
        signet_ctl_refuse("there is no program '%s'", name);
        return FALSE;
    }
    if (why->role.pid)
        signet_why_program_of(why->role.pid, &why->program);
    return TRUE;
}

SignetCtlExit
signet_ctl_why_not(SignetCtl *ctl, int argc, char **argv)
{
    g_auto(SignetWhy) why = {.ctl = ctl, .is_root = geteuid() == 0, .is_named = argc == 2};
    g_auto(SignetWhyAnswer) answer = {0};
    g_autoptr(GError) error = NULL;

    if (ctl->why.purpose && !g_strv_contains(purposes, ctl->why.purpose))
        return signet_ctl_refuse("cannot try '%s'; --purpose is tls-client, tls-server or sign",
                                 ctl->why.purpose);
    if (!signet_why_role_find(ctl, &why.role) || !take_program(&why, argc == 2 ? argv[0] : NULL) ||
        !take_reference(&why, argv[argc - 1]))
        return SIGNET_CTL_USAGE;
    take_purpose(&why);
    if (!run_trials(&why, &error))
        return signet_ctl_report(error, "try it");
    take_findings(&why);
    answer = signet_why_answer(&why);
    if (ctl->is_json)
        print_json(&why, &answer);
    else
        print_text(&why, &answer);
    return answer.check ? SIGNET_CTL_FAILED : SIGNET_CTL_OK;
}
