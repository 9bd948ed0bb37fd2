/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A software token backend over libcrypto. */

#include "tests/support/fake-token.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <glib/gstdio.h>
#include <string.h>

#include "agent/token/spki.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

typedef struct {
    char *name; /* (owned) */
    gboolean costs_nothing;
    FakeTokenControl *control; /* (unowned): outlives us, see fake_token_new(); never NULL */
    FakeTokenControl own;
    GHashTable *loaded; /* (owned) EVP_PKEY by blob */
    GBytes *constant;   /* (owned) */
    gboolean is_lost;   /* the answer of the operation under way */
} Fake;

static EVP_PKEY *
generate(guint32 type)
{
    unsigned bits = signet_key_type_bits(type);

    if (signet_key_type_is_rsa(type))
        return EVP_RSA_gen(bits);
    switch ((enum signet_key_type)type) {
    case SIGNET_KEY_EC_P256:
        return EVP_EC_gen("P-256");
    case SIGNET_KEY_EC_P384:
        return EVP_EC_gen("P-384");
    case SIGNET_KEY_EC_P521:
        return EVP_EC_gen("P-521");
    case SIGNET_KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case SIGNET_KEY_RSA_2048:
    case SIGNET_KEY_RSA_3072:
    case SIGNET_KEY_RSA_4096:
        break;
    }
    return NULL;
}

SignetKey *
fake_token_make_key(guint32 type)
{
    g_autoptr(EVP_PKEY) pkey = generate(type);
    g_autoptr(SignetSecret) auth = signet_secret_new_random(16);
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;
    unsigned char *der = NULL;
    int size;

    if (!pkey)
        return NULL;
    size = i2d_PrivateKey(pkey, &der);
    blob = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    der = NULL;
    size = i2d_PUBKEY(pkey, &der);
    spki = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    return signet_key_new(type, blob, auth, spki);
}

/* --- keys as files --- */

/* (nullable) Free with g_free(): the file that holds the key. */
static char *
find_file(const char *dir, GBytes *blob)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    const char *name;
    gsize size;
    const char *data = g_bytes_get_data(blob, &size);

    while (names && (name = g_dir_read_name(names))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_autofree char *content = NULL;
        gsize length = 0;

        if (g_file_get_contents(path, &content, &length, NULL) && length == size &&
            memcmp(content, data, size) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

gboolean
fake_token_has_key(const char *dir, GBytes *blob)
{
    g_autofree char *path = find_file(dir, blob);

    return path != NULL;
}

guint
fake_token_count_keys(const char *dir)
{
    g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
    const char *name;
    guint n = 0;

    while (names && (name = g_dir_read_name(names)))
        n += name[0] != '.';
    return n;
}

static void
put_file(const char *dir, const char *name, GBytes *blob)
{
    g_autofree char *path = g_build_filename(dir, name ? name : "nameless", NULL);

    g_mkdir_with_parents(dir, 0700);
    if (!g_file_set_contents_full(path, g_bytes_get_data(blob, NULL),
                                  (gssize)g_bytes_get_size(blob), G_FILE_SET_CONTENTS_CONSISTENT,
                                  0600, NULL))
        g_error("cannot keep the key in %s", path);
}

/* The next of the stock that was not given away in an earlier life either. */
static SignetKey *
take_from_stock(const Fake *fake)
{
    g_autofree char *path = g_build_filename(fake->control->dir, ".given", NULL);
    g_autofree char *text = NULL;
    guint64 given =
        g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoull(text, NULL, 10) : 0;
    g_autofree char *more = g_strdup_printf("%" G_GUINT64_FORMAT, given + 1);

    if (given >= fake->control->stock->len)
        g_error("the stock of keys is empty");
    g_mkdir_with_parents(fake->control->dir, 0700);
    g_file_set_contents_full(path, more, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
    return signet_key_ref(fake->control->stock->pdata[given]);
}

static SignetKey *
make_key(const Fake *fake, const SignetKeyTemplate *template)
{
    SignetKey *key = signet_key_type_is_rsa(template->type) && fake->control->stock
                         ? take_from_stock(fake)
                         : fake_token_make_key(template->type);

    if (key && fake->control->dir)
        put_file(fake->control->dir, template->name, key->blob);
    return key;
}

/* --- operations --- */

/* TRUE: this is the one. */
static gboolean
is_unlucky(Fake *fake)
{
    return g_atomic_int_get(&fake->control->fail_at) > 0 &&
           g_atomic_int_dec_and_test(&fake->control->fail_at);
}

static gboolean
tell_absent(const Fake *fake, GError **error)
{
    return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT, "token '%s' was removed; insert it",
                            fake->name);
}

/* What every operation does first. */
static gboolean
enter(Fake *fake, GError **error)
{
    int delay_us = g_atomic_int_get(&fake->control->delay_us);

    if (delay_us > 0)
        g_usleep((gulong)delay_us);
    fake->is_lost = is_unlucky(fake);
    if (g_atomic_int_get(&fake->control->absent) ||
        (fake->is_lost && fake->control->fault == FAKE_TOKEN_ABSENT))
        return tell_absent(fake, error);
    if (g_atomic_int_get(&fake->control->fail) ||
        (fake->is_lost && fake->control->fault == FAKE_TOKEN_FAILS))
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' was told to fail by the test", fake->name);
    return TRUE;
}

/* What may become of an operation that was done. */
static gboolean
leave(Fake *fake, GError **error)
{
    return !fake->is_lost ||
           signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                            "token '%s' did not answer any more: the test wanted it so",
                            fake->name);
}

static EVP_PKEY *
load(Fake *fake, const SignetKey *key, GError **error)
{
    EVP_PKEY *pkey = g_hash_table_lookup(fake->loaded, key->blob);
    gsize size;
    const unsigned char *der = g_bytes_get_data(key->blob, &size);

    if (fake->control->dir && !fake_token_has_key(fake->control->dir, key->blob)) {
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "token '%s' has no such key", fake->name);
        return NULL;
    }
    if (pkey)
        return pkey;
    pkey = d2i_AutoPrivateKey(NULL, &der, (long)size);
    if (!pkey) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "token '%s': the key is damaged", fake->name);
        return NULL;
    }
    g_hash_table_insert(fake->loaded, g_bytes_ref(key->blob), pkey);
    return pkey;
}

