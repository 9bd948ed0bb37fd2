/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Policy files: directories of good and bad ones in tests/fixtures/policy, and the bounds. */

#include "policy/parse.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/policy/support.h"

/* For a thousand identities; sanitizers are allowed their price. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LONGEST_US (1000 * 1000)
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LONGEST_US (1000 * 1000)
#endif
#ifndef LONGEST_US
#define LONGEST_US (100 * 1000)
#endif

/* A directory of fixtures in memory. */
typedef struct {
    GArray *files;      /* (owned) of SignetPolicyFile */
    GPtrArray *strings; /* (owned) what they point to */
    char *expected;     /* (owned, nullable) */
} Fixture;

static void
fixture_read(Fixture *fixture, const char *root, const char *below)
{
    g_autofree char *path = g_build_filename(root, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    ck_assert_msg(dir != NULL, "no directory %s", path);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *child = *below ? g_build_filename(below, name, NULL) : g_strdup(name);
        g_autofree char *full = g_build_filename(root, child, NULL);
        SignetPolicyFile file = {child, NULL, 0};
        char *data = NULL;

        if (g_file_test(full, G_FILE_TEST_IS_DIR)) {
            fixture_read(fixture, root, child);
            continue;
        }
        ck_assert(g_file_get_contents(full, &data, &file.size, NULL));
        if (g_str_equal(child, "expected")) {
            fixture->expected = data;
            continue;
        }
        file.data = data;
        g_ptr_array_add(fixture->strings, data);
        g_ptr_array_add(fixture->strings, g_steal_pointer(&child));
        g_array_append_val(fixture->files, file);
    }
}

static Fixture
fixture_load(const char *kind, const char *name)
{
    g_autofree char *root = g_build_filename(FIXTURES, kind, name, NULL);
    Fixture fixture = {g_array_new(FALSE, FALSE, sizeof(SignetPolicyFile)),
                       g_ptr_array_new_with_free_func(g_free), NULL};

    fixture_read(&fixture, root, "");
    return fixture;
}

static void
fixture_clear(Fixture *fixture)
{
    g_array_unref(fixture->files);
    g_ptr_array_unref(fixture->strings);
    g_free(fixture->expected);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static SignetPolicy *
fixture_parse(const Fixture *fixture, GPtrArray *problems)
{
    return signet_policy_parse((const SignetPolicyFile *)(void *)fixture->files->data,
                               fixture->files->len, problems);
}

static SignetPolicy *
parse_good(const char *name)
{
    g_auto(Fixture) fixture = fixture_load("good", name);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = fixture_parse(&fixture, problems);

    ck_assert_msg(policy != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "?");
    return policy;
}

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char **)a, *(char **)b);
}

static char *
sorted_lines(char **lines)
{
    qsort(lines, g_strv_length(lines), sizeof *lines, compare_lines);
    return g_strjoinv("\n", lines);
}

static const char *const bad_names[] = {
    "unknown-key", "unknown-group", "syntax",  "files",       "values",  "references",
    "limits",      "default-ca",    "ed25519", "no-clear-ca", "control", "latin1",
    "nul",         "tokens",        "pcr",     "pins",        "ca",      "canary",
};

START_TEST(bad_files_are_refused_in_these_words)
{
    g_auto(Fixture) fixture = fixture_load("bad", bad_names[_i]);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = fixture_parse(&fixture, problems);
    g_auto(GStrv) lines = NULL;
    g_autofree char *expected = NULL;
    g_autofree char *found = NULL;

    ck_assert_ptr_null(policy);
    g_ptr_array_add(problems, NULL);
    lines = g_strsplit(g_strchomp(fixture.expected), "\n", -1);
    expected = sorted_lines(lines);
    found = sorted_lines((char **)problems->pdata);
    if (!g_str_equal(found, expected))
        fprintf(stderr, "%s: found\n%s\n", bad_names[_i], found); /* too long for Check */
    ck_assert_msg(g_str_equal(found, expected), "%s differs", bad_names[_i]);
}
END_TEST

