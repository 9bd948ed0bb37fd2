/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who may do what with which key, and that it is done. */

#include <check.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/broker/ask.h"
#include "tests/unit/broker/handshake.h"
#include "tests/unit/broker/world.h"

static World *world;

static void
setup(void)
{
    world = world_new();
}

static void
teardown(void)
{
    world_free(world);
}

/* --- asking --- */

static void
ask(UseFunc func, const SignetRequester *requester, const SignetUse *use, Answer *ret_answer)
{
    answer_ask(world->broker, func, requester, use, ret_answer);
}

static SignetUse
sign_use(const char *identity, GBytes *message)
{
    return (SignetUse) {.identity = identity,
                        .scheme = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256},
                        .data = message};
}

/* --- who --- */

static const struct {
    uid_t sender;
    uid_t connection;
    const char *identity;
    int error; /* -1: none */
} who_rows[] = {
    {WORLD_NOBODY, WORLD_NOBODY, "app", -1},
    {0, 0, "app", -1},
    {0, WORLD_NOBODY, "app", -1},
    {WORLD_NOBODY, 0, "app", -1},
    {WORLD_WWW_DATA, WORLD_WWW_DATA, "app", SIGNET_ERROR_NOT_FOUND},
    {WORLD_WWW_DATA, WORLD_NOBODY, "app", SIGNET_ERROR_NOT_FOUND},
    {WORLD_NOBODY, WORLD_WWW_DATA, "app", SIGNET_ERROR_NOT_FOUND},
    {WORLD_NOBODY, 0, "own", SIGNET_ERROR_NOT_FOUND},
    {0, WORLD_NOBODY, "own", SIGNET_ERROR_NOT_FOUND},
    {0, 0, "own", -1},
    {WORLD_NOBODY, WORLD_NOBODY, "unit", SIGNET_ERROR_NOT_FOUND},
    {0, 0, "nonesuch", SIGNET_ERROR_NOT_FOUND},
    {0, 0, "ca.local", SIGNET_ERROR_NOT_FOUND},
    {WORLD_NOBODY, WORLD_NOBODY, "empty", SIGNET_ERROR_NOT_FOUND},
    {WORLD_NOBODY, WORLD_NOBODY, "gone", SIGNET_ERROR_TOKEN_ABSENT},
};

START_TEST(sender_and_connection_must_both_be_allowed)
{
    g_autoptr(SignetPeer) sender = peer_of(who_rows[_i].sender);
    g_autoptr(SignetPeer) connection = peer_of(who_rows[_i].connection);
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetRequester requester = {.sender = sender, .connection = connection, .client = 1};
    SignetUse use = sign_use(who_rows[_i].identity, message);
    g_auto(Answer) answer = {0};

    ask(signet_broker_sign, &requester, &use, &answer);
    if (who_rows[_i].error < 0) {
        ck_assert_msg(!answer.error, "%s", answer.error ? answer.error->message : "");
        ck_assert(world_verify(world, use.identity, 0, message, answer.result));
    } else {
        ck_assert_ptr_null(answer.result);
        ck_assert_int_eq(answer.error->code, who_rows[_i].error);
    }
}
END_TEST

static char *
refusal_of(const char *identity)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_WWW_DATA);
    SignetRequester requester = {.sender = peer, .connection = peer};
    g_autoptr(GError) error = NULL;
    GString *text;

    ck_assert_ptr_null(signet_broker_lookup(world->broker, &requester, identity, 0, NULL, &error));
    text = g_string_new(error->message);
    g_string_replace(text, identity, "NAME", 0);
    g_string_append_printf(text, " (%d)", error->code);
    return g_string_free(text, FALSE);
}

START_TEST(a_stranger_cannot_tell_what_is_there_from_what_is_not)
{
    g_autofree char *there = refusal_of("app");
    g_autofree char *empty = refusal_of("empty");
    g_autofree char *nowhere = refusal_of("nonesuch");
    g_autofree char *of_jobs = refusal_of("ca.local");

    ck_assert_str_eq(there, nowhere);
    ck_assert_str_eq(empty, nowhere);
    ck_assert_str_eq(of_jobs, nowhere);
}
END_TEST

