/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads the policy files of a directory. */

#include "agent/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 10000

typedef struct {
    int root_fd;
    GArray *files;       /* (owned) of SignetPolicyFile; path and data are owned by texts */
    GPtrArray *texts;    /* (owned) of char * */
    GPtrArray *problems; /* (unowned): the caller's */
} Reading;

static void
add_problem(Reading *reading, const char *path, const char *what)
{
    g_ptr_array_add(reading->problems, g_strdup_printf("%s: %s", path, what));
}

/* NULL when it is fit to be read. */
static const char *
find_fault(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "not a plain file";
    if (st->st_size > SIGNET_POLICY_FILE_MAX)
        return "too large for a policy file";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "belongs to another user; 'chown root' it";
    if (st->st_mode & S_IWOTH)
        return "can be written by everybody; 'chmod o-w' it";
    return NULL;
}

/* NULL with errno. One byte more than may be, so that a file that grew meanwhile is noticed by the
 * parser. */
static char *
read_all(int fd, gsize *ret_size)
{
    g_autofree char *data = g_malloc(SIGNET_POLICY_FILE_MAX + 2);
    gsize size = 0;
    gssize got;

    do {
        got = read(fd, data + size, SIGNET_POLICY_FILE_MAX + 1 - size);
        if (got > 0)
            size += (gsize)got;
    } while ((got > 0 && size <= SIGNET_POLICY_FILE_MAX) || (got < 0 && errno == EINTR));
    if (got < 0)
        return NULL;
    data[size] = '\0';
    *ret_size = size;
    return g_realloc(g_steal_pointer(&data), size + 1);
}

static void
read_file(Reading *reading, const char *path)
{
    SignetPolicyFile file = {0};
    struct stat st;
    const char *fault;
    char *data = NULL;
    /* Not blocking: the name might lead to a pipe. */
    int fd = openat(reading->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) < 0)
        fault = g_strerror(errno);
    else
        fault = find_fault(&st);
    if (!fault && !(data = read_all(fd, &file.size)))
        fault = g_strerror(errno);
    if (fd >= 0)
        close(fd);
    if (fault) {
        add_problem(reading, path, fault);
        return;
    }
    file.path = g_strdup(path);
    file.data = data;
    g_ptr_array_add(reading->texts, (char *)file.path);
    g_ptr_array_add(reading->texts, data);
    g_array_append_val(reading->files, file);
}

/* An absent directory has no files. */
static void
read_directory(Reading *reading, const char *root, const char *name)
{
    g_autofree char *full = g_build_filename(root, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(full, 0, &error);
    const char *entry;

    if (!directory) {
        if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            add_problem(reading, name, error->message);
        return;
    }
    while ((entry = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(name, entry, NULL);

        if (entry[0] == '.' || !g_str_has_suffix(entry, ".conf"))
            continue;
        if (reading->files->len >= FILES_MAX) {
            add_problem(reading, name, "too many files");
            return;
        }
        read_file(reading, path);
    }
}

SignetPolicy *
signet_config_read(const char *root, GPtrArray *ret_problems)
{
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));

    return signet_config_read_for(root, nothing, NULL, ret_problems);
}

/* --- a copy --- */

#define COPY_TYPE "a(ayay)" /* path, in whatever letters, and content of each file */

static GBytes *
make_copy(const GArray *files)
{
    GVariantBuilder builder;
    g_autoptr(GVariant) copy = NULL;

    g_variant_builder_init(&builder, G_VARIANT_TYPE(COPY_TYPE));
    for (guint i = 0; i < files->len; i++) {
        const SignetPolicyFile *file = &g_array_index(files, SignetPolicyFile, i);

        g_variant_builder_add(
            &builder, "(^ay@ay)", file->path,
            g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, file->data, file->size, 1));
    }
    copy = g_variant_ref_sink(g_variant_builder_end(&builder));
    return g_variant_get_data_as_bytes(copy);
}

SignetPolicy *
signet_config_read_copy(GBytes *copy, GPtrArray *ret_problems)
{
    g_autoptr(GVariant) list =
        g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(COPY_TYPE), copy, FALSE));
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(SignetPolicyFile));
    g_autoptr(GPtrArray) contents = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    guint problems_before = ret_problems->len;
    g_autoptr(SignetPolicy) policy = NULL;

    if (!g_variant_is_normal_form(list)) {
        g_ptr_array_add(ret_problems, g_strdup("the copy of the policy is damaged"));
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        SignetPolicyFile file = {0};
        GVariant *content = NULL;

        g_variant_get_child(list, i, "(^&ay@ay)", &file.path, &content);
        g_ptr_array_add(contents, content);
        file.data = g_variant_get_fixed_array(content, &file.size, 1);
        g_array_append_val(files, file);
    }
    policy = signet_policy_parse((const SignetPolicyFile *)files->data, files->len, ret_problems);
    return ret_problems->len == problems_before ? g_steal_pointer(&policy) : NULL;
}

/* --- the directory --- */

SignetPolicy *
signet_config_read_for(const char *root, const GArray *known, GBytes **ret_copy,
                       GPtrArray *ret_problems)
{
    static const char *const directories[] = {"ca.d", "identities.d", "policy.d"};
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(SignetPolicyFile));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = NULL;
    guint problems_before = ret_problems->len;
    Reading reading = {.files = files, .texts = texts, .problems = ret_problems};

    reading.root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reading.root_fd < 0) {
        add_problem(&reading, root, g_strerror(errno));
        return NULL;
    }
    if (faccessat(reading.root_fd, "signet.conf", F_OK, 0) == 0)
        read_file(&reading, "signet.conf");
    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
        read_directory(&reading, root, directories[i]);
    close(reading.root_fd);

    policy =
        signet_policy_parse_for((const SignetPolicyFile *)files->data, files->len,
                                (const SignetTokenFacts *)known->data, known->len, ret_problems);
    if (ret_copy)
        *ret_copy = make_copy(files);
    return ret_problems->len == problems_before ? g_steal_pointer(&policy) : NULL;
}
