/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The PKCS#11 backend on SoftHSM, alone and behind a module that has other tokens' habits; what it
 * signs is checked by libcrypto. */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/pkcs11/pkcs11.h"
#include "tests/support/softhsm.h"
#include "tests/support/token-calls.h"

#define REOPEN_US (1050 * 1000) /* a little more than the worker waits */

static SoftHsm *hsm;
static SignetToken *token;
static SignetPinAttempts *attempts;

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

/* --- fixtures --- */

static void
open_token(const char *uri, const char *pin_file, gboolean allow_extractable)
{
    const SignetTokenSettings settings = {.name = "card"};
    const SignetPkcs11Settings pkcs11 = {uri, {.file = pin_file}, attempts, allow_extractable, 0};

    g_clear_pointer(&token, signet_token_unref);
    token = signet_pkcs11_token_new(&settings, &pkcs11);
}

static void
setup(void)
{
    hsm = softhsm_new();
    attempts = signet_pin_attempts_new(NULL, NULL);
    open_token(hsm->uri, hsm->pin_file, FALSE);
}

static void
setup_shim(void)
{
    g_autofree char *uri = NULL;

    hsm = softhsm_new();
    attempts = signet_pin_attempts_new(NULL, NULL);
    g_setenv("P11_SHIM_DIR", hsm->dir, TRUE);
    uri = softhsm_dup_uri(hsm, P11_SHIM);
    open_token(uri, hsm->pin_file, FALSE);
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&attempts, signet_pin_attempts_unref);
    g_clear_pointer(&hsm, softhsm_free);
}

/* A switch of the module. */
static void
turn(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(hsm->dir, name, NULL);

    if (text)
        ck_assert(g_file_set_contents(path, text, -1, NULL));
    else
        ck_assert_int_eq(g_unlink(path), 0);
}

static SignetKey *
generate(guint32 type, gboolean can_decrypt)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = token_generate(token, type, can_decrypt, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

/* error is cleared */
static void
assert_error(GError **error, SignetErrorKind kind, const char *words)
{
    ck_assert_ptr_nonnull(*error);
    ck_assert_msg(signet_error_is(*error, kind), "another kind: %s", (*error)->message);
    ck_assert_msg(strstr((*error)->message, words) != NULL, "'%s' is not in: %s", words,
                  (*error)->message);
    ck_assert_msg(strstr((*error)->message, "'card'") != NULL, "no name: %s", (*error)->message);
    g_clear_error(error);
}

static void
assert_sign_fails(SignetKey *key, SignetErrorKind kind, const char *words)
{
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    assert_error(&error, kind, words);
}

static void
assert_objects(const char *expected)
{
    g_autofree char *count = softhsm_shell(hsm, "find $dir/tokens -name '*.object' | "
                                                "grep -v token.object | wc -l");

    ck_assert_str_eq(g_strstrip(count), expected);
}

/* --- every key and scheme --- */

static const guint32 EC_TYPES[] = {SIGNET_KEY_EC_P256, SIGNET_KEY_EC_P384, SIGNET_KEY_EC_P521};
static const char *const EC_GROUPS[] = {"P-256", "P-384", "P-521"};
static const gsize DIGEST_SIZES[] = {20, 28, 32, 48, 64};

START_TEST(ec_keys_sign_digests_of_every_size)
{
    g_autoptr(SignetKey) key = generate(EC_TYPES[_i], FALSE);

    for (guint i = 0; i < G_N_ELEMENTS(DIGEST_SIZES); i++)
        token_assert_signs(token, key, &ecdsa, DIGEST_SIZES[i]);
}
END_TEST

static const SignetKeyScheme RSA_SCHEMES[] = {
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA1},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA224},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA256},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA384},
    {.scheme = SIGNET_SCHEME_RSA_PKCS1, .hash = SIGNET_HASH_SHA512},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 32, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA384, SIGNET_HASH_SHA384, 48, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA512, SIGNET_HASH_SHA512, 64, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA1, 0, NULL},
    {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA384, 190, NULL},
};