START_TEST(a_list_holds_what_the_peer_may_use)
{
    static const struct {
        uid_t uid;
        const char *names;
    } rows[] = {
        {WORLD_NOBODY, "all app gone"},
        {WORLD_WWW_DATA, "web"},
        {4242, ""},
        {0, "all app ed25519 edge gone own unit web"},
    };
    g_autoptr(SignetPeer) peer = peer_of(rows[_i].uid);
    SignetRequester requester = {.sender = peer};
    g_auto(GStrv) list = signet_broker_list(world->broker, &requester);
    g_autofree char *names = g_strjoinv(" ", list);

    ck_assert_str_eq(names, rows[_i].names);
}
END_TEST

START_TEST(nobody_in_particular_may_do_nothing)
{
    SignetRequester requester = {0};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse use = sign_use("app", message);
    g_auto(Answer) answer = {0};

    ask(signet_broker_sign, &requester, &use, &answer);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(without_a_policy_nothing_is_allowed)
{
    g_autoptr(SignetPeer) peer = peer_of(0);
    SignetRequester requester = {.sender = peer};
    g_auto(GStrv) list = NULL;

    signet_broker_set_policy(world->broker, NULL);
    list = signet_broker_list(world->broker, &requester);
    ck_assert_ptr_null(list[0]);
    ck_assert_ptr_null(signet_broker_lookup(world->broker, &requester, "app", 0, NULL, NULL));
}
END_TEST

/* --- what --- */

static GBytes *
csr_message(void)
{
    EVP_PKEY *key = handshake_make_key(FALSE);
    X509_REQ *request = X509_REQ_new();
    guint8 *der = NULL;
    GBytes *bytes;
    int size;

    X509_REQ_set_pubkey(request, key);
    size = i2d_re_X509_REQ_tbs(request, &der);
    ck_assert_int_gt(size, 0);
    bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return bytes;
}

typedef enum { CLIENT, SERVER, CSR, JWT, DIGEST } What;

static GBytes *
make_message(What what)
{
    static const char jwt[] = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0";

    switch (what) {
    case CLIENT:
        return world_tls13_message("client");
    case SERVER:
        return world_tls13_message("server");
    case CSR:
        return csr_message();
    case JWT:
        return g_bytes_new_static(jwt, strlen(jwt));
    case DIGEST:
        return g_bytes_new_static(jwt, 32);
    }
    return NULL;
}

static const struct {
    const char *identity;
    uid_t uid;
    What what;
    gboolean is_allowed;
    const char *words;
} what_rows[] = {
    {"app", WORLD_NOBODY, CLIENT, TRUE, NULL},
    {"app", WORLD_NOBODY, SERVER, FALSE, "'tls-server'"},
    {"app", WORLD_NOBODY, CSR, FALSE, "'csr'"},
    {"app", WORLD_NOBODY, JWT, FALSE, "not recognised"},
    {"app", WORLD_NOBODY, DIGEST, FALSE, "bare digest"},
    {"app", 0, JWT, FALSE, "not recognised"},
    {"app", 0, DIGEST, FALSE, "bare digest"},
    {"web", WORLD_WWW_DATA, SERVER, TRUE, NULL},
    {"web", WORLD_WWW_DATA, CLIENT, FALSE, "'tls-client'"},
    {"own", 0, CLIENT, TRUE, NULL},
    {"own", 0, CSR, TRUE, NULL},
    {"own", 0, JWT, TRUE, NULL},
    {"own", 0, DIGEST, TRUE, NULL},
};

START_TEST(only_listed_purposes_are_served)
{
    g_autoptr(SignetPeer) peer = peer_of(what_rows[_i].uid);
    g_autoptr(GBytes) message = make_message(what_rows[_i].what);
    SignetRequester requester = {.sender = peer, .connection = peer, .client = 1};
    SignetUse use = sign_use(what_rows[_i].identity, message);
    g_auto(Answer) answer = {0};

    use.is_digest = what_rows[_i].what == DIGEST;
    ask(signet_broker_sign, &requester, &use, &answer);
    ck_assert_int_eq(answer.result != NULL, what_rows[_i].is_allowed);
    if (what_rows[_i].is_allowed)
        return;
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_DENIED));
    ck_assert_msg(strstr(answer.error->message, what_rows[_i].words) != NULL, "%s",
                  answer.error->message);
}
END_TEST

