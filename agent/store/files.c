/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The files of one generation: their formats and the order in which they are written. */

#include "agent/store/files.h"

#include <string.h>

#include "agent/store/pem.h"
#include "provider/wire/limits.h"

#define RECORD_GROUP "Key"
#define RECORD_MAX   (64 * 1024)
#define SECRET_MAX   1024

typedef struct {
    char *token;  /* (owned) */
    guint32 type; /* enum signet_key_type */
    gint64 created_s;
    GBytes *spki; /* (owned) */
    gboolean is_adopted;
} Record;

static void
record_clear(Record *record)
{
    g_clear_pointer(&record->token, g_free);
    g_clear_pointer(&record->spki, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Record, record_clear)

static gboolean
parse_record(GBytes *content, Record *ret_record, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) local = NULL;
    gsize size = 0;

    if (!g_key_file_load_from_bytes(file, content, G_KEY_FILE_NONE, &local))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "'record' is damaged: %s",
                                local->message);
    g_autofree char *type = g_key_file_get_string(file, RECORD_GROUP, "Type", NULL);
    g_autofree char *spki = g_key_file_get_string(file, RECORD_GROUP, "Spki", NULL);
    ret_record->token = g_key_file_get_string(file, RECORD_GROUP, "Token", NULL);
    ret_record->created_s = g_key_file_get_int64(file, RECORD_GROUP, "Created", &local);
    ret_record->type = type ? signet_key_type_from_name(type) : 0;
    if (!ret_record->token || local || ret_record->type == 0 || !spki)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "'record' lacks one of Token=, Type=, Created=, Spki=");
    /* absent in what is not adopted */
    ret_record->is_adopted = g_key_file_get_boolean(file, RECORD_GROUP, "Adopted", NULL);
    guchar *der = g_base64_decode(spki, &size);
    ret_record->spki = g_bytes_new_take(der, size);
    if (size > 0 && size <= SIGNET_WIRE_SPKI_MAX)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_CORRUPT, "Spki= in 'record' is damaged");
}

static gboolean
read_record(int fd, Record *ret_record, GError **error)
{
    g_autoptr(GBytes) content = signet_dir_read(fd, "record", RECORD_MAX, error);

    return content && parse_record(content, ret_record, error);
}

static gboolean
read_secret(int fd, SignetSecret **ret_secret, GError **error)
{
    g_autoptr(GError) local = NULL;
    GBytes *content = signet_dir_read(fd, "auth", SECRET_MAX, &local);

    if (content) {
        gsize size;
        guint8 *data = g_bytes_unref_to_data(content, &size);

        *ret_secret = signet_secret_new(data, size);
        explicit_bzero(data, size);
        g_free(data);
        return TRUE;
    }
    if (signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static SignetKey *
read_key(int fd, const Record *record, GError **error)
{
    g_autoptr(SignetSecret) auth = NULL;
    g_autoptr(GBytes) blob = signet_dir_read(fd, "key", RECORD_MAX, error);

    if (!blob || !read_secret(fd, &auth, error))
        return NULL;
    return record->is_adopted ? signet_key_new_adopted(record->type, blob, auth, record->spki)
                              : signet_key_new(record->type, blob, auth, record->spki);
}

static gboolean
read_certificates(int fd, const char *name, GPtrArray **ret_certificates, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) text = signet_dir_read(fd, name, 2 * SIGNET_WIRE_CHAIN_MAX, &local);

    if (text)
        *ret_certificates = signet_pem_parse_certificates(text, SIGNET_WIRE_CHAIN_MAX, &local);
    if (!local || signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        return TRUE;
    g_prefix_error(&local, "'%s': ", name);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

SignetGeneration *
signet_files_read(int fd, guint32 number, GError **error)
{
    g_auto(Record) record = {0};
    g_autoptr(GPtrArray) chain = NULL;
    g_autoptr(GPtrArray) anchors = NULL;
    g_autoptr(SignetKey) key = NULL;

    if (!read_record(fd, &record, error))
        return NULL;
    key = read_key(fd, &record, error);
    if (!key || !read_certificates(fd, "chain.pem", &chain, error) ||
        !read_certificates(fd, "anchors.pem", &anchors, error))
        return NULL;
    g_autoptr(SignetGeneration) generation =
        signet_generation_new(number, record.token, key, record.created_s, chain, anchors);
    if (chain && chain->len > 0 && generation->not_after_s == 0) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "'chain.pem' is damaged");
        return NULL;
    }
    return g_steal_pointer(&generation);
}

static gboolean
put_record(int fd, const char *token, const SignetKey *key, gint64 created_s, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    gsize size;
    const guchar *der = g_bytes_get_data(key->spki, &size);
    g_autofree char *spki = g_base64_encode(der, size);

    g_key_file_set_string(file, RECORD_GROUP, "Token", token);
    g_key_file_set_string(file, RECORD_GROUP, "Type", signet_key_type_name(key->type));
    g_key_file_set_int64(file, RECORD_GROUP, "Created", created_s);
    g_key_file_set_string(file, RECORD_GROUP, "Spki", spki);
    if (key->is_adopted)
        g_key_file_set_boolean(file, RECORD_GROUP, "Adopted", TRUE);
    g_autofree char *text = g_key_file_to_data(file, &size, NULL);
    return signet_dir_write(fd, "record", text, size, NULL, error);
}

gboolean
signet_files_write_key(int fd, const char *token, const SignetKey *key, gint64 created_s,
                       GError **error)
{
    gsize size;
    gconstpointer data = g_bytes_get_data(key->blob, &size);

    /* what an attempt that failed in the middle left must never be taken for the new key's */
    if (!signet_dir_remove_file(fd, "record", error) ||
        !signet_dir_remove_file(fd, "auth", error) ||
        !signet_dir_remove_file(fd, "chain.pem", error))
        return FALSE;
    if (!signet_dir_stage(fd, "key", data, size, NULL, error))
        return FALSE;
    if (key->auth) {
        data = signet_secret_get(key->auth, &size);
        if (!signet_dir_stage(fd, "auth", data, size, NULL, error))
            return FALSE;
    }
    return signet_dir_sync(fd, error) && put_record(fd, token, key, created_s, error);
}

static gboolean
put_certificates(int fd, const char *name, const GPtrArray *certificates, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gsize total = 0;

    for (guint i = 0; i < certificates->len; i++)
        total += g_bytes_get_size(certificates->pdata[i]);
    if (total > SIGNET_WIRE_CHAIN_MAX)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "'%s' would hold more than %u bytes of certificates", name,
                                SIGNET_WIRE_CHAIN_MAX);
    signet_pem_append_certificates(text, certificates, 0, certificates->len);
    return signet_dir_stage(fd, name, text->str, text->len, NULL, error);
}

