/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A TPM as it really is: every command of every operation meets, once, every fault that trying
 * again can cure, and nobody who uses the token hears of it. */

#include <check.h>
#include <grp.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/token/tpm/keyfile.h"
#include "agent/token/tpm/tpm.h"
#include "tests/support/tpm-challenge.h"
#include "tests/support/tpm-proxy.h"

#define TIMEOUT_MS 15000 /* less than what the broker gives a token */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static const char *const FAULTS[] = {
    "retry",          "yielded",         "testing", "nv-rate", "object-memory", "object-handles",
    "session-memory", "session-handles", "memory",  "reset",   "resume",        "cut",
    "lost",
};

static const SignetKeyScheme ECDSA = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
static const SignetKeyScheme PSS = {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256,
                                    32, NULL};

#define STORAGE_KEY \
    "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'"

static Swtpm *swtpm;
static TpmProxy *proxy;
static SignetToken *token;
static gboolean bus_encryption;
static gboolean has_srk;
static SignetKey *attester;
static SignetTokenChallenge challenge; /* for it */

/* --- one request at a time --- */

typedef struct {
    gboolean answered;
    char *problem; /* (owned, nullable) */
    GBytes *result;
    SignetKey *key;
} Answer;

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    answer->answered = TRUE;
    answer->problem = error ? g_strdup(error->message) : NULL;
    answer->result = result ? g_bytes_ref(result) : NULL;
}

static void
on_key(SignetKey *key, const GError *error, gpointer data)
{
    Answer *answer = data;

    on_done(NULL, error, answer);
    answer->key = key ? signet_key_ref(key) : NULL;
}

static void
wait_for(const Answer *answer)
{
    while (!answer->answered)
        g_main_context_iteration(NULL, TRUE);
}

static const SignetTokenWait WAIT = {.timeout_ms = TIMEOUT_MS};

static Answer
sign(SignetKey *key, GBytes *digest)
{
    const SignetKeyScheme *scheme = key->type == SIGNET_KEY_RSA_2048 ? &PSS : &ECDSA;
    Answer answer = {0};

    signet_token_sign(token, &WAIT, key, scheme, digest, on_done, &answer);
    wait_for(&answer);
    return answer;
}

static gboolean
verifies(const SignetKey *key, GBytes *digest, GBytes *signature)
{
    const unsigned char *der = g_bytes_get_data(key->spki, NULL);
    g_autoptr(EVP_PKEY) pkey = d2i_PUBKEY(NULL, &der, (long)g_bytes_get_size(key->spki));
    g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new(pkey, NULL);

    EVP_PKEY_verify_init(ctx);
    if (key->type == SIGNET_KEY_RSA_2048) {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256());
    }
    return EVP_PKEY_verify(ctx, g_bytes_get_data(signature, NULL), g_bytes_get_size(signature),
                           g_bytes_get_data(digest, NULL), g_bytes_get_size(digest)) == 1;
}

/* The problem in words (free with g_free()), NULL when there is none. */
static char *
sign_and_verify(SignetKey *key)
{
    guint8 bytes[32];
    g_autoptr(GBytes) digest = NULL;
    g_autoptr(GBytes) signature = NULL;
    Answer answer;

    memset(bytes, g_random_int_range(0, 256), sizeof bytes);
    digest = g_bytes_new(bytes, sizeof bytes);
    answer = sign(key, digest);
    signature = answer.result;
    if (answer.problem)
        return answer.problem;
    return verifies(key, digest, signature) ? NULL : g_strdup("a wrong signature");
}

static SignetKey *
generate(guint32 type, char **ret_problem)
{
    const SignetKeyTemplate template = {.type = type};
    Answer answer = {0};

    signet_token_generate(token, &WAIT, &template, on_key, &answer);
    wait_for(&answer);
    *ret_problem = answer.problem;
    return answer.key;
}

static SignetKey *
generate_ok(guint32 type)
{
    char *problem;
    SignetKey *key = generate(type, &problem);

    ck_assert_msg(key != NULL, "%s", problem);
    return key;
}

static void
open_token(void)
{
    const SignetTokenSettings settings = {.name = "tpm"};

    g_clear_pointer(&token, signet_token_unref);
    token = signet_tpm_token_new(&settings, proxy->tcti, bus_encryption);
}