START_TEST(sha1_makes_a_message_as_good_as_a_digest)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    g_autoptr(SignetPeer) root = peer_of(0);
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetRequester requester = {.sender = peer}, as_root = {.sender = root};
    SignetUse use = sign_use("app", message);
    g_auto(Answer) answer = {0}, allowed = {0};

    use.scheme.hash = SIGNET_HASH_SHA1;
    ask(signet_broker_sign, &requester, &use, &answer);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_DENIED));
    ck_assert_ptr_nonnull(strstr(answer.error->message, "SHA-1"));
    use.identity = "own";
    ask(signet_broker_sign, &as_root, &use, &allowed);
    ck_assert_ptr_nonnull(allowed.result);
}
END_TEST

static const struct {
    const char *what;
    const char *identity;
    UseFunc func;
    SignetKeyScheme scheme;
    gsize size;
    gboolean is_digest;
    int error; /* -1: none */
} fit_rows[] = {
    {"ECDSA with RSA",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_ECDSA, SIGNET_HASH_SHA256},
     9,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"unknown scheme",
     "all",
     signet_broker_sign,
     {77, SIGNET_HASH_SHA256},
     9,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"OAEP signs",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_OAEP, SIGNET_HASH_SHA256},
     9,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"unknown hash",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PKCS1, 99},
     9,
     FALSE,
     SIGNET_ERROR_UNSUPPORTED},
    {"no hash",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PKCS1, 0},
     9,
     FALSE,
     SIGNET_ERROR_UNSUPPORTED},
    {"raw PKCS#1", "all", signet_broker_sign, {SIGNET_SCHEME_RSA_PKCS1, 0}, 36, TRUE, -1},
    {"raw PKCS#1, most", "all", signet_broker_sign, {SIGNET_SCHEME_RSA_PKCS1, 0}, 245, TRUE, -1},
    {"raw PKCS#1, too much",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PKCS1, 0},
     246,
     TRUE,
     SIGNET_ERROR_BAD_REQUEST},
    {"raw PSS",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PSS, 0, 3, 32},
     32,
     TRUE,
     SIGNET_ERROR_UNSUPPORTED},
    {"PSS",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 32},
     9,
     FALSE,
     -1},
    {"PSS, largest salt",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 222},
     9,
     FALSE,
     -1},
    {"PSS, salt too large",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, SIGNET_HASH_SHA256, 223},
     9,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"PSS without MGF1",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PSS, SIGNET_HASH_SHA256, 0, 32},
     9,
     FALSE,
     SIGNET_ERROR_UNSUPPORTED},
    {"digest of another size",
     "all",
     signet_broker_sign,
     {SIGNET_SCHEME_RSA_PKCS1, SIGNET_HASH_SHA256},
     31,
     TRUE,
     SIGNET_ERROR_BAD_REQUEST},
    {"short ciphertext",
     "all",
     signet_broker_decrypt,
     {SIGNET_SCHEME_RSA_PKCS1},
     255,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"PSS decrypts",
     "all",
     signet_broker_decrypt,
     {SIGNET_SCHEME_RSA_PSS},
     256,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"OAEP without hash",
     "all",
     signet_broker_decrypt,
     {SIGNET_SCHEME_RSA_OAEP},
     256,
     FALSE,
     SIGNET_ERROR_UNSUPPORTED},
    {"RSA derives",
     "all",
     signet_broker_derive,
     {SIGNET_SCHEME_ECDH},
     65,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"EC decrypts",
     "own",
     signet_broker_decrypt,
     {SIGNET_SCHEME_RSA_PKCS1},
     256,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"point too short",
     "own",
     signet_broker_derive,
     {SIGNET_SCHEME_ECDH},
     64,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"no point",
     "own",
     signet_broker_derive,
     {SIGNET_SCHEME_ECDH},
     65,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
    {"empty point",
     "own",
     signet_broker_derive,
     {SIGNET_SCHEME_ECDH},
     0,
     FALSE,
     SIGNET_ERROR_BAD_REQUEST},
};

