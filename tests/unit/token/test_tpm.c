/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The TPM backend on a real software TPM, what it signs checked by libcrypto. */

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/token/tpm/tpm.h"
#include "tests/support/swtpm.h"

#define MANY_KEYS 200
#define STORAGE_KEY \
    "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static Swtpm *swtpm;
static SignetToken *token;

/* --- waiting for answers --- */

typedef struct {
    gboolean answered;
    GError *error;
    GBytes *result;
    SignetKey *key;
} Answer;

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->result = result ? g_bytes_ref(result) : NULL;
}

static void
on_key(SignetKey *key, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->error = error ? g_error_copy(error) : NULL;
    answer->key = key ? signet_key_ref(key) : NULL;
}

static void
wait_for(Answer *answer, GError **error)
{
    while (!answer->answered)
        g_main_context_iteration(NULL, TRUE);
    if (answer->error)
        g_propagate_error(error, answer->error);
}

static SignetKey *
generate(guint32 type, gboolean can_decrypt, GError **error)
{
    const SignetKeyTemplate template = {.type = type, .can_decrypt = can_decrypt};
    const SignetTokenWait wait = {.timeout_ms = 300000};
    Answer answer = {0};

    signet_token_generate(token, &wait, &template, on_key, &answer);
    wait_for(&answer, error);
    return answer.key;
}

static SignetKey *
generate_ok(guint32 type, gboolean can_decrypt)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = generate(type, can_decrypt, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

static GBytes *
sign(SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest, GError **error)
{
    Answer answer = {0};

    signet_token_sign(token, NULL, key, scheme, digest, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

static GBytes *
decrypt(SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext, GError **error)
{
    Answer answer = {0};

    signet_token_decrypt(token, NULL, key, scheme, ciphertext, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

static GBytes *
derive(SignetKey *key, GBytes *point, GError **error)
{
    Answer answer = {0};

    signet_token_derive(token, NULL, key, point, on_done, &answer);
    wait_for(&answer, error);
    return answer.result;
}

/* --- libcrypto's side --- */

static EVP_PKEY *
public_key(const SignetKey *key)
{
    const unsigned char *der = g_bytes_get_data(key->spki, NULL);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &der, (long)g_bytes_get_size(key->spki));

    ck_assert_ptr_nonnull(pkey);
    return pkey;
}

static GBytes *
digest_of(gsize size)
{
    guint8 bytes[64];

    for (guint i = 0; i < sizeof bytes; i++)
        bytes[i] = (guint8)(0xc0 + i);
    return g_bytes_new(bytes, size);
}

static void
set_padding(EVP_PKEY_CTX *ctx, const SignetKeyScheme *scheme)
{
    const EVP_MD *md = EVP_get_digestbyname(signet_hash_name(scheme->hash));

    if (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1) {
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING), 0);
        if (md)
            ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, md), 0);
    } else if (scheme->scheme == SIGNET_SCHEME_RSA_PSS) {
        const EVP_MD *mgf1 = EVP_get_digestbyname(signet_hash_name(scheme->mgf1_hash));

        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, md), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf1), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt_len), 0);
    }
}

static gboolean
verifies(const SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest, GBytes *signature)
{
    g_autoptr(EVP_PKEY) pkey = public_key(key);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);

    ck_assert_int_gt(EVP_PKEY_verify_init(ctx), 0);
    set_padding(ctx, scheme);
    return EVP_PKEY_verify(ctx, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                           g_bytes_get_data(digest, NULL), g_bytes_get_size(digest)) == 1;
}

static void
sign_and_verify(SignetKey *key, const SignetKeyScheme *scheme, gsize digest_size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) digest = digest_of(digest_size);
    g_autoptr(GBytes) signature = sign(key, scheme, digest, &error);

    ck_assert_msg(signature != NULL, "%s", error ? error->message : "");
    ck_assert(verifies(key, scheme, digest, signature));
}

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

/* --- fixtures --- */

static void
open_token(gboolean bus_encryption)
{
    const SignetTokenSettings settings = {.name = "tpm"};

    g_clear_pointer(&token, signet_token_unref);
    token = signet_tpm_token_new(&settings, swtpm->tcti, bus_encryption);
}

static void
setup_password(void)
{
    swtpm = swtpm_new();
    open_token(FALSE);
}

static void
setup_encrypted(void)
{
    swtpm = swtpm_new();
    open_token(TRUE);
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&swtpm, swtpm_free);
}

