/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent keeps on disk, and in which order it is written. */

#include "agent/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/files.h"
#include "agent/store/layout.h"
#include "agent/store/sweep.h"

#define STORE_VERSION  "1"
#define SMALL_FILE_MAX (64 * 1024)
#define NOTE_MAX       (8 * 1024 * 1024)

struct SignetStore {
    char *root;          /* (owned) */
    SignetLayout layout; /* (owned) its fds */
};

/* --- opening --- */

static gboolean
check_version(SignetStore *store, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) content = signet_dir_read(store->layout.root_fd, "version", 64, &local);

    if (signet_error_is(local, SIGNET_ERROR_NOT_FOUND)) {
        if (faccessat(store->layout.root_fd, "identities", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                    "'%s' holds identities but no file 'version'; restore it, "
                                    "version 1 holds \"1\"",
                                    store->root);
        return signet_dir_write(store->layout.root_fd, "version", STORE_VERSION "\n",
                                strlen(STORE_VERSION) + 1, NULL, error);
    }
    if (!content) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_autofree char *text = g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));
    if (g_str_equal(g_strchomp(text), STORE_VERSION))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                            "'%s' has version '%s' and this agent knows only version " STORE_VERSION
                            "; use the agent that wrote it, or a newer one",
                            store->root, text);
}

static gboolean
open_root(SignetStore *store, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(store->root);
    g_autofree char *name = g_path_get_basename(store->root);
    g_auto(SignetFd) parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent_fd < 0)
        return signet_error_set(error, SIGNET_ERROR_IO, "cannot open '%s': %s", parent,
                                g_strerror(errno));
    store->layout.root_fd = signet_dir_open(parent_fd, name, 0755, error);
    if (store->layout.root_fd < 0)
        return FALSE;
    if (flock(store->layout.root_fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BUSY,
                            "'%s' is in use by another agent; stop that one first", store->root);
}

static gboolean
open_tree(SignetStore *store, GError **error)
{
    if (!open_root(store, error) || !check_version(store, error))
        return FALSE;
    store->layout.identities_fd = signet_dir_open(store->layout.root_fd, "identities", 0700, error);
    if (store->layout.identities_fd < 0)
        return FALSE;
    store->layout.live_fd = signet_dir_open(store->layout.root_fd, "live", 0755, error);
    if (store->layout.live_fd < 0)
        return FALSE;
    store->layout.generations_fd =
        signet_dir_open(store->layout.live_fd, SIGNET_LAYOUT_GENERATIONS, 0755, error);
    if (store->layout.generations_fd < 0)
        return FALSE;
    /* whatever an administrator's cp did to the mode: keys are nobody's business */
    if (fchmod(store->layout.identities_fd, 0700) < 0)
        return signet_error_set(error, SIGNET_ERROR_IO,
                                "cannot close '%s/identities' to others: %s", store->root,
                                g_strerror(errno));
    return TRUE;
}

SignetStore *
signet_store_open(const char *root, GError **error)
{
    g_autoptr(SignetStore) store = g_new0(SignetStore, 1);

    store->root = g_canonicalize_filename(root, NULL);
    store->layout.root_fd = store->layout.identities_fd = store->layout.live_fd =
        store->layout.generations_fd = -1;
    if (!open_tree(store, error)) {
        g_prefix_error(error, "cannot open the store: ");
        return NULL;
    }
    signet_sweep(&store->layout);
    return g_steal_pointer(&store);
}

void
signet_store_free(SignetStore *store)
{
    if (!store)
        return;
    signet_fd_clear(&store->layout.generations_fd);
    signet_fd_clear(&store->layout.live_fd);
    signet_fd_clear(&store->layout.identities_fd);
    signet_fd_clear(&store->layout.root_fd);
    g_free(store->root);
    g_free(store);
}

/* --- reading --- */

char **
signet_store_list_identities(SignetStore *store, GError **error)
{
    g_auto(GStrv) all = signet_dir_list(store->layout.identities_fd, error);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!all)
        return NULL;
    for (guint i = 0; all[i]; i++) {
        if (signet_layout_check_identity(all[i], NULL))
            g_strv_builder_add(builder, all[i]);
    }
    return g_strv_builder_end(builder);
}

