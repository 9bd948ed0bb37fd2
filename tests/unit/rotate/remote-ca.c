/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA elsewhere that thinks about every request once. */

#include "tests/unit/rotate/remote-ca.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "agent/enroll/names.h"

#define LIFETIME_S 86400
#define THINKS_S   60
#define ACCOUNTS   "Accounts"

static EVP_PKEY *ca_key;
static X509 *ca_certificate;

/* A mistake of the agent's: the test sees how this process ended. */
static void
complain(const char *what)
{
    g_printerr("the CA: %s\n", what);
    _exit(1);
}

/* --- certificates --- */

static void
add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *
make(X509_NAME *subject, EVP_PKEY *public, gint64 from_s, gint64 until_s)
{
    static int serial = 1;
    X509 *x509 = X509_new();
    X509_NAME *issuer = ca_certificate ? X509_get_subject_name(ca_certificate) : subject;

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_set_subject_name(x509, subject);
    X509_set_issuer_name(x509, issuer);
    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from_s);
    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)until_s);
    X509_set_pubkey(x509, public);
    return x509;
}

void
remote_ca_make_key(const char *path)
{
    FILE *file = fopen(path, "w");
    g_autoptr(X509_NAME) name = signet_names_parse_subject("CN=Remote CA", NULL);

    ca_key = EVP_EC_gen("P-256");
    X509 *x509 = make(name, ca_key, 0, G_GINT64_CONSTANT(4000000000));
    add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509, NID_key_usage, "critical,keyCertSign");
    X509_sign(x509, ca_key, EVP_sha256());
    ca_certificate = x509;
    if (!file || !PEM_write_X509(file, x509) || fclose(file) != 0)
        complain("its certificate cannot be written");
}

void
remote_ca_free_key(void)
{
    g_clear_pointer(&ca_key, EVP_PKEY_free);
    g_clear_pointer(&ca_certificate, X509_free);
}

static void
append_der(GPtrArray *list, X509 *x509)
{
    unsigned char *der = NULL;
    int size = i2d_X509(x509, &der);

    g_ptr_array_add(list, g_bytes_new(der, (gsize)size));
    OPENSSL_free(der);
}

static void
issue(const RemoteCa *ca, SignetJob *job)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    gsize size;
    const unsigned char *der = g_bytes_get_data(request->spki, &size);
    g_autoptr(EVP_PKEY) public = d2i_PUBKEY(NULL, &der, (long)size);
    g_autoptr(X509_NAME) subject = signet_names_parse_subject(request->subject, NULL);
    g_autoptr(GENERAL_NAMES) alt = signet_names_make_alt(request, NULL);
    gint64 now_s = signet_clock_now(ca->clock);
    g_autoptr(X509) x509 = make(subject, public, now_s, now_s + LIFETIME_S);
    g_autoptr(GPtrArray) chain = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) anchors = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    add_extension(x509, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(x509, NID_key_usage, "critical,digitalSignature");
    add_extension(x509, NID_ext_key_usage, "clientAuth");
    X509_add1_ext_i2d(x509, NID_subject_alt_name, alt, *request->subject ? 0 : 1, 0);
    X509_sign(x509, ca_key, EVP_sha256());
    append_der(chain, x509);
    append_der(anchors, ca_certificate);
    signet_job_set_result(job, SIGNET_OUTCOME_ISSUED, chain, anchors, 0, NULL);
}

/* --- the books --- */

static GKeyFile *
open_books(const char *path)
{
    GKeyFile *books = g_key_file_new();

    g_key_file_load_from_file(books, path, G_KEY_FILE_NONE, NULL);
    return books;
}

static void
close_books(GKeyFile *books, const char *path)
{
    gsize size;
    g_autofree char *text = g_key_file_to_data(books, &size, NULL);

    if (!g_file_set_contents_full(path, text, (gssize)size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  NULL))
        complain("its books cannot be kept");
}

static void
count(GKeyFile *books, const char *group, const char *what)
{
    g_key_file_set_integer(books, group, what,
                           g_key_file_get_integer(books, group, what, NULL) + 1);
}

static char *
fingerprint(GBytes *bytes)
{
    return g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
}