static void
assert_rsa_signs(guint32 type)
{
    static const SignetKeyScheme bare = {.scheme = SIGNET_SCHEME_RSA_PKCS1};
    g_autoptr(SignetKey) key = generate(type, FALSE);

    for (guint i = 0; i < G_N_ELEMENTS(RSA_SCHEMES); i++)
        token_assert_signs(token, key, &RSA_SCHEMES[i], signet_hash_size(RSA_SCHEMES[i].hash));
    token_assert_signs(token, key, &bare, 36); /* MD5 and SHA-1 together, as TLS 1.1 had it */
}

START_TEST(rsa_keys_sign_every_scheme)
{
    static const guint32 types[] = {SIGNET_KEY_RSA_2048, SIGNET_KEY_RSA_3072, SIGNET_KEY_RSA_4096};

    assert_rsa_signs(types[_i]);
}
END_TEST

START_TEST(rsa_pss_is_padded_here_where_the_token_cannot)
{
    turn("no-pss", "");
    assert_rsa_signs(SIGNET_KEY_RSA_2048);
}
END_TEST

START_TEST(what_does_not_fit_the_key_is_refused_in_words)
{
    const SignetKeyScheme long_salt = {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256,
                                       SIGNET_HASH_SHA256, 500, NULL};
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_RSA_2048, FALSE);
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(token_sign(token, key, &long_salt, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    g_clear_error(&error);
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
}
END_TEST

START_TEST(rsa_keys_decrypt)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_RSA_2048, TRUE);
    g_autoptr(GBytes) label = g_bytes_new_static("signet", 6);
    const SignetKeyScheme schemes[] = {
        {.scheme = SIGNET_SCHEME_RSA_PKCS1},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA1, SIGNET_HASH_SHA1, 0, NULL},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 0, NULL},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA256, SIGNET_HASH_SHA1, 0, label},
    };

    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) ciphertext = token_encrypt_for(key, &schemes[i], "attack at dawn");
        g_autoptr(GBytes) plain = token_decrypt(token, key, &schemes[i], ciphertext, &error);

        ck_assert_msg(plain != NULL, "%u: %s", i, error ? error->message : "");
        ck_assert_uint_eq(g_bytes_get_size(plain), 14);
        ck_assert_mem_eq(g_bytes_get_data(plain, NULL), "attack at dawn", 14);
    }
}
END_TEST

START_TEST(a_damaged_ciphertext_is_refused)
{
    const SignetKeyScheme schemes[] = {
        {.scheme = SIGNET_SCHEME_RSA_PKCS1},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA1, SIGNET_HASH_SHA1, 0, NULL},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 0, NULL},
    };
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_RSA_2048, TRUE);
    guint8 bytes[256] = {0, 1, 2, 3};
    g_autoptr(GBytes) damaged = g_bytes_new_static(bytes, sizeof bytes);
    g_autoptr(GBytes) cut = g_bytes_new_static(bytes, 255);

    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        g_autoptr(GError) error = NULL;
        /* A token may answer bad PKCS#1 v1.5 padding with random bytes (implicit rejection), as
         * SoftHSM does over OpenSSL 3.2 and later. */
        g_autoptr(GBytes) noise = token_decrypt(token, key, &schemes[i], damaged, &error);

        ck_assert(!noise || schemes[i].scheme == SIGNET_SCHEME_RSA_PKCS1);
        if (!noise)
            ck_assert_msg(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST), "%s", error->message);
        g_clear_error(&error);
        ck_assert_ptr_null(token_decrypt(token, key, &schemes[i], cut, &error));
        ck_assert_msg(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST), "%s", error->message);
    }
}
END_TEST

