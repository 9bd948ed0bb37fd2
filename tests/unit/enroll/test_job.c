/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A job's grants, its text and its outcome. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/job.h"
#include "agent/enroll/remote.h"
#include "provider/wire/limits.h"
#include "tests/unit/enroll/authority.h"

static Authority *authority;

static void
set_up(void)
{
    authority = authority_new();
}

static void
tear_down(void)
{
    authority_free(authority);
}

typedef struct {
    const char *identity;
    guint32 generation;
    SignetPurpose purpose;
    GBytes *message;
} Use;

/* NULL: allowed. */
static char *
ask(const SignetJobRequest *request, const Use *use)
{
    g_autoptr(SignetJob) job = signet_job_new(request);
    g_autoptr(GError) error = NULL;

    if (signet_job_allows(job, use->identity, use->generation, use->purpose, use->message,
                          AUTHORITY_NOW_S, &error)) {
        ck_assert_ptr_null(error);
        return NULL;
    }
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_DENIED), "kind %d: %s", error->code,
                  error->message);
    return g_strdup(error->message);
}

static void
assert_says(const char *found, const char *words)
{
    if (words)
        ck_assert_msg(found && strstr(found, words), "'%s' was expected, found '%s'", words,
                      found ? found : "no error");
    else
        ck_assert_msg(!found, "unexpected: %s", found);
}

static SignetJobRequest
remote_request(SignetSecret *secret, GBytes *blob)
{
    static const char *const pins[] = {"00ff", "11ee", NULL};
    static const char *const options[] = {"Label=a=b; c", "Other=", NULL};
    SignetJobRequest request = authority_request(authority);

    request.protocol = "est";
    request.ca_identity = NULL;
    request.ca_certificate = NULL;
    request.max_lifetime_s = 99;
    request.remote = (SignetJobRemote) {
        .url = "https://ca.example/x",
        .anchors = blob,
        .pins = pins,
        .proxy = "http://proxy.example:1",
        .timeout_s = 77,
        .rungs = SIGNET_RUNG_CURRENT | SIGNET_RUNG_IDENTITY | SIGNET_RUNG_SECRET,
        .bootstrap_identity = "factory",
        .secret = secret,
        .is_secret_kept = TRUE,
        .state = blob,
        .options = options,
    };
    return request;
}

START_TEST(how_a_ca_is_reached_survives_the_text)
{
    static const char password[] = "dev:\n[Job]\n s3cret;";
    g_autoptr(SignetSecret) secret = signet_secret_new(password, sizeof(password) - 1);
    g_autoptr(GBytes) blob = g_bytes_new_static("\0\1\2", 3);
    SignetJobRequest request = remote_request(secret, blob);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GBytes) text = signet_job_to_text(job);
    g_autoptr(SignetJob) read = signet_job_new_from_text(text, NULL);
    const SignetJobRemote *remote = &signet_job_get_request(read)->remote;
    gsize size = 0;

    ck_assert_str_eq(remote->url, request.remote.url);
    ck_assert(g_bytes_equal(remote->anchors, blob));
    ck_assert(g_bytes_equal(remote->state, blob));
    ck_assert(!remote->is_system);
    ck_assert(g_strv_equal(remote->pins, request.remote.pins));
    ck_assert_str_eq(remote->proxy, request.remote.proxy);
    ck_assert_uint_eq(remote->timeout_s, 77);
    ck_assert_uint_eq(remote->rungs, request.remote.rungs);
    ck_assert_str_eq(remote->bootstrap_identity, "factory");
    ck_assert_mem_eq(signet_secret_get(remote->secret, &size), password, sizeof(password) - 1);
    ck_assert_uint_eq(size, sizeof(password) - 1);
    ck_assert(remote->is_secret_kept);
    ck_assert(g_strv_equal(remote->options, request.remote.options));
    ck_assert_str_eq(signet_remote_get_option(remote, "Label"), "a=b; c");
    ck_assert_ptr_null(signet_remote_get_option(remote, "Lab"));
    ck_assert_int_eq(signet_job_get_request(read)->max_lifetime_s, 99);
}
END_TEST