START_TEST(every_bad_fixture_is_tried)
{
    g_autoptr(GDir) dir = g_dir_open(FIXTURES "/bad", 0, NULL);
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while (g_dir_read_name(dir))
        count++;
    ck_assert_uint_eq(count, G_N_ELEMENTS(bad_names));
}
END_TEST

START_TEST(an_identity_has_what_its_file_says)
{
    g_autoptr(SignetPolicy) policy = parse_good("complete");
    const SignetIdentityPolicy *wifi = signet_policy_get_identity(policy, "wifi");
    const SignetRule *label;

    ck_assert_str_eq(wifi->token, "tpm");
    ck_assert_str_eq(wifi->ca, "local");
    ck_assert_str_eq(wifi->key, "ec:P-256");
    ck_assert_str_eq(wifi->subject, "CN=%H,O=Example");
    ck_assert_str_eq(wifi->dns[0], "%H");
    ck_assert_str_eq(wifi->dns[1], "*.lab.example");
    ck_assert_str_eq(wifi->ip[1], "2001:db8::7");
    ck_assert_str_eq(wifi->uri[1], "spiffe://example.org/%i");
    ck_assert_str_eq(wifi->email[0], "wifi@%H");
    ck_assert_str_eq(wifi->owner, "wpa");
    ck_assert_str_eq(wifi->group, "netdev");
    ck_assert_uint_eq(wifi->mode, 0440);
    ck_assert_uint_eq(wifi->purposes, SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_SSH_USERAUTH);
    ck_assert_uint_eq(wifi->allow->len, 4);
    label = g_ptr_array_index(wifi->allow, 3);
    ck_assert_int_eq(label->kind, SIGNET_RULE_LABEL);
    ck_assert_str_eq(label->value, "system_u:system_r:wpa_t:s0");
    ck_assert_str_eq(wifi->reload[1], "unit:openvpn@office.service");
    ck_assert_ptr_null(wifi->reload[2]);
    ck_assert(!wifi->is_ca);
}
END_TEST

START_TEST(later_policy_files_override_key_by_key)
{
    g_autoptr(SignetPolicy) policy = parse_good("complete");
    const SignetRotationProfile *fast = signet_policy_get_identity(policy, "wifi")->rotation;

    ck_assert_str_eq(fast->name, "fast");
    ck_assert_int_eq(fast->renew_kind, SIGNET_RENEW_BEFORE); /* the second file */
    ck_assert_int_eq(fast->renew_before_s, 21 * 24 * 3600);
    ck_assert_double_eq(fast->jitter_percent, 2.5); /* the first */
    ck_assert_int_eq(fast->new_key, SIGNET_NEW_KEY_AGE);
    ck_assert_int_eq(fast->new_key_age_s, 90 * 24 * 3600);
    ck_assert_int_eq(fast->overlap_s, 5400);
    ck_assert_int_eq(fast->retry_first_s, 10);
    ck_assert_int_eq(fast->retry_max_s, 900);
    ck_assert_int_eq(fast->pending_timeout_s, 14 * 24 * 3600);
    ck_assert_int_eq(fast->critical_remaining_s, 2 * 24 * 3600);
    ck_assert_int_eq(fast->on_revoked, SIGNET_ON_REVOKED_DISABLE);
    ck_assert_int_eq(fast->check_s, 6 * 3600);
    ck_assert_int_eq(signet_policy_get_limits(policy).min_lifetime_s, 300);
    ck_assert_int_eq(signet_policy_get_limits(policy).max_lifetime_s, (gint64)825 * 24 * 3600);
}
END_TEST