START_TEST(ec_keys_derive_what_the_peer_derives)
{
    g_autoptr(SignetKey) key = generate(EC_TYPES[_i], TRUE);

    for (guint i = 0; i < 5; i++)
        token_assert_derives(token, key, EC_GROUPS[_i]);
}
END_TEST

START_TEST(what_a_key_was_not_made_for_it_does_not_do)
{
    static const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1};
    g_autoptr(SignetKey) ec = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) rsa = generate(SIGNET_KEY_RSA_2048, FALSE);
    guint8 bytes[65] = {4, 1, 2, 3};
    g_autoptr(GBytes) off_curve = g_bytes_new_static(bytes, sizeof bytes);
    g_autoptr(GBytes) on_curve = NULL;
    g_autoptr(GBytes) ciphertext = token_encrypt_for(rsa, &pkcs1, "hello");
    g_autoptr(GError) error = NULL;
    gsize size;
    const guint8 *spki = g_bytes_get_data(ec->spki, &size);

    ck_assert_ptr_null(token_derive(token, ec, off_curve, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    g_clear_error(&error);
    on_curve = g_bytes_new(spki + size - 65, 65);
    ck_assert_ptr_null(token_derive(token, ec, on_curve, &error));
    assert_error(&error, SIGNET_ERROR_UNSUPPORTED, "derive a secret");
    ck_assert_ptr_null(token_decrypt(token, rsa, &pkcs1, ciphertext, &error));
    assert_error(&error, SIGNET_ERROR_UNSUPPORTED, "decrypt");
}
END_TEST

/* --- the token --- */

START_TEST(softhsm_is_called_what_it_is)
{
    SignetTokenInfo info;

    ck_assert(token_probe(token, NULL));
    info = signet_token_get_info(token);
    ck_assert_str_eq(info.kind, "pkcs11");
    ck_assert_str_eq(info.protection, "software");
    ck_assert_ptr_nonnull(strstr(info.description, "SoftHSM"));
    ck_assert_ptr_nonnull(strstr(info.description, "serial "));
}
END_TEST

START_TEST(a_device_is_an_hsm_and_in_a_reader_a_smartcard)
{
    g_autofree char *uri = softhsm_dup_uri(hsm, P11_SHIM);

    turn("hardware", "");
    ck_assert(token_probe(token, NULL));
    ck_assert_str_eq(signet_token_get_info(token).protection, "hsm");
    turn("removable", "");
    open_token(uri, hsm->pin_file, FALSE);
    ck_assert(token_probe(token, NULL));
    ck_assert_str_eq(signet_token_get_info(token).protection, "smartcard");
}
END_TEST

static const char *const GOOD_URIS[] = {
    "pkcs11:token=signet%20test",
    "pkcs11:token=signet%20test;manufacturer=SoftHSM%20project?module-name=softhsm2",
    ("pkcs11:model=SoftHSM%20v2;token=signet%20test?module-path=" SOFTHSM_MODULE),
};

START_TEST(the_token_is_found_by_its_uri)
{
    g_autoptr(GError) error = NULL;

    open_token(GOOD_URIS[_i], hsm->pin_file, FALSE);
    ck_assert_msg(token_probe(token, &error), "%s", error ? error->message : "");
}
END_TEST

static const struct {
    const char *uri;
    SignetErrorKind kind;
    const char *words;
} BAD_URIS[] = {
    {"pkcs11:token=other?module-path=" SOFTHSM_MODULE, SIGNET_ERROR_TOKEN_ABSENT, "insert it"},
    {"pkcs11:token=other", SIGNET_ERROR_TOKEN_ABSENT, "none fits 'pkcs11:token=other'"},
    {"pkcs11:token=x?module-name=nothing", SIGNET_ERROR_TOKEN_FAILED, "no module named nothing"},
    {"pkcs11:token=x?module-path=/none.so", SIGNET_ERROR_TOKEN_FAILED, "'/none.so'"},
    {"pkcs11:token=x?module-path=/dev/null", SIGNET_ERROR_TOKEN_FAILED, "'/dev/null'"},
};

START_TEST(what_the_uri_does_not_find_is_told)
{
    g_autoptr(GError) error = NULL;

    open_token(BAD_URIS[_i].uri, hsm->pin_file, FALSE);
    ck_assert(!token_probe(token, &error));
    assert_error(&error, BAD_URIS[_i].kind, BAD_URIS[_i].words);
}
END_TEST

START_TEST(of_two_tokens_that_fit_none_is_taken)
{
    g_autoptr(GError) error = NULL;

    turn("two", "");
    ck_assert(!token_probe(token, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_FAILED, "ambiguous");
}
END_TEST

static void
open_by_serial(char *const *serials, guint which)
{
    g_autofree char *uri = g_strdup_printf("pkcs11:token=signet%%20test;serial=%s?module-path=%s",
                                           serials[which], SOFTHSM_MODULE);

    open_token(uri, hsm->pin_file, FALSE);
}

START_TEST(of_two_tokens_of_one_name_the_serial_decides)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) serials = NULL;
    g_autoptr(SignetKey) first = NULL;
    g_autoptr(SignetKey) second = NULL;
    g_autoptr(GError) error = NULL;

    softhsm_add(hsm);
    ck_assert(!token_probe(token, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_FAILED, "ambiguous");
    text =
        softhsm_shell(hsm, "softhsm2-util --show-slots | awk '/Serial number/ && $3 {print $3}'");
    serials = g_strsplit(g_strstrip(text), "\n", -1);
    ck_assert_uint_eq(g_strv_length(serials), 2);

    open_by_serial(serials, 0);
    first = generate(SIGNET_KEY_EC_P256, FALSE);
    open_by_serial(serials, 1);
    second = generate(SIGNET_KEY_EC_P256, FALSE);
    token_assert_signs(token, second, &ecdsa, 32);
    assert_sign_fails(first, SIGNET_ERROR_TOKEN_ABSENT, "is another one than the one with the key");
    open_by_serial(serials, 0);
    token_assert_signs(token, first, &ecdsa, 32);
    ck_assert_ptr_nonnull(strstr(signet_token_get_info(token).description, serials[0]));
}
END_TEST

START_TEST(two_tokens_of_the_policy_may_be_one_device)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    SignetToken *first = signet_token_ref(token);

    open_token(hsm->uri, hsm->pin_file, FALSE);
    token_assert_signs(token, key, &ecdsa, 32);
    token_assert_signs(first, key, &ecdsa, 32);
    signet_token_unref(first);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

/* --- keys --- */

START_TEST(a_key_is_found_again_by_its_uri)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) other = generate(SIGNET_KEY_RSA_2048, FALSE);
    g_autofree char *blob =
        g_strndup(g_bytes_get_data(key->blob, NULL), g_bytes_get_size(key->blob));

    ck_assert(g_str_has_prefix(blob, "pkcs11:"));
    ck_assert_ptr_nonnull(strstr(blob, "serial="));
    ck_assert_ptr_nonnull(strstr(blob, "id="));
    ck_assert_ptr_null(key->auth);
    open_token(hsm->uri, hsm->pin_file, FALSE);
    token_assert_signs(token, key, &ecdsa, 32);
    token_assert_signs(token, other, &RSA_SCHEMES[2], 32);
}
END_TEST