static gint
compare_numbers(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

    return (x > y) - (x < y);
}

GArray *
signet_store_list_generations(SignetStore *store, const char *identity, GError **error)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GError) local = NULL;
    g_auto(SignetFd) fd = signet_layout_open_identity(&store->layout, identity, FALSE, &local);

    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    if (fd < 0)
        return g_steal_pointer(&numbers);
    g_auto(GStrv) names = signet_dir_list(fd, error);
    if (!names)
        return NULL;
    for (guint i = 0; names[i]; i++) {
        guint32 number;

        if (!signet_layout_number_from_name(names[i], &number))
            continue;
        g_auto(SignetFd) generation_fd =
            signet_layout_open_generation(&store->layout, identity, number, FALSE, &local);
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
        if (generation_fd >= 0 && signet_layout_has_record(generation_fd))
            g_array_append_val(numbers, number);
    }
    g_array_sort(numbers, compare_numbers);
    return g_steal_pointer(&numbers);
}

SignetGeneration *
signet_store_load_generation(SignetStore *store, const char *identity, guint32 number,
                             GError **error)
{
    g_autoptr(GError) local = NULL;
    g_auto(SignetFd) fd =
        signet_layout_open_generation(&store->layout, identity, number, FALSE, &local);
    SignetGeneration *generation = NULL;

    if (fd >= 0)
        generation = signet_files_read(fd, number, &local);
    else if (!local)
        signet_error_set(&local, SIGNET_ERROR_NOT_FOUND, "it does not exist");
    if (generation)
        return generation;
    g_prefix_error(&local, "cannot load generation %u of '%s': ", number, identity);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

guint32
signet_store_get_current(SignetStore *store, const char *identity)
{
    return signet_layout_get_current(&store->layout, identity);
}

/* --- writing --- */

gboolean
signet_store_put_key(SignetStore *store, const char *identity, guint32 number, const char *token,
                     SignetKey *key, gint64 created_s, GError **error)
{
    g_auto(SignetFd) fd =
        signet_layout_open_generation(&store->layout, identity, number, TRUE, error);

    if (fd >= 0 && signet_files_write_key(fd, token, key, created_s, error))
        return TRUE;
    g_prefix_error(error, "cannot store the key of generation %u of '%s': ", number, identity);
    return FALSE;
}

/* A chain that could not be loaded again is not written. */
static gboolean
check_leaf(SignetStore *store, const char *identity, guint32 number, GPtrArray *chain,
           GError **error)
{
    g_autoptr(SignetGeneration) old = signet_store_load_generation(store, identity, number, error);

    if (!old)
        return FALSE;
    g_autoptr(SignetGeneration) new =
        signet_generation_new(number, old->token, old->key, old->created_s, chain, NULL);
    if (new->not_after_s != 0)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the certificate cannot be read");
}

gboolean
signet_store_put_chain(SignetStore *store, const char *identity, guint32 number, GPtrArray *chain,
                       GPtrArray *anchors, GError **error)
{
    if (check_leaf(store, identity, number, chain, error)) {
        g_auto(SignetFd) fd =
            signet_layout_open_generation(&store->layout, identity, number, TRUE, error);

        if (fd >= 0 && signet_files_write_chain(fd, chain, anchors, error))
            return TRUE;
    }
    g_prefix_error(error, "cannot store the certificate of generation %u of '%s': ", number,
                   identity);
    return FALSE;
}

gboolean
signet_store_put_file(SignetStore *store, const char *identity, const char *name, GBytes *content,
                      GError **error)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(content, &size);
    g_auto(SignetFd) fd = signet_layout_open_identity(&store->layout, identity, TRUE, error);

    if (fd >= 0 && size > SMALL_FILE_MAX)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "it is larger than %d bytes",
                         SMALL_FILE_MAX);
    else if (fd >= 0 && signet_dir_write(fd, name, data, size, NULL, error))
        return TRUE;
    g_prefix_error(error, "cannot store the %s of '%s': ", name, identity);
    return FALSE;
}

