/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The policy as the files of a directory say it, read without the agent. */

#include "agent/ctl/policy-files.h"

#define CONFIG_DIR "/etc/signet"
#define STATE_DIR  "/var/lib/signet"

static void
read_one(SignetPolicyReading *reading, const char *path)
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
read_directory(SignetPolicyReading *reading, const char *name)
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

static void
known_clear(gpointer item)
{
    SignetTokenFacts *known = item;

    g_free((char *)known->token);
    g_variant_unref(known->facts);
}

/* What cannot be read is not known: no mistake of the policy's. */
static void
read_facts(SignetPolicyReading *reading, const char *state_dir)
{
    g_autofree char *path = g_build_filename(state_dir, "facts", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *entry = NULL;

    while (directory && (entry = g_dir_read_name(directory))) {
        g_autofree char *file = g_build_filename(path, entry, NULL);
        g_autofree char *text = NULL;
        SignetTokenFacts known = {0};
        gsize size;

        if (entry[0] == '.' || !g_file_get_contents(file, &text, &size, NULL))
            continue;
        known.facts = signet_facts_decode(text, size);
        if (!known.facts)
            continue;
        known.token = g_strdup(entry);
        g_array_append_val(reading->known, known);
    }
}

static SignetPolicy *
read_all(SignetPolicyReading *reading)
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
    return signet_policy_parse_for(
        (const SignetPolicyFile *)reading->files->data, reading->files->len,
        (const SignetTokenFacts *)reading->known->data, reading->known->len, reading->problems);
}

void
signet_policy_reading_init(SignetPolicyReading *reading, const SignetCtl *ctl)
{
    *reading = (SignetPolicyReading) {
        .root = ctl->config_dir ? ctl->config_dir : CONFIG_DIR,
        .problems = g_ptr_array_new_with_free_func(g_free),
        .files = g_array_new(FALSE, FALSE, sizeof(SignetPolicyFile)),
        .texts = g_ptr_array_new_with_free_func(g_free),
        .known = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts)),
    };
    g_array_set_clear_func(reading->known, known_clear);
    read_facts(reading, ctl->state_dir ? ctl->state_dir : STATE_DIR);
    reading->policy = read_all(reading);
}

void
signet_policy_reading_clear(SignetPolicyReading *reading)
{
    g_clear_pointer(&reading->policy, signet_policy_unref);
    g_clear_pointer(&reading->problems, g_ptr_array_unref);
    g_clear_pointer(&reading->files, g_array_unref);
    g_clear_pointer(&reading->texts, g_ptr_array_unref);
    g_clear_pointer(&reading->known, g_array_unref);
}

gboolean
signet_policy_reading_is_good(const SignetPolicyReading *reading)
{
    for (guint i = 0; i < reading->problems->len; i++)
        g_printerr("signetctl: %s\n", (const char *)g_ptr_array_index(reading->problems, i));
    return reading->policy && reading->problems->len == 0;
}