START_TEST(a_check_survives_the_text_and_may_use_no_key)
{
    g_autoptr(GBytes) blob = g_bytes_new_static("\0\1\2", 3);
    SignetJobRequest request = remote_request(NULL, blob);

    request.protocol = SIGNET_JOB_CHECK;
    request.looks = SIGNET_LOOK_REVOCATION | SIGNET_LOOK_AUTHORITIES;
    request.ca_protocol = "est";
    request.certificates = blob;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GBytes) text = signet_job_to_text(job);
    g_autoptr(SignetJob) read = signet_job_new_from_text(text, NULL);
    const SignetJobRequest *back = signet_job_get_request(read);

    ck_assert_uint_eq(back->looks, request.looks);
    ck_assert_str_eq(back->ca_protocol, "est");
    ck_assert(g_bytes_equal(back->certificates, blob));
    for (guint bit = 0; bit < 32; bit++) {
        SignetPurpose purpose = (SignetPurpose)(bit ? 1u << (bit - 1) : 0);
        for (guint32 number = 0; number < 4; number++)
            ck_assert(!signet_job_allows(job, request.identity, number, purpose, blob, 0, NULL));
    }
    ck_assert(!signet_job_allows_decryption(job, request.identity, request.new_generation, NULL));
}
END_TEST

START_TEST(a_local_job_says_nothing_of_a_network)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GBytes) text = signet_job_to_text(job);

    ck_assert_ptr_null(
        g_strstr_len(g_bytes_get_data(text, NULL), (gssize)g_bytes_get_size(text), "[Remote]"));
}
END_TEST

/* The rung decides, and nothing but a TLS client's signature. */
START_TEST(the_bootstrap_identity_authenticates_where_its_rung_is_there)
{
    g_autoptr(GBytes) message = g_bytes_new_static("x", 1);
    SignetJobRequest request = remote_request(NULL, NULL);
    Use use = {"factory", 3, SIGNET_PURPOSE_TLS_CLIENT, message};
    Use csr = {"factory", 3, SIGNET_PURPOSE_CSR, message};
    g_autofree char *allowed = ask(&request, &use);
    g_autofree char *refused = ask(&request, &csr);

    request.remote.rungs = SIGNET_RUNG_SECRET;
    g_autofree char *no_rung = ask(&request, &use);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    assert_says(allowed, NULL);
    assert_says(refused, "may not sign with generation 3 of 'factory'");
    assert_says(no_rung, "may not sign with generation 3 of 'factory'");
    ck_assert(!signet_job_names(job, "factory"));
}
END_TEST

static const struct {
    AuthorityOrder order;
    const char *words;
} csr_rows[] = {
    {{0}, NULL},
    {{.subject = "", .alt = "", .extended = "", .basic = "", .usage = ""}, NULL},
    {{.alt = "DNS:host.example"}, NULL},
    {{.alt = "DNS:other.example"}, "it names 'DNS:other.example', which was not asked for"},
    {{.alt = "DNS:host.example,email:root@example"}, "it names 'email:root@example'"},
    {{.subject = "CN=admin,O=Example"}, "its subject is 'CN=admin,O=Example'"},
    {{.basic = "CA:TRUE"}, "it would be a CA's"},
    {{.usage = "digitalSignature,keyCertSign"}, "it would be a CA's"},
    {{.extended = "clientAuth,serverAuth"}, "'TLS Web Server Authentication' is not among"},
    {{.extended = "anyExtendedKeyUsage"}, "is not among the identity's purposes"},
    {{.additional = "hello"}, "it has an extension 'Netscape Comment', which no job needs"},
};

START_TEST(a_request_may_ask_for_what_the_job_says)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GBytes) message = authority_csr_info(authority, &csr_rows[_i].order);
    Use use = {"wifi", 8, SIGNET_PURPOSE_CSR, message};
    g_autofree char *found = ask(&request, &use);

    assert_says(found, csr_rows[_i].words);
}
END_TEST

START_TEST(a_request_with_another_key_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    AuthorityOrder order = {.key = authority->ca_key};
    g_autoptr(GBytes) message = authority_csr_info(authority, &order);
    Use use = {"wifi", 8, SIGNET_PURPOSE_CSR, message};
    g_autofree char *found = ask(&request, &use);

    assert_says(found,
                "the job of 'wifi' may not sign this request: its public key is not the new key's");
}
END_TEST