/* --- every key and scheme --- */

static const guint32 EC_TYPES[] = {SIGNET_KEY_EC_P256, SIGNET_KEY_EC_P384, SIGNET_KEY_EC_P521};
static const gsize DIGEST_SIZES[] = {20, 28, 32, 48, 64};

START_TEST(ec_keys_sign_digests_of_every_size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetKey) key = generate(EC_TYPES[_i], FALSE, &error);

    if (!key) { /* libtpms may be built without P-521, and must then say so */
        ck_assert_uint_eq(EC_TYPES[_i], SIGNET_KEY_EC_P521);
        ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
        ck_assert_ptr_nonnull(strstr(error->message, "ec:P-521"));
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(DIGEST_SIZES); i++)
        sign_and_verify(key, &ecdsa, DIGEST_SIZES[i]);
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
rsa_key_signs_every_scheme(SignetKey *key)
{
    static const SignetKeyScheme bare = {.scheme = SIGNET_SCHEME_RSA_PKCS1};

    for (guint i = 0; i < G_N_ELEMENTS(RSA_SCHEMES); i++)
        sign_and_verify(key, &RSA_SCHEMES[i], signet_hash_size(RSA_SCHEMES[i].hash));
    sign_and_verify(key, &bare, 36); /* MD5 and SHA-1 together, as TLS 1.1 had it */
}

START_TEST(rsa_keys_sign_every_scheme)
{
    static const guint32 types[] = {SIGNET_KEY_RSA_2048, SIGNET_KEY_RSA_3072};
    g_autoptr(SignetKey) key = generate_ok(types[_i], FALSE);

    rsa_key_signs_every_scheme(key);
}
END_TEST

START_TEST(what_the_tpm_has_not_is_refused_in_words)
{
    const SignetKeyScheme long_salt = {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256,
                                       SIGNET_HASH_SHA256, 500, NULL};
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_RSA_2048, FALSE);
    g_autoptr(GBytes) digest = digest_of(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(generate(SIGNET_KEY_RSA_4096, FALSE, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "'rsa:4096'"));
    g_clear_error(&error);
    ck_assert_ptr_null(sign(key, &long_salt, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    g_clear_error(&error);
    ck_assert_ptr_null(sign(key, &ecdsa, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
}
END_TEST

static GBytes *
encrypt_for(const SignetKey *key, const SignetKeyScheme *scheme, const char *plain)
{
    g_autoptr(EVP_PKEY) pkey = public_key(key);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);
    guint8 out[512];
    size_t size = sizeof out;

    ck_assert_int_gt(EVP_PKEY_encrypt_init(ctx), 0);
    if (scheme->scheme == SIGNET_SCHEME_RSA_OAEP) {
        gsize label_size;
        const void *label = g_bytes_get_data(scheme->label, &label_size);

        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING);
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_get_digestbyname(signet_hash_name(scheme->hash)));
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx,
                                     EVP_get_digestbyname(signet_hash_name(scheme->mgf1_hash)));
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup(label, label_size), (int)label_size);
    }
    ck_assert_int_gt(EVP_PKEY_encrypt(ctx, out, &size, (const unsigned char *)plain, strlen(plain)),
                     0);
    return g_bytes_new(out, size);
}

START_TEST(rsa_keys_decrypt)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_RSA_2048, TRUE);
    g_autoptr(GBytes) label = g_bytes_new_static("signet", 6);
    const SignetKeyScheme schemes[] = {
        {.scheme = SIGNET_SCHEME_RSA_PKCS1},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA256, SIGNET_HASH_SHA1, 0, label},
        {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA1, SIGNET_HASH_SHA1, 0, label},
    };

    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) ciphertext = encrypt_for(key, &schemes[i], "attack at dawn");
        g_autoptr(GBytes) plain = decrypt(key, &schemes[i], ciphertext, &error);

        ck_assert_msg(plain != NULL, "%s", error ? error->message : "");
        ck_assert_mem_eq(g_bytes_get_data(plain, NULL), "attack at dawn", 14);
        ck_assert_uint_eq(g_bytes_get_size(plain), 14);
    }
}
END_TEST