static gboolean
set_scheme(EVP_PKEY_CTX *ctx, const SignetKeyScheme *scheme, int pss_or_oaep)
{
    const EVP_MD *md = EVP_get_digestbyname(signet_hash_name(scheme->hash));
    const EVP_MD *mgf1 = EVP_get_digestbyname(signet_hash_name(scheme->mgf1_hash));

    if (scheme->scheme == SIGNET_SCHEME_ECDSA)
        return TRUE;
    if (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
               (!md || pss_or_oaep == RSA_PKCS1_OAEP_PADDING ||
                EVP_PKEY_CTX_set_signature_md(ctx, md) > 0);
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, pss_or_oaep) <= 0)
        return FALSE;
    if (pss_or_oaep == RSA_PKCS1_OAEP_PADDING)
        return EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1 ? mgf1 : md) > 0;
    return EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1 ? mgf1 : md) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt_len) > 0;
}

static gboolean
set_label(EVP_PKEY_CTX *ctx, const SignetKeyScheme *scheme)
{
    gsize size;
    const void *label;

    if (scheme->scheme != SIGNET_SCHEME_RSA_OAEP || !scheme->label)
        return TRUE;
    label = g_bytes_get_data(scheme->label, &size);
    return EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup(label, size), (int)size) > 0;
}

static GBytes *
finish(Fake *fake, guint8 *out, size_t size, gboolean ok, const char *what, GError **error)
{
    g_autofree guint8 *owned = out;

    ERR_clear_error();
    if (!ok) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "token '%s' cannot %s so", fake->name,
                         what);
        return NULL;
    }
    g_atomic_int_inc(&fake->control->signatures);
    return leave(fake, error) ? g_bytes_new(owned, size) : NULL;
}

static gboolean
fake_open(gpointer backend, SignetTokenInfo *ret_info, GError **error)
{
    Fake *fake = backend;

    if (g_atomic_int_get(&fake->control->absent))
        return tell_absent(fake, error);
    *ret_info = (SignetTokenInfo) {.kind = "fake",
                                   .protection = "software",
                                   .description = "a token of the tests",
                                   .lock = {.unlock_by = "pin", .tries = ""}};
    if (g_atomic_int_get(&fake->control->locked))
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' is locked: it wants its PIN; run 'signetctl unlock %s'",
                                fake->name, fake->name);
    g_atomic_int_inc(&fake->control->opened);
    return TRUE;
}

