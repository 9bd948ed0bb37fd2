/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words after '=': durations, names, key ranges, subjects, lists. */

#include "policy/duration.h"
#include "policy/value.h"

#include "policy/subject.h"
#include "tests/unit/policy/support.h"

#define DAY_S ((gint64)24 * 3600)

static const struct {
    const char *text;
    gint64 seconds; /* -1: refused */
} durations[] = {
    {"90s", 90},
    {"15min", 900},
    {"12h", 12 * 3600},
    {"21d", 21 * DAY_S},
    {"2w", 14 * DAY_S},
    {"10y", 3650 * DAY_S},
    {"1h30min", 5400},
    {"1d1s", DAY_S + 1},
    {"0s", 0},
    {"100y", 36500 * DAY_S},
    {"100y1s", -1},
    {"101y", -1},
    {"9999999999s", -1},
    {"99999999999999999999s", -1},
    {"", -1},
    {"5", -1},
    {"s", -1},
    {"5m", -1},
    {"5 min", -1},
    {"-5s", -1},
    {"+5s", -1},
    {"1.5h", -1},
    {"1h30", -1},
    {"1H", -1},
    {"5s ", -1},
};

START_TEST(durations_are_read_exactly)
{
    gint64 seconds = -1;
    gboolean is_read = signet_duration_parse(durations[_i].text, &seconds);

    ck_assert_int_eq(is_read, durations[_i].seconds >= 0);
    ck_assert_int_eq(seconds, durations[_i].seconds);
}
END_TEST

static const struct {
    const char *key;
    const char *item;
    gboolean is_within;
} ranges[] = {
    {"ec:P-256", "ec:P-256", TRUE},        {"ec:P-384", "ec:P-256", FALSE},
    {"ec:P-384", "ec:P-256..", TRUE},      {"ec:P-256", "ec:P-384..", FALSE},
    {"rsa:2048", "rsa:2048..", TRUE},      {"rsa:4096", "rsa:2048..", TRUE},
    {"rsa:4096", "rsa:2048..3072", FALSE}, {"rsa:3072", "rsa:2048..3072", TRUE},
    {"rsa:2048", "rsa:..3072", TRUE},      {"rsa:4096", "rsa:..3072", FALSE},
    {"rsa:2048", "ec:P-256..", FALSE},     {"ec:P-521", "rsa:2048..", FALSE},
    {"rsa:1024", "rsa:2048..", FALSE},     {"rsa:2048", "rsa:", FALSE},
    {"rsa:2048", "rsa:..", FALSE},         {"ed25519", "ed25519", TRUE},
    {"ed25519", "ec:P-256..", FALSE},      {"ec:P-256", "ed25519", FALSE},
    {"ed25519", "ed25519..", FALSE},
};

START_TEST(key_ranges_hold_what_they_should)
{
    ck_assert_int_eq(signet_value_is_key_within(ranges[_i].key, ranges[_i].item),
                     ranges[_i].is_within);
}
END_TEST

static const char *const bad_ranges[] = {
    "",
    "rsa",
    "rsa:",
    "rsa:..",
    "ec:2048..",
    "rsa:1024..",
    "rsa:4096..2048",
    "rsa:P-256",
    "ec:P-256...",
    "dsa:2048..",
    "rsa:2048..x",
    "ed25519..",
    "ed25519:",
    "x:..rsa:2048",
};

START_TEST(bad_key_ranges_are_refused)
{
    ck_assert(!signet_value_is_key_limit(bad_ranges[_i]));
}
END_TEST

static const struct {
    const char *name;
    gboolean is_name;
} names[] = {
    {"wifi", TRUE},
    {"a", TRUE},
    {"0-b_c", TRUE},
    {"", FALSE},
    {"-a", FALSE},
    {"_a", FALSE},
    {"Wifi", FALSE},
    {"a.b", FALSE},
    {"a/b", FALSE},
    {"ä", FALSE},
    {"123456789012345678901234567890123456789012345678901234567890123", TRUE},
    {"1234567890123456789012345678901234567890123456789012345678901234", FALSE},
};

START_TEST(names_are_short_and_plain)
{
    ck_assert_int_eq(signet_value_is_name(names[_i].name), names[_i].is_name);
}
END_TEST