START_TEST(what_does_not_fit_the_key_never_reaches_the_token)
{
    g_autoptr(SignetPeer) peer = peer_of(0);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) data = g_bytes_new_take(g_malloc0(fit_rows[_i].size + 1), fit_rows[_i].size);
    SignetUse use = {.identity = fit_rows[_i].identity,
                     .scheme = fit_rows[_i].scheme,
                     .data = data,
                     .is_digest = fit_rows[_i].is_digest};
    g_auto(Answer) answer = {0};

    ask(fit_rows[_i].func, &requester, &use, &answer);
    ck_assert_msg((answer.error ? answer.error->code : -1) == fit_rows[_i].error, "%s: %s",
                  fit_rows[_i].what, answer.error ? answer.error->message : "no error");
    ck_assert_int_eq(world->control.signatures, fit_rows[_i].error < 0 ? 1 : 0);
}
END_TEST

START_TEST(decrypting_and_deriving_are_purposes_of_their_own)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) data = g_bytes_new_take(g_malloc0(65), 65);
    SignetUse use = {.identity = "app", .scheme = {SIGNET_SCHEME_ECDH}, .data = data};
    g_auto(Answer) derive = {0}, decrypt = {0};

    ask(signet_broker_derive, &requester, &use, &derive);
    ck_assert(signet_error_is(derive.error, SIGNET_ERROR_DENIED));
    ck_assert_ptr_nonnull(strstr(derive.error->message, "'derive'"));
    ask(signet_broker_decrypt, &requester, &use, &decrypt);
    ck_assert(signet_error_is(decrypt.error, SIGNET_ERROR_DENIED));
    ck_assert_ptr_nonnull(strstr(decrypt.error->message, "'decrypt'"));
}
END_TEST

/* --- generations --- */

START_TEST(current_and_retired_generations_are_usable_pending_ones_are_not)
{
    static const struct {
        guint32 asked, found;
    } rows[] = {{0, 2}, {1, 1}, {2, 2}, {3, 0}, {4, 0}};
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GError) error = NULL;
    SignetGeneration *found =
        signet_broker_lookup(world->broker, &requester, "app", rows[_i].asked, NULL, &error);

    ck_assert_uint_eq(found ? found->number : 0, rows[_i].found);
    ck_assert(found || signet_error_is(error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(a_generation_is_found_by_its_public_key)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};

    for (guint32 number = 1; number <= 3; number++) {
        GBytes *spki = signet_inventory_get(world->inventory, "app", number)->key->spki;
        SignetGeneration *found =
            signet_broker_lookup(world->broker, &requester, "app", 99, spki, NULL);

        ck_assert_uint_eq(found ? found->number : 0, number == 3 ? 0 : number);
    }
    ck_assert_ptr_null(
        signet_broker_lookup(world->broker, &requester, "app", 0,
                             signet_inventory_get(world->inventory, "web", 1)->key->spki, NULL));
}
END_TEST

START_TEST(who_used_which_generation_is_noted)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse use = sign_use("app", message);
    g_auto(Answer) good = {0}, bad = {0};
    g_autoptr(GArray) users = NULL;
    SignetUser *user;

    use.generation = 1;
    ask(signet_broker_sign, &requester, &use, &good);
    use.is_digest = TRUE;
    ask(signet_broker_sign, &requester, &use, &bad);
    users = signet_inventory_list_users(world->inventory, "app", 1);
    ck_assert_uint_eq(users->len, 1);
    user = &g_array_index(users, SignetUser, 0);
    ck_assert_uint_eq(user->uid, WORLD_NOBODY);
    ck_assert_uint_eq(user->count, 1);
    ck_assert_int_eq(user->last_s, world->now_s);
}
END_TEST

START_TEST(a_barred_generation_is_nobodys_and_is_said_to_be)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse old = sign_use("app", message), current = sign_use("app", message);
    g_auto(Answer) barred = {0}, good = {0};

    old.generation = 1;
    signet_inventory_bar(world->inventory, "app", 1);
    ask(signet_broker_sign, &requester, &old, &barred);
    ask(signet_broker_sign, &requester, &current, &good);
    ck_assert(signet_error_is(barred.error, SIGNET_ERROR_DENIED));
    ck_assert_ptr_nonnull(strstr(barred.error->message, "OnRevoked=disable"));
    ck_assert_ptr_null(good.error);
}
END_TEST