RemoteBooks
remote_ca_read(const char *path)
{
    g_autoptr(GKeyFile) books = open_books(path);
    g_auto(GStrv) groups = g_key_file_get_groups(books, NULL);
    g_auto(GStrv) accounts = g_key_file_get_keys(books, ACCOUNTS, NULL, NULL);
    RemoteBooks sum = {.n_accounts = accounts ? g_strv_length(accounts) : 0};

    for (guint i = 0; groups[i]; i++) {
        if (g_str_equal(groups[i], ACCOUNTS))
            continue;
        sum.n_keys++;
        sum.n_orders += (guint)g_key_file_get_integer(books, groups[i], "Orders", NULL);
        sum.n_issued += (guint)g_key_file_get_integer(books, groups[i], "Issued", NULL);
    }
    return sum;
}

/* --- answers --- */

static void
note_account(const RemoteCa *ca, const SignetJobRequest *request, GKeyFile *books)
{
    const char *name = request->remote.account_identity;
    const SignetGeneration *account = name ? signet_inventory_get(ca->inventory, name, 0) : NULL;

    if (!name)
        return;
    if (!account)
        complain("an order comes without the account's key");
    g_autofree char *key = fingerprint(account->key->spki);
    count(books, ACCOUNTS, key);
}

static void
think(SignetJob *job, GKeyFile *books, const char *key)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    int number = g_key_file_get_integer(books, key, "Orders", NULL) + 1;
    g_autofree char *text = g_strdup_printf("%s request %d of %s", request->protocol, number, key);
    g_autoptr(GBytes) state = g_bytes_new(text, strlen(text));

    count(books, key, "Orders");
    g_key_file_set_string(books, key, "State", text);
    signet_job_set_state(job, state);
    signet_job_set_result(job, SIGNET_OUTCOME_PENDING, NULL, NULL, THINKS_S, "thinking");
}

static void
look_at_state(GBytes *state, GKeyFile *books, const char *key)
{
    g_autofree char *known = g_key_file_get_string(books, key, "State", NULL);
    gsize size;
    const char *text = g_bytes_get_data(state, &size);

    if (!known || strlen(known) != size || memcmp(known, text, size) != 0)
        complain("a request does not come again as it was");
}

/* What a person has not decided is asked for as long as that takes. */
static void
wait_for_person(SignetJob *job)
{
    signet_job_set_state(job, signet_job_get_request(job)->remote.state);
    signet_job_set_result(job, SIGNET_OUTCOME_PENDING, NULL, NULL, THINKS_S, "a person decides");
}

static void
decide(const RemoteCa *ca, SignetJob *job, GKeyFile *books, const char *key)
{
    const SignetJobRequest *request = signet_job_get_request(job);
    gboolean is_manual = g_str_equal(request->protocol, "manual");

    if (request->remote.state)
        look_at_state(request->remote.state, books, key);
    if (!request->remote.state) {
        think(job, books, key);
    } else if (is_manual && !request->remote.answer) {
        wait_for_person(job);
    } else {
        count(books, key, "Issued");
        issue(ca, job);
    }
}

static void
kill_enroller(SignetJob *job)
{
    signet_job_set_result(job, SIGNET_OUTCOME_FAILED, NULL, NULL, 0, "signet-enroll was killed");
}

void
remote_ca_answer(SignetJob *job, gpointer data)
{
    RemoteCa *ca = data;
    const SignetJobRequest *request = signet_job_get_request(job);
    g_autofree char *key = fingerprint(request->spki);
    gboolean is_hit = ++ca->n_jobs == ca->at;

    if (is_hit && ca->fault == REMOTE_DIES_BEFORE) {
        kill_enroller(job);
        return;
    }
    g_autoptr(GKeyFile) books = open_books(ca->books);
    note_account(ca, request, books);
    if (is_hit && ca->fault == REMOTE_DIES_AFTER) {
        g_autoptr(SignetJob) unheard = signet_job_new(request);

        decide(ca, unheard, books, key);
        kill_enroller(job);
    } else {
        decide(ca, job, books, key);
    }
    close_books(books, ca->books);
}