/* Subjects as "TYPE value|TYPE value"; NULL: refused. */
static const struct {
    const char *subject;
    const char *parts;
} subjects[] = {
    {"CN=%H,O=Example", "CN %H|O Example"},
    {" cn = web 1 , o=Example Inc ", "CN web 1|O Example Inc"},
    {"CN=a\\,b\\=c\\+d\\\\e", "CN a,b=c+d\\e"},
    {"CN=a=b", "CN a=b"},
    {"CN=\\ a\\ ", "CN  a "},
    {"CN=\\#5", "CN #5"},
    {"CN=G\\C3\\A4nse", "CN Gänse"},
    {"DC=example,DC=com,OU=a,OU=b", "DC example|DC com|OU a|OU b"},
    {"C=DE,ST=Bayern,L=M,serialNumber=%m,emailAddress=a@b,UID=u",
     "C DE|ST Bayern|L M|serialNumber %m|emailAddress a@b|UID u"},
    {"", NULL},
    {"CN", NULL},
    {"CN=", NULL},
    {"CN=a,", NULL},
    {",CN=a", NULL},
    {"CN=a,,O=b", NULL},
    {"X=a", NULL},
    {"2.5.4.3=a", NULL},
    {"CN=a+O=b", NULL},
    {"CN=\"a\"", NULL},
    {"CN=a;O=b", NULL},
    {"CN=#0401", NULL},
    {"CN=a\\", NULL},
    {"CN=a\\z", NULL},
    {"CN=a\\00b", NULL},
    {"CN=\\FF", NULL},
    {"CN=\\0A", NULL},
    {"C=Germany", NULL},
    {"C=D", NULL},
    {"C=12", NULL},
    {"serialNumber=ä", NULL},
    {"CN=12345678901234567890123456789012345678901234567890123456789012345", NULL},
    {"O=1,O=2,O=3,O=4,O=5,O=6,O=7,O=8,O=9,O=10,O=11,O=12,O=13,O=14,O=15,O=16,O=17", NULL},
};

START_TEST(subjects_are_taken_apart)
{
    char *problem = NULL;
    g_autoptr(GPtrArray) parts = signet_policy_subject_parse(subjects[_i].subject, &problem);
    g_autoptr(GString) joined = g_string_new(NULL);

    ck_assert_int_eq(parts == NULL, subjects[_i].parts == NULL);
    ck_assert_int_eq(parts == NULL, problem != NULL);
    for (guint i = 0; parts && i < parts->len; i++) {
        const SignetSubjectPart *part = parts->pdata[i];

        g_string_append_printf(joined, "%s%s %s", i ? "|" : "", part->type, part->value);
    }
    if (subjects[_i].parts)
        ck_assert_str_eq(joined->str, subjects[_i].parts);
    g_free(problem);
}
END_TEST

/* What one key of an identity may hold; the lists are joined again for comparing. NULL: refused. */
static const struct {
    SignetValueSetter set;
    const char *text;
    const char *items;
} lists[] = {
    {signet_value_set_dns, "a.example;*.b.example", "a.example|*.b.example"},
    {signet_value_set_dns, " a ; ;b; ", "a|b"},
    {signet_value_set_dns, "", ""},
    {signet_value_set_dns, "%H;%i.example;m-%m", "%H|%i.example|m-%m"},
    {signet_value_set_dns, "*", NULL},
    {signet_value_set_dns, "a.*.b", NULL},
    {signet_value_set_dns, "a..b", NULL},
    {signet_value_set_dns, ".a", NULL},
    {signet_value_set_dns, "192.0.2.1", NULL},
    {signet_value_set_dns, "a b", NULL},
    {signet_value_set_dns, "%h", NULL},
    {signet_value_set_dns, "a%", NULL},
    {signet_value_set_ip, "192.0.2.1;::1", "192.0.2.1|::1"},
    {signet_value_set_ip, "192.0.2", NULL},
    {signet_value_set_ip, "fe80::1%eth0", NULL},
    {signet_value_set_ip, "192.0.2.0/24", NULL},
    {signet_value_set_uri, "https://%H/a%%20b;urn:x:y", "https://%H/a%%20b|urn:x:y"},
    {signet_value_set_uri, "http://x/\\;y", "http://x/;y"},
    {signet_value_set_uri, "no scheme", NULL},
    {signet_value_set_uri, "/path", NULL},
    {signet_value_set_email, "a@b", "a@b"},
    {signet_value_set_email, "a@b@c", NULL},
    {signet_value_set_email, "@b", NULL},
    {signet_value_set_email, "a@", NULL},
    {signet_value_set_reload, "unit:dev\\x2dx.service", "unit:dev\\x2dx.service"},
    {signet_value_set_reload, "unit:nginx", NULL},
    {signet_value_set_reload, "unit:nginx.target", NULL},
    {signet_value_set_reload, "unit:../x.service", NULL},
    {signet_value_set_reload, "unit:.service", NULL},
    {signet_value_set_key_limits, "ec:P-256;rsa:2048..", "ec:P-256|rsa:2048.."},
    {signet_value_set_key_limits, "", NULL},
};