/* --- jobs --- */

static SignetJob *
make_job(void)
{
    static const char *const none[] = {NULL};
    SignetJobRequest request = {
        .identity = "app",
        .new_generation = 3,
        .current_generation = 2,
        .protocol = "local",
        .subject = "CN=app",
        .dns = none,
        .ip = none,
        .uri = none,
        .email = none,
        .purposes = SIGNET_PURPOSE_TLS_CLIENT,
        .spki = signet_inventory_get(world->inventory, "app", 3)->key->spki,
        .lifetime_s = 3600,
    };

    return signet_job_new(&request);
}

START_TEST(a_job_may_what_it_grants_and_its_peers_are_not_asked)
{
    g_autoptr(SignetJob) job = make_job();
    SignetRequester requester = {.job = job};
    g_autoptr(GBytes) client = world_tls13_message("client");
    g_autoptr(GBytes) server = world_tls13_message("server");
    SignetUse current = sign_use("app", client), wrong = sign_use("app", server);
    SignetUse other = sign_use("web", server), digest = sign_use("app", client);
    g_auto(Answer) allowed = {0}, wrong_purpose = {0}, wrong_identity = {0}, bare = {0};

    digest.is_digest = TRUE;
    ask(signet_broker_sign, &requester, &current, &allowed);
    ck_assert_ptr_nonnull(allowed.result);
    ask(signet_broker_sign, &requester, &wrong, &wrong_purpose);
    ck_assert(signet_error_is(wrong_purpose.error, SIGNET_ERROR_DENIED));
    ask(signet_broker_sign, &requester, &other, &wrong_identity);
    ck_assert(signet_error_is(wrong_identity.error, SIGNET_ERROR_NOT_FOUND));
    ask(signet_broker_sign, &requester, &digest, &bare);
    ck_assert(signet_error_is(bare.error, SIGNET_ERROR_DENIED));
}
END_TEST

START_TEST(a_job_sees_the_pending_generation)
{
    g_autoptr(SignetJob) job = make_job();
    SignetRequester requester = {.job = job};

    ck_assert_ptr_nonnull(signet_broker_lookup(world->broker, &requester, "app", 3, NULL, NULL));
    ck_assert_ptr_null(signet_broker_lookup(world->broker, &requester, "web", 0, NULL, NULL));
}
END_TEST

START_TEST(a_job_neither_decrypts_nor_derives)
{
    g_autoptr(SignetJob) job = make_job();
    SignetRequester requester = {.job = job};
    g_autoptr(GBytes) data = g_bytes_new_take(g_malloc0(65), 65);
    SignetUse use = {.identity = "app", .generation = 3, .data = data};
    g_auto(Answer) derive = {0}, decrypt = {0};

    ask(signet_broker_derive, &requester, &use, &derive);
    ck_assert(signet_error_is(derive.error, SIGNET_ERROR_DENIED));
    ask(signet_broker_decrypt, &requester, &use, &decrypt);
    ck_assert(signet_error_is(decrypt.error, SIGNET_ERROR_DENIED));
}
END_TEST

/* --- life --- */

START_TEST(a_cancelled_use_is_never_answered)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse allowed = sign_use("app", message), refused = sign_use("web", message);
    Answer answer = {0};
    guint64 ids[2];

    ids[0] = signet_broker_sign(world->broker, &requester, &allowed, answer_done, &answer);
    ids[1] = signet_broker_sign(world->broker, &requester, &refused, answer_done, &answer);
    signet_broker_cancel(world->broker, ids[0]);
    signet_broker_cancel(world->broker, ids[1]);
    signet_broker_cancel(world->broker, ids[1]);
    for (int i = 0; i < 50; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    ck_assert_uint_eq(answer.calls, 0);
}
END_TEST