START_TEST(a_damaged_ciphertext_is_refused)
{
    const SignetKeyScheme pkcs1 = {.scheme = SIGNET_SCHEME_RSA_PKCS1};
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_RSA_2048, TRUE);
    guint8 bytes[256] = {0, 1, 2, 3};
    g_autoptr(GBytes) damaged = g_bytes_new_static(bytes, sizeof bytes);
    g_autoptr(GBytes) cut = g_bytes_new_static(bytes, 255);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(decrypt(key, &pkcs1, damaged, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    g_clear_error(&error);
    ck_assert_ptr_null(decrypt(key, &pkcs1, cut, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
}
END_TEST

START_TEST(ec_keys_derive_what_the_peer_derives)
{
    static const char *const groups[] = {"P-256", "P-384"};
    g_autoptr(SignetKey) key = generate_ok(EC_TYPES[_i], TRUE);
    g_autoptr(EVP_PKEY) ours = public_key(key);
    g_autoptr(EVP_PKEY) peer = EVP_EC_gen(groups[_i]);
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(peer, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) point = NULL;
    g_autoptr(GBytes) shared = NULL;
    unsigned char *encoded = NULL;
    guint8 expected[66];
    size_t size = EVP_PKEY_get1_encoded_public_key(peer, &encoded);

    point = g_bytes_new(encoded, size);
    OPENSSL_free(encoded);
    shared = derive(key, point, &error);
    ck_assert_msg(shared != NULL, "%s", error ? error->message : "");

    size = sizeof expected;
    EVP_PKEY_derive_init(ctx);
    EVP_PKEY_derive_set_peer(ctx, ours);
    ck_assert_int_gt(EVP_PKEY_derive(ctx, expected, &size), 0);
    ck_assert_uint_eq(g_bytes_get_size(shared), size);
    ck_assert_mem_eq(g_bytes_get_data(shared, NULL), expected, size);
}
END_TEST

START_TEST(a_point_off_the_curve_and_a_key_not_made_for_it_are_refused)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, TRUE);
    g_autoptr(SignetKey) signer = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    guint8 bytes[65] = {4, 1, 2, 3};
    g_autoptr(GBytes) off = g_bytes_new_static(bytes, sizeof bytes);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(derive(key, off, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST), "%s", error->message);
    g_clear_error(&error);
    ck_assert_ptr_null(derive(signer, off, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED) ||
                      signet_error_is(error, SIGNET_ERROR_BAD_REQUEST),
                  "%s", error->message);
}
END_TEST

/* --- little room --- */

START_TEST(any_number_of_keys_is_used_at_random_without_an_error)
{
    SignetKey *keys[MANY_KEYS];
    GRand *random = g_rand_new_with_seed(20260731);

    for (guint i = 0; i < MANY_KEYS; i++)
        keys[i] = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    for (guint i = 0; i < 3 * MANY_KEYS; i++)
        sign_and_verify(keys[g_rand_int_range(random, 0, MANY_KEYS)], &ecdsa, 32);
    for (guint i = 0; i < MANY_KEYS; i++)
        signet_key_unref(keys[i]);
    g_rand_free(random);
}
END_TEST

/* In a process of its own, which ends without a word to the TPM. */
static void
use_and_be_killed(gboolean bus_encryption)
{
    pid_t pid = fork();

    if (pid == 0) {
        token = NULL;
        open_token(bus_encryption);
        for (guint i = 0; i < 3; i++) {
            g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);

            sign_and_verify(key, &ecdsa, 32);
        }
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(what_a_killed_agent_left_in_the_tpm_is_flushed)
{
    g_autoptr(SignetKey) key = NULL;

    for (guint i = 0; i < 4; i++) {
        g_autofree char *left = NULL;

        use_and_be_killed(TRUE);
        left = swtpm_shell(swtpm, "tpm2_getcap handles-transient; "
                                  "tpm2_getcap handles-loaded-session");
        ck_assert_str_eq(left, "- 0x80000000\n- 0x80000001\n- 0x80000002\n- 0x2000000\n");
    }
    key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    sign_and_verify(key, &ecdsa, 32);
}
END_TEST

START_TEST(nothing_stays_in_the_tpm_when_the_token_is_closed)
{
    g_autofree char *left = NULL;

    signet_key_unref(generate_ok(SIGNET_KEY_EC_P256, FALSE));
    g_clear_pointer(&token, signet_token_unref);
    left = swtpm_shell(swtpm, "tpm2_getcap handles-transient; tpm2_getcap handles-loaded-session");
    ck_assert_str_eq(left, "");
}
END_TEST

/* --- trouble --- */

START_TEST(a_tpm_that_is_reset_is_set_up_again_without_an_error)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) rsa = generate_ok(SIGNET_KEY_RSA_2048, FALSE);

    for (guint i = 0; i < 3; i++) {
        sign_and_verify(key, &ecdsa, 32);
        sign_and_verify(rsa, &RSA_SCHEMES[2], 32);
        swtpm_reset(swtpm);
    }
    sign_and_verify(key, &ecdsa, 32);
}
END_TEST