gboolean
signet_files_write_chain(int fd, const GPtrArray *chain, const GPtrArray *anchors, GError **error)
{
    if (anchors && anchors->len > 0) {
        if (!put_certificates(fd, "anchors.pem", anchors, error))
            return FALSE;
    } else if (!signet_dir_remove_file(fd, "anchors.pem", error)) {
        return FALSE;
    }
    return put_certificates(fd, "chain.pem", chain, error) && signet_dir_sync(fd, error);
}

static gboolean
put_live_text(int fd, const char *name, const GString *text, const SignetDirOwner *owner,
              GError **error)
{
    return signet_dir_stage(fd, name, text->str, text->len, owner, error);
}

static gboolean
put_live_certificates(int fd, const SignetGeneration *generation, const SignetDirOwner *owner,
                      GError **error)
{
    g_autoptr(GString) leaf = g_string_new(NULL);
    g_autoptr(GString) rest = g_string_new(NULL);
    g_autoptr(GString) full = g_string_new(NULL);
    g_autoptr(GString) anchors = g_string_new(NULL);

    signet_pem_append_certificates(leaf, generation->chain, 0, 1);
    signet_pem_append_certificates(rest, generation->chain, 1, G_MAXUINT);
    signet_pem_append_certificates(full, generation->chain, 0, G_MAXUINT);
    signet_pem_append_certificates(anchors, generation->anchors, 0, G_MAXUINT);
    if (!put_live_text(fd, "cert.pem", leaf, owner, error) ||
        !put_live_text(fd, "chain.pem", rest, owner, error) ||
        !put_live_text(fd, "fullchain.pem", full, owner, error))
        return FALSE;
    return anchors->len > 0 ? put_live_text(fd, "ca.pem", anchors, owner, error)
                            : signet_dir_remove_file(fd, "ca.pem", error);
}

static gboolean
put_live_references(int fd, const char *identity, const SignetGeneration *generation,
                    const SignetDirOwner *owner, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    if (!signet_pem_append_reference(text, identity, generation, error) ||
        !put_live_text(fd, "key.pem", text, owner, error))
        return FALSE;
    signet_pem_append_certificates(text, generation->chain, 0, G_MAXUINT);
    return put_live_text(fd, "identity.pem", text, owner, error);
}

gboolean
signet_files_write_live(int fd, const char *identity, const SignetGeneration *generation,
                        const SignetDirOwner *owner, GError **error)
{
    return put_live_certificates(fd, generation, owner, error) &&
           put_live_references(fd, identity, generation, owner, error) &&
           signet_dir_sync(fd, error);
}
