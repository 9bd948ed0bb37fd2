/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Any name makes a valid path, and no two names the same. */

#include "agent/bus/path.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *path;
} rows[] = {
    {"wifi", "/p/wifi"},
    {"WiFi2", "/p/WiFi2"},
    {"vpn-1", "/p/vpn_2d1"},
    {"vpn_1", "/p/vpn_5f1"},
    {"ca.local", "/p/ca_2elocal"},
    {"_", "/p/_5f"},
    {"", "/p/_"},
    {"7", "/p/7"},
    {"a/../b", "/p/a_2f_2e_2e_2fb"},
    {"\xc3\xbc", "/p/_c3_bc"},
    {"_2d", "/p/_5f2d"},
};

START_TEST(a_name_is_escaped)
{
    g_autofree char *path = signet_bus_path_new("/p", rows[_i].name);

    ck_assert_str_eq(path, rows[_i].path);
    ck_assert(g_variant_is_object_path(path));
}
END_TEST

START_TEST(every_byte_makes_a_valid_and_different_path)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint byte = 1; byte < 256; byte++) {
        const char name[] = {'n', (char)byte, '\0'};
        char *path = signet_bus_path_new("/p", name);

        ck_assert(g_variant_is_object_path(path));
        ck_assert(g_hash_table_add(seen, path));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("path");
    TCase *tests = tcase_create("path");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, a_name_is_escaped, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tests, every_byte_makes_a_valid_and_different_path);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