START_TEST(tokens_and_cas_have_what_their_files_say)
{
    g_autoptr(SignetPolicy) policy = parse_good("complete");
    const SignetTokenConfig *tpm = signet_policy_get_token(policy, "tpm");
    const SignetTokenConfig *sim = signet_policy_get_token(policy, "sim");
    const SignetCaProfile *ca = signet_policy_get_ca(policy, "local");

    ck_assert_str_eq(tpm->tcti, "device:/dev/tpmrm0");
    ck_assert(tpm->bus_encryption);
    ck_assert_uint_eq(tpm->queue_limit, 1024);
    ck_assert_str_eq(sim->tcti, "swtpm:host=localhost,port=2321");
    ck_assert(!sim->bus_encryption);
    ck_assert_uint_eq(sim->queue_limit, 16);
    ck_assert(tpm->measure && !sim->measure);
    ck_assert_str_eq(ca->token, "tpm");
    ck_assert_str_eq(ca->subject, "CN=Example Device CA,O=Example\\, Inc");
    ck_assert_int_eq(ca->ca_lifetime_s, (gint64)5 * 365 * 24 * 3600);
    ck_assert_int_eq(ca->lifetime_s, 30 * 24 * 3600);
}
END_TEST

START_TEST(a_pkcs11_token_has_what_its_group_says)
{
    g_autoptr(SignetPolicy) policy = parse_good("pkcs11");
    const SignetTokenConfig *card = signet_policy_get_token(policy, "card");
    const SignetTokenConfig *hsm = signet_policy_get_token(policy, "hsm");

    ck_assert_int_eq(card->kind, SIGNET_TOKEN_PKCS11);
    ck_assert_str_eq(card->uri, "pkcs11:serial=0123456789abcdef");
    ck_assert_ptr_null(card->pin_file);
    ck_assert_uint_eq(card->max_sessions, 0);
    ck_assert(!card->allow_extractable);
    ck_assert_str_eq(hsm->uri, "pkcs11:token=Machine%20keys;manufacturer=Example%20Corp;model=X-1"
                               "?module-path=/usr/lib/example/p11.so&module-name=example");
    ck_assert_str_eq(hsm->pin_file, "/etc/signet/hsm.pin");
    ck_assert_uint_eq(hsm->max_sessions, 8);
    ck_assert(hsm->allow_extractable);
    ck_assert_uint_eq(hsm->queue_limit, 64);
}
END_TEST

START_TEST(a_pin_comes_from_one_of_several_places)
{
    g_autoptr(SignetPolicy) policy = parse_good("pins");
    const SignetTokenConfig *credential = signet_policy_get_token(policy, "credential");

    ck_assert(signet_policy_get_token(policy, "ask")->ask_pin);
    ck_assert_str_eq(credential->pin_credential, "card-pin");
    ck_assert_ptr_null(credential->pin_file);
    ck_assert(!credential->ask_pin);
    ck_assert_str_eq(signet_policy_get_token(policy, "source")->pin_file, "/etc/signet/card pin");
    ck_assert_str_eq(signet_policy_get_token(policy, "url")->pin_file, "/etc/signet/url.pin");
}
END_TEST

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(a_remote_ca_has_what_its_group_says)
{
    g_autoptr(SignetPolicy) policy = parse_good("remote");
    const SignetCaProfile *ca = signet_policy_get_ca(policy, "corp");
    const SignetCaRemote *remote = &ca->remote;

    ck_assert_int_eq(ca->kind, SIGNET_CA_EST);
    ck_assert_str_eq(remote->url, "https://ca.example:8443/pki/");
    ck_assert_str_eq(remote->trust, "/etc/signet/corp.pem");
    ck_assert_uint_eq(g_strv_length(remote->pins), 2);
    ck_assert_str_eq(remote->pins[0], EMPTY_HASH); /* from hexadecimal with colons */
    ck_assert_str_eq(remote->pins[1], EMPTY_HASH); /* from base64 */
    ck_assert_str_eq(remote->proxy, "http://proxy.example:3128");
    ck_assert_int_eq(remote->timeout_s, 90);
    ck_assert_ptr_null(remote->secret_file);
    ck_assert_str_eq(remote->secret_credential, "corp");
    ck_assert(remote->is_secret_kept);
    ck_assert_uint_eq(remote->rungs,
                      SIGNET_RUNG_CURRENT | SIGNET_RUNG_IDENTITY | SIGNET_RUNG_SECRET);
    ck_assert_str_eq(remote->bootstrap_identity, "factory");
    ck_assert_uint_eq(g_strv_length(remote->options), 1);
    ck_assert_str_eq(remote->options[0], "Label=devices");
    ck_assert_ptr_null(signet_policy_get_identity(policy, "ca.corp"));
}
END_TEST