/* --- fixtures: with and without bus encryption and storage key --- */

static void
setup(void)
{
    g_autofree char *out = NULL;

    swtpm = swtpm_new();
    if (has_srk) {
        out = swtpm_shell(swtpm,
                          "tpm2_createprimary -Q -C o -G ecc " STORAGE_KEY " -c \"$dir/srk\" && "
                          "tpm2_evictcontrol -Q -C o -c \"$dir/srk\" 0x81000001 && "
                          "tpm2_flushcontext -t");
        ck_assert_ptr_nonnull(out);
    }
    proxy = tpm_proxy_new(swtpm, "none");
    open_token();
}

static void
setup_password(void)
{
    setup();
}

static void
setup_password_srk(void)
{
    has_srk = TRUE;
    setup();
}

static void
setup_encrypted(void)
{
    bus_encryption = TRUE;
    setup();
}

static void
setup_encrypted_srk(void)
{
    bus_encryption = has_srk = TRUE;
    setup();
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    g_clear_pointer(&proxy, tpm_proxy_free);
    g_clear_pointer(&swtpm, swtpm_free);
}

/* --- every command of an operation --- */

typedef struct {
    const char *name;
    void (*prepare)(SignetKey **keys); /* not counted; nullable */
    char *(*act)(SignetKey **keys);    /* the problem, NULL: none */
    gboolean needs_attester;
} Operation;

#define KEYS 4 /* more than fit */

static guint
hit_command(const Operation *operation, SignetKey **keys, const char *fault, guint nth)
{
    guint before = tpm_proxy_count_faults(proxy);
    g_autofree char *problem = NULL;

    if (operation->prepare)
        operation->prepare(keys);
    tpm_proxy_order(proxy, nth, fault);
    problem = operation->act(keys);
    ck_assert_msg(!problem, "%s, command %u, %s: %s", operation->name, nth, fault, problem);
    ck_assert_msg(tpm_proxy_count_faults(proxy) == before + 1, "%s: command %u did not meet '%s'",
                  operation->name, nth, fault);
    return 1;
}

static void
hit_every_command(const Operation *operation, SignetKey **keys)
{
    g_autofree char *problem = NULL;
    guint before, commands, hits = 0;

    if (operation->prepare)
        operation->prepare(keys);
    before = tpm_proxy_count(proxy);
    problem = operation->act(keys);
    ck_assert_msg(!problem, "%s: %s", operation->name, problem);
    commands = tpm_proxy_count(proxy) - before;
    ck_assert_uint_gt(commands, 0);
    for (guint i = 0; i < G_N_ELEMENTS(FAULTS); i++) {
        for (guint nth = 1; nth <= commands; nth++)
            hits += hit_command(operation, keys, FAULTS[i], nth);
    }
    g_printerr("# %s: %u commands, each hit by %zu faults, %u times in all\n", operation->name,
               commands, G_N_ELEMENTS(FAULTS), hits);
}

static void
start_cold(SignetKey **keys)
{
    open_token();
}

static void
warm_up(SignetKey **keys)
{
    g_autofree char *problem = sign_and_verify(keys[0]);

    ck_assert_msg(!problem, "%s", problem);
}

static void
warm_up_others(SignetKey **keys)
{
    for (guint i = 1; i < KEYS; i++) {
        g_autofree char *problem = sign_and_verify(keys[i]);

        ck_assert_msg(!problem, "%s", problem);
    }
}

static char *
sign_first(SignetKey **keys)
{
    return sign_and_verify(keys[0]);
}

static char *
sign_rsa(SignetKey **keys)
{
    return sign_and_verify(keys[KEYS - 1]);
}

static char *
make_use_and_destroy(SignetKey **keys)
{
    char *problem;
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256, &problem);
    Answer answer = {0};

    if (!problem)
        problem = sign_and_verify(key);
    if (problem)
        return problem;
    signet_token_destroy(token, &WAIT, key, on_done, &answer);
    wait_for(&answer);
    return answer.problem;
}

static char *
certify_first(SignetKey **keys)
{
    g_autoptr(GBytes) nonce = g_bytes_new_static("nonce", 5);
    Answer answer = {0};

    signet_token_certify(token, &WAIT, attester, keys[0], nonce, on_done, &answer);
    wait_for(&answer);
    g_clear_pointer(&answer.result, g_bytes_unref);
    return answer.problem;
}

