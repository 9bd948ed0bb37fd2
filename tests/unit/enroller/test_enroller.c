/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signet-enroll as the agent starts it, with the real provider and the real grants: what it issues,
 * and what it says when it cannot. */

#include <check.h>
#include <glib/gstdio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/certificate.h"
#include "agent/enroll/enroll.h"
#include "tests/unit/enroller/agent.h"

#define CA_LIFETIME_S (10 * 86400)

static struct {
    GMainLoop *loop;
    SignetEnroll *enroll;
    char *directory;
    Agent agent;
    AgentKey keys[2]; /* of 'web', generation 3, and of 'ca.local', generation 1 */
    GBytes *spki[2];
    GBytes *ca; /* certificate; NULL until issued */
} world;

static const char *const dns[] = {"web.example", "www.web.example", NULL};
static const char *const ip[] = {"192.0.2.7", "2001:db8::7", NULL};
static const char *const uri[] = {"urn:example:web", NULL};
static const char *const email[] = {"root@web.example", NULL};

static void
on_attach(int fd, SignetJob *job, gpointer data)
{
    agent_serve(&world.agent, fd);
}

static void
on_done(SignetJob *job, gpointer data)
{
    g_main_loop_quit(world.loop);
}

static EVP_PKEY *
make_key(const char *type)
{
    EVP_PKEY *key = g_str_equal(type, "rsa") ? EVP_RSA_gen(2048) : EVP_EC_gen(type);

    ck_assert_ptr_nonnull(key);
    return key;
}

static void
set_keys(const char *type, const char *ca_type)
{
    for (int i = 0; i < 2; i++) {
        EVP_PKEY_free(world.keys[i].key);
        g_clear_pointer(&world.spki[i], g_bytes_unref);
    }
    world.keys[0] = (AgentKey) {"web", 3, FALSE, make_key(type)};
    world.keys[1] = (AgentKey) {"ca.local", 1, TRUE, make_key(ca_type)};
    world.spki[0] = agent_dup_spki(world.keys[0].key);
    world.spki[1] = agent_dup_spki(world.keys[1].key);
}

static void
set_up(void)
{
    const SignetEnrollSettings settings = {
        .program = ENROLLER, .provider = PROVIDER, .timeout_ms = 30000};

    memset(&world, 0, sizeof(world));
    world.loop = g_main_loop_new(NULL, FALSE);
    world.enroll = signet_enroll_new(&settings, on_attach, NULL);
    world.directory = g_dir_make_tmp("signet-enroller-XXXXXX", NULL);
    set_keys("P-256", "P-256");
}

static void
tear_down(void)
{
    g_autofree char *leaf = g_build_filename(world.directory, "leaf.pem", NULL);
    g_autofree char *ca = g_build_filename(world.directory, "ca.pem", NULL);

    g_unlink(leaf);
    g_unlink(ca);
    g_rmdir(world.directory);
    g_free(world.directory);
    for (int i = 0; i < 2; i++) {
        EVP_PKEY_free(world.keys[i].key);
        g_bytes_unref(world.spki[i]);
    }
    g_clear_pointer(&world.ca, g_bytes_unref);
    signet_enroll_free(world.enroll);
    g_main_loop_unref(world.loop);
}

static SignetJobRequest
make_request(void)
{
    return (SignetJobRequest) {
        .identity = "web",
        .new_generation = 3,
        .ca_identity = "ca.local",
        .ca_certificate = world.ca,
        .protocol = "local",
        .subject = "CN=web.example,OU=Söftware,O=Example",
        .dns = dns,
        .ip = ip,
        .uri = uri,
        .email = email,
        .purposes = SIGNET_PURPOSE_TLS_CLIENT,
        .spki = world.spki[0],
        .lifetime_s = 86400,
    };
}

static SignetJobRequest
make_ca_request(void)
{
    return (SignetJobRequest) {
        .identity = "ca.local",
        .new_generation = 1,
        .protocol = "local",
        .is_ca = TRUE,
        .subject = "CN=Signet local CA",
        .spki = world.spki[1],
        .lifetime_s = CA_LIFETIME_S,
    };
}

/* Starts signet-enroll and waits for its end. */
static SignetJob *
enroll(const SignetJobRequest *request)
{
    SignetJob *job = signet_job_new(request);

    world.agent.keys = world.keys;
    world.agent.n_keys = G_N_ELEMENTS(world.keys);
    world.agent.job = job;
    signet_enroll_start(world.enroll, job, on_done, NULL);
    g_main_loop_run(world.loop);
    agent_stop(&world.agent);
    return job;
}

static void
assert_issued(SignetJob *job)
{
    g_autoptr(GError) error = NULL;
    const char *message = signet_job_get_message(job);

    ck_assert_msg(signet_job_get_outcome(job) == SIGNET_OUTCOME_ISSUED, "outcome %d: %s",
                  (int)signet_job_get_outcome(job), message ? message : "");
    gboolean is_good = signet_certificate_check(
        signet_job_get_request(job), signet_job_get_chain(job), signet_job_get_anchors(job),
        g_get_real_time() / G_USEC_PER_SEC, &error);
    ck_assert_msg(is_good, "%s", error ? error->message : "");
}