START_TEST(lists_are_sorted_and_hold_the_ca_identity)
{
    g_autoptr(SignetPolicy) policy = parse_good("complete");
    const GPtrArray *identities = signet_policy_get_identities(policy);
    static const char *const names[] = {"ca.local", "web", "wifi"};
    const SignetIdentityPolicy *ca = signet_policy_get_identity(policy, "ca.local");

    ck_assert_uint_eq(identities->len, G_N_ELEMENTS(names));
    for (guint i = 0; i < identities->len; i++)
        ck_assert_str_eq(((SignetIdentityPolicy *)identities->pdata[i])->name, names[i]);
    ck_assert(ca->is_ca);
    ck_assert_str_eq(ca->ca, "local");
    ck_assert_str_eq(ca->key, "ec:P-384");
    ck_assert_uint_eq(ca->purposes, SIGNET_PURPOSE_CERTIFICATE);
    ck_assert_uint_eq(ca->allow->len, 0);
    ck_assert_ptr_null(ca->rotation);
}
END_TEST

START_TEST(defaults_make_an_empty_file_an_identity)
{
    g_autoptr(SignetPolicy) policy = parse_good("minimal");
    const SignetIdentityPolicy *wifi = signet_policy_get_identity(policy, "wifi");

    ck_assert_str_eq(wifi->token, "tpm");
    ck_assert_str_eq(wifi->ca, "local");
    ck_assert_str_eq(wifi->key, "ec:P-256");
    ck_assert_str_eq(wifi->subject, "CN=%H");
    ck_assert_uint_eq(wifi->mode, 0444);
    ck_assert_uint_eq(wifi->purposes, SIGNET_PURPOSE_TLS_CLIENT);
    ck_assert_str_eq(wifi->rotation->name, "default");
    ck_assert_int_eq(wifi->rotation->overlap_s, SIGNET_AUTO);
    ck_assert_int_eq(signet_policy_get_ca(policy, "local")->lifetime_s, 90 * 24 * 3600);
    ck_assert_int_eq(signet_policy_get_limits(policy).max_lifetime_s, G_MAXINT64);
}
END_TEST

START_TEST(nothing_at_all_is_a_policy)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse(NULL, 0, problems);

    ck_assert_ptr_nonnull(policy);
    ck_assert_uint_eq(signet_policy_get_tokens(policy)->len, 1);
    ck_assert_uint_eq(signet_policy_get_identities(policy)->len, 1);
    ck_assert_ptr_nonnull(signet_policy_get_identity(policy, "ca.local"));
    ck_assert_ptr_null(signet_policy_get_identity(policy, "wifi"));
}
END_TEST

START_TEST(line_ends_of_windows_and_utf8_are_read)
{
    g_autoptr(SignetPolicy) windows = parse_good("windows");
    g_autoptr(SignetPolicy) utf8 = parse_good("utf8");

    ck_assert_str_eq(signet_policy_get_identity(windows, "wifi")->subject, "CN=%H");
    ck_assert_str_eq(signet_policy_get_identity(utf8, "wifi")->subject,
                     "CN=Gerät %H,O=Müller \\+ Söhne");
}
END_TEST

/* What GKeyFile reads and what we read must not differ where both read it: DESIGN calls it GKeyFile
 * syntax. */