static char *
answer_challenge(SignetKey **keys)
{
    Answer answer = {0};

    signet_token_activate(token, &WAIT, attester, &challenge, on_done, &answer);
    wait_for(&answer);
    if (!answer.problem && memcmp(g_bytes_get_data(answer.result, NULL), TPM_CHALLENGE_ANSWER,
                                  strlen(TPM_CHALLENGE_ANSWER)) != 0)
        answer.problem = g_strdup("a wrong answer");
    g_clear_pointer(&answer.result, g_bytes_unref);
    return answer.problem;
}

/* An attestation key, and a challenge for it. */
static void
make_attester(SignetKey *key)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256, .is_attester = TRUE};
    g_autoptr(GBytes) nonce = g_bytes_new(NULL, 0);
    g_autoptr(GVariant) evidence = NULL;
    g_autoptr(GVariant) public = NULL;
    g_autoptr(GBytes) bytes = NULL;
    Answer made = {0}, certified = {0};

    signet_token_generate(token, &WAIT, &template, on_key, &made);
    wait_for(&made);
    attester = made.key;
    signet_token_certify(token, &WAIT, attester, key, nonce, on_done, &certified);
    wait_for(&certified);
    ck_assert_msg(certified.result != NULL, "%s", certified.problem);
    evidence = signet_token_facts_from_bytes(certified.result);
    g_bytes_unref(certified.result);
    public = g_variant_lookup_value(evidence, SIGNET_EVIDENCE_ATTESTER, G_VARIANT_TYPE_BYTESTRING);
    bytes = g_variant_get_data_as_bytes(public);
    g_clear_pointer(&token, signet_token_unref);
    tpm_challenge_make(swtpm, bytes, "ecc", &challenge);
    open_token();
}

static const Operation OPERATIONS[] = {
    {"a signature of a cold agent", start_cold, sign_first},
    {"a warm signature", warm_up, sign_first},
    {"a signature with a key that takes another's place", warm_up_others, sign_first},
    {"an RSA signature of a cold agent", start_cold, sign_rsa},
    {"the first key of an agent, made, used and destroyed", start_cold, make_use_and_destroy},
    {"a key made, used and destroyed", warm_up, make_use_and_destroy},
    {"a key certified by a cold agent", start_cold, certify_first, TRUE},
    {"a key certified in others' places", warm_up_others, certify_first, TRUE},
    {"a challenge answered in others' places", warm_up_others, answer_challenge, TRUE},
};

/* However it was hit, the TPM has room for three keys, and the keys are the same. */
START_TEST(no_fault_of_one_command_reaches_the_user)
{
    SignetKey *keys[KEYS];
    g_autofree char *left = NULL;

    for (guint i = 0; i < KEYS; i++)
        keys[i] = generate_ok(i == KEYS - 1 ? SIGNET_KEY_RSA_2048 : SIGNET_KEY_EC_P256);
    if (OPERATIONS[_i].needs_attester)
        make_attester(keys[0]);
    hit_every_command(&OPERATIONS[_i], keys);
    for (guint i = 0; i < 2 * KEYS; i++) {
        g_autofree char *problem = sign_and_verify(keys[i % KEYS]);

        ck_assert_msg(!problem, "%s", problem);
    }
    for (guint i = 0; i < KEYS; i++)
        signet_key_unref(keys[i]);
    g_clear_pointer(&attester, signet_key_unref);
    tpm_challenge_clear(&challenge);
    g_clear_pointer(&token, signet_token_unref);
    left = swtpm_shell(swtpm, "tpm2_getcap handles-transient; tpm2_getcap handles-loaded-session");
    ck_assert_str_eq(left, "");
}
END_TEST

/* --- what no trying cures --- */