static void
make_ca(void)
{
    SignetJobRequest request = make_ca_request();
    g_autoptr(SignetJob) job = enroll(&request);

    assert_issued(job);
    world.ca = g_bytes_ref(g_ptr_array_index(signet_job_get_chain(job), 0));
}

static X509 *
parse(GPtrArray *list)
{
    GBytes *der = g_ptr_array_index(list, 0);
    const guint8 *at = g_bytes_get_data(der, NULL);
    X509 *certificate = d2i_X509(NULL, &at, (long)g_bytes_get_size(der));

    ck_assert_ptr_nonnull(certificate);
    return certificate;
}

static char *
write_pem(const char *name, GPtrArray *list)
{
    char *path = g_build_filename(world.directory, name, NULL);
    g_autoptr(X509) certificate = parse(list);
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    PEM_write_X509(file, certificate);
    fclose(file);
    return path;
}

/* The judge who is not us. */
static void
assert_openssl_verifies(SignetJob *job, const char *purpose)
{
    g_autofree char *leaf = write_pem("leaf.pem", signet_job_get_chain(job));
    g_autofree char *ca = write_pem("ca.pem", signet_job_get_anchors(job));
    const char *argv[] = {"openssl",  "verify", "-x509_strict", "-policy_check",
                          "-purpose", purpose,  "-CAfile",      ca,
                          leaf,       NULL};
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    int status = 0;

    ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                           &errors, &status, NULL));
    ck_assert_msg(status == 0, "%s%s", output, errors);
}

static const struct {
    const char *type;
    const char *ca_type;
    guint purposes;
    const char *openssl_purpose;
    guint32 key_usage;
} rows[] = {
    {"P-256", "P-256", SIGNET_PURPOSE_TLS_CLIENT, "sslclient", X509v3_KU_DIGITAL_SIGNATURE},
    {"P-384", "P-256", SIGNET_PURPOSE_TLS_SERVER, "sslserver", X509v3_KU_DIGITAL_SIGNATURE},
    {"P-521", "P-384", SIGNET_PURPOSE_ANY, "sslserver", X509v3_KU_DIGITAL_SIGNATURE},
    {"rsa", "P-521", SIGNET_PURPOSE_TLS_SERVER, "sslserver",
     X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_KEY_ENCIPHERMENT},
    {"rsa", "rsa", SIGNET_PURPOSE_TLS_CLIENT, "sslclient", X509v3_KU_DIGITAL_SIGNATURE},
    {"P-256", "rsa", SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_TLS_SERVER, "sslclient",
     X509v3_KU_DIGITAL_SIGNATURE},
};

START_TEST(a_local_ca_issues_what_was_asked_for)
{
    set_keys(rows[_i].type, rows[_i].ca_type);
    make_ca();
    SignetJobRequest request = make_request();
    request.purposes = rows[_i].purposes;
    world.agent = (Agent) {0};
    g_autoptr(SignetJob) job = enroll(&request);

    assert_issued(job);
    assert_openssl_verifies(job, rows[_i].openssl_purpose);
    g_autoptr(X509) leaf = parse(signet_job_get_chain(job));
    ck_assert_uint_eq(X509_get_key_usage(leaf), rows[_i].key_usage);
    ck_assert_uint_eq(world.agent.n_jobs, 1);
    ck_assert_uint_eq(world.agent.n_signed, 2); /* the request and the certificate */
    ck_assert_uint_eq(world.agent.n_denied, 0);
}
END_TEST

START_TEST(a_ca_certificate_is_one_that_issues_leaves_only)
{
    make_ca();
    const guint8 *at = g_bytes_get_data(world.ca, NULL);
    g_autoptr(X509) ca = d2i_X509(NULL, &at, (long)g_bytes_get_size(world.ca));

    ck_assert_int_eq(X509_get_pathlen(ca), 0);
    ck_assert_uint_eq(X509_get_key_usage(ca), X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN);
    ck_assert_int_eq(X509_check_ca(ca), 1);
    ck_assert_uint_eq(world.agent.n_signed, 1);
}
END_TEST

static gint64
seconds_from_now(const ASN1_TIME *time)
{
    int days = 0;
    int seconds = 0;

    ck_assert(ASN1_TIME_diff(&days, &seconds, NULL, time));
    return (gint64)days * 86400 + seconds;
}