START_TEST(a_tpm_that_was_off_is_found_again)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(GBytes) digest = digest_of(32);
    g_autoptr(GError) error = NULL;

    sign_and_verify(key, &ecdsa, 32);
    g_usleep(1100000);
    swtpm_kill(swtpm);
    ck_assert_ptr_null(sign(key, &ecdsa, digest, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT), "%s", error->message);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_ABSENT);
    ck_assert_ptr_nonnull(strstr(signet_token_get_problem(token), swtpm->tcti));

    swtpm_start(swtpm);
    g_usleep(1100000);
    sign_and_verify(key, &ecdsa, 32);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
}
END_TEST

START_TEST(a_tpm_that_was_restarted_meanwhile_costs_nothing)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);

    g_usleep(1100000);
    swtpm_kill(swtpm);
    swtpm_start(swtpm);
    sign_and_verify(key, &ecdsa, 32);
}
END_TEST

START_TEST(a_key_of_another_tpm_is_called_that)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(GBytes) digest = digest_of(32);
    g_autoptr(GError) error = NULL;

    g_usleep(1100000);
    swtpm_replace(swtpm);
    ck_assert_ptr_null(sign(key, &ecdsa, digest, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_CORRUPT), "%s", error->message);
    ck_assert_ptr_nonnull(strstr(error->message, "made by another TPM; enrol"));
}
END_TEST

