/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl policy check: are the policy files right? Without the agent. */

#include "agent/ctl/commands.h"

#include <string.h>

#include "policy/parse.h"

#define CONFIG_DIR "/etc/signet"

typedef struct {
    const char *root;
    GArray *files;       /* (owned) of SignetPolicyFile; their texts are in texts */
    GPtrArray *texts;    /* (owned) of char * */
    GPtrArray *problems; /* (owned) of char * */
} Reading;

static void
read_one(Reading *reading, const char *path)
{
    g_autofree char *full = g_build_filename(reading->root, path, NULL);
    g_autoptr(GError) error = NULL;
    char *data = NULL;
    SignetPolicyFile file = {0};

    if (!g_file_get_contents(full, &data, &file.size, &error)) {
        g_ptr_array_add(reading->problems, g_strdup_printf("%s: %s", path, error->message));
        return;
    }
    g_ptr_array_add(reading->texts, data);
    file.data = data;
    file.path = g_strdup(path);
    g_ptr_array_add(reading->texts, (char *)file.path);
    g_array_append_val(reading->files, file);
}

/* An absent directory has no files. */
static void
read_directory(Reading *reading, const char *name)
{
    g_autofree char *full = g_build_filename(reading->root, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(full, 0, &error);
    const char *entry = NULL;

    if (!directory) {
        if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            g_ptr_array_add(reading->problems, g_strdup(error->message));
        return;
    }
    while ((entry = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(name, entry, NULL);

        if (entry[0] != '.' && g_str_has_suffix(entry, ".conf"))
            read_one(reading, path);
    }
}

static SignetPolicy *
load(Reading *reading)
{
    g_autofree char *main_file = g_build_filename(reading->root, "signet.conf", NULL);
    static const char *const directories[] = {"ca.d", "identities.d", "policy.d"};

    if (!g_file_test(reading->root, G_FILE_TEST_IS_DIR)) {
        g_ptr_array_add(reading->problems,
                        g_strdup_printf("'%s' is not a directory", reading->root));
        return NULL;
    }
    if (g_file_test(main_file, G_FILE_TEST_EXISTS))
        read_one(reading, "signet.conf");
    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
        read_directory(reading, directories[i]);
    return signet_policy_parse((const SignetPolicyFile *)reading->files->data, reading->files->len,
                               reading->problems);
}

static void
print_json(const Reading *reading, const SignetPolicy *policy)
{
    const GPtrArray *identities = policy ? signet_policy_get_identities(policy) : NULL;
    GVariantBuilder names;
    GVariantDict dict;

    g_variant_builder_init(&names, G_VARIANT_TYPE("as"));
    for (guint i = 0; identities && i < identities->len; i++)
        g_variant_builder_add(
            &names, "s", ((const SignetIdentityPolicy *)g_ptr_array_index(identities, i))->name);
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "ok", "b", reading->problems->len == 0);
    g_variant_dict_insert(&dict, "config_dir", "s", reading->root);
    g_variant_dict_insert_value(&dict, "problems",
                                g_variant_new_strv((const char *const *)reading->problems->pdata,
                                                   (gssize)reading->problems->len));
    g_variant_dict_insert_value(&dict, "identities", g_variant_builder_end(&names));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static void
print_text(const Reading *reading, const SignetPolicy *policy)
{
    g_autofree char *line = NULL;

    for (guint i = 0; i < reading->problems->len; i++) {
        signet_ctl_print_text(g_ptr_array_index(reading->problems, i));
        signet_ctl_print_text("\n");
    }
    if (reading->problems->len > 0)
        line = g_strdup_printf("%s: %u mistake%s; the agent would keep its old policy\n",
                               reading->root, reading->problems->len,
                               reading->problems->len == 1 ? "" : "s");
    else
        line = g_strdup_printf("%s: no mistakes; identities: %u, CAs: %u, tokens: %u\n",
                               reading->root, signet_policy_get_identities(policy)->len,
                               signet_policy_get_cas(policy)->len,
                               signet_policy_get_tokens(policy)->len);
    signet_ctl_print_text(line);
}

static SignetCtlExit
check(const SignetCtl *ctl)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(SignetPolicyFile));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    Reading reading = {
        .root = ctl->config_dir ? ctl->config_dir : CONFIG_DIR,
        .files = files,
        .texts = texts,
        .problems = problems,
    };
    g_autoptr(SignetPolicy) policy = load(&reading);

    if (ctl->is_json)
        print_json(&reading, policy);
    else
        print_text(&reading, policy);
    return problems->len == 0 ? SIGNET_CTL_OK : SIGNET_CTL_FAILED;
}

SignetCtlExit
signet_ctl_policy(SignetCtl *ctl, int argc, char **argv)
{
    if (!g_str_equal(argv[0], "check"))
        return signet_ctl_refuse("there is no 'policy %s'; try: signetctl policy check", argv[0]);
    return check(ctl);
}