START_TEST(a_fault_that_stays_is_said_in_words_and_in_time)
{
    static const struct {
        const char *fault;
        const char *words;
    } rows[] = {
        {"failure", "failure mode"},
        {"object-memory", "no room left"},
        {"retry", "cannot sign"},
        {"cut", "connection to the TPM broke"},
    };
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    gint64 began_us = g_get_monotonic_time();
    g_autofree char *problem = NULL;
    Answer answer;

    tpm_proxy_order_from(proxy, 1, rows[_i].fault);
    answer = sign(key, digest);
    ck_assert_ptr_null(answer.result);
    ck_assert_msg(strstr(answer.problem, rows[_i].words) != NULL, "%s", answer.problem);
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 9 * G_USEC_PER_SEC);
    g_free(answer.problem);

    tpm_proxy_order(proxy, 1000, "retry");
    g_usleep(1100000); /* a token that is absent is looked for once a second */
    problem = sign_and_verify(key);
    ck_assert_msg(!problem, "%s", problem);
}
END_TEST

/* What signing says. */
static char *
problem_of(SignetKey *key)
{
    guint8 bytes[32] = {1};
    g_autoptr(GBytes) digest = g_bytes_new(bytes, sizeof bytes);
    Answer answer = sign(key, digest);

    ck_assert_ptr_null(answer.result);
    return answer.problem;
}

static void
expect_problem(SignetKey *key, const char *words)
{
    g_autofree char *problem = problem_of(key);

    ck_assert_msg(strstr(problem, words) != NULL, "%s", problem);
}

/* Others cannot talk to a software TPM beside us. */
static void
with_tools(const char *command)
{
    g_autofree char *out = NULL;

    g_clear_pointer(&token, signet_token_unref);
    out = swtpm_shell(swtpm, command);
    ck_assert_msg(out != NULL, "%s", command);
    open_token();
}

START_TEST(a_cleared_tpm_is_called_that)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256);
    g_autoptr(SignetKey) new_key = NULL;
    g_autofree char *problem = NULL;

    with_tools("tpm2_clear");
    expect_problem(key, "this TPM was cleared since the key was made");
    new_key = generate_ok(SIGNET_KEY_EC_P256);
    problem = sign_and_verify(new_key);
    ck_assert_msg(!problem, "%s", problem);
}
END_TEST

START_TEST(a_cleared_tpm_that_had_a_storage_key_is_called_that)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256);

    with_tools("tpm2_clear");
    expect_problem(key, "0x81000001, under which the key was made, is gone: this TPM was cleared");
    with_tools("tpm2_createprimary -Q -C o -G ecc " STORAGE_KEY " -c \"$dir/srk\" && "
               "tpm2_evictcontrol -Q -C o -c \"$dir/srk\" 0x81000001 && tpm2_flushcontext -t");
    expect_problem(key, "this TPM was cleared since the key was made");
}
END_TEST

START_TEST(another_tpm_is_called_that)
{
    g_autoptr(SignetKey) key = generate_ok(SIGNET_KEY_EC_P256);

    g_clear_pointer(&token, signet_token_unref);
    swtpm_replace(swtpm);
    open_token();
    expect_problem(key, "the key was made by another TPM; enrol");
}
END_TEST

START_TEST(an_endorsement_hierarchy_with_a_password_leaves_the_difference_open)
{
    g_autoptr(SignetKey) key = NULL;
    g_autofree char *problem = NULL;

    with_tools("tpm2_changeauth -c e secret");
    key = generate_ok(SIGNET_KEY_EC_P256);
    problem = sign_and_verify(key);
    ck_assert_msg(!problem, "%s", problem);
    with_tools("tpm2_clear");
    expect_problem(key, "made by another TPM, or this TPM was cleared since");
}
END_TEST

START_TEST(a_damaged_key_is_called_that)
{
    g_autoptr(SignetKey) good = generate_ok(SIGNET_KEY_EC_P256);
    g_autoptr(SignetKey) key = NULL;
    g_autoptr(GBytes) blob = NULL;
    g_autofree char *problem = NULL;
    SignetTpmKeyFile file;

    ck_assert(signet_tpm_key_file_decode(good->blob, &file, NULL));
    file.private.buffer[file.private.size - 1] ^= 1;
    blob = signet_tpm_key_file_encode(&file);
    key = signet_key_new(good->type, blob, good->auth, good->spki);
    expect_problem(key, "the stored key is damaged: this TPM made it");

    g_clear_pointer(&blob, g_bytes_unref);
    g_clear_pointer(&key, signet_key_unref);
    file.parent_name.size = 0; /* as others write key files */
    blob = signet_tpm_key_file_encode(&file);
    key = signet_key_new(good->type, blob, good->auth, good->spki);
    expect_problem(key, "not made by this TPM, or the TPM was cleared since, or the stored key");
    problem = sign_and_verify(good);
    ck_assert_msg(!problem, "%s", problem);
}
END_TEST