START_TEST(a_damaged_key_is_called_that)
{
    g_autoptr(SignetKey) good = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(GBytes) garbage = g_bytes_new_static("-----BEGIN", 10);
    g_autoptr(SignetKey) key = signet_key_new(good->type, garbage, good->auth, good->spki);
    g_autoptr(GBytes) digest = digest_of(32);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(sign(key, &ecdsa, digest, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
    sign_and_verify(good, &ecdsa, 32);
}
END_TEST

START_TEST(a_wrong_auth_value_is_refused_and_harms_nobody)
{
    g_autoptr(SignetKey) good = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetSecret) wrong = signet_secret_new("wrong", 5);
    g_autoptr(SignetKey) key = signet_key_new(good->type, good->blob, wrong, good->spki);
    g_autoptr(GBytes) digest = digest_of(32);

    for (guint i = 0; i < 40; i++) { /* noDA: more than a lockout would take */
        g_autoptr(GError) error = NULL;

        ck_assert_ptr_null(sign(key, &ecdsa, digest, &error));
        ck_assert_msg(signet_error_is(error, SIGNET_ERROR_TOKEN_FAILED), "%s", error->message);
    }
    open_token(FALSE);
    sign_and_verify(good, &ecdsa, 32);
}
END_TEST

START_TEST(no_tpm_at_all_is_said_in_words)
{
    const SignetTokenSettings settings = {.name = "tpm"};
    g_autoptr(GError) error = NULL;

    signet_token_unref(token);
    token = signet_tpm_token_new(&settings, "device:/nonexistent/tpm", TRUE);
    ck_assert_ptr_null(generate(SIGNET_KEY_EC_P256, FALSE, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT));
    ck_assert_ptr_nonnull(strstr(error->message, "'/nonexistent/tpm': No such file"));
}
END_TEST

START_TEST(its_facts_say_software)
{
    signet_key_unref(generate_ok(SIGNET_KEY_EC_P256, FALSE));
    ck_assert_str_eq(signet_token_get_info(token).kind, "tpm");
    ck_assert_str_eq(signet_token_get_info(token).protection, "software");
    ck_assert_ptr_nonnull(strstr(signet_token_get_info(token).description, "IBM SW TPM, firmware"));
}
END_TEST

/* --- parents and other programs --- */

START_TEST(a_storage_key_of_the_machine_is_used_and_left_alone)
{
    g_autoptr(SignetKey) old = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(SignetKey) key = NULL;
    g_autofree char *out = NULL;

    g_clear_pointer(&token, signet_token_unref);
    out = swtpm_shell(swtpm, "tpm2_createprimary -Q -C o -G ecc " STORAGE_KEY " -c \"$dir/srk\" && "
                             "tpm2_evictcontrol -Q -C o -c \"$dir/srk\" 0x81000001 && "
                             "tpm2_flushcontext -t");
    ck_assert_ptr_nonnull(out);
    open_token(TRUE);
    key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    for (guint i = 0; i < 3; i++) {
        sign_and_verify(key, &ecdsa, 32);
        sign_and_verify(old, &ecdsa, 32); /* under the other parent */
    }
    g_clear_pointer(&token, signet_token_unref);
    g_free(out);
    out = swtpm_shell(swtpm, "tpm2_getcap handles-persistent");
    ck_assert_str_eq(out, "- 0x81000001\n");
}
END_TEST

static const char *
inappropriate_srk(int i)
{
    static const char *const commands[] = {
        /* a password */
        "tpm2_createprimary -Q -C o -G ecc " STORAGE_KEY " -p secret -c \"$dir/srk\"",
        /* a signing key */
        ("tpm2_createprimary -Q -C o -G ecc:ecdsa-sha256 "
         "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' -c \"$dir/srk\""),
        /* one that others' wrong passwords lock */
        "tpm2_createprimary -Q -C o -G ecc -c \"$dir/srk\"",
    };

    return commands[i];
}

START_TEST(another_key_in_the_place_of_the_storage_key_is_not_used)
{
    g_autoptr(SignetKey) key = NULL;
    g_autofree char *command =
        g_strdup_printf("%s && tpm2_evictcontrol -Q -C o -c \"$dir/srk\" 0x81000001 && "
                        "tpm2_flushcontext -t",
                        inappropriate_srk(_i));
    g_autofree char *out = swtpm_shell(swtpm, command);

    ck_assert_ptr_nonnull(out);
    key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    sign_and_verify(key, &ecdsa, 32);
}
END_TEST

static void
write_key_files(const SignetKey *key)
{
    g_autofree char *pem = g_build_filename(swtpm->dir, "key.pem", NULL);
    g_autofree char *pass = g_build_filename(swtpm->dir, "pass", NULL);
    g_autofree char *spki = g_build_filename(swtpm->dir, "spki.der", NULL);
    gsize size;
    gconstpointer auth = signet_secret_get(key->auth, &size);

    ck_assert(g_file_set_contents(pem, g_bytes_get_data(key->blob, NULL),
                                  (gssize)g_bytes_get_size(key->blob), NULL));
    ck_assert(g_file_set_contents(pass, auth, (gssize)size, NULL));
    ck_assert(g_file_set_contents(spki, g_bytes_get_data(key->spki, NULL),
                                  (gssize)g_bytes_get_size(key->spki), NULL));
}

START_TEST(tpm2_openssl_reads_our_keys_and_signs_with_them)
{
    static const guint32 types[] = {SIGNET_KEY_EC_P256, SIGNET_KEY_EC_P384, SIGNET_KEY_RSA_2048};
    g_autoptr(SignetKey) key = generate_ok(types[_i], FALSE);
    g_autofree char *out = NULL;

    write_key_files(key);
    g_clear_pointer(&token, signet_token_unref);
    out = swtpm_shell(swtpm,
                      "cd \"$dir\" && echo hello >m && "
                      "openssl pkey -provider tpm2 -provider default -in key.pem -passin file:pass "
                      "-pubout -outform DER -out theirs.der && cmp spki.der theirs.der && "
                      "openssl dgst -provider tpm2 -provider default -propquery '?provider=tpm2' "
                      "-sha256 -sign key.pem -passin file:pass "
                      "-out sig m && "
                      "openssl dgst -sha256 -verify spki.der -keyform DER -signature sig m");
    ck_assert_str_eq(out, "Verified OK\n");
}
END_TEST

START_TEST(a_key_that_tpm2_openssl_made_works_here)
{
    g_autofree char *out =
        swtpm_shell(swtpm, "cd \"$dir\" && openssl genpkey -provider tpm2 -provider default "
                           "-algorithm EC -pkeyopt group:P-256 -out key.pem && "
                           "openssl pkey -provider tpm2 -provider default -in key.pem "
                           "-pubout -outform DER -out spki.der");
    g_autofree char *pem_path = g_build_filename(swtpm->dir, "key.pem", NULL);
    g_autofree char *spki_path = g_build_filename(swtpm->dir, "spki.der", NULL);
    g_autofree char *pem = NULL;
    g_autofree char *der = NULL;
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;
    g_autoptr(SignetKey) key = NULL;
    gsize size;

    ck_assert_ptr_nonnull(out);
    ck_assert(g_file_get_contents(pem_path, &pem, &size, NULL));
    blob = g_bytes_new(pem, size);
    ck_assert(g_file_get_contents(spki_path, &der, &size, NULL));
    spki = g_bytes_new(der, size);
    key = signet_key_new(SIGNET_KEY_EC_P256, blob, NULL, spki);
    sign_and_verify(key, &ecdsa, 32);
}
END_TEST

START_TEST(a_destroyed_key_is_not_loaded_any_more)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    Answer answer = {0};
    g_autoptr(GError) error = NULL;

    sign_and_verify(key, &ecdsa, 32);
    signet_token_destroy(token, NULL, key, on_done, &answer);
    wait_for(&answer, &error);
    ck_assert_ptr_null(error);
    answer = (Answer) {0};
    signet_token_destroy(token, NULL, key, on_done, &answer); /* idempotent */
    wait_for(&answer, &error);
    ck_assert_ptr_null(error);
}
END_TEST

