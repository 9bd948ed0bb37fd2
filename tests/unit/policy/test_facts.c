/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Facts as text and back, and policies that a token cannot serve. */

#include <stdlib.h>
#include <string.h>

#include "policy/facts.h"
#include "policy/parse.h"
#include "tests/unit/policy/support.h"

#define TPM_PLACE "device:/dev/tpmrm0"

static GVariant *
parse(const char *text)
{
    return g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
}

static GVariant *
example(void)
{
    return parse("{'device': <'Example'>, 'place': <'" TPM_PLACE "'>, 'max_sessions': <uint32 4>,"
                 " 'keys': <['ec:P-256', 'ec:P-384', 'rsa:2048']>, 'decrypt': <['rsa:2048']>,"
                 " 'derive': <@as []>, 'certificates': <[{'nv': '0x01c00002'}]>,"
                 " 'times': <{'ec:P-256 sign': (uint64 300, uint64 400, uint32 32)}>}");
}

/* --- text --- */

START_TEST(what_was_written_down_is_read_again)
{
    g_autoptr(GVariant) facts = example();
    g_autofree char *text = signet_facts_encode(facts);
    g_autoptr(GVariant) again = signet_facts_decode(text, strlen(text));

    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(g_variant_n_children(again), g_variant_n_children(facts));
    for (gsize i = 0; i < g_variant_n_children(facts); i++) {
        const char *name;
        g_autoptr(GVariant) value = NULL;
        g_autoptr(GVariant) other = NULL;

        g_variant_get_child(facts, i, "{&sv}", &name, &value);
        other = g_variant_lookup_value(again, name, g_variant_get_type(value));
        ck_assert_msg(other && g_variant_equal(value, other), "%s", name);
    }
}
END_TEST

START_TEST(a_damaged_text_gives_no_facts)
{
    static const char *const texts[] = {
        "",
        "no key file",
        "[Facts]\n",
        "[Facts]\nVersion=2\nkeys=['ec:P-256']\n",
        "[Facts]\nVersion=1\nkeys='ec:P-256'\n",
        "[Facts]\nVersion=1\nkeys=['ec:P-256'\n",
        "[Facts]\nVersion=1\ndevice=((((((((((((((((((((((((((((((\n",
        "[Facts]\nVersion=1\ndevice='\xff'\n",
        "[Other]\nVersion=1\n",
    };

    ck_assert_msg(signet_facts_decode(texts[_i], strlen(texts[_i])) == NULL, "%s", texts[_i]);
}
END_TEST

START_TEST(a_cut_text_is_refused_or_says_less)
{
    g_autoptr(GVariant) facts = example();
    g_autofree char *text = signet_facts_encode(facts);

    for (gsize size = 0; size < strlen(text); size++) {
        g_autoptr(GVariant) again = signet_facts_decode(text, size);

        ck_assert(!again || g_variant_n_children(again) <= g_variant_n_children(facts));
    }
}
END_TEST

START_TEST(too_large_a_text_is_refused)
{
    g_autoptr(GString) text = g_string_new("[Facts]\nVersion=1\n#");

    while (text->len <= SIGNET_FACTS_SIZE_MAX)
        g_string_append_c(text, '#');
    ck_assert_ptr_null(signet_facts_decode(text->str, text->len));
}
END_TEST

START_TEST(words_of_a_newer_agent_are_left_out)
{
    static const char text[] = "[Facts]\nVersion=1\nflavour='sweet'\ndevice='Example'\n";
    g_autoptr(GVariant) facts = signet_facts_decode(text, strlen(text));

    ck_assert_ptr_nonnull(facts);
    ck_assert_uint_eq(g_variant_n_children(facts), 1);
}
END_TEST

START_TEST(merging_takes_the_newer_and_keeps_the_rest)
{
    g_autoptr(GVariant) old = parse("{'device': <'a'>, 'model': <'m'>}");
    g_autoptr(GVariant) newer = parse("{'device': <'b'>}");
    g_autoptr(GVariant) merged = signet_facts_merge(old, newer);
    g_autoptr(GVariant) none = signet_facts_merge(NULL, NULL);
    const char *text;

    ck_assert(g_variant_lookup(merged, "device", "&s", &text) && g_str_equal(text, "b"));
    ck_assert(g_variant_lookup(merged, "model", "&s", &text) && g_str_equal(text, "m"));
    ck_assert_uint_eq(g_variant_n_children(none), 0);
}
END_TEST

