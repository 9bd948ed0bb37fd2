/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl setup openssl: switches the provider on for all programs of the machine that use
 * OpenSSL, or off again. Without the agent. */

#include "agent/ctl/commands.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/ctl/child.h"
#include "agent/ctl/openssl-plan.h"
#include "agent/ctl/openssl-try.h"
#include "agent/ctl/replace.h"
#include "agent/ctl/table.h"

#define BACKUP    ".before-signet"
#define GENERATED "signet.cnf"
#define OUR_HEAD  "# SPDX-FileCopyrightText: 2026 The Signet authors\n"

typedef struct {
    const SignetCtl *ctl;
    char *path;            /* (owned) the file itself, behind links */
    char *backup;          /* (owned) */
    char *generated;       /* (owned) the file to include, where the installed one does not fit */
    gboolean exists;       /* path does */
    GString *text, *bare;  /* (owned) as it is; without our lines */
    char *included;        /* (owned, nullable) what our lines include */
    char *directory;       /* (owned) for candidates; gone at the end */
    char *plan;            /* (owned, nullable) what is to be included; "" for nothing */
    char *include;         /* (owned, nullable) where that is, or will be */
    gboolean is_installed; /* it came with the package */
    SignetTry before[SIGNET_TRY_COUNT], after[SIGNET_TRY_COUNT];
    const char *state; /* static: "on", "by hand", "off" */
    gboolean is_changed;
} Setup;

static void
setup_clear(Setup *setup)
{
    signet_try_clear(setup->before);
    signet_try_clear(setup->after);
    for (const char *const *name =
             (const char *const[]) {"bare.cnf", "openssl.cnf", GENERATED, NULL};
         setup->directory && *name; name++) {
        g_autofree char *file = g_build_filename(setup->directory, *name, NULL);

        (void)g_unlink(file);
    }
    if (setup->directory)
        (void)g_rmdir(setup->directory);
    if (setup->text)
        g_string_free(setup->text, TRUE);
    if (setup->bare)
        g_string_free(setup->bare, TRUE);
    g_free(setup->path);
    g_free(setup->backup);
    g_free(setup->generated);
    g_free(setup->included);
    g_free(setup->directory);
    g_free(setup->plan);
    g_free(setup->include);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Setup, setup_clear)

/* --- what there is --- */

static const char *const clean_environment[] = {"PATH=" SIGNET_CHILD_PATH, "LANG=C.UTF-8", NULL};

static char *
find_config(const SignetCtl *ctl, GError **error)
{
    g_autoptr(SignetProbeReport) found = NULL;

    if (ctl->setup.config)
        return signet_replace_resolve(ctl->setup.config);
    found = signet_child_probe((const char *const[]) {"config", NULL}, clean_environment, error);
    if (!found)
        return NULL;
    return signet_replace_resolve(signet_probe_report_get(found, "config.file"));
}

static gboolean
look(Setup *setup, GError **error)
{
    g_autofree char *directory = NULL;

    setup->path = find_config(setup->ctl, error);
    if (!setup->path)
        return FALSE;
    directory = g_path_get_dirname(setup->path);
    setup->backup = g_strconcat(setup->path, BACKUP, NULL);
    setup->generated = g_build_filename(directory, GENERATED, NULL);
    setup->text = signet_replace_read(setup->path, &setup->exists, error);
    if (!setup->text)
        return FALSE;
    setup->bare = signet_openssl_strip(setup->text, &setup->included);
    setup->directory = g_dir_make_tmp("signet-setup-XXXXXX", error);
    return setup->directory != NULL;
}

static char *
write_candidate(const Setup *setup, const char *name, const GString *text, GError **error)
{
    g_autofree char *path = g_build_filename(setup->directory, name, NULL);

    return g_file_set_contents(path, text->str, (gssize)text->len, error) ? g_steal_pointer(&path)
                                                                          : NULL;
}

static SignetProbeReport *
probe(const char *file, const char *application, GError **error)
{
    return signet_child_probe(
        (const char *const[]) {"config", "--config", file, "--application", application, NULL},
        clean_environment, error);
}

static gboolean
check_readable(const Setup *setup, const SignetProbeReport *found, GError **error)
{
    const char *problem = signet_probe_report_get(found, "config.error");
    const char *line = signet_probe_report_get(found, "config.line");

    if (!problem)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "OpenSSL cannot read '%s': %s%s%s",
                setup->path, problem, line ? ", line " : "", line ? line : "");
    return FALSE;
}