START_TEST(glib_reads_the_same_values)
{
    g_auto(Fixture) fixture = fixture_load("good", "complete");
    g_autoptr(GKeyFile) keys = g_key_file_new();
    guint compared = 0;

    for (guint i = 0; i < fixture.files->len; i++) {
        const SignetPolicyFile *file = &g_array_index(fixture.files, SignetPolicyFile, i);

        ck_assert(g_key_file_load_from_data(keys, file->data, file->size, 0, NULL));
        if (g_str_equal(file->path, "identities.d/wifi.conf")) {
            g_autoptr(SignetPolicy) policy = parse_good("complete");
            g_autofree char *subject = g_key_file_get_value(keys, "Identity", "Subject", NULL);
            g_auto(GStrv) uris = g_key_file_get_string_list(keys, "Identity", "Uri", NULL, NULL);
            const SignetIdentityPolicy *wifi = signet_policy_get_identity(policy, "wifi");

            ck_assert_str_eq(subject, wifi->subject);
            ck_assert(g_strv_equal((const char *const *)uris, (const char *const *)wifi->uri));
            compared++;
        }
    }
    ck_assert_uint_eq(compared, 1);
}
END_TEST

/* The manual's example is real: "# /etc/signet/PATH" lines between .EX and .EE begin its files. */
START_TEST(the_example_of_the_manual_is_a_policy)
{
    g_autofree char *page = NULL;
    g_auto(GStrv) parts = NULL;
    SignetPolicyFile files[16];
    gsize n = 0;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = NULL;

    ck_assert(g_file_get_contents(MANUAL, &page, NULL, NULL));
    *strstr(page, ".EE") = '\0';
    parts = g_strsplit(strstr(page, ".EX\n"), "# /etc/signet/", -1);
    for (char **part = parts + 1; *part && n < G_N_ELEMENTS(files); part++) {
        char *end = strchr(*part, '\n');

        *end = '\0';
        files[n++] = (SignetPolicyFile) {*part, end + 1, strlen(end + 1)};
    }
    policy = signet_policy_parse(files, n, problems);
    ck_assert_msg(policy != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "");
    ck_assert_uint_eq(n, 5);
    ck_assert_str_eq(signet_policy_get_identity(policy, "wifi")->rotation->name, "careful");
    ck_assert_str_eq(signet_policy_get_identity(policy, "web")->owner, "www-data");
}
END_TEST

START_TEST(the_order_of_files_does_not_matter)
{
    const char *first = "[Rotation default]\nJitter=1%\n",
               *second = "[Rotation default]\nJitter=2%\n";
    SignetPolicyFile files[] = {
        {"policy.d/90.conf", second, strlen(second)},
        {"identities.d/id.conf", "", 0},
        {"policy.d/10.conf", first, strlen(first)},
    };
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);

    ck_assert_ptr_nonnull(policy);
    ck_assert_double_eq(signet_policy_get_identity(policy, "id")->rotation->jitter_percent, 2);
}
END_TEST

START_TEST(a_file_may_be_large_but_not_too_large)
{
    g_autofree char *text = g_malloc(SIGNET_POLICY_FILE_MAX + 1);
    SignetPolicyFile file = {"identities.d/id.conf", text, SIGNET_POLICY_FILE_MAX};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) good = NULL;

    memset(text, '#', SIGNET_POLICY_FILE_MAX + 1);
    good = signet_policy_parse(&file, 1, problems);
    ck_assert_ptr_nonnull(good);
    file.size++;
    ck_assert_ptr_null(signet_policy_parse(&file, 1, problems));
    ck_assert_str_eq(problems->pdata[0],
                     "more than 262144 bytes in identities.d/id.conf; split it");
}
END_TEST

START_TEST(a_file_full_of_mistakes_does_not_fill_the_journal)
{
    GString *text = g_string_new(NULL);
    g_autofree char *owned = NULL;
    g_autofree char *joined = NULL;
    g_auto(GStrv) lines = NULL;

    for (int i = 0; i < 10000; i++)
        g_string_append(text, "x\n");
    owned = g_string_free(text, FALSE);
    ck_assert_ptr_null(parse_text("identities.d/id.conf", owned, &joined));
    lines = g_strsplit(joined, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 101);
    ck_assert_str_eq(lines[100], "more problems in identities.d/id.conf are not listed");
}
END_TEST