/* --- policies --- */

/* The problems, one to a line, of a policy of one identity. */
static char *
problems_of(const char *signet, const char *identity, GVariant *facts)
{
    const SignetPolicyFile files[] = {
        {"signet.conf", signet, strlen(signet)},
        {"identities.d/wifi.conf", identity, strlen(identity)},
    };
    const SignetTokenFacts known[] = {{"other", NULL}, {"tpm", facts}};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse_for(files, 2, known, 2, problems);

    ck_assert((policy != NULL) == (problems->len == 0));
    g_ptr_array_add(problems, NULL);
    return g_strjoinv("\n", (char **)problems->pdata);
}

static void
assert_problem(const char *identity, const char *expected)
{
    g_autoptr(GVariant) facts = example();
    g_autofree char *problems = problems_of("", identity, facts);

    ck_assert_str_eq(problems, expected);
}

START_TEST(a_key_that_the_token_does_not_make_is_refused_with_what_it_makes)
{
    assert_problem(
        "[Identity]\nKey=ec:P-521\n",
        "cannot use 'ec:P-521' as 'Key' in group [Identity] of identities.d/wifi.conf:2: "
        "token 'tpm' offers ec:P-256, ec:P-384, rsa:2048");
    assert_problem(
        "[Identity]\nKey=rsa:4096\n",
        "cannot use 'rsa:4096' as 'Key' in group [Identity] of identities.d/wifi.conf:2: "
        "token 'tpm' offers ec:P-256, ec:P-384, rsa:2048");
    assert_problem("[Identity]\nKey=ec:P-384\n", "");
}
END_TEST

START_TEST(a_purpose_that_the_token_cannot_serve_is_refused)
{
    assert_problem("[Identity]\nKey=rsa:2048\n[Access]\nPurposes=decrypt\n", "");
    assert_problem("[Identity]\nKey=ec:P-256\n[Access]\nPurposes=tls-client;derive\n",
                   "cannot use 'ec:P-256' for 'Purposes' in group [Access] of "
                   "identities.d/wifi.conf:4: token 'tpm' derives with no key at all");
    assert_problem("[Identity]\nKey=ec:P-256\n[Access]\nPurposes=any\n", "");
}
END_TEST

START_TEST(the_ca_s_own_key_must_fit_too)
{
    g_autoptr(GVariant) facts = parse("{'place': <'" TPM_PLACE "'>, 'keys': <['rsa:2048']>}");
    g_autofree char *problems = problems_of("", "[Identity]\nKey=rsa:2048\n", facts);

    ck_assert_str_eq(problems, "cannot use 'ec:P-256' as 'Key' in group [Ca] of ca.d/local.conf: "
                               "token 'tpm' offers rsa:2048");
}
END_TEST

START_TEST(a_token_that_protects_its_keys_otherwise_than_is_allowed_is_refused)
{
    static const char limits[] = "[Limits]\nProtection=tpm;hsm\n", identity[] = "[Identity]\n";
    const SignetPolicyFile files[] = {
        {"identities.d/wifi.conf", identity, strlen(identity)},
        {"policy.d/50.conf", limits, strlen(limits)},
    };
    static const struct {
        const char *facts;
        guint n_problems; /* of the identity and of the CA */
    } rows[] = {
        {"{'place': <'" TPM_PLACE "'>, 'protection': <'tpm'>}", 0},
        {"{'place': <'" TPM_PLACE "'>, 'protection': <'software'>}", 2},
        {"{'place': <'" TPM_PLACE "'>, 'protection': <'a kind of safe'>}", 2},
        {"{'place': <'" TPM_PLACE "'>}", 0},
        {"{'place': <'elsewhere'>, 'protection': <'software'>}", 0},
    };
    g_autoptr(GVariant) facts = parse(rows[_i].facts);
    const SignetTokenFacts known[] = {{"tpm", facts}};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse_for(files, 2, known, 1, problems);

    ck_assert_uint_eq(problems->len, rows[_i].n_problems);
    ck_assert(!policy || signet_policy_get_protections(policy) ==
                             (SIGNET_PROTECTION_TPM | SIGNET_PROTECTION_HSM));
    if (_i == 1)
        ck_assert_str_eq(problems->pdata[1],
                         "cannot use 'tpm' as 'Token' in group [Identity] of "
                         "identities.d/wifi.conf: token 'tpm' has the protection 'software', and "
                         "what is allowed is tpm, hsm, by 'Protection' in group [Limits] of "
                         "policy.d/50.conf:2");
}
END_TEST