/* Decides what is to be included, and from where. */
static gboolean
plan(Setup *setup, GError **error)
{
    g_autofree char *bare = write_candidate(setup, "bare.cnf", setup->bare, error);
    g_autoptr(SignetProbeReport) openssl = bare ? probe(bare, "openssl_conf", error) : NULL;
    g_autoptr(SignetProbeReport) node = openssl ? probe(bare, "nodejs_conf", error) : NULL;
    g_autofree char *installed = NULL;

    if (!node || !check_readable(setup, openssl, error))
        return FALSE;
    setup->plan = signet_openssl_plan(openssl, node, SIGNET_OPENSSL_MODULE, error);
    if (!setup->plan) {
        g_prefix_error(error, "'%s' is left alone: ", setup->path);
        return FALSE;
    }
    setup->is_installed = g_file_get_contents(SIGNET_OPENSSL_INCLUDE, &installed, NULL, NULL) &&
                          g_str_equal(installed, setup->plan);
    setup->include = g_strdup(setup->is_installed ? SIGNET_OPENSSL_INCLUDE : setup->generated);
    return TRUE;
}

/* --- is it right, before it is so --- */

static gboolean
refuse_broken(const Setup *setup, const char *what, GError **error)
{
    int broken = signet_try_find_broken(setup->before, setup->after);

    if (broken < 0)
        return FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s, which works now, would not with %s: %s",
                signet_try_name((SignetTryProgram)broken), what, setup->after[broken].problem);
    return TRUE;
}

/* Programs pass over what they cannot read, and all that comes after it. */
static gboolean
refuse_in_vain(const Setup *setup, GError **error)
{
    gboolean is_tried = FALSE;

    for (int i = 0; i < SIGNET_TRY_COUNT; i++) {
        if (setup->after[i].has_signet)
            return FALSE;
        is_tried |= setup->after[i].works;
    }
    if (is_tried)
        g_set_error(
            error, G_IO_ERROR, G_IO_ERROR_FAILED,
            "no program loads the provider with it, as something in '%s' is in error before "
            "that; 'config_diagnostics = 1' there makes openssl say what",
            setup->path);
    return is_tried;
}

/* Tries the machine's programs as they are, and with the candidate. */
static gboolean
try_plan(Setup *setup, GError **error)
{
    g_autoptr(GString) text = g_string_new(setup->plan);
    g_autofree char *include = setup->is_installed ? g_strdup(setup->include)
                                                   : write_candidate(setup, GENERATED, text, error);
    GString *candidate = include ? signet_openssl_add(setup->bare, include) : NULL;
    g_autofree char *file =
        candidate ? write_candidate(setup, "openssl.cnf", candidate, error) : NULL;

    if (candidate)
        g_string_free(candidate, TRUE);
    return file &&
           signet_try_all(setup->ctl->setup.config ? setup->path : NULL, setup->before, error) &&
           signet_try_all(file, setup->after, error) &&
           !refuse_broken(setup, "the new openssl.cnf; nothing was changed", error) &&
           !refuse_in_vain(setup, error);
}

/* --- changing it --- */

/* Two of us at once would each keep the other's half. The lock ends with the process. */
static gboolean
lock(const Setup *setup, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(setup->path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        signet_replace_tidy(setup->path);
        signet_replace_tidy(setup->backup);
        signet_replace_tidy(setup->generated);
        return TRUE;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY, "cannot lock '%s': %s", directory,
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return FALSE;
}

/* Somebody may have edited it while programs were tried. */
static gboolean
check_unchanged(const Setup *setup, GError **error)
{
    gboolean exists = FALSE, is_same;
    GString *now = signet_replace_read(setup->path, &exists, error);

    if (!now)
        return FALSE;
    is_same = exists == setup->exists && g_string_equal(now, setup->text);
    g_string_free(now, TRUE);
    if (!is_same)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "'%s' was changed by somebody else just now; nothing was done, try again",
                    setup->path);
    return is_same;
}

/* As programs find the file by themselves. */
static gboolean
try_now(Setup *setup, GError **error)
{
    signet_try_clear(setup->after);
    return signet_try_all(setup->ctl->setup.config ? setup->path : NULL, setup->after, error);
}

static gboolean
confirm(Setup *setup, GError **error)
{
    g_autoptr(GError) problem = NULL;
    gboolean is_tried = try_now(setup, &problem);

    if (is_tried && !refuse_broken(setup, "it; it was put back as it was", &problem))
        return TRUE;
    setup->is_changed = FALSE;
    if (setup->exists ? !signet_replace_file(setup->path, setup->text, NULL, error)
                      : !signet_replace_remove(setup->path, error))
        g_prefix_error(error, "%s; and it could not be put back: ", problem->message);
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

static gboolean
is_ours(const char *path)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && g_str_has_prefix(text, OUR_HEAD);
}