START_TEST(a_destroyed_key_leaves_nothing)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) other = generate(SIGNET_KEY_EC_P256, FALSE);

    assert_objects("4");
    token_assert_signs(token, key, &ecdsa, 32);
    ck_assert(token_destroy(token, key, NULL));
    assert_objects("2");
    ck_assert(token_destroy(token, key, NULL));
    assert_sign_fails(key, SIGNET_ERROR_CORRUPT, "was deleted");
    token_assert_signs(token, other, &ecdsa, 32);
}
END_TEST

START_TEST(a_key_that_is_gone_does_not_disturb_the_others)
{
    g_autoptr(SignetKey) gone = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) here = generate(SIGNET_KEY_EC_P256, FALSE);

    ck_assert(token_destroy(token, gone, NULL));
    open_token(hsm->uri, hsm->pin_file, FALSE);
    for (guint i = 0; i < 20; i++) {
        assert_sign_fails(gone, SIGNET_ERROR_CORRUPT, "was deleted");
        token_assert_signs(token, here, &ecdsa, 32);
    }
}
END_TEST

START_TEST(another_key_with_the_same_id_is_not_used)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) other = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) mixed = signet_key_new(key->type, key->blob, NULL, other->spki);

    open_token(hsm->uri, hsm->pin_file, FALSE);
    assert_sign_fails(mixed, SIGNET_ERROR_CORRUPT, "another public key");
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