static gboolean
fake_unlock(gpointer backend, const SignetTokenUnlock *unlock, SignetTokenInfo *ret_info,
            GError **error)
{
    Fake *fake = backend;
    gsize size = 0;
    const char *pin = unlock->pin ? signet_secret_get(unlock->pin, &size) : "";
    gboolean is_right = size == strlen(FAKE_TOKEN_PIN) && memcmp(pin, FAKE_TOKEN_PIN, size) == 0;

    if (is_right)
        g_atomic_int_set(&fake->control->locked, FALSE);
    if (fake_open(backend, ret_info, error))
        return TRUE;
    if (signet_error_is(error ? *error : NULL, SIGNET_ERROR_PIN_NEEDED)) {
        ret_info->lock.tries = "low";
        g_clear_error(error);
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' is locked: it refused the PIN%s", fake->name,
                         unlock->last_try ? " of the last try" : "");
    }
    return FALSE;
}

static void
fake_lock(gpointer backend)
{
    g_atomic_int_set(&((Fake *)backend)->control->locked, TRUE);
}

static gboolean
fake_learn(gpointer backend, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
           GError **error)
{
    Fake *fake = backend;
    g_auto(GStrv) keys = g_strsplit(fake->control->keys ? fake->control->keys : "", ";", -1);

    if (!enter(fake, error))
        return FALSE;
    switch (lesson) {
    case SIGNET_LESSON_CAPABILITIES:
        if (fake->control->keys)
            g_variant_dict_insert(facts, "keys", "^as", keys);
        break;
    case SIGNET_LESSON_IDENTITY:
        if (fake->control->device)
            g_variant_dict_insert(facts, "device", "s", fake->control->device);
        break;
    case SIGNET_LESSON_PSS:
        g_variant_dict_insert(facts, "pss", "s", "as asked for");
        break;
    }
    return TRUE;
}

static gboolean
is_offered(const Fake *fake, guint32 type)
{
    g_auto(GStrv) keys = g_strsplit(fake->control->keys ? fake->control->keys : "", ";", -1);

    if (g_atomic_int_get(&fake->control->cannot_generate))
        return FALSE;
    return !fake->control->keys ||
           g_strv_contains((const char *const *)keys, signet_key_type_name(type));
}

static SignetKey *
fake_generate(gpointer backend, const SignetKeyTemplate *template, GError **error)
{
    Fake *fake = backend;

    if (!enter(fake, error))
        return NULL;
    g_autoptr(SignetKey) key = is_offered(fake, template->type) ? make_key(fake, template) : NULL;
    if (!key) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "token '%s' has no keys of type %u",
                         fake->name, template->type);
        return NULL;
    }
    g_atomic_int_inc(&fake->control->generated);
    return leave(fake, error) ? g_steal_pointer(&key) : NULL;
}

static gboolean
sign_message(EVP_PKEY *pkey, GBytes *message, guint8 *out, size_t *size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    gboolean ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) > 0 &&
                  EVP_DigestSign(ctx, out, size, g_bytes_get_data(message, NULL),
                                 g_bytes_get_size(message)) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static gboolean
sign_digest(EVP_PKEY *pkey, const SignetKeyScheme *scheme, GBytes *digest, guint8 *out,
            size_t *size)
{
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);

    return EVP_PKEY_sign_init(ctx) > 0 && set_scheme(ctx, scheme, RSA_PKCS1_PSS_PADDING) &&
           EVP_PKEY_sign(ctx, out, size, g_bytes_get_data(digest, NULL), g_bytes_get_size(digest)) >
               0;
}

static SignetKey *
fake_adopt(gpointer backend, GBytes *name, SignetSecret *auth, GBytes **ret_certificate,
           GError **error)
{
    Fake *fake = backend;
    gsize size;
    const unsigned char *der = g_bytes_get_data(name, &size);
    g_autoptr(EVP_PKEY) pkey = NULL;
    g_autoptr(GBytes) spki = NULL;
    unsigned char *out = NULL;

    if (!enter(fake, error))
        return NULL;
    pkey = d2i_AutoPrivateKey(NULL, &der, (long)size);
    if (!pkey) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_NOT_FOUND, "token '%s' has no such key", fake->name);
        return NULL;
    }
    int out_size = i2d_PUBKEY(pkey, &out);
    spki = g_bytes_new(out, (gsize)out_size);
    OPENSSL_free(out);
    if (fake->control->certificate)
        *ret_certificate = g_bytes_ref(fake->control->certificate);
    return signet_key_new_adopted(signet_spki_key_type(spki), name, auth, spki);
}