static SignetKey *
key_of_others(const char *password)
{
    g_autofree char *pem_path = g_build_filename(swtpm->dir, "key.pem", NULL);
    g_autofree char *spki_path = g_build_filename(swtpm->dir, "spki.der", NULL);
    g_autoptr(SignetSecret) auth = signet_secret_new(password, strlen(password));
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;
    char *pem, *der;
    gsize size;

    ck_assert(g_file_get_contents(pem_path, &pem, &size, NULL));
    blob = g_bytes_new_take(pem, size);
    ck_assert(g_file_get_contents(spki_path, &der, &size, NULL));
    spki = g_bytes_new_take(der, size);
    return signet_key_new(SIGNET_KEY_EC_P256, blob, auth, spki);
}

/* Our own keys never count towards it. */
START_TEST(a_locked_tpm_says_for_how_long)
{
    g_autoptr(SignetKey) ours = generate_ok(SIGNET_KEY_EC_P256);
    g_autoptr(SignetKey) wrong = NULL;
    g_autoptr(SignetKey) right = NULL;
    g_autofree char *problem = NULL;

    with_tools("cd \"$dir\" && openssl genpkey -provider tpm2 -provider default -algorithm EC "
               "-pkeyopt group:P-256 -pkeyopt user-auth:right -out key.pem && "
               "openssl pkey -provider tpm2 -provider default -in key.pem -passin pass:right "
               "-pubout -outform DER -out spki.der && "
               "tpm2_dictionarylockout -s -n 2 -t 600 -l 0");
    wrong = key_of_others("wrong");
    right = key_of_others("right");
    for (guint i = 0; i < 2; i++) {
        open_token(); /* or the password of the first time stays */
        expect_problem(wrong, "auth value was refused");
    }
    open_token();
    expect_problem(right,
                   "locked after 2 wrong passwords (its limit is 2); it unlocks by itself in "
                   "at most 10 min");
    problem = sign_and_verify(ours);
    ck_assert_msg(!problem, "%s", problem);
    with_tools("tpm2_dictionarylockout -c");
    problem = sign_and_verify(right);
    ck_assert_msg(!problem, "%s", problem);
}
END_TEST

#define NOBODY 65534

START_TEST(a_device_that_we_may_not_open_says_who_may)
{
    const SignetTokenSettings settings = {.name = "tpm"};
    const struct group *group = getgrnam("daemon");
    g_autofree char *path = g_build_filename(swtpm->dir, "tpmrm0", NULL);
    g_autofree char *tcti = g_strdup_printf("device:%s", path);
    g_autofree char *expected =
        g_strdup_printf("cannot open '%s': permission denied; add the user 'nobody' to the group "
                        "'daemon'",
                        path);
    char *problem;

    ck_assert(g_file_set_contents(path, "", 0, NULL));
    ck_assert_int_eq(chown(path, 0, group->gr_gid), 0);
    ck_assert_int_eq(chmod(path, 0660), 0);
    ck_assert_int_eq(chmod(swtpm->dir, 0755), 0);
    signet_token_unref(token);
    token = signet_tpm_token_new(&settings, tcti, FALSE);
    ck_assert_int_eq(seteuid(NOBODY), 0);
    ck_assert_ptr_null(generate(SIGNET_KEY_EC_P256, &problem));
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_msg(strstr(problem, expected) != NULL, "%s", problem);
    g_free(problem);
}
END_TEST

/* --- fairness at the speed of a chip --- */

#define FLOODING 50 /* requests of one client, always */
#define SAMPLES  9

typedef struct {
    SignetKey *key; /* (unowned) */
    GBytes *digest; /* (unowned) */
    guint running;
    gboolean stopped;
} Flood;

static void
flood(Flood *flood, SignetTokenDone on_flooded)
{
    const SignetTokenWait wait = {.client = 1, .timeout_ms = 60000};

    flood->running++;
    signet_token_sign(token, &wait, flood->key, &ECDSA, flood->digest, on_flooded, flood);
}