START_TEST(a_blob_that_is_no_uri_is_refused)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(GBytes) blob = g_bytes_new_static("-----BEGIN TSS2", 15);
    g_autoptr(SignetKey) foreign = signet_key_new(key->type, blob, NULL, key->spki);

    assert_sign_fails(foreign, SIGNET_ERROR_CORRUPT, "is no PKCS#11 URI");
}
END_TEST

/* As a person would, whose key was made elsewhere. */
#define IMPORT                                                                              \
    "cd $dir && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem " \
    "&& softhsm2-util --import k.pem --token 'signet test' --label k --id 0badcafe --pin 1234"

START_TEST(a_key_that_was_imported_is_refused_unless_allowed)
{
    g_autoptr(SignetKey) like = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autofree char *text =
        g_strndup(g_bytes_get_data(like->blob, NULL), g_bytes_get_size(like->blob));
    g_autofree char *uri = NULL;
    g_autofree char *spki64 = NULL;
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;
    g_autoptr(SignetKey) key = NULL;
    guchar *der;
    gsize size;

    *strstr(text, ";id=") = '\0';
    uri = g_strconcat(text, ";id=%0b%ad%ca%fe;type=private", NULL);
    g_free(softhsm_shell(hsm, IMPORT));
    spki64 = softhsm_shell(hsm, "openssl pkey -in $dir/k.pem -pubout | grep -v -e -----");
    der = g_base64_decode(spki64, &size);
    blob = g_bytes_new(uri, strlen(uri));
    spki = g_bytes_new_take(der, size);
    key = signet_key_new(SIGNET_KEY_EC_P256, blob, NULL, spki);

    open_token(hsm->uri, hsm->pin_file, FALSE);
    assert_sign_fails(key, SIGNET_ERROR_TOKEN_FAILED, "AllowExtractable=yes");
    open_token(hsm->uri, hsm->pin_file, TRUE);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

static const struct {
    const char *fault;
    const char *words;
} FAULTS[] = {{"extractable", "is extractable"}, {"imported", "was not made by the token"}};

START_TEST(a_new_key_without_protection_is_destroyed)
{
    g_autofree char *uri = softhsm_dup_uri(hsm, P11_SHIM);
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) allowed = NULL;

    turn(FAULTS[_i].fault, "");
    ck_assert_ptr_null(token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_FAILED, FAULTS[_i].words);
    assert_objects("0");
    open_token(uri, hsm->pin_file, TRUE);
    allowed = generate(SIGNET_KEY_EC_P256, FALSE);
    token_assert_signs(token, allowed, &ecdsa, 32);
}
END_TEST

static void
note_key(SignetKey *key, const GError *error, gpointer data)
{
    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    *(SignetKey **)data = signet_key_ref(key);
}

static SignetKey *
generate_named(const char *name)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256, .name = name};
    SignetKey *key = NULL;

    signet_token_generate(token, NULL, &template, note_key, &key);
    while (!key)
        g_main_context_iteration(NULL, TRUE);
    return key;
}

