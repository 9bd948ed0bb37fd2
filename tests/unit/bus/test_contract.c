/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The contract is whole: every method of the XML has a row in the gate and a handler, every row a
 * method, every action is one of org.signet.policy, nothing can be written, and everything is
 * documented. */

#include <check.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bus/call.h"

static const char *const files[] = {"org.signet.Agent1.xml", "org.signet.Identity1.xml",
                                    "org.signet.Token1.xml"};

static char *
read_file(const char *name)
{
    g_autofree char *path = g_build_filename(SIGNET_DBUS_DIR, name, NULL);
    char *text = NULL;

    ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "%s cannot be read", path);
    return text;
}

static GDBusNodeInfo *
read_node(const char *name)
{
    g_autofree char *text = read_file(name);
    GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(text, NULL);

    ck_assert_msg(node != NULL, "%s is no introspection data", name);
    ck_assert_ptr_nonnull(node->interfaces[0]);
    return node;
}

START_TEST(the_directory_holds_these_interfaces_and_no_others)
{
    g_autoptr(GDir) directory = g_dir_open(SIGNET_DBUS_DIR, 0, NULL);
    const char *name = NULL;
    guint count = 0;

    ck_assert_ptr_nonnull(directory);
    while ((name = g_dir_read_name(directory)))
        count += g_str_has_suffix(name, ".xml");
    ck_assert_uint_eq(count, G_N_ELEMENTS(files));
}
END_TEST

START_TEST(every_method_has_a_row_and_a_handler)
{
    g_autoptr(GDBusNodeInfo) node = read_node(files[_i]);
    GDBusInterfaceInfo *interface = node->interfaces[0];

    for (gsize i = 0; interface->methods && interface->methods[i]; i++) {
        const char *method = interface->methods[i]->name;

        ck_assert_msg(signet_gate_find(interface->name, method) != NULL, "%s.%s has no row",
                      interface->name, method);
        ck_assert_msg(signet_bus_has_handler(interface->name, method), "%s.%s has no handler",
                      interface->name, method);
    }
}
END_TEST

START_TEST(every_row_is_of_a_method)
{
    gsize n_rows = 0;
    const SignetGateRow *rows = signet_gate_list(&n_rows);
    guint found = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GDBusNodeInfo) node = read_node(files[i]);

        for (gsize row = 0; row < n_rows; row++) {
            if (g_str_equal(rows[row].interface, node->interfaces[0]->name))
                found += g_dbus_interface_info_lookup_method(node->interfaces[0],
                                                             rows[row].method) != NULL;
        }
    }
    ck_assert_uint_eq(found, n_rows);
}
END_TEST

START_TEST(every_action_is_declared)
{
    g_autofree char *policy = read_file("org.signet.policy");
    gsize n_rows = 0;
    const SignetGateRow *rows = signet_gate_list(&n_rows);

    for (gsize i = 0; i < n_rows; i++) {
        g_autofree char *declared = g_strdup_printf("<action id=\"%s\">", rows[i].action);

        if (rows[i].action)
            ck_assert_msg(strstr(policy, declared) != NULL, "%s is not declared", rows[i].action);
    }
}
END_TEST

START_TEST(no_action_but_status_is_allowed_without_an_administrator)
{
    g_autofree char *policy = read_file("org.signet.policy");
    const char *yes = strstr(policy, ">yes<");
    const char *status = strstr(policy, "org.signet.status");
    const char *enroll = strstr(policy, "org.signet.enroll");

    ck_assert_ptr_nonnull(yes);
    ck_assert(status < yes && yes < enroll);
    ck_assert_ptr_null(strstr(yes + 1, ">yes<"));
}
END_TEST

/* Whoever owns an action may ask polkit about others; root, which the agent is, may without. */
START_TEST(no_action_has_an_owner)
{
    g_autofree char *policy = read_file("org.signet.policy");

    ck_assert_ptr_null(strstr(policy, "policykit.owner"));
}
END_TEST

START_TEST(what_is_in_no_row_is_refused)
{
    ck_assert_ptr_null(signet_gate_find("org.signet.Identity1", "Destroy"));
    ck_assert_ptr_null(signet_gate_find("org.signet.Agent1", "Rotate"));
    ck_assert_ptr_null(signet_gate_find("org.signet.identity1", "Rotate"));
    ck_assert_ptr_null(signet_gate_find("", ""));
}
END_TEST

START_TEST(no_property_can_be_written)
{
    g_autoptr(GDBusNodeInfo) node = read_node(files[_i]);

    for (GDBusPropertyInfo **property = node->interfaces[0]->properties; *property; property++)
        ck_assert_uint_eq((*property)->flags, G_DBUS_PROPERTY_INFO_FLAGS_READABLE);
}
END_TEST

/* "NAME:" on a line of a comment, as gtk-doc wants it */
static void
assert_documented(const char *text, const char *name)
{
    g_autofree char *line = g_strdup_printf("(<!--|\\n)\\s+%s:", name);

    ck_assert_msg(g_regex_match_simple(line, text, 0, 0), "%s is not documented", name);
}

START_TEST(everything_is_documented)
{
    g_autofree char *text = read_file(files[_i]);
    g_autoptr(GDBusNodeInfo) node = read_node(files[_i]);
    GDBusInterfaceInfo *interface = node->interfaces[0];

    assert_documented(text, interface->name);
    for (gsize i = 0; interface->methods[i]; i++)
        assert_documented(text, interface->methods[i]->name);
    for (gsize i = 0; interface->properties[i]; i++)
        assert_documented(text, interface->properties[i]->name);
    for (gsize i = 0; interface->signals[i]; i++)
        assert_documented(text, interface->signals[i]->name);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("contract");
    TCase *tests = tcase_create("contract");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, the_directory_holds_these_interfaces_and_no_others);
    tcase_add_loop_test(tests, every_method_has_a_row_and_a_handler, 0, G_N_ELEMENTS(files));
    tcase_add_test(tests, every_row_is_of_a_method);
    tcase_add_test(tests, every_action_is_declared);
    tcase_add_test(tests, no_action_but_status_is_allowed_without_an_administrator);
    tcase_add_test(tests, no_action_has_an_owner);
    tcase_add_test(tests, what_is_in_no_row_is_refused);
    tcase_add_loop_test(tests, no_property_can_be_written, 0, G_N_ELEMENTS(files));
    tcase_add_loop_test(tests, everything_is_documented, 0, G_N_ELEMENTS(files));
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
