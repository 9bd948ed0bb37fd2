/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Temporary directories, keys and certificates for the tests of the store. */

#include "tests/unit/store/support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *support_root;
int support_fd;

void
support_setup(void)
{
    support_root = g_dir_make_tmp("signet-store-XXXXXX", NULL);
    support_fd = open(support_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(support_fd, 0);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir =
        g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_remove(path);
}

void
support_teardown(void)
{
    close(support_fd);
    remove_tree(support_root);
    g_clear_pointer(&support_root, g_free);
}

char *
support_path(const char *sub)
{
    return g_build_filename(support_root, sub, NULL);
}

char *
support_read(const char *sub)
{
    g_autofree char *path = support_path(sub);
    char *text = NULL;

    ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "there is no '%s'", sub);
    return text;
}

char *
support_mode(const char *sub)
{
    g_autofree char *path = support_path(sub);
    struct stat st;

    return lstat(path, &st) == 0 ? g_strdup_printf("%04o", st.st_mode & 07777u) : g_strdup("----");
}

void
support_write(const char *sub, const char *text)
{
    g_autofree char *path = support_path(sub);
    g_autofree char *parent = g_path_get_dirname(path);

    ck_assert_int_eq(g_mkdir_with_parents(parent, 0755), 0);
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

gboolean
support_exists(const char *sub)
{
    g_autofree char *path = support_path(sub);
    struct stat st;

    return lstat(path, &st) == 0;
}

SignetKey *
support_make_key(guint32 type)
{
    g_autoptr(GBytes) blob = g_bytes_new_static("blob", 4);
    g_autoptr(GBytes) spki = g_bytes_new_static("public", 6);
    g_autoptr(SignetSecret) auth = signet_secret_new("secret", 6);

    return signet_key_new(type, blob, auth, spki);
}

static GBytes *
make_certificate(guint serial, gint64 from_s, gint64 to_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_NAME *name = X509_NAME_new();
    unsigned char *der = NULL;

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0);
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
    X509_set_subject_name(x509, name);
    X509_set_issuer_name(x509, name);
    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from_s);
    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)to_s);
    X509_set_pubkey(x509, key);
    X509_sign(x509, key, EVP_sha256());
    int size = i2d_X509(x509, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    X509_NAME_free(name);
    X509_free(x509);
    EVP_PKEY_free(key);
    return bytes;
}

GPtrArray *
support_make_chain(guint n, gint64 from_s, gint64 to_s)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (guint i = 0; i < n; i++)
        g_ptr_array_add(chain, make_certificate(i + 1, from_s, to_s));
    return chain;
}