/* Names beyond the job's hidden in a second extension request, or behind the end. */
START_TEST(a_request_with_more_attributes_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509_REQ) csr = X509_REQ_new();
    g_autoptr(X509_NAME) subject = X509_NAME_new();
    guint8 *der = NULL;

    X509_REQ_set_subject_name(csr, subject);
    X509_REQ_set_pubkey(csr, authority->new_key);
    X509_REQ_add1_attr_by_NID(csr, NID_pkcs9_challengePassword, MBSTRING_ASC,
                              (const guint8 *)"secret", -1);
    int size = i2d_re_X509_REQ_tbs(csr, &der);
    g_autoptr(GBytes) message = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    Use use = {"wifi", 8, SIGNET_PURPOSE_CSR, message};
    g_autofree char *found = ask(&request, &use);
    assert_says(found, "it has an attribute other than one extension request");
}
END_TEST

static const struct {
    const char *identity;
    guint32 generation;
    SignetPurpose purpose;
    gboolean is_csr; /* else a good TBSCertificate */
    gboolean is_allowed;
} use_rows[] = {
    {"wifi", 8, SIGNET_PURPOSE_CSR, TRUE, TRUE},
    {"wifi", 7, SIGNET_PURPOSE_CSR, TRUE, FALSE},
    {"wifi", 0, SIGNET_PURPOSE_CSR, TRUE, FALSE},
    {"vpn", 8, SIGNET_PURPOSE_CSR, TRUE, FALSE},
    {"ca.local", 8, SIGNET_PURPOSE_CSR, TRUE, FALSE},
    {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, FALSE, TRUE},
    {"ca.local", 0, SIGNET_PURPOSE_CERTIFICATE, FALSE, FALSE},
    {"ca.other", 1, SIGNET_PURPOSE_CERTIFICATE, FALSE, FALSE},
    {"wifi", 8, SIGNET_PURPOSE_CERTIFICATE, FALSE, FALSE},
    {"wifi", 7, SIGNET_PURPOSE_TLS_CLIENT, FALSE, TRUE},
    {"wifi", 8, SIGNET_PURPOSE_TLS_CLIENT, FALSE, FALSE},
    {"wifi", 7, SIGNET_PURPOSE_TLS_SERVER, FALSE, FALSE},
    {"ca.local", 1, SIGNET_PURPOSE_TLS_CLIENT, FALSE, FALSE},
    {"ca.local", 1, SIGNET_PURPOSE_CSR, FALSE, FALSE},
    {"wifi", 8, SIGNET_PURPOSE_ANY, TRUE, FALSE},
    {"wifi", 8, SIGNET_PURPOSE_DECRYPT, TRUE, FALSE},
    {"wifi", 8, SIGNET_PURPOSE_SSH_USERAUTH, TRUE, FALSE},
    {"wifi", 8, (SignetPurpose)0, TRUE, FALSE},
};

START_TEST(each_key_has_its_own_use)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) message = use_rows[_i].is_csr
                                    ? authority_csr_info(authority, &(AuthorityOrder) {0})
                                    : authority_tbs(certificate);
    Use use = {use_rows[_i].identity, use_rows[_i].generation, use_rows[_i].purpose, message};
    g_autofree char *found = ask(&request, &use);

    ck_assert_msg((found == NULL) == use_rows[_i].is_allowed, "row %d: %s", _i,
                  found ? found : "allowed");
}
END_TEST

START_TEST(without_a_current_generation_nothing_authenticates)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GBytes) message = g_bytes_new_static("x", 1);
    Use use = {"wifi", 0, SIGNET_PURPOSE_TLS_CLIENT, message};

    request.current_generation = 0;
    g_autofree char *found = ask(&request, &use);
    assert_says(found, "may not sign with generation 0 of 'wifi' for purpose 'tls-client'");
}
END_TEST