START_TEST(a_broker_may_go_while_uses_wait)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse use = sign_use("app", message), refused = sign_use("web", message);
    SignetBrokerContext context = {world->inventory, world->tokens, &world->clock};
    SignetBroker *broker = signet_broker_new(&context);
    Answer answer = {0};

    signet_broker_set_policy(broker, world->policy);
    signet_broker_sign(broker, &requester, &use, answer_done, &answer);
    signet_broker_sign(broker, &requester, &refused, answer_done, &answer);
    signet_broker_free(broker);
    for (int i = 0; i < 50; i++) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    ck_assert_uint_eq(answer.calls, 0);
}
END_TEST

START_TEST(a_failed_token_is_named)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_NOBODY);
    SignetRequester requester = {.sender = peer};
    g_autoptr(GBytes) message = world_tls13_message("client");
    SignetUse use = sign_use("app", message);
    g_auto(Answer) answer = {0};

    g_atomic_int_set(&world->control.absent, 1);
    ask(signet_broker_sign, &requester, &use, &answer);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_TOKEN_ABSENT));
    ck_assert_ptr_nonnull(strstr(answer.error->message, "'fake'"));
}
END_TEST

typedef struct {
    guint count;
    char *last;
} Told;

static void
on_denied(const SignetRequester *requester, const char *identity, const char *reason, gpointer data)
{
    Told *told = data;

    told->count++;
    g_free(told->last);
    told->last = g_strdup(reason);
}

START_TEST(refusals_are_told_once_per_user_and_identity)
{
    g_autoptr(SignetPeer) peer = peer_of(WORLD_WWW_DATA);
    SignetRequester requester = {.sender = peer};
    Told told = {0};

    signet_broker_set_denied_listener(world->broker, on_denied, &told);
    for (int i = 0; i < 100; i++) {
        signet_broker_lookup(world->broker, &requester, "app", 0, NULL, NULL);
        signet_broker_lookup(world->broker, &requester, "own", 0, NULL, NULL);
    }
    ck_assert_uint_eq(told.count, 2);
    ck_assert_msg(strstr(told.last, "neither root nor its owner") != NULL, "%s", told.last);
    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("invented-%d", i);

        signet_broker_lookup(world->broker, &requester, name, 0, NULL, NULL);
    }
    ck_assert_uint_eq(told.count, 3);
    g_free(told.last);
}
END_TEST

static Suite *
broker_suite(void)
{
    Suite *suite = suite_create("broker");
    TCase *tcase = tcase_create("broker");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, sender_and_connection_must_both_be_allowed, 0,
                        G_N_ELEMENTS(who_rows));
    tcase_add_test(tcase, a_stranger_cannot_tell_what_is_there_from_what_is_not);
    tcase_add_loop_test(tcase, a_list_holds_what_the_peer_may_use, 0, 4);
    tcase_add_test(tcase, nobody_in_particular_may_do_nothing);
    tcase_add_test(tcase, without_a_policy_nothing_is_allowed);
    tcase_add_loop_test(tcase, only_listed_purposes_are_served, 0, G_N_ELEMENTS(what_rows));
    tcase_add_test(tcase, sha1_makes_a_message_as_good_as_a_digest);
    tcase_add_loop_test(tcase, what_does_not_fit_the_key_never_reaches_the_token, 0,
                        G_N_ELEMENTS(fit_rows));
    tcase_add_test(tcase, decrypting_and_deriving_are_purposes_of_their_own);
    tcase_add_loop_test(tcase, current_and_retired_generations_are_usable_pending_ones_are_not, 0,
                        5);
    tcase_add_test(tcase, a_generation_is_found_by_its_public_key);
    tcase_add_test(tcase, a_barred_generation_is_nobodys_and_is_said_to_be);
    tcase_add_test(tcase, who_used_which_generation_is_noted);
    tcase_add_test(tcase, a_job_may_what_it_grants_and_its_peers_are_not_asked);
    tcase_add_test(tcase, a_job_sees_the_pending_generation);
    tcase_add_test(tcase, a_job_neither_decrypts_nor_derives);
    tcase_add_test(tcase, a_cancelled_use_is_never_answered);
    tcase_add_test(tcase, a_broker_may_go_while_uses_wait);
    tcase_add_test(tcase, a_failed_token_is_named);
    tcase_add_test(tcase, refusals_are_told_once_per_user_and_identity);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(broker_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
