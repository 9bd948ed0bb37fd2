/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who may use which key for what: tables, and the property that nothing is allowed unless a rule
 * says so. */

#include "policy/access.h"

#include "tests/unit/policy/support.h"

#define ALL_PURPOSES 8

static const char *const netdev[] = {"netdev", "108", "users", "100", NULL};
static const char *const nogroup[] = {"nogroup", "65534", NULL};

static const SignetPolicyPeer root = {0, 0, "root", NULL, NULL, NULL};
static const SignetPolicyPeer alice = {1000, 100, "alice", netdev, "session-3.scope", "unconfined"};
static const SignetPolicyPeer nobody = {65534, 65534, "nobody", nogroup, NULL, NULL};
static const SignetPolicyPeer nameless = {4711, 4711, NULL, NULL, NULL, NULL};
static const SignetPolicyPeer nginx = {
    33, 33, "www-data", nogroup, "nginx.service", "nginx (enforce)"};

static const struct {
    const char *access; /* lines of the identity's file */
    const SignetPolicyPeer *peer;
    SignetPurpose purpose;
    gboolean is_allowed;
    const char *rule;
} verdicts[] = {
    /* without rules: root and the owner */
    {"", &root, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "root"},
    {"", &alice, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "'id' has no Allow= rule, and user 'alice' (uid 1000) is neither root nor its owner"},
    {"", &nameless, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "'id' has no Allow= rule, and uid 4711 is neither root nor its owner"},
    {"[Identity]\nOwner=alice\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "the identity's owner"},
    {"[Identity]\nOwner=1000\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "the identity's owner"},
    {"[Identity]\nOwner=alice\n", &nobody, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "'id' has no Allow= rule, and user 'nobody' (uid 65534) is neither root nor its owner"},
    {"[Identity]\nGroup=netdev\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "'id' has no Allow= rule, and user 'alice' (uid 1000) is neither root nor its owner"},
    /* rules */
    {"[Access]\nAllow=user:alice\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "Allow=user:alice"},
    {"[Access]\nAllow=user:1000\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "Allow=user:1000"},
    {"[Access]\nAllow=user:100\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'alice' (uid 1000)"},
    {"[Access]\nAllow=user:alic\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'alice' (uid 1000)"},
    {"[Access]\nAllow=group:netdev\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE,
     "Allow=group:netdev"},
    {"[Access]\nAllow=group:108\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "Allow=group:108"},
    {"[Access]\nAllow=group:4711\n", &nameless, SIGNET_PURPOSE_TLS_CLIENT, TRUE,
     "Allow=group:4711"},
    {"[Access]\nAllow=group:netdev\n", &nobody, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'nobody' (uid 65534)"},
    {"[Access]\nAllow=unit:nginx.service\n", &nginx, SIGNET_PURPOSE_TLS_CLIENT, TRUE,
     "Allow=unit:nginx.service"},
    {"[Access]\nAllow=unit:nginx.service\n", &alice, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'alice' (uid 1000)"},
    {"[Access]\nAllow=unit:nginx.service\n", &nobody, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'nobody' (uid 65534)"},
    {"[Access]\nAllow=label:nginx (enforce)\n", &nginx, SIGNET_PURPOSE_TLS_CLIENT, TRUE,
     "Allow=label:nginx (enforce)"},
    {"[Access]\nAllow=label:nginx\n", &nginx, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "no Allow= rule of 'id' names user 'www-data' (uid 33)"},
    {"[Access]\nAllow=group:netdev;user:nobody\n", &nobody, SIGNET_PURPOSE_TLS_CLIENT, TRUE,
     "Allow=user:nobody"},
    {"[Access]\nAllow=user:nobody\n", &root, SIGNET_PURPOSE_TLS_CLIENT, TRUE, "root"},
    {"[Identity]\nOwner=alice\n[Access]\nAllow=user:nobody\n", &alice, SIGNET_PURPOSE_TLS_CLIENT,
     TRUE, "the identity's owner"},
    /* purposes bind root as well */
    {"", &root, SIGNET_PURPOSE_CSR, FALSE, "Purposes= of 'id' does not list 'csr'"},
    {"", &root, SIGNET_PURPOSE_TLS_SERVER, FALSE, "Purposes= of 'id' does not list 'tls-server'"},
    {"", &root, SIGNET_PURPOSE_ANY, FALSE, "Purposes= of 'id' does not list 'any'"},
    {"[Access]\nPurposes=tls-server;csr\n", &root, SIGNET_PURPOSE_CSR, TRUE, "root"},
    {"[Access]\nPurposes=tls-server;csr\n", &root, SIGNET_PURPOSE_TLS_CLIENT, FALSE,
     "Purposes= of 'id' does not list 'tls-client'"},
    {"[Access]\nPurposes=any\n", &root, SIGNET_PURPOSE_ANY, TRUE, "root"},
    {"[Access]\nPurposes=any\n", &root, SIGNET_PURPOSE_DECRYPT, TRUE, "root"},
    {"[Access]\nPurposes=any\n", &root, SIGNET_PURPOSE_SIGN, TRUE, "root"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_SIGN, TRUE, "root"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_TLS_SERVER, TRUE, "root"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_DECRYPT, FALSE,
     "Purposes= of 'id' does not list 'decrypt'"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_DERIVE, FALSE,
     "Purposes= of 'id' does not list 'derive'"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_CERTIFICATE, FALSE,
     "'id' signs certificates for enrolment jobs only"},
    {"[Access]\nPurposes=sign\n", &root, SIGNET_PURPOSE_ANY, FALSE,
     "Purposes= of 'id' does not list 'any'"},
    {"[Access]\nPurposes=any\n", &root, SIGNET_PURPOSE_CERTIFICATE, FALSE,
     "'id' signs certificates for enrolment jobs only"},
    {"[Access]\nPurposes=any\n", &root, (SignetPurpose)0, FALSE,
     "Purposes= of 'id' does not list '(unknown)'"},
    {"[Access]\nPurposes=any\n", &root, (SignetPurpose)3, FALSE,
     "Purposes= of 'id' does not list '(unknown)'"},
};

START_TEST(verdict_names_the_rule_that_decided)
{
    g_autoptr(SignetPolicy) policy = parse_identity(verdicts[_i].access);
    const SignetIdentityPolicy *identity = signet_policy_get_identity(policy, "id");
    g_auto(SignetVerdict) verdict =
        signet_access_check(identity, verdicts[_i].peer, verdicts[_i].purpose);

    ck_assert_str_eq(verdict.rule, verdicts[_i].rule);
    ck_assert_int_eq(verdict.is_allowed, verdicts[_i].is_allowed);
    ck_assert_int_eq(signet_access_is_allowed(identity, verdicts[_i].peer, verdicts[_i].purpose),
                     verdicts[_i].is_allowed);
}
END_TEST

START_TEST(nobody_may_use_a_local_ca_by_policy)
{
    g_autoptr(SignetPolicy) policy = parse_identity("");
    const SignetIdentityPolicy *ca = signet_policy_get_identity(policy, "ca.local");

    ck_assert_ptr_nonnull(ca);
    for (guint bit = 0; bit < ALL_PURPOSES; bit++) {
        ck_assert(!signet_access_is_allowed(ca, &root, (SignetPurpose)(1u << bit)));
        ck_assert(!signet_access_is_allowed(ca, &alice, (SignetPurpose)(1u << bit)));
    }
}
END_TEST

START_TEST(a_unit_is_needed_only_by_unit_rules)
{
    g_autoptr(SignetPolicy) with = parse_identity("[Access]\nAllow=user:a;unit:b.service\n");
    g_autoptr(SignetPolicy) without = parse_identity("[Access]\nAllow=user:a;label:unit\n");

    ck_assert(signet_access_needs_unit(signet_policy_get_identity(with, "id")));
    ck_assert(!signet_access_needs_unit(signet_policy_get_identity(without, "id")));
}
END_TEST

/* The property, checked against a second opinion that is written the other way round. */

static const char *const users[] = {"root", "alice", "bob", "0", "7", "8"};
static const char *const groups[] = {"wheel", "netdev", "0", "7", "9"};
static const char *const units[] = {"a.service", "b.service", "c.scope"};
static const char *const labels[] = {"x", "y"};

#define PICK(rand, list) ((list)[g_rand_int_range((rand), 0, G_N_ELEMENTS(list))])

static char *
random_file(GRand *rand)
{
    GString *text = g_string_new("[Identity]\n");
    int rules = g_rand_int_range(rand, 0, 5);

    if (g_rand_boolean(rand))
        g_string_append_printf(text, "Owner=%s\n", PICK(rand, users));
    g_string_append(text, "[Access]\nAllow=");
    for (int i = 0; i < rules; i++) {
        switch (g_rand_int_range(rand, 0, 4)) {
        case 0:
            g_string_append_printf(text, "user:%s;", PICK(rand, users));
            break;
        case 1:
            g_string_append_printf(text, "group:%s;", PICK(rand, groups));
            break;
        case 2:
            g_string_append_printf(text, "unit:%s;", PICK(rand, units));
            break;
        default:
            g_string_append_printf(text, "label:%s;", PICK(rand, labels));
        }
    }
    g_string_append(text, "\nPurposes=");
    for (guint bit = 0; bit < ALL_PURPOSES; bit++) {
        const char *name = signet_purpose_name((SignetPurpose)(1u << bit));

        if (!g_str_equal(name, "certificate") && g_rand_int_range(rand, 0, 4) == 0)
            g_string_append_printf(text, "%s;", name);
    }
    g_string_append(text, "ssh-userauth\n");
    return g_string_free(text, FALSE);
}

static gboolean
peer_is(const SignetPolicyPeer *peer, const char *what)
{
    g_autofree char *user = g_strconcat("user:", peer->user, NULL);
    g_autofree char *uid = g_strdup_printf("user:%u", peer->uid);
    g_autofree char *gid = g_strdup_printf("group:%u", peer->gid);
    g_autofree char *unit = g_strconcat("unit:", peer->unit, NULL);
    g_autofree char *label = g_strconcat("label:", peer->label, NULL);
    const char *const is[] = {peer->user ? user : "-",   uid, gid, peer->unit ? unit : "-",
                              peer->label ? label : "-", NULL};

    if (g_strv_contains(is, what))
        return TRUE;
    for (guint i = 0; peer->groups && peer->groups[i]; i++) {
        if (g_str_has_prefix(what, "group:") && g_str_equal(what + 6, peer->groups[i]))
            return TRUE;
    }
    return FALSE;
}

/* Reads the file's text, not the model. */
static gboolean
second_opinion(const char *text, const SignetPolicyPeer *peer, const char *purpose)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean is_named = peer->uid == 0, is_listed = FALSE;

    if (g_str_equal(purpose, "certificate"))
        return FALSE;
    for (char **line = lines; *line; line++) {
        const char *value = strchr(*line, '=');
        g_auto(GStrv) items = g_strsplit(value ? value + 1 : "", ";", -1);

        for (char **item = items; *item; item++) {
            g_autofree char *owner = g_strconcat("user:", *item, NULL);

            is_named |= g_str_has_prefix(*line, "Owner=") && peer_is(peer, owner);
            is_named |= g_str_has_prefix(*line, "Allow=") && peer_is(peer, *item);
            is_listed |= g_str_has_prefix(*line, "Purposes=") &&
                         (g_str_equal(*item, purpose) || g_str_equal(*item, "any") ||
                          (g_str_equal(*item, "sign") && !g_str_equal(purpose, "any") &&
                           purpose[0] != 'd')); /* decrypt, derive */
        }
    }
    return is_named && is_listed;
}

START_TEST(nothing_is_allowed_unless_a_rule_says_so)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20260730 + (guint)_i);
    guint allowed = 0, denied = 0;

    for (int round = 0; round < 2000; round++) {
        g_autofree char *text = random_file(rand);
        g_autoptr(SignetPolicy) policy = parse_identity(text);
        const char *member[] = {PICK(rand, groups), PICK(rand, groups), NULL};
        SignetPolicyPeer peer = {
            .uid = (guint)g_rand_int_range(rand, 0, 10),
            .gid = (guint)g_rand_int_range(rand, 0, 10),
            .user = g_rand_boolean(rand) ? users[g_rand_int_range(rand, 0, 3)] : NULL,
            .groups = g_rand_boolean(rand) ? member : NULL,
            .unit = g_rand_boolean(rand) ? PICK(rand, units) : NULL,
            .label = g_rand_boolean(rand) ? PICK(rand, labels) : NULL,
        };
        SignetPurpose purpose = (SignetPurpose)(1u << g_rand_int_range(rand, 0, ALL_PURPOSES));
        gboolean is_allowed =
            signet_access_is_allowed(signet_policy_get_identity(policy, "id"), &peer, purpose);

        ck_assert_msg(is_allowed == second_opinion(text, &peer, signet_purpose_name(purpose)),
                      "uid %u user %s unit %s purpose %s\n%s", peer.uid, peer.user, peer.unit,
                      signet_purpose_name(purpose), text);
        allowed += is_allowed;
        denied += !is_allowed;
    }
    ck_assert_uint_gt(allowed, 100);
    ck_assert_uint_gt(denied, 100);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy/access");
    TCase *cases = tcase_create("access");
    SRunner *runner;
    int failed;

    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, verdict_names_the_rule_that_decided, 0, G_N_ELEMENTS(verdicts));
    tcase_add_test(cases, nobody_may_use_a_local_ca_by_policy);
    tcase_add_test(cases, a_unit_is_needed_only_by_unit_rules);
    tcase_add_loop_test(cases, nothing_is_allowed_unless_a_rule_says_so, 0, 5);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