static const struct {
    AuthorityOrder order;
    const char *words;
} tbs_rows[] = {
    {{0}, NULL},
    {{.alt = "DNS:host.example"}, NULL},
    {{.end_s = 3660}, NULL},
    {{.end_s = 3661}, "it lives longer than 3600 s"},
    {{.end_s = 86400 * 3650}, "it lives longer than 3600 s"},
    {{.begin_s = -601}, "it begins at another time than now"},
    {{.begin_s = 61}, "it begins at another time than now"},
    {{.begin_s = -1, .end_s = -2}, "its validity cannot be read or is empty"},
    {{.alt = "DNS:host.example,DNS:evil.example"}, "it names 'DNS:evil.example'"},
    {{.alt = "DNS:host.example,IP:192.0.2.8"}, "it names 'IP Address:192.0.2.8'"},
    {{.subject = "CN=root,O=Example"}, "its subject is 'CN=root,O=Example'"},
    {{.basic = "critical,CA:TRUE"}, "it would be a CA's"},
    {{.usage = "critical,keyCertSign"}, "it would be a CA's"},
    {{.usage = "critical,cRLSign"}, "it would be a CA's"},
    {{.basic = ""}, "it does not say what it may be used for"},
    {{.usage = ""}, "it does not say what it may be used for"},
    {{.extended = ""}, "it does not say what it may be used for"},
    {{.extended = "clientAuth,codeSigning"}, "'Code Signing' is not among the identity's purposes"},
    {{.extended = "serverAuth"}, "is not among the identity's purposes"},
    {{.additional = "hello"}, "it has an extension"},
    {{.version = 2}, "it is not of version 3"},
};

START_TEST(a_certificate_may_say_what_the_job_says)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &tbs_rows[_i].order);
    g_autoptr(GBytes) message = authority_tbs(certificate);
    Use use = {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, message};
    g_autofree char *found = ask(&request, &use);

    assert_says(found, tbs_rows[_i].words);
}
END_TEST

START_TEST(a_certificate_for_another_key_or_by_another_ca_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    AuthorityOrder other_key = {.key = authority->ca_key};
    g_autoptr(X509) wrong_key = authority_issue(authority, &other_key);
    g_autoptr(GBytes) key_message = authority_tbs(wrong_key);
    g_autofree char *key_found =
        ask(&request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, key_message});
    assert_says(key_found, "its public key is not the new key's");

    AuthorityOrder other_issuer = {.issuer = wrong_key};
    g_autoptr(X509) wrong_issuer = authority_issue(authority, &other_issuer);
    g_autoptr(GBytes) issuer_message = authority_tbs(wrong_issuer);
    g_autofree char *issuer_found =
        ask(&request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, issuer_message});
    assert_says(issuer_found, "its issuer is not 'ca.local'");

    request.ca_certificate = NULL;
    g_autoptr(X509) good = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) good_message = authority_tbs(good);
    g_autofree char *unknown =
        ask(&request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, good_message});
    assert_says(unknown, "does not carry the certificate of 'ca.local'");
}
END_TEST

START_TEST(a_ca_signs_its_own_certificate_and_no_other)
{
    SignetJobRequest request = authority_request(authority);
    AuthorityOrder order = {.subject = "CN=New CA",
                            .alt = "",
                            .extended = "",
                            .basic = "critical,CA:TRUE,pathlen:0",
                            .usage = "critical,keyCertSign,cRLSign"};
    g_autoptr(X509) foreign = authority_issue(authority, &order);
    g_autoptr(GBytes) foreign_message = authority_tbs(foreign);

    request.is_ca = TRUE;
    request.ca_certificate = NULL;
    request.subject = "CN=New CA";
    request.dns = request.ip = NULL;
    order.issuer = foreign;
    g_autoptr(X509) own = authority_issue(authority, &order);
    g_autoptr(GBytes) own_message = authority_tbs(own);
    g_autofree char *allowed =
        ask(&request, &(Use) {"wifi", 8, SIGNET_PURPOSE_CERTIFICATE, own_message});
    assert_says(allowed, NULL);
    g_autofree char *refused =
        ask(&request, &(Use) {"wifi", 8, SIGNET_PURPOSE_CERTIFICATE, foreign_message});
    assert_says(refused, "must name itself as its issuer");
    g_autofree char *by_other =
        ask(&request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, own_message});
    assert_says(by_other, "may not sign with generation 1 of 'ca.local'");
}
END_TEST

static void
assert_all_refused(const SignetJobRequest *request, const void *data, gsize size)
{
    g_autoptr(GBytes) message = g_bytes_new(data, size);
    g_autofree char *csr = ask(request, &(Use) {"wifi", 8, SIGNET_PURPOSE_CSR, message});
    g_autofree char *tbs =
        ask(request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, message});

    assert_says(csr, "it is not a PKCS#10 request in DER");
    assert_says(tbs, "it is not a certificate in DER");
}