START_TEST(what_an_interrupted_attempt_left_goes_with_the_next_of_its_name)
{
    static const char name[] = "00112233445566778899aabbccddeeff";
    g_autoptr(SignetKey) foreign = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) left = generate_named(name);
    g_autoptr(SignetKey) key = generate_named(name);

    assert_objects("4");
    assert_sign_fails(left, SIGNET_ERROR_CORRUPT, "another public key");
    token_assert_signs(token, key, &ecdsa, 32);
    token_assert_signs(token, foreign, &ecdsa, 32);
    /* the late end of the attempt that was given up */
    ck_assert(token_destroy(token, left, NULL));
    assert_objects("4");
    ck_assert(token_destroy(token, key, NULL));
    assert_objects("2");
}
END_TEST

/* --- here and gone --- */

START_TEST(a_token_that_was_taken_away_is_absent_until_it_is_back)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) unused = generate(SIGNET_KEY_EC_P256, FALSE);

    token_assert_signs(token, key, &ecdsa, 32);
    for (guint round = 0; round < 3; round++) {
        g_usleep(REOPEN_US);
        softhsm_take_away(hsm);
        assert_sign_fails(round == 1 ? unused : key, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
        ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_ABSENT);
        assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
        softhsm_bring_back(hsm);
        g_usleep(REOPEN_US);
        token_assert_signs(token, key, &ecdsa, 32);
        ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    }
}
END_TEST

START_TEST(a_token_that_was_never_there_may_appear_later)
{
    g_autoptr(SignetKey) key = NULL;
    g_autoptr(GError) error = NULL;

    g_free(softhsm_shell(hsm, "rm -r $dir/tokens && mkdir $dir/tokens"));
    open_token(hsm->uri, hsm->pin_file, FALSE);
    ck_assert(!token_probe(token, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    softhsm_add(hsm);
    g_usleep(REOPEN_US);
    key = generate(SIGNET_KEY_EC_P256, FALSE);
    token_assert_signs(token, key, &ecdsa, 32);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_token_that_is_away_neither_makes_nor_forgets_keys)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) other = NULL;
    g_autoptr(GError) error = NULL;

    softhsm_take_away(hsm);
    g_usleep(REOPEN_US);
    ck_assert_ptr_null(token_generate(token, SIGNET_KEY_EC_P256, FALSE, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    g_usleep(REOPEN_US);
    ck_assert(!token_destroy(token, key, &error));
    assert_error(&error, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    softhsm_bring_back(hsm);
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);

    softhsm_take_away(hsm);
    g_usleep(REOPEN_US);
    ck_assert(!token_destroy(token, key, &error)); /* while it seems to be open */
    assert_error(&error, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    softhsm_bring_back(hsm);
    g_usleep(REOPEN_US);
    other = generate(SIGNET_KEY_EC_P256, FALSE);
    ck_assert(token_destroy(token, key, NULL));
    assert_objects("2");
}
END_TEST

START_TEST(a_removed_token_is_absent_until_it_is_back)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);

    token_assert_signs(token, key, &ecdsa, 32);
    g_usleep(REOPEN_US);
    turn("out", "");
    assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    turn("out", NULL);
    g_usleep(REOPEN_US);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

/* Nobody asked while it was out: the one who asks next must not see that its session is dead. */
START_TEST(a_token_that_was_out_for_a_moment_costs_nobody_anything)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autofree char *uri = softhsm_dup_uri(hsm, P11_SHIM);
    g_autoptr(GError) error = NULL;
    const SignetTokenSettings settings = {.name = "other"};
    const SignetPkcs11Settings pkcs11 = {uri, {.file = hsm->pin_file}, attempts, FALSE, 0};
    g_autoptr(SignetToken) other = signet_pkcs11_token_new(&settings, &pkcs11);

    token_assert_signs(token, key, &ecdsa, 32);
    g_usleep(REOPEN_US);
    turn("out", "");
    ck_assert(!token_probe(other, &error)); /* the module has noticed */
    turn("out", NULL);
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

START_TEST(another_token_of_the_same_name_is_not_mistaken)
{
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) fresh = NULL;

    softhsm_replace(hsm);
    g_usleep(REOPEN_US);
    assert_sign_fails(key, SIGNET_ERROR_TOKEN_ABSENT, "is another one than the one with the key");
    g_usleep(REOPEN_US);
    fresh = generate(SIGNET_KEY_EC_P256, FALSE);
    token_assert_signs(token, fresh, &ecdsa, 32);
}
END_TEST

static TCase *
add_case(Suite *suite, const char *name, void (*set_up)(void))
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, set_up, teardown);
    tcase_set_timeout(tc, 300);
    suite_add_tcase(suite, tc);
    return tc;
}