GBytes *
signet_store_get_file(SignetStore *store, const char *identity, const char *name, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_auto(SignetFd) fd = signet_layout_open_identity(&store->layout, identity, FALSE, &local);
    GBytes *content = fd >= 0 ? signet_dir_read(fd, name, SMALL_FILE_MAX, &local) : NULL;

    if (content || !local || signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return content;
    g_prefix_error(&local, "cannot read the %s of '%s': ", name, identity);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

gboolean
signet_store_put_note(SignetStore *store, const char *name, GBytes *content, GError **error)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(content, &size);

    if (size > NOTE_MAX)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "it is larger than %d bytes", NOTE_MAX);
    else if (signet_dir_write(store->layout.root_fd, name, data, size, NULL, error))
        return TRUE;
    g_prefix_error(error, "cannot store '%s/%s': ", store->root, name);
    return FALSE;
}

GBytes *
signet_store_get_note(SignetStore *store, const char *name, GError **error)
{
    g_autoptr(GError) local = NULL;
    GBytes *content = signet_dir_read(store->layout.root_fd, name, NOTE_MAX, &local);

    if (content || signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return content;
    g_prefix_error(&local, "cannot read '%s/%s': ", store->root, name);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

char *
signet_store_dup_live_path(const SignetStore *store, const char *identity)
{
    return g_build_filename(store->root, "live", identity, NULL);
}

/* --- live/ --- */

gboolean
signet_store_publish(SignetStore *store, const char *identity, SignetGeneration *generation,
                     const SignetDirOwner *owner, GError **error)
{
    static const SignetDirOwner everybody = {.mode = 0444, .uid = -1, .gid = -1};
    const SignetDirOwner *who = owner ? owner : &everybody;

    if (signet_layout_check_identity(identity, error)) {
        g_autofree char *name = signet_layout_live_name(identity, generation->number);
        g_auto(SignetFd) fd = signet_dir_open(store->layout.generations_fd, name, 0755, error);

        if (fd >= 0 && signet_files_write_live(fd, identity, generation, who, error))
            return TRUE;
    }
    g_prefix_error(error, "cannot write the files of generation %u of '%s': ", generation->number,
                   identity);
    return FALSE;
}

/* What live/NAME points at must be complete: a program may open it in the next moment. */
static gboolean
check_published(SignetStore *store, const char *live_name, GError **error)
{
    g_autofree char *path = g_build_filename(live_name, "identity.pem", NULL);

    if (faccessat(store->layout.generations_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "its files in live/ are not written");
}

gboolean
signet_store_promote(SignetStore *store, const char *identity, guint32 number, GError **error)
{
    g_autofree char *name = signet_layout_live_name(identity, number);
    g_autofree char *target = g_build_filename(SIGNET_LAYOUT_GENERATIONS, name, NULL);

    if (signet_layout_check_identity(identity, error) && check_published(store, name, error) &&
        signet_dir_link(store->layout.live_fd, identity, target, error))
        return TRUE;
    g_prefix_error(error, "cannot promote generation %u of '%s': ", number, identity);
    return FALSE;
}

/* --- removing --- */

/* The record goes first: what is left of a crash in the middle is then known as garbage. */
static gboolean
remove_generation(SignetStore *store, const char *identity, guint32 number, GError **error)
{
    g_autofree char *live_name = signet_layout_live_name(identity, number);
    g_autoptr(GError) local = NULL;
    char name[16];
    g_auto(SignetFd) identity_fd =
        signet_layout_open_identity(&store->layout, identity, FALSE, &local);
    g_auto(SignetFd) fd =
        local ? -1 : signet_layout_open_generation(&store->layout, identity, number, FALSE, &local);

    signet_layout_number_to_name(number, name);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (fd >= 0 && !signet_dir_remove_file(fd, "record", error))
        return FALSE;
    if (!signet_dir_remove_tree(store->layout.generations_fd, live_name, error))
        return FALSE;
    return identity_fd < 0 || signet_dir_remove_tree(identity_fd, name, error);
}

gboolean
signet_store_remove_generation(SignetStore *store, const char *identity, guint32 number,
                               GError **error)
{
    if (signet_store_get_current(store, identity) == number)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "cannot remove generation %u of '%s': it is the current one",
                                number, identity);
    if (signet_layout_check_identity(identity, error) &&
        remove_generation(store, identity, number, error))
        return TRUE;
    g_prefix_error(error, "cannot remove generation %u of '%s': ", number, identity);
    return FALSE;
}

static gboolean
remove_identity(SignetStore *store, const char *identity, GError **error)
{
    g_autoptr(GArray) numbers = signet_store_list_generations(store, identity, error);

    if (!numbers || !signet_dir_remove_file(store->layout.live_fd, identity, error))
        return FALSE;
    for (guint i = 0; i < numbers->len; i++) {
        if (!remove_generation(store, identity, g_array_index(numbers, guint32, i), error))
            return FALSE;
    }
    return signet_dir_remove_tree(store->layout.identities_fd, identity, error);
}

gboolean
signet_store_remove_identity(SignetStore *store, const char *identity, GError **error)
{
    if (signet_layout_check_identity(identity, error) && remove_identity(store, identity, error))
        return TRUE;
    g_prefix_error(error, "cannot remove '%s': ", identity);
    return FALSE;
}

/* --- facts --- */

static int
open_facts(SignetStore *store, GError **error)
{
    return signet_dir_open(store->layout.root_fd, "facts", 0755, error);
}

gboolean
signet_store_put_facts(SignetStore *store, const char *token, GBytes *content, GError **error)
{
    static const SignetDirOwner everybody = {.mode = 0644, .uid = -1, .gid = -1};
    g_auto(SignetFd) fd = open_facts(store, error);
    gsize size;
    gconstpointer data = g_bytes_get_data(content, &size);

    if (fd >= 0 && size <= SMALL_FILE_MAX &&
        signet_dir_write(fd, token, data, size, &everybody, error))
        return TRUE;
    if (fd >= 0 && size > SMALL_FILE_MAX)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "they have %zu bytes, more than %d", size,
                         SMALL_FILE_MAX);
    g_prefix_error(error, "cannot store the facts of token '%s': ", token);
    return FALSE;
}

GBytes *
signet_store_get_facts(SignetStore *store, const char *token, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_auto(SignetFd) fd = open_facts(store, &local);
    GBytes *content = fd >= 0 ? signet_dir_read(fd, token, SMALL_FILE_MAX, &local) : NULL;

    if (content || signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return content;
    g_propagate_prefixed_error(error, g_steal_pointer(&local),
                               "cannot read the facts of token '%s': ", token);
    return NULL;
}

/* --- attestation keys --- */

gboolean
signet_store_put_attester(SignetStore *store, const char *token, GBytes *content, GError **error)
{
    g_auto(SignetFd) fd = signet_dir_open(store->layout.root_fd, "attesters", 0700, error);
    gsize size;
    gconstpointer data = g_bytes_get_data(content, &size);

    if (fd >= 0 && size <= SMALL_FILE_MAX && signet_dir_write(fd, token, data, size, NULL, error))
        return TRUE;
    if (fd >= 0 && size > SMALL_FILE_MAX)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "it has %zu bytes, more than %d", size,
                         SMALL_FILE_MAX);
    g_prefix_error(error, "cannot store the attestation key of token '%s': ", token);
    return FALSE;
}

GBytes *
signet_store_get_attester(SignetStore *store, const char *token, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_auto(SignetFd) fd = signet_dir_open(store->layout.root_fd, "attesters", 0, &local);
    GBytes *content = fd >= 0 ? signet_dir_read(fd, token, SMALL_FILE_MAX, &local) : NULL;

    if (content || signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return content;
    g_propagate_prefixed_error(error, g_steal_pointer(&local),
                               "cannot read the attestation key of token '%s': ", token);
    return NULL;
}