START_TEST(what_is_no_request_and_no_certificate_is_refused)
{
    static const char jwt[] = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyb290In0";
    SignetJobRequest request = authority_request(authority);
    g_autofree guint8 *zeros = g_malloc0(70000);

    assert_all_refused(&request, jwt, strlen(jwt));
    assert_all_refused(&request, "", 0);
    assert_all_refused(&request, "\x30\x80\x00\x00", 4);
    assert_all_refused(&request, zeros, 70000);
    for (gsize size = 100; size < 300; size++)
        assert_all_refused(&request, zeros, size);
}
END_TEST

static void
assert_longer_is_refused(GBytes *message, const char *identity, guint32 generation,
                         SignetPurpose purpose)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    g_byte_array_append(bytes, g_bytes_get_data(message, NULL), (guint)g_bytes_get_size(message));
    g_byte_array_append(bytes, (const guint8 *)"\x05\x00", 2);
    g_autoptr(GBytes) longer = g_bytes_new(bytes->data, bytes->len);
    g_autoptr(GBytes) shorter = g_bytes_new(bytes->data, bytes->len - 3);
    g_autofree char *longer_found = ask(&request, &(Use) {identity, generation, purpose, longer});
    g_autofree char *shorter_found = ask(&request, &(Use) {identity, generation, purpose, shorter});
    assert_says(longer_found, "in DER");
    assert_says(shorter_found, "in DER");
}

START_TEST(trailing_and_missing_bytes_are_refused)
{
    g_autoptr(GBytes) csr = authority_csr_info(authority, &(AuthorityOrder) {0});
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) tbs = authority_tbs(certificate);

    assert_longer_is_refused(csr, "wifi", 8, SIGNET_PURPOSE_CSR);
    assert_longer_is_refused(tbs, "ca.local", 1, SIGNET_PURPOSE_CERTIFICATE);
}
END_TEST

START_TEST(an_extension_that_is_there_twice_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);

    X509_add_ext(certificate, X509_get_ext(certificate, at), -1);
    g_autoptr(GBytes) message = authority_tbs(certificate);
    g_autofree char *found =
        ask(&request, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE, message});
    assert_says(found, "malformed or there twice");
}
END_TEST

/* Whatever one changed bit makes of it: what is allowed holds the new key, and the names only. */
static void
assert_damage_is_harmless(GBytes *message, const Use *like, GBytes *must_hold)
{
    SignetJobRequest request = authority_request(authority);
    gsize size = 0;
    const guint8 *good = g_bytes_get_data(message, &size);

    for (gsize bit = 0; bit < size * 8; bit++) {
        g_autofree guint8 *bad = g_memdup2(good, size);
        bad[bit / 8] ^= (guint8)(1u << (bit % 8));
        g_autoptr(GBytes) bytes = g_bytes_new(bad, size);
        Use use = {like->identity, like->generation, like->purpose, bytes};
        g_autofree char *refused = ask(&request, &use);

        if (!refused)
            ck_assert_msg(memmem(bad, size, g_bytes_get_data(must_hold, NULL),
                                 g_bytes_get_size(must_hold)) != NULL &&
                              memmem(bad, size, "host.example", 12) != NULL,
                          "bit %zu", bit);
    }
}

START_TEST(no_damaged_message_is_signed_for_another_key_or_name)
{
    g_autoptr(GBytes) csr = authority_csr_info(authority, &(AuthorityOrder) {0});
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) tbs = authority_tbs(certificate);

    assert_damage_is_harmless(csr, &(Use) {"wifi", 8, SIGNET_PURPOSE_CSR}, authority->spki);
    assert_damage_is_harmless(tbs, &(Use) {"ca.local", 1, SIGNET_PURPOSE_CERTIFICATE},
                              authority->spki);
}
END_TEST

START_TEST(a_job_names_its_identity_and_its_ca)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    request.ca_identity = NULL;
    g_autoptr(SignetJob) without = signet_job_new(&request);

    ck_assert(signet_job_names(job, "wifi"));
    ck_assert(signet_job_names(job, "ca.local"));
    ck_assert(!signet_job_names(job, "vpn"));
    ck_assert(!signet_job_names(job, ""));
    ck_assert(!signet_job_names(without, "ca.local"));
}
END_TEST