START_TEST(lists_are_checked_item_by_item)
{
    char **list = NULL;
    g_autofree char *problem = lists[_i].set(lists[_i].text, &list);
    g_autofree char *joined = list ? g_strjoinv("|", list) : NULL;

    ck_assert_int_eq(problem == NULL, lists[_i].items != NULL);
    ck_assert_int_eq(problem == NULL, list != NULL);
    if (lists[_i].items)
        ck_assert_str_eq(joined, lists[_i].items);
    g_strfreev(list);
}
END_TEST

static const struct {
    const char *text;
    guint mode; /* 0: refused */
} modes[] = {
    {"0444", 0444}, {"440", 0440}, {"0600", 0600}, {"0644", 0644}, {"0000", 0},
    {"0044", 0},    {"0666", 0},   {"0755", 0},    {"4444", 0},    {"0448", 0},
    {"44", 0},      {"00444", 0},  {"", 0},        {"rw", 0},
};

START_TEST(modes_are_octal_and_safe)
{
    guint mode = 0;
    g_autofree char *problem = signet_value_set_mode(modes[_i].text, &mode);

    ck_assert_uint_eq(mode, modes[_i].mode);
    ck_assert_int_eq(problem == NULL, modes[_i].mode != 0);
}
END_TEST

static const char *const bad_rules[] = {
    "alice",  "user:", "user:a b", "group:", "unit:nginx", "unit:", "unit:a/b.service",
    "label:", "uid:0", "user",
};

START_TEST(bad_rules_are_refused)
{
    GPtrArray *rules = NULL;
    g_autofree char *problem = signet_value_set_allow(bad_rules[_i], &rules);

    ck_assert_ptr_nonnull(problem);
    ck_assert_ptr_null(rules);
}
END_TEST

START_TEST(a_list_has_an_end)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *problem = NULL;
    char **list = NULL;

    for (int i = 0; i < 257; i++)
        g_string_append(text, "a;");
    problem = signet_value_set_dns(text->str, &list);
    ck_assert_str_eq(problem, "the list has more than 256 items");
}
END_TEST

START_TEST(certificate_is_no_purpose_for_files)
{
    guint purposes = 7;
    g_autofree char *problem = signet_value_set_purposes("tls-client;certificate", &purposes);
    g_autofree char *empty = signet_value_set_purposes(" ; ", &purposes);

    ck_assert_ptr_nonnull(problem);
    ck_assert_ptr_nonnull(empty);
    ck_assert_uint_eq(purposes, 7);
}
END_TEST

#define ADD_ROWS(cases, test, rows) tcase_add_loop_test(cases, test, 0, G_N_ELEMENTS(rows))

int
main(void)
{
    Suite *suite = suite_create("policy/value");
    TCase *cases = tcase_create("value");
    SRunner *runner;
    int failed;

    ADD_ROWS(cases, durations_are_read_exactly, durations);
    ADD_ROWS(cases, key_ranges_hold_what_they_should, ranges);
    ADD_ROWS(cases, bad_key_ranges_are_refused, bad_ranges);
    ADD_ROWS(cases, names_are_short_and_plain, names);
    ADD_ROWS(cases, subjects_are_taken_apart, subjects);
    ADD_ROWS(cases, lists_are_checked_item_by_item, lists);
    ADD_ROWS(cases, modes_are_octal_and_safe, modes);
    ADD_ROWS(cases, bad_rules_are_refused, bad_rules);
    tcase_add_test(cases, a_list_has_an_end);
    tcase_add_test(cases, certificate_is_no_purpose_for_files);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