static void
add_softhsm_tests(TCase *tc)
{
    tcase_add_loop_test(tc, ec_keys_sign_digests_of_every_size, 0, G_N_ELEMENTS(EC_TYPES));
    tcase_add_loop_test(tc, rsa_keys_sign_every_scheme, 0, 3);
    tcase_add_test(tc, what_does_not_fit_the_key_is_refused_in_words);
    tcase_add_test(tc, rsa_keys_decrypt);
    tcase_add_test(tc, a_damaged_ciphertext_is_refused);
    tcase_add_loop_test(tc, ec_keys_derive_what_the_peer_derives, 0, G_N_ELEMENTS(EC_TYPES));
    tcase_add_test(tc, what_a_key_was_not_made_for_it_does_not_do);
    tcase_add_test(tc, softhsm_is_called_what_it_is);
    tcase_add_loop_test(tc, the_token_is_found_by_its_uri, 0, G_N_ELEMENTS(GOOD_URIS));
    tcase_add_loop_test(tc, what_the_uri_does_not_find_is_told, 0, G_N_ELEMENTS(BAD_URIS));
    tcase_add_test(tc, of_two_tokens_of_one_name_the_serial_decides);
    tcase_add_test(tc, two_tokens_of_the_policy_may_be_one_device);
    tcase_add_test(tc, a_key_is_found_again_by_its_uri);
    tcase_add_test(tc, a_destroyed_key_leaves_nothing);
    tcase_add_test(tc, what_an_interrupted_attempt_left_goes_with_the_next_of_its_name);
    tcase_add_test(tc, a_key_that_is_gone_does_not_disturb_the_others);
    tcase_add_test(tc, another_key_with_the_same_id_is_not_used);
    tcase_add_test(tc, a_blob_that_is_no_uri_is_refused);
    tcase_add_test(tc, a_key_that_was_imported_is_refused_unless_allowed);
    tcase_add_test(tc, a_token_that_was_taken_away_is_absent_until_it_is_back);
    tcase_add_test(tc, a_token_that_was_never_there_may_appear_later);
    tcase_add_test(tc, a_token_that_is_away_neither_makes_nor_forgets_keys);
    tcase_add_test(tc, another_token_of_the_same_name_is_not_mistaken);
}

static void
add_shim_tests(TCase *tc)
{
    tcase_add_test(tc, rsa_pss_is_padded_here_where_the_token_cannot);
    tcase_add_test(tc, a_device_is_an_hsm_and_in_a_reader_a_smartcard);
    tcase_add_test(tc, of_two_tokens_that_fit_none_is_taken);
    tcase_add_loop_test(tc, a_new_key_without_protection_is_destroyed, 0, G_N_ELEMENTS(FAULTS));
    tcase_add_test(tc, a_removed_token_is_absent_until_it_is_back);
    tcase_add_test(tc, a_token_that_was_out_for_a_moment_costs_nobody_anything);
}

int
main(void)
{
    Suite *suite = suite_create("pkcs11");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    add_softhsm_tests(add_case(suite, "softhsm", setup));
    add_shim_tests(add_case(suite, "shim", setup_shim));
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