START_TEST(a_leaf_does_not_outlive_its_ca_and_numbers_do_not_repeat)
{
    make_ca();
    SignetJobRequest request = make_request();
    request.lifetime_s = CA_LIFETIME_S * 2;
    g_autoptr(SignetJob) first = enroll(&request);
    request.lifetime_s = 3600;
    g_autoptr(SignetJob) second = enroll(&request);
    assert_issued(first);
    assert_issued(second);
    g_autoptr(X509) one = parse(signet_job_get_chain(first));
    g_autoptr(X509) other = parse(signet_job_get_chain(second));
    g_autoptr(X509) ca = parse(signet_job_get_anchors(first));

    ck_assert_int_eq(ASN1_TIME_compare(X509_get0_notAfter(one), X509_get0_notAfter(ca)), 0);
    ck_assert_int_eq(ASN1_TIME_compare(X509_get0_notBefore(one), X509_get0_notBefore(ca)) >= 0, 1);
    gint64 left = seconds_from_now(X509_get0_notAfter(other));
    ck_assert_msg(left > 3600 - 30 && left <= 3600, "%" G_GINT64_FORMAT, left);
    ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(other)),
                     0);
    ck_assert_int_gt(ASN1_STRING_length(X509_get0_serialNumber(one)), 12);
}
END_TEST

static void
assert_refused(SignetJob *job, SignetOutcome outcome, const char *words)
{
    const char *message = signet_job_get_message(job);

    ck_assert_msg(signet_job_get_outcome(job) == outcome, "outcome %d: %s",
                  (int)signet_job_get_outcome(job), message ? message : "");
    ck_assert_msg(strstr(message, words) != NULL, "'%s' was expected, found '%s'", words, message);
}

START_TEST(an_unknown_protocol_is_refused)
{
    SignetJobRequest request = make_request();
    request.protocol = "pigeon";
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_REFUSED, "protocol 'pigeon' is not known");
}
END_TEST

START_TEST(a_job_that_cannot_be_read_is_refused)
{
    SignetJobRequest request = make_request();
    world.agent.job_text = "[Job]\nVersion=1\nIdentity=web\nNewGeneration=x\n";
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_REFUSED, "job: NewGeneration= is not a number");
}
END_TEST

START_TEST(a_job_without_its_ca_is_refused)
{
    SignetJobRequest request = make_request();
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_REFUSED, "CaCertificate= is missing");
}
END_TEST

START_TEST(a_subject_that_cannot_be_written_is_refused)
{
    make_ca();
    SignetJobRequest request = make_request();
    request.subject = "web";
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_REFUSED, "subject 'web': ");
}
END_TEST

START_TEST(a_key_that_is_gone_is_a_failure_in_the_agents_words)
{
    make_ca();
    SignetJobRequest request = make_request();
    request.new_generation = 4;
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_FAILED, "cannot load the key of 'web', generation 4: ");
    assert_refused(job, SIGNET_OUTCOME_FAILED, "the test's agent has no such key");
}
END_TEST

START_TEST(a_token_that_is_gone_is_a_failure_in_the_agents_words)
{
    make_ca();
    SignetJobRequest request = make_request();
    world.agent.sign_error = "token 'yubikey' was removed; insert it";
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_FAILED, "cannot sign the request with the new key: ");
    assert_refused(job, SIGNET_OUTCOME_FAILED, "token 'yubikey' was removed; insert it");
    ck_assert(world.agent.is_transient);
}
END_TEST

START_TEST(a_ca_with_another_key_than_its_certificate_is_a_failure)
{
    make_ca();
    EVP_PKEY_free(world.keys[1].key);
    world.keys[1].key = make_key("P-256");
    SignetJobRequest request = make_request();
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_FAILED,
                   "the current key of 'ca.local' is not the one of its certificate");
}
END_TEST

/* The enroller is told to make more than the agent grants: the agent has the last word. */
START_TEST(an_enroller_that_asks_for_more_is_denied)
{
    make_ca();
    SignetJobRequest request = make_request();
    request.lifetime_s = 86400 * 9;
    g_autoptr(SignetJob) generous = signet_job_new(&request);
    g_autoptr(GBytes) text = signet_job_to_text(generous);
    g_autofree char *job_text = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
    request.lifetime_s = 3600;
    world.agent = (Agent) {.job_text = job_text};
    g_autoptr(SignetJob) job = enroll(&request);

    assert_refused(job, SIGNET_OUTCOME_FAILED, "it lives longer than 3600 s");
    ck_assert_uint_eq(world.agent.n_denied, 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller");
    TCase *tcase = tcase_create("program");
    SRunner *runner = srunner_create(suite);

    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    g_setenv("OPENSSL_CONF", "/dev/null", TRUE);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_local_ca_issues_what_was_asked_for, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, a_ca_certificate_is_one_that_issues_leaves_only);
    tcase_add_test(tcase, a_leaf_does_not_outlive_its_ca_and_numbers_do_not_repeat);
    tcase_add_test(tcase, an_unknown_protocol_is_refused);
    tcase_add_test(tcase, a_job_that_cannot_be_read_is_refused);
    tcase_add_test(tcase, a_job_without_its_ca_is_refused);
    tcase_add_test(tcase, a_subject_that_cannot_be_written_is_refused);
    tcase_add_test(tcase, a_key_that_is_gone_is_a_failure_in_the_agents_words);
    tcase_add_test(tcase, a_token_that_is_gone_is_a_failure_in_the_agents_words);
    tcase_add_test(tcase, a_ca_with_another_key_than_its_certificate_is_a_failure);
    tcase_add_test(tcase, an_enroller_that_asks_for_more_is_denied);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