START_TEST(a_token_that_cannot_prove_anything_is_refused_where_evidence_is_required)
{
    static const char identity[] = "[Identity]\n";
    static const struct {
        const char *limits;
        const char *token;
        const char *facts;
        const char *words; /* NULL: it is good */
    } rows[] = {
        {"[Limits]\nRequireEvidence=yes\n", "", "{'place': <'" TPM_PLACE "'>}", NULL},
        {"[Limits]\nRequireEvidence=yes\n", "",
         "{'place': <'" TPM_PLACE "'>, 'certificates': <[{'nv': '0x01c00002'}]>}", NULL},
        {"[Limits]\nRequireEvidence=yes\n", "",
         "{'place': <'elsewhere'>, 'certificates': <@aa{ss} []>}", NULL},
        {"[Limits]\nRequireEvidence=no\n", "[Token tpm]\nType=pkcs11\nUri=pkcs11:token=a\n", "{}",
         NULL},
        {"[Limits]\nRequireEvidence=yes\n", "",
         "{'place': <'" TPM_PLACE "'>, 'certificates': <@aa{ss} []>}",
         "token 'tpm' is a TPM without an endorsement certificate: nobody says whose it is, so "
         "that it can prove nothing, as 'RequireEvidence' in group [Limits] of policy.d/50.conf:2 "
         "demands"},
        {"[Limits]\nRequireEvidence=yes\n", "[Token tpm]\nType=pkcs11\nUri=pkcs11:token=a\n", "{}",
         "token 'tpm' is no TPM, and cannot prove where its keys are, as 'RequireEvidence' in "
         "group [Limits] of policy.d/50.conf:2 demands"},
    };
    const SignetPolicyFile files[] = {
        {"signet.conf", rows[_i].token, strlen(rows[_i].token)},
        {"identities.d/wifi.conf", identity, strlen(identity)},
        {"policy.d/50.conf", rows[_i].limits, strlen(rows[_i].limits)},
    };
    g_autoptr(GVariant) facts = parse(rows[_i].facts);
    const SignetTokenFacts known[] = {{"tpm", facts}};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SignetPolicy) policy = signet_policy_parse_for(files, 3, known, 1, problems);

    ck_assert_uint_eq(problems->len, rows[_i].words ? 2 : 0); /* of the CA, and of the identity */
    if (rows[_i].words)
        ck_assert_msg(g_str_has_suffix(problems->pdata[1], rows[_i].words), "%s",
                      (char *)problems->pdata[1]);
    else
        ck_assert_int_eq(signet_policy_is_evidence_required(policy), _i < 3);
}
END_TEST