START_TEST(what_signatures_cost)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256, FALSE);
    g_autoptr(GBytes) digest = digest_of(32);
    gint64 began_us;

    g_bytes_unref(sign(key, &ecdsa, digest, NULL));
    began_us = g_get_monotonic_time();
    for (guint i = 0; i < 200; i++)
        g_bytes_unref(sign(key, &ecdsa, digest, NULL));
    g_printerr("# P-256 on swtpm: %.0f us\n", (double)(g_get_monotonic_time() - began_us) / 200);
}
END_TEST

static void
add_tests(TCase *tc)
{
    tcase_add_loop_test(tc, ec_keys_sign_digests_of_every_size, 0, 3);
    tcase_add_loop_test(tc, rsa_keys_sign_every_scheme, 0, 2);
    tcase_add_test(tc, what_the_tpm_has_not_is_refused_in_words);
    tcase_add_test(tc, rsa_keys_decrypt);
    tcase_add_test(tc, a_damaged_ciphertext_is_refused);
    tcase_add_loop_test(tc, ec_keys_derive_what_the_peer_derives, 0, 2);
    tcase_add_test(tc, a_point_off_the_curve_and_a_key_not_made_for_it_are_refused);
    tcase_add_test(tc, any_number_of_keys_is_used_at_random_without_an_error);
    tcase_add_test(tc, what_a_killed_agent_left_in_the_tpm_is_flushed);
    tcase_add_test(tc, nothing_stays_in_the_tpm_when_the_token_is_closed);
    tcase_add_test(tc, a_tpm_that_is_reset_is_set_up_again_without_an_error);
    tcase_add_test(tc, a_tpm_that_was_off_is_found_again);
    tcase_add_test(tc, a_tpm_that_was_restarted_meanwhile_costs_nothing);
    tcase_add_test(tc, a_key_of_another_tpm_is_called_that);
    tcase_add_test(tc, a_damaged_key_is_called_that);
    tcase_add_test(tc, a_wrong_auth_value_is_refused_and_harms_nobody);
    tcase_add_test(tc, no_tpm_at_all_is_said_in_words);
    tcase_add_test(tc, its_facts_say_software);
    tcase_add_test(tc, a_storage_key_of_the_machine_is_used_and_left_alone);
    tcase_add_loop_test(tc, another_key_in_the_place_of_the_storage_key_is_not_used, 0, 3);
    tcase_add_loop_test(tc, tpm2_openssl_reads_our_keys_and_signs_with_them, 0, 3);
    tcase_add_test(tc, a_key_that_tpm2_openssl_made_works_here);
    tcase_add_test(tc, a_destroyed_key_is_not_loaded_any_more);
    tcase_add_test(tc, what_signatures_cost);
}

int
main(void)
{
    Suite *suite = suite_create("tpm");
    TCase *password = tcase_create("password");
    TCase *encrypted = tcase_create("encrypted");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(password, setup_password, teardown);
    tcase_add_checked_fixture(encrypted, setup_encrypted, teardown);
    tcase_set_timeout(password, 300);
    tcase_set_timeout(encrypted, 300);
    add_tests(password);
    add_tests(encrypted);
    suite_add_tcase(suite, password);
    suite_add_tcase(suite, encrypted);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
