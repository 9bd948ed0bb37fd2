/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Canary=: what is a peer, and what is none. */

#include "policy/canary.h"

#include "tests/unit/policy/support.h"

static const struct {
    const char *text;
    const char *host;
    const char *port;
    const char *path;
    SignetCanaryKind kind;
} peers[] = {
    {"tls:radius.example.net:2083", "radius.example.net", "2083", NULL, SIGNET_CANARY_TLS},
    {"tls:[2001:db8::1]:443", "2001:db8::1", "443", NULL, SIGNET_CANARY_TLS},
    {"https://vpn.example", "vpn.example", "443", "/", SIGNET_CANARY_HTTPS},
    {"https://vpn.example:8443/a?b=c", "vpn.example", "8443", "/a?b=c", SIGNET_CANARY_HTTPS},
    {"https://[::1]/", "::1", "443", "/", SIGNET_CANARY_HTTPS},
    {"radius:radius.example.net", "radius.example.net", "1812", NULL, SIGNET_CANARY_RADIUS},
    {"radius:[::1]:11812", "::1", "11812", NULL, SIGNET_CANARY_RADIUS},
    {"connect:vpn.example:1194", "vpn.example", "1194", NULL, SIGNET_CANARY_CONNECT},
};

START_TEST(a_peer_is_understood)
{
    g_auto(SignetCanary) canary = {0};

    ck_assert(signet_canary_parse(peers[_i].text, &canary));
    ck_assert_int_eq(canary.kind, peers[_i].kind);
    ck_assert_str_eq(canary.host, peers[_i].host);
    ck_assert_str_eq(canary.port, peers[_i].port);
    ck_assert_pstr_eq(canary.path, peers[_i].path);
}
END_TEST

static const char *const refused[] = {
    "",
    "tls:",
    "tls:host",
    "tls::443",
    "tls:host:0",
    "tls:host:65536",
    "tls:host:https",
    "tls:[::1]443",
    "tls:[::1",
    "tls:ho st:443",
    "tls:host:443/path",
    "radius:",
    "radius:host:0",
    "radius:host:1812/path",
    "connect:host",
    "udp:host:1",
    "https://",
    "https:///path",
    "https://host:/",
    "https://host/a b",
    "https://host/a\r\nX: y",
    "http://host/",
    "https://user@host/",
};

START_TEST(what_is_no_peer_is_refused)
{
    SignetCanary canary = {0};

    ck_assert(!signet_canary_parse(refused[_i], &canary));
    ck_assert_ptr_null(canary.host);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy/canary");
    TCase *cases = tcase_create("canary");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(cases, a_peer_is_understood, 0, G_N_ELEMENTS(peers));
    tcase_add_loop_test(cases, what_is_no_peer_is_refused, 0, G_N_ELEMENTS(refused));
    suite_add_tcase(suite, cases);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