START_TEST(more_sessions_than_the_token_has_are_refused)
{
    g_autoptr(GVariant) facts = parse("{'place': <'pkcs11:token=a'>, 'max_sessions': <uint32 4>}");
    static const char signet[] = "[Token tpm]\nType=pkcs11\nUri=pkcs11:token=a\nMaxSessions=16\n";
    static const char fits[] = "[Token tpm]\nType=pkcs11\nUri=pkcs11:token=a\nMaxSessions=4\n";
    g_autofree char *problems = problems_of(signet, "", facts);
    g_autofree char *none = problems_of(fits, "", facts);

    ck_assert_str_eq(problems, "cannot use '16' as 'MaxSessions' in group [Token tpm] of "
                               "signet.conf:4: token 'tpm' has at most 4 sessions");
    ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(what_is_not_known_refuses_nothing)
{
    static const char *const unknown[] = {
        "{}",
        "{'place': <'" TPM_PLACE "'>}",
        "{'keys': <['rsa:2048']>}",
        "{'place': <'device:/dev/tpm1'>, 'keys': <['rsa:2048']>}",
        "{'place': <'" TPM_PLACE "'>, 'keys': <'rsa:2048'>}",
        "{'place': <'" TPM_PLACE "'>, 'keys': <@as []>, 'uses': <['ec:P-521', 'ec:P-256']>}",
    };
    static const char identity[] = "[Identity]\nKey=ec:P-521\n[Access]\nPurposes=derive\n";
    g_autoptr(GVariant) facts = parse(unknown[_i]);
    g_autofree char *problems = problems_of("", identity, facts);
    g_autofree char *without = problems_of("", identity, NULL);

    ck_assert_str_eq(problems, "");
    ck_assert_str_eq(without, "");
}
END_TEST

START_TEST(a_card_that_makes_no_keys_offers_those_it_can_use)
{
    g_autoptr(GVariant) facts = parse("{'place': <'" TPM_PLACE "'>, 'keys': <@as []>,"
                                      " 'uses': <['ec:P-256', 'rsa:2048']>}");
    g_autofree char *problems = problems_of("", "[Identity]\nKey=ec:P-521\n", facts);

    ck_assert_ptr_nonnull(strstr(problems, "token 'tpm' offers ec:P-256, rsa:2048"));
}
END_TEST

START_TEST(a_key_that_was_made_elsewhere_has_to_be_of_use_only)
{
    g_autoptr(GVariant) facts = parse("{'place': <'" TPM_PLACE "'>, 'keys': <['ec:P-256']>,"
                                      " 'uses': <['ec:P-256', 'rsa:2048']>}");
    g_autofree char *made = problems_of("", "[Identity]\nKey=rsa:2048\n", facts);
    g_autofree char *used = problems_of("", "[Identity]\nKey=rsa:2048\nGenerate=no\n", facts);
    g_autofree char *neither = problems_of("", "[Identity]\nKey=rsa:4096\nGenerate=no\n", facts);

    ck_assert_ptr_nonnull(strstr(made, "token 'tpm' offers ec:P-256"));
    ck_assert_str_eq(used, "");
    ck_assert_ptr_nonnull(strstr(neither, "token 'tpm' offers ec:P-256, rsa:2048"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("facts");
    SRunner *runner;
    int failed;
    TCase *tc = tcase_create("facts");

    tcase_add_test(tc, what_was_written_down_is_read_again);
    tcase_add_loop_test(tc, a_damaged_text_gives_no_facts, 0, 9);
    tcase_add_test(tc, a_cut_text_is_refused_or_says_less);
    tcase_add_test(tc, too_large_a_text_is_refused);
    tcase_add_test(tc, words_of_a_newer_agent_are_left_out);
    tcase_add_test(tc, merging_takes_the_newer_and_keeps_the_rest);
    tcase_add_test(tc, a_key_that_the_token_does_not_make_is_refused_with_what_it_makes);
    tcase_add_test(tc, a_purpose_that_the_token_cannot_serve_is_refused);
    tcase_add_test(tc, the_ca_s_own_key_must_fit_too);
    tcase_add_loop_test(tc, a_token_that_protects_its_keys_otherwise_than_is_allowed_is_refused, 0,
                        5);
    tcase_add_loop_test(
        tc, a_token_that_cannot_prove_anything_is_refused_where_evidence_is_required, 0, 6);
    tcase_add_test(tc, more_sessions_than_the_token_has_are_refused);
    tcase_add_loop_test(tc, what_is_not_known_refuses_nothing, 0, 6);
    tcase_add_test(tc, a_card_that_makes_no_keys_offers_those_it_can_use);
    tcase_add_test(tc, a_key_that_was_made_elsewhere_has_to_be_of_use_only);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