static GBytes *
fake_sign(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
          GError **error)
{
    Fake *fake = backend;
    EVP_PKEY *pkey;
    size_t size = 1024;
    guint8 *out;
    gboolean ok;

    if (!enter(fake, error))
        return NULL;
    if (fake->control->strange && g_bytes_equal(fake->control->strange, key->blob)) {
        signet_error_set(error, SIGNET_ERROR_POLICY, "token '%s' cannot sign: PCR 7 changed",
                         fake->name);
        return NULL;
    }
    if (fake->costs_nothing) {
        g_atomic_int_inc(&fake->control->signatures);
        return g_bytes_ref(fake->constant);
    }
    pkey = load(fake, key, error);
    if (!pkey)
        return NULL;
    out = g_malloc(size);
    ok = scheme->scheme == SIGNET_SCHEME_EDDSA ? sign_message(pkey, digest, out, &size)
                                               : sign_digest(pkey, scheme, digest, out, &size);
    return finish(fake, out, size, ok, "sign", error);
}

static GBytes *
fake_decrypt(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext,
             GError **error)
{
    Fake *fake = backend;
    g_autoptr(EVP_PKEY_CTX) ctx = NULL;
    EVP_PKEY *pkey;
    size_t size = 1024;
    guint8 *out;
    gboolean ok;

    if (!enter(fake, error) || !(pkey = load(fake, key, error)))
        return NULL;
    ctx = EVP_PKEY_CTX_new(pkey, NULL);
    out = g_malloc(size);
    ok = EVP_PKEY_decrypt_init(ctx) > 0 && set_scheme(ctx, scheme, RSA_PKCS1_OAEP_PADDING) &&
         set_label(ctx, scheme) &&
         EVP_PKEY_decrypt(ctx, out, &size, g_bytes_get_data(ciphertext, NULL),
                          g_bytes_get_size(ciphertext)) > 0;
    return finish(fake, out, size, ok, "decrypt", error);
}

static GBytes *
fake_derive(gpointer backend, SignetKey *key, GBytes *peer_point, GError **error)
{
    Fake *fake = backend;
    g_autoptr(EVP_PKEY_CTX) ctx = NULL;
    g_autoptr(EVP_PKEY) peer = NULL;
    EVP_PKEY *pkey;
    size_t size = 1024;
    guint8 *out;
    gboolean ok;

    if (!enter(fake, error) || !(pkey = load(fake, key, error)))
        return NULL;
    ctx = EVP_PKEY_CTX_new(pkey, NULL);
    peer = EVP_PKEY_new();
    out = g_malloc(size);
    ok = EVP_PKEY_copy_parameters(peer, pkey) > 0 &&
         EVP_PKEY_set1_encoded_public_key(peer, g_bytes_get_data(peer_point, NULL),
                                          g_bytes_get_size(peer_point)) > 0 &&
         EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
         EVP_PKEY_derive(ctx, out, &size) > 0;
    return finish(fake, out, size, ok, "derive", error);
}

static gboolean
fake_destroy(gpointer backend, SignetKey *key, GError **error)
{
    Fake *fake = backend;

    if (!enter(fake, error))
        return FALSE;
    g_autofree char *path = fake->control->dir ? find_file(fake->control->dir, key->blob) : NULL;
    if (path)
        g_remove(path);
    g_hash_table_remove(fake->loaded, key->blob);
    g_atomic_int_inc(&fake->control->destroyed);
    return leave(fake, error);
}

static void
fake_free(gpointer backend)
{
    Fake *fake = backend;

    g_hash_table_unref(fake->loaded);
    g_bytes_unref(fake->constant);
    g_free(fake->name);
    g_free(fake);
}

/* SEQUENCE { INTEGER r, INTEGER s }, both of 32 bytes */
static GBytes *
constant_signature(void)
{
    guint8 der[70];

    memset(der, 0x5a, sizeof der);
    memcpy(der, "\x30\x44\x02\x20", 4);
    memcpy(der + 36, "\x02\x20", 2);
    return g_bytes_new(der, sizeof der);
}

SignetToken *
fake_token_new(const SignetTokenSettings *settings, const FakeTokenOptions *options)
{
    static const SignetTokenBackend vtable = {
        .open = fake_open,
        .unlock = fake_unlock,
        .lock = fake_lock,
        .generate = fake_generate,
        .sign = fake_sign,
        .decrypt = fake_decrypt,
        .derive = fake_derive,
        .adopt = fake_adopt,
        .destroy = fake_destroy,
        .learn = fake_learn,
        .free = fake_free,
    };
    Fake *fake = g_new0(Fake, 1);

    fake->name = g_strdup(settings->name);
    fake->costs_nothing = options && options->costs_nothing;
    fake->control = options && options->control ? options->control : &fake->own;
    fake->loaded = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
                                         (GDestroyNotify)EVP_PKEY_free);
    fake->constant = constant_signature();
    return signet_token_new(settings, &vtable, fake);
}
