/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Public keys in what somebody sent: requests, certificates, keys, and what is none of them. */

#include "agent/ctl/spki.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A P-256 key, a request by it and a certificate for it. */
static const char key[] =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENxQrii7zOpZItLvQBoUkHYWUjSIepHdy9xwjpPFYckbc"
    "pM8xAibip0ghTTNfge4nImdHsd1bj8HbOlkZAJZpPA==";
static const char request[] =
    "MIHLMHMCAQAwETEPMA0GA1UEAwwGZGV2aWNlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENxQrii7z"
    "OpZItLvQBoUkHYWUjSIepHdy9xwjpPFYckbcpM8xAibip0ghTTNfge4nImdHsd1bj8HbOlkZAJZpPKAA"
    "MAoGCCqGSM49BAMCA0gAMEUCIA2k2AYn2seBmSw70Gm6tkVTkUuNmz/MogLbscWynVXuAiEA+lvtzJ8g"
    "kyOBu/LGiiKUKfaQILlIQuBr+RC8xTkuegI=";
static const char certificate[] =
    "MIIBGzCBwwIUEPOdws31tZQf0LQbGn5/1q+gprEwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGZGV2aWNl"
    "MB4XDTI2MTEzMDIzMTQ0NVoXDTM2MTEyNzIzMTQ0NVowETEPMA0GA1UEAwwGZGV2aWNlMFkwEwYHKoZI"
    "zj0CAQYIKoZIzj0DAQcDQgAENxQrii7zOpZItLvQBoUkHYWUjSIepHdy9xwjpPFYckbcpM8xAibip0gh"
    "TTNfge4nImdHsd1bj8HbOlkZAJZpPDAKBggqhkjOPQQDAgNHADBEAiBQ31p7UhlCuRL+zrucoCuJMDR6"
    "Sa1TCKjOuiazjBF/FgIgRCwGewQPjqBBd5JrgGO4g0ElFgIMbbTHP8PPj1fUt7E=";

static GBytes *
decode(const char *base64)
{
    gsize size = 0;
    guchar *der = g_base64_decode(base64, &size);

    return g_bytes_new_take(der, size);
}

static char *
wrap(const char *label, const char *base64)
{
    return g_strdup_printf("words\n-----BEGIN %s-----\n%s\n-----END %s-----\nwords\n", label,
                           base64, label);
}

static gboolean
finds_key(const char *text, gsize size)
{
    g_autoptr(GBytes) expected = decode(key);
    g_autoptr(GBytes) found = signet_spki_find((const guint8 *)text, size);

    return found && g_bytes_equal(found, expected);
}

static const struct {
    const char *label;
    const char *base64;
} things[] = {
    {"PUBLIC KEY", key},
    {"CERTIFICATE REQUEST", request},
    {"NEW CERTIFICATE REQUEST", request},
    {"CERTIFICATE", certificate},
};

START_TEST(a_key_is_found_in_each_form)
{
    g_autoptr(GBytes) der = decode(things[_i].base64);
    g_autofree char *pem = wrap(things[_i].label, things[_i].base64);

    ck_assert(finds_key(g_bytes_get_data(der, NULL), g_bytes_get_size(der)));
    ck_assert(finds_key(things[_i].base64, strlen(things[_i].base64)));
    ck_assert(finds_key(pem, strlen(pem)));
}
END_TEST

START_TEST(what_is_cut_short_or_goes_on_has_none)
{
    g_autoptr(GBytes) der = decode(things[_i].base64);
    gsize size = g_bytes_get_size(der);
    g_autofree guint8 *copy = g_malloc0(size + 1);

    memcpy(copy, g_bytes_get_data(der, NULL), size);
    for (gsize i = 0; i < size; i++) {
        g_autoptr(GBytes) found = signet_spki_find(copy, i);

        ck_assert_ptr_null(found);
    }
    ck_assert_ptr_null(signet_spki_find(copy, size + 1));
}
END_TEST

START_TEST(two_kinds_of_things_are_none)
{
    g_autofree char *one = wrap("CERTIFICATE", certificate);
    g_autofree char *other = wrap("CERTIFICATE REQUEST", request);
    g_autofree char *both = g_strconcat(one, other, NULL);
    g_autofree char *twice = g_strconcat(one, one, NULL);

    ck_assert_ptr_null(signet_spki_find((const guint8 *)both, strlen(both)));
    ck_assert(finds_key(twice, strlen(twice)));
}
END_TEST

static const char *const nothing[] = {
    "",
    "MAA=",
    "hello",
    "-----BEGIN CERTIFICATE-----\nMAA=\n",
    "-----BEGIN PRIVATE KEY-----\nMAA=\n",
    "-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----", /* they share dashes */
};

START_TEST(anything_else_has_none)
{
    ck_assert_ptr_null(signet_spki_find((const guint8 *)nothing[_i], strlen(nothing[_i])));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ctl/spki");
    TCase *tests = tcase_create("spki");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tests, a_key_is_found_in_each_form, 0, G_N_ELEMENTS(things));
    tcase_add_loop_test(tests, what_is_cut_short_or_goes_on_has_none, 0, G_N_ELEMENTS(things));
    tcase_add_test(tests, two_kinds_of_things_are_none);
    tcase_add_loop_test(tests, anything_else_has_none, 0, G_N_ELEMENTS(nothing));
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