/* What is included is there before the line that includes it. */
static gboolean
write_include(const Setup *setup, GError **error)
{
    g_autoptr(GString) text = g_string_new(setup->plan);
    g_autofree char *there = NULL;

    if (setup->is_installed)
        return TRUE;
    if (g_file_get_contents(setup->generated, &there, NULL, NULL) &&
        g_str_equal(there, setup->plan))
        return TRUE;
    if (there && !is_ours(setup->generated)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "'%s' is needed and is somebody else's; move it away", setup->generated);
        return FALSE;
    }
    return signet_replace_file(setup->generated, text, setup->path, error);
}

static gboolean
switch_on(Setup *setup, GError **error)
{
    GString *text = signet_openssl_add(setup->bare, setup->include);
    GString *back = signet_openssl_strip(text, NULL);
    gboolean is_reversible = g_string_equal(back, setup->bare);
    gboolean is_done = FALSE;

    g_string_free(back, TRUE);
    if (!is_reversible)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "the end of '%s' is such that the change could not be undone exactly; end its "
                    "last line",
                    setup->path);
    else if (lock(setup, error) && check_unchanged(setup, error) && write_include(setup, error) &&
             (setup->included || !setup->exists ||
              signet_replace_file(setup->backup, setup->text, setup->path, error)))
        is_done = signet_replace_file(setup->path, text, NULL, error);
    g_string_free(text, TRUE);
    setup->is_changed = is_done;
    return is_done && confirm(setup, error);
}

/* --- telling --- */

static GVariant *
programs_to_variant(const SignetTry *tries)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (int i = 0; i < SIGNET_TRY_COUNT; i++) {
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "program", "s", signet_try_name((SignetTryProgram)i));
        g_variant_dict_insert(&dict, "present", "b", tries[i].is_present);
        g_variant_dict_insert(&dict, "works", "b", tries[i].works);
        g_variant_dict_insert(&dict, "signet", "b", tries[i].has_signet);
        g_variant_dict_insert(&dict, "problem", "s", tries[i].problem ? tries[i].problem : "");
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

static void
print_programs(const SignetTry *tries)
{
    g_autoptr(SignetTable) table =
        signet_table_new(SIGNET_TABLE_ROW("PROGRAM", "TLS", "SIGNET"), 3);
    g_autofree char *text = NULL;

    for (int i = 0; i < SIGNET_TRY_COUNT; i++) {
        const SignetTry *try = &tries[i];

        signet_table_add(table, SIGNET_TABLE_ROW(signet_try_name((SignetTryProgram)i),
                                                 !try->is_present ? "not installed"
                                                 : try->works     ? "works"
                                                                  : try->problem,
                                                 try->has_signet ? "loaded"
                                                 : try->works    ? "not loaded"
                                                                 : NULL));
    }
    text = signet_table_to_text(table, 2);
    signet_ctl_print_text(text);
}

/* sentence: for people; sinks nothing. */
static void
tell(const Setup *setup, const char *sentence)
{
    GVariantDict dict;

    if (!setup->ctl->is_json) {
        signet_ctl_print_text(sentence);
        print_programs(setup->after);
        return;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "config", "s", setup->path);
    g_variant_dict_insert(&dict, "state", "s", setup->state);
    g_variant_dict_insert(&dict, "changed", "b", setup->is_changed);
    g_variant_dict_insert(&dict, "include", "s", setup->include ? setup->include : "");
    g_variant_dict_insert_value(&dict, "programs", programs_to_variant(setup->after));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static SignetCtlExit
report(const Setup *setup, const char *doing, const GError *error)
{
    g_autofree char *clean = signet_table_clean(error->message);
    GVariantDict dict;

    g_printerr("signetctl: cannot %s: %s\n", doing, clean);
    if (setup->ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "config", "s", setup->path ? setup->path : "");
        g_variant_dict_insert(&dict, "changed", "b", setup->is_changed);
        g_variant_dict_insert(&dict, "error", "s", clean);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
    }
    return SIGNET_CTL_FAILED;
}

/* --- the four ways --- */

static SignetCtlExit
check(Setup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;

    if (!look(setup, &error) || !plan(setup, &error) || !try_now(setup, &error))
        return report(setup, "tell", error);
    setup->state = setup->included ? "on" : *setup->plan ? "off" : "by hand";
    if (setup->included)
        sentence = g_strdup_printf("%s: on, by '.include %s'\n", setup->path, setup->included);
    else if (*setup->plan)
        sentence = g_strdup_printf("%s: off; switch it on: signetctl setup openssl\n", setup->path);
    else
        sentence = g_strdup_printf("%s: on, by lines of its own\n", setup->path);
    tell(setup, sentence);
    return g_str_equal(setup->state, "off") ? SIGNET_CTL_FAILED : SIGNET_CTL_OK;
}