START_TEST(text_holds_the_whole_job)
{
    static const char *const odd[] = {"urn:x;y", "urn:\\z", NULL};
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GError) error = NULL;

    request.uri = odd;
    request.subject = "CN= a\\, b ,O=Ex;ample";
    request.purposes = SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_ANY | SIGNET_PURPOSE_DERIVE;
    request.min_lifetime_s = 300;
    request.permanent = "urn:x;7";
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GBytes) text = signet_job_to_text(job);
    g_autoptr(SignetJob) copy = signet_job_new_from_text(text, &error);
    ck_assert_msg(copy != NULL, "%s", error ? error->message : "");
    g_autoptr(GBytes) again = signet_job_to_text(copy);
    const SignetJobRequest *read = signet_job_get_request(copy);

    ck_assert(g_bytes_equal(text, again));
    ck_assert_str_eq(read->subject, request.subject);
    ck_assert_str_eq(read->permanent, request.permanent);
    ck_assert_str_eq(read->uri[0], odd[0]);
    ck_assert_str_eq(read->uri[1], odd[1]);
    ck_assert_ptr_null(read->uri[2]);
    ck_assert_uint_eq(read->purposes, request.purposes);
    ck_assert(g_bytes_equal(read->spki, request.spki));
    ck_assert(g_bytes_equal(read->ca_certificate, request.ca_certificate));
    ck_assert_int_eq(read->lifetime_s, 3600);
    ck_assert_int_eq(read->min_lifetime_s, 300);
    ck_assert_uint_eq(read->new_generation, 8);
    ck_assert_uint_eq(read->current_generation, 7);
}
END_TEST

START_TEST(a_job_too_long_for_the_wire_has_no_text)
{
    SignetJobRequest request = authority_request(authority);
    g_autofree char *subject = g_strnfill(SIGNET_WIRE_JOB_MAX, 'x');

    request.subject = subject;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    ck_assert_ptr_null(signet_job_to_text(job));
}
END_TEST

static const struct {
    const char *text;
    const char *words;
} bad_texts[] = {
    {"", "Version=0"},
    {"garbage", "job: "},
    {"[Job]\nVersion=2\n", "agent and signet-enroll must be of one release"},
    {"[Job]\nVersion=1\nProtocol=local\nNewGeneration=1\nPublicKey=AA==\n", "Identity= is missing"},
    {"[Job]\nVersion=1\nIdentity=../etc\n", "Identity= is missing or not a name"},
    {"[Job]\nVersion=1\nIdentity=a\nCaIdentity=A B\n", "CaIdentity= is not a name"},
    {"[Job]\nVersion=1\nIdentity=a\nNewGeneration=1\nPublicKey=AA==\n", "Protocol="},
    {"[Job]\nVersion=1\nIdentity=a\nNewGeneration=-1\n", "NewGeneration= is not a number"},
    {"[Job]\nVersion=1\nIdentity=a\nNewGeneration=4294967296\n", "NewGeneration= is not a number"},
    {"[Job]\nVersion=1\nIdentity=a\nLifetime=soon\n", "Lifetime= is not a number"},
    {"[Job]\nVersion=1\nIdentity=a\nPurposes=tls-client;world-peace\n",
     "'world-peace', which is unknown"},
};

START_TEST(a_damaged_text_is_refused_in_words)
{
    g_autoptr(GBytes) text = g_bytes_new_static(bad_texts[_i].text, strlen(bad_texts[_i].text));
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetJob) job = signet_job_new_from_text(text, &error);

    ck_assert_ptr_null(job);
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    assert_says(error->message, bad_texts[_i].words);
}
END_TEST

START_TEST(the_first_result_counts)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GPtrArray) chain = g_ptr_array_new();

    ck_assert_int_eq(signet_job_get_outcome(job), SIGNET_OUTCOME_NONE);
    ck_assert_ptr_null(signet_job_get_chain(job));
    signet_job_set_result(job, SIGNET_OUTCOME_PENDING, NULL, NULL, 30, "wait");
    signet_job_set_result(job, SIGNET_OUTCOME_ISSUED, chain, chain, 0, NULL);
    ck_assert_int_eq(signet_job_get_outcome(job), SIGNET_OUTCOME_PENDING);
    ck_assert_uint_eq(signet_job_get_retry_after(job), 30);
    ck_assert_str_eq(signet_job_get_message(job), "wait");
    ck_assert_ptr_null(signet_job_get_chain(job));
    ck_assert_ptr_null(signet_job_get_anchors(job));
}
END_TEST

/* --- SCEP --- */