static void
on_flooded(GBytes *result, const GError *error, gpointer data)
{
    Flood *f = data;

    f->running--;
    if (!f->stopped)
        flood(f, on_flooded);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return (x > y) - (x < y);
}

/* Of client 2, in microseconds. */
static gint64
median_time(SignetKey *key, GBytes *digest)
{
    const SignetTokenWait wait = {.client = 2, .timeout_ms = 60000};
    gint64 times_us[SAMPLES];

    for (guint i = 0; i < SAMPLES; i++) {
        Answer answer = {0};
        gint64 began_us = g_get_monotonic_time();

        signet_token_sign(token, &wait, key, &ECDSA, digest, on_done, &answer);
        wait_for(&answer);
        times_us[i] = g_get_monotonic_time() - began_us;
        ck_assert_msg(!answer.problem, "%s", answer.problem);
        g_bytes_unref(answer.result);
    }
    qsort(times_us, SAMPLES, sizeof times_us[0], compare);
    return times_us[SAMPLES / 2];
}

START_TEST(one_who_floods_makes_nobody_wait_longer_than_two_operations)
{
    g_autoptr(SignetKey) key = NULL;
    g_autoptr(GBytes) digest = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    Flood f = {.digest = digest};
    gint64 alone_us, beside_us;

    tpm_proxy_free(proxy);
    proxy = tpm_proxy_new(swtpm, "slb9670");
    open_token();
    f.key = key = generate_ok(SIGNET_KEY_EC_P256);
    signet_key_unref(generate_ok(SIGNET_KEY_EC_P256));
    alone_us = median_time(key, digest);
    for (guint i = 0; i < FLOODING; i++)
        flood(&f, on_flooded);
    beside_us = median_time(key, digest);
    f.stopped = TRUE;
    g_printerr("# alone %.0f ms, beside a flood %.0f ms: waited %.2f operations\n",
               (double)alone_us / 1000, (double)beside_us / 1000,
               (double)(beside_us - alone_us) / (double)alone_us);
    while (f.running > 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_gt(alone_us, 69000);
    ck_assert_int_le(beside_us - alone_us, 2 * alone_us);
}
END_TEST

static void
add_case(Suite *suite, const char *name, SFun fixture)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, fixture, teardown);
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, no_fault_of_one_command_reaches_the_user, 0, G_N_ELEMENTS(OPERATIONS));
    suite_add_tcase(suite, tc);
}

int
main(void)
{
    Suite *suite = suite_create("tpm-faults");
    TCase *rest = tcase_create("rest");
    TCase *srk = tcase_create("srk");
    SRunner *runner;
    int failed;

    unsetenv("OPENSSL_CONF");
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    add_case(suite, "password", setup_password);
    add_case(suite, "password-srk", setup_password_srk);
    add_case(suite, "encrypted", setup_encrypted);
    add_case(suite, "encrypted-srk", setup_encrypted_srk);
    tcase_add_checked_fixture(rest, setup_encrypted, teardown);
    tcase_set_timeout(rest, 300);
    tcase_add_loop_test(rest, a_fault_that_stays_is_said_in_words_and_in_time, 0, 4);
    tcase_add_test(rest, a_cleared_tpm_is_called_that);
    tcase_add_test(rest, another_tpm_is_called_that);
    tcase_add_test(rest, an_endorsement_hierarchy_with_a_password_leaves_the_difference_open);
    tcase_add_test(rest, a_damaged_key_is_called_that);
    tcase_add_test(rest, a_locked_tpm_says_for_how_long);
    tcase_add_test(rest, a_device_that_we_may_not_open_says_who_may);
    tcase_add_test(rest, one_who_floods_makes_nobody_wait_longer_than_two_operations);
    suite_add_tcase(suite, rest);
    tcase_add_checked_fixture(srk, setup_encrypted_srk, teardown);
    tcase_set_timeout(srk, 300);
    tcase_add_test(srk, a_cleared_tpm_that_had_a_storage_key_is_called_that);
    tcase_add_test(srk, another_tpm_is_called_that);
    tcase_add_test(srk, a_damaged_key_is_called_that);
    suite_add_tcase(suite, srk);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