/* n identities of a usual size. */
static SignetPolicy *
parse_many(guint n, GPtrArray *problems, gint64 *ret_us)
{
    static const char text[] = "[Identity]\nToken=tpm\nSubject=CN=%H,O=Example\nDns=%H;%i.example\n"
                               "[Access]\nAllow=unit:nginx.service;group:netdev\n"
                               "Purposes=tls-client;tls-server\n[Rotation]\nProfile=default\n";
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree SignetPolicyFile *files = g_new0(SignetPolicyFile, n);
    SignetPolicy *policy;
    gint64 start;

    for (guint i = 0; i < n; i++) {
        g_ptr_array_add(names, g_strdup_printf("identities.d/device-%05u.conf", i));
        files[i] = (SignetPolicyFile) {names->pdata[i], text, sizeof text - 1};
    }
    start = g_get_monotonic_time();
    policy = signet_policy_parse(files, n, problems);
    *ret_us = g_get_monotonic_time() - start;
    return policy;
}

START_TEST(a_thousand_identities_are_parsed_at_once)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    gint64 best = G_MAXINT64, us;

    for (int i = 0; i < 5; i++) {
        g_autoptr(SignetPolicy) policy = parse_many(1000, problems, &us);

        ck_assert_uint_eq(signet_policy_get_identities(policy)->len, 1001);
        best = MIN(best, us);
    }
    printf("# 1000 identities: %.1f ms\n", (double)best / 1000);
    ck_assert_int_lt(best, LONGEST_US);
}
END_TEST

START_TEST(ten_thousand_identities_are_the_most)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    gint64 us;
    g_autoptr(SignetPolicy) most = parse_many(10000, problems, &us);

    ck_assert_ptr_nonnull(most);
    ck_assert_ptr_null(parse_many(10001, problems, &us));
    ck_assert_str_eq(problems->pdata[0], "more than 10000 identities in identities.d");
}
END_TEST

static const struct {
    const char *template;
    const char *expanded;
} expansions[] = {
    {"CN=%H", "CN=host"}, {"%m-%i", "1234-wifi"}, {"100%%", "100%"}, {"%%H", "%H"},
    {"%", "%"},           {"%x%H", "%xhost"},     {"", ""},
};

START_TEST(placeholders_are_replaced_once)
{
    g_autofree char *expanded =
        signet_policy_expand(expansions[_i].template, "host", "1234", "wifi");

    ck_assert_str_eq(expanded, expansions[_i].expanded);
}
END_TEST

static void
add_tests(TCase *cases)
{
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, bad_files_are_refused_in_these_words, 0, G_N_ELEMENTS(bad_names));
    tcase_add_test(cases, every_bad_fixture_is_tried);
    tcase_add_test(cases, an_identity_has_what_its_file_says);
    tcase_add_test(cases, later_policy_files_override_key_by_key);
    tcase_add_test(cases, tokens_and_cas_have_what_their_files_say);
    tcase_add_test(cases, a_pkcs11_token_has_what_its_group_says);
    tcase_add_test(cases, a_pin_comes_from_one_of_several_places);
    tcase_add_test(cases, a_remote_ca_has_what_its_group_says);
    tcase_add_test(cases, lists_are_sorted_and_hold_the_ca_identity);
    tcase_add_test(cases, defaults_make_an_empty_file_an_identity);
    tcase_add_test(cases, nothing_at_all_is_a_policy);
    tcase_add_test(cases, line_ends_of_windows_and_utf8_are_read);
    tcase_add_test(cases, glib_reads_the_same_values);
    tcase_add_test(cases, the_example_of_the_manual_is_a_policy);
    tcase_add_test(cases, the_order_of_files_does_not_matter);
    tcase_add_test(cases, a_file_may_be_large_but_not_too_large);
    tcase_add_test(cases, a_file_full_of_mistakes_does_not_fill_the_journal);
    tcase_add_test(cases, a_thousand_identities_are_parsed_at_once);
    tcase_add_test(cases, ten_thousand_identities_are_the_most);
    tcase_add_loop_test(cases, placeholders_are_replaced_once, 0, G_N_ELEMENTS(expansions));
}

int
main(void)
{
    Suite *suite = suite_create("policy/parse");
    TCase *cases = tcase_create("parse");
    SRunner *runner;
    int failed;

    add_tests(cases);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