static gboolean
is_on_already(const Setup *setup)
{
    g_autofree char *there = NULL;
    GString *text = signet_openssl_add(setup->bare, setup->include);
    gboolean is_same = g_string_equal(text, setup->text);

    g_string_free(text, TRUE);
    return is_same && g_file_get_contents(setup->include, &there, NULL, NULL) &&
           g_str_equal(there, setup->plan);
}

static SignetCtlExit
preview(const Setup *setup)
{
    g_autofree char *sentence = g_strdup_printf(
        "At the end of %s would stand\n\n.include %s\n\nand in that file%s\n\n%s\n"
        "Tried with it; nothing was changed:\n",
        setup->path, setup->include, setup->is_installed ? ", which is there," : "", setup->plan);

    tell(setup, sentence);
    return SIGNET_CTL_OK;
}

static SignetCtlExit
set_up(Setup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;
    gboolean is_on = FALSE;

    if (!look(setup, &error) || !plan(setup, &error))
        return report(setup, "switch the provider on", error);
    setup->state = *setup->plan ? "on" : "by hand";
    is_on = !*setup->plan || is_on_already(setup);
    if (is_on ? !try_now(setup, &error) : !try_plan(setup, &error))
        return report(setup, "switch the provider on", error);
    if (!is_on && setup->ctl->setup.is_dry_run) {
        setup->state = "off";
        return preview(setup);
    }
    if (!is_on && !switch_on(setup, &error))
        return report(setup, "switch the provider on", error);
    if (is_on)
        sentence = g_strdup_printf("%s: on already%s\n", setup->path,
                                   *setup->plan ? "" : ", by lines of its own");
    else
        sentence = g_strdup_printf(
            "%s: on, by '.include %s' at its end\n"
            "Programs that run read it when they are restarted. Off again: signetctl setup openssl "
            "--undo\n",
            setup->path, setup->include);
    tell(setup, sentence);
    return SIGNET_CTL_OK;
}

/* Takes our lines away; says in ret_sentence how exactly what was there is back. */
static gboolean
switch_off(Setup *setup, char **ret_sentence, GError **error)
{
    gboolean has_backup = FALSE;
    GString *backup = signet_replace_read(setup->backup, &has_backup, error);
    gboolean is_exact = has_backup && g_string_equal(backup, setup->bare);
    gboolean is_new = !has_backup && setup->bare->len == 0; /* there was none before us */

    if (!backup)
        return FALSE;
    g_string_free(backup, TRUE);
    if (!lock(setup, error) || !check_unchanged(setup, error) ||
        (is_new ? !signet_replace_remove(setup->path, error)
                : !signet_replace_file(setup->path, setup->bare, NULL, error)))
        return FALSE;
    setup->is_changed = TRUE;
    if (is_exact)
        (void)signet_replace_remove(setup->backup, NULL);
    if (g_str_equal(setup->included, setup->generated) && is_ours(setup->generated))
        (void)signet_replace_remove(setup->generated, NULL);
    *ret_sentence = is_new     ? g_strdup_printf("%s: removed, as there was none\n", setup->path)
                    : is_exact ? g_strdup_printf("%s: as it was before\n", setup->path)
                               : g_strdup_printf("%s: was edited since; only the lines of 'setup "
                                                 "openssl' were taken away\n",
                                                 setup->path);
    return TRUE;
}

static SignetCtlExit
undo(Setup *setup)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;

    if (!look(setup, &error))
        return report(setup, "switch the provider off", error);
    setup->state = "off";
    if (!setup->included) {
        g_autofree char *line =
            g_strdup_printf("signetctl: no lines of 'setup openssl' are in '%s'; what activates "
                            "the provider there, if anything does, was written by hand\n",
                            setup->path);

        g_printerr("%s", line);
        return SIGNET_CTL_OK;
    }
    if (setup->ctl->setup.is_dry_run)
        sentence = g_strdup_printf("%s: '.include %s' would be taken away; nothing was changed\n",
                                   setup->path, setup->included);
    else if (!switch_off(setup, &sentence, &error))
        return report(setup, "switch the provider off", error);
    if (!try_now(setup, &error))
        return report(setup, "try programs", error);
    tell(setup, sentence);
    return SIGNET_CTL_OK;
}

SignetCtlExit
signet_ctl_setup(SignetCtl *ctl, int argc, char **argv)
{
    g_auto(Setup) setup = {.ctl = ctl};

    if (!g_str_equal(argv[0], "openssl"))
        return signet_ctl_refuse("only 'openssl' can be set up; see: signetctl setup --help");
    if (ctl->setup.is_check && (ctl->setup.is_undo || ctl->setup.is_dry_run))
        return signet_ctl_refuse("--check changes nothing, and goes with neither --undo nor "
                                 "--dry-run");
    if (ctl->setup.is_check)
        return check(&setup);
    return ctl->setup.is_undo ? undo(&setup) : set_up(&setup);
}