static void
put(GByteArray *out, guint8 tag, const void *body, gsize size)
{
    const guint8 head[2] = {tag, (guint8)size};

    ck_assert_uint_lt(size, 128);
    g_byte_array_append(out, head, 2);
    g_byte_array_append(out, body, (guint)size);
}

static void
put_attribute(GByteArray *out, const char *oid, guint8 tag, const char *value, gsize size)
{
    g_autoptr(GByteArray) body = g_byte_array_new(), set = g_byte_array_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    put(body, 0x06, OBJ_get0_data(object), OBJ_length(object));
    put(set, tag, value, size);
    put(body, 0x31, set->data, set->len);
    put(out, 0x30, body->data, body->len);
    ASN1_OBJECT_free(object);
}

#define ID_DATA     "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define TRANSACTION "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct {
    const char *what; /* NULL: allowed */
    const char *type;
    const char *content;
    gsize n_nonce;
    const char *extra; /* an OID */
} ScepRow;

static const ScepRow scep_rows[] = {
    {NULL, "19", ID_DATA, 16, NULL},
    {NULL, "17", ID_DATA, 16, NULL},
    {NULL, "20", ID_DATA, 16, NULL},
    {"a message of the CA", "3", ID_DATA, 16, NULL},
    {"GetCRL", "22", ID_DATA, 16, NULL},
    {"another content", "19", "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 16, NULL},
    {"a short nonce", "19", ID_DATA, 8, NULL},
    {"a foreign attribute", "19", ID_DATA, 16, "1.2.840.113549.1.9.15"},
    {"an attribute twice", "19", ID_DATA, 16, "2.16.840.1.113733.1.9.2"},
};

static GBytes *
make_attributes(const ScepRow *row)
{
    static const char zeros[32];
    g_autoptr(GByteArray) body = g_byte_array_new();
    GByteArray *out = g_byte_array_new();

    put_attribute(body, "1.2.840.113549.1.9.3", 0x06, row->content, 9);
    put_attribute(body, "1.2.840.113549.1.9.4", 0x04, zeros, 32);
    put_attribute(body, "1.2.840.113549.1.9.5", 0x17, "261122120000Z", 13);
    put_attribute(body, "2.16.840.1.113733.1.9.2", 0x13, row->type, strlen(row->type));
    put_attribute(body, "2.16.840.1.113733.1.9.5", 0x04, zeros, row->n_nonce);
    put_attribute(body, "2.16.840.1.113733.1.9.7", 0x13, TRANSACTION, 64);
    if (row->extra)
        put_attribute(body, row->extra, 0x13, "19", 2);
    const guint8 wide[] = {0x31, 0x82, (guint8)(body->len >> 8), (guint8)body->len};
    const guint8 narrow[] = {0x31, 0x81, (guint8)body->len};
    if (body->len < 0x100)
        g_byte_array_append(out, narrow, sizeof(narrow));
    else
        g_byte_array_append(out, wide, sizeof(wide));
    g_byte_array_append(out, body->data, body->len);
    return g_byte_array_free_to_bytes(out);
}

static SignetJobRequest
scep_request(void)
{
    SignetJobRequest request = remote_request(NULL, NULL);

    request.protocol = "scep";
    return request;
}

START_TEST(a_scep_job_signs_the_attributes_of_its_messages)
{
    const ScepRow *row = &scep_rows[_i];
    SignetJobRequest request = scep_request();
    g_autoptr(GBytes) message = make_attributes(row);
    Use use = {request.identity, request.new_generation, 0, message};
    g_autofree char *found = ask(&request, &use);

    ck_assert_msg(!found == !row->what, "%s: %s", row->what ? row->what : "right",
                  found ? found : "allowed");
}
END_TEST

START_TEST(other_jobs_and_keys_sign_no_such_attributes)
{
    SignetJobRequest request = scep_request(), est = remote_request(NULL, NULL);
    g_autoptr(GBytes) message = make_attributes(&scep_rows[0]);
    Use current = {request.identity, request.current_generation, 0, message};
    Use other = {"factory", 3, 0, message};
    Use own = {est.identity, est.new_generation, 0, message};
    g_autofree char *allowed = ask(&request, &current);
    g_autofree char *stranger = ask(&request, &other);
    g_autofree char *no_scep = ask(&est, &own);

    ck_assert_ptr_null(allowed);
    ck_assert_ptr_nonnull(stranger);
    ck_assert_ptr_nonnull(no_scep);
}
END_TEST

START_TEST(cut_or_longer_attributes_are_not_signed)
{
    SignetJobRequest request = scep_request();
    g_autoptr(GBytes) whole = make_attributes(&scep_rows[0]);
    gsize size = g_bytes_get_size(whole);
    g_autofree guint8 *longer = g_malloc0(size + 1);

    memcpy(longer, g_bytes_get_data(whole, NULL), size);
    for (gsize n = 0; n <= size + 1; n++) {
        g_autoptr(GBytes) message = g_bytes_new(longer, n);
        Use use = {request.identity, request.new_generation, 0, message};
        g_autofree char *found = ask(&request, &use);

        ck_assert((n == size) == !found);
    }
}
END_TEST

START_TEST(a_scep_job_decrypts_one_answer)
{
    SignetJobRequest request = scep_request();
    SignetJobRequest est = remote_request(NULL, NULL);
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(SignetJob) other = signet_job_new(&est);

    for (int i = 0; i < 4; i++)
        ck_assert(
            signet_job_allows_decryption(job, request.identity, request.new_generation, NULL));
    ck_assert(!signet_job_allows_decryption(job, request.identity, request.new_generation, NULL));
    ck_assert(!signet_job_allows_decryption(other, est.identity, est.new_generation, NULL));
}
END_TEST

START_TEST(decryption_is_for_the_keys_of_the_job)
{
    SignetJobRequest request = scep_request();
    g_autoptr(SignetJob) job = signet_job_new(&request);

    ck_assert(!signet_job_allows_decryption(job, "factory", 3, NULL));
    ck_assert(!signet_job_allows_decryption(job, request.identity, 77, NULL));
    ck_assert(
        signet_job_allows_decryption(job, request.identity, request.current_generation, NULL));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/job");
    TCase *tcase = tcase_create("job");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_check_survives_the_text_and_may_use_no_key);
    tcase_add_test(tcase, how_a_ca_is_reached_survives_the_text);
    tcase_add_test(tcase, a_local_job_says_nothing_of_a_network);
    tcase_add_test(tcase, the_bootstrap_identity_authenticates_where_its_rung_is_there);
    tcase_add_loop_test(tcase, a_request_may_ask_for_what_the_job_says, 0, G_N_ELEMENTS(csr_rows));
    tcase_add_test(tcase, a_request_with_another_key_is_refused);
    tcase_add_test(tcase, a_request_with_more_attributes_is_refused);
    tcase_add_loop_test(tcase, each_key_has_its_own_use, 0, G_N_ELEMENTS(use_rows));
    tcase_add_test(tcase, without_a_current_generation_nothing_authenticates);
    tcase_add_loop_test(tcase, a_certificate_may_say_what_the_job_says, 0, G_N_ELEMENTS(tbs_rows));
    tcase_add_test(tcase, a_certificate_for_another_key_or_by_another_ca_is_refused);
    tcase_add_test(tcase, a_ca_signs_its_own_certificate_and_no_other);
    tcase_add_test(tcase, what_is_no_request_and_no_certificate_is_refused);
    tcase_add_test(tcase, trailing_and_missing_bytes_are_refused);
    tcase_add_test(tcase, an_extension_that_is_there_twice_is_refused);
    tcase_add_test(tcase, no_damaged_message_is_signed_for_another_key_or_name);
    tcase_add_test(tcase, a_job_names_its_identity_and_its_ca);
    tcase_add_test(tcase, text_holds_the_whole_job);
    tcase_add_test(tcase, a_job_too_long_for_the_wire_has_no_text);
    tcase_add_loop_test(tcase, a_damaged_text_is_refused_in_words, 0, G_N_ELEMENTS(bad_texts));
    tcase_add_test(tcase, the_first_result_counts);
    tcase_add_loop_test(tcase, a_scep_job_signs_the_attributes_of_its_messages, 0,
                        G_N_ELEMENTS(scep_rows));
    tcase_add_test(tcase, other_jobs_and_keys_sign_no_such_attributes);
    tcase_add_test(tcase, cut_or_longer_attributes_are_not_signed);
    tcase_add_test(tcase, a_scep_job_decrypts_one_answer);
    tcase_add_test(tcase, decryption_is_for_the_keys_of_the_job);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
