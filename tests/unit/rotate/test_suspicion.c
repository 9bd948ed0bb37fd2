/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA that refuses may have revoked what it was shown: the engine looks, and not more often than
 * it has to. */

#include <string.h>

#include "agent/enroll/findings.h"
#include "tests/unit/rotate/remote-ca.h"
#include "tests/unit/rotate/world.h"

#define PAUSE_S 600 /* between two looks for this reason */

static World *world;
static SignetPolicy *policy;
static RemoteCa ca;
static char *books;
static FakeCaMood mood;     /* towards whoever asks for a certificate */
static SignetFindings said; /* to whoever looks */
static guint n_looks;
static guint n_requests;
static guint last_rungs;            /* of the last request */
static guint looks;                 /* of all that looked */
static gboolean is_asked_meanwhile; /* a person asks while the first one looks … */
static gboolean is_told;            /* … and hears how it ended */

static void
on_told(const char *identity, guint32 generation, const GError *error, gpointer data)
{
    ck_assert_ptr_null(error);
    ck_assert_uint_ne(looks & SIGNET_LOOK_REVOCATION, 0);
    is_told = TRUE;
}

static void
answer_look(SignetJob *job)
{
    SignetFindings findings = said;

    findings.looks = signet_job_get_request(job)->looks;
    looks |= findings.looks;
    if (is_asked_meanwhile)
        signet_engine_check(world->engine, "wifi", on_told, NULL);
    else
        ck_assert_uint_ne(findings.looks & SIGNET_LOOK_REVOCATION, 0);
    is_asked_meanwhile = FALSE;
    g_autoptr(GBytes) text = signet_findings_to_text(&findings);
    n_looks++;
    signet_job_set_state(job, text);
    signet_job_set_result(job, SIGNET_OUTCOME_PENDING, NULL, NULL, 0, NULL);
}

static void
answer(SignetJob *job, gpointer data)
{
    const SignetJobRequest *request = signet_job_get_request(job);

    if (g_str_equal(request->protocol, SIGNET_JOB_CHECK)) {
        answer_look(job);
        return;
    }
    n_requests++;
    last_rungs = request->remote.rungs;
    if (mood == FAKE_CA_REFUSES)
        signet_job_set_result(job, SIGNET_OUTCOME_REFUSED, NULL, NULL, 0, "status 401");
    else if (mood == FAKE_CA_FAILS)
        signet_job_set_result(job, SIGNET_OUTCOME_FAILED, NULL, NULL, 0, "no route to host");
    else
        remote_ca_answer(job, data);
}

static SignetPolicy *
make_policy(const char *rotation)
{
    static const char corp[] = "[Ca]\nProtocol=est\nUrl=https://ca.example\nPin=sha256:"
                               "0000000000000000000000000000000000000000000000000000000000000000\n";
    static const char wifi[] = "[Identity]\nCa=corp\nSubject=CN=%H\nDns=%H.example\n";
    g_autofree char *profile =
        g_strconcat("[Rotation default]\nRenewAt=23h\nRetryFirst=1h\n", rotation, NULL);
    const char *const texts[] = {
        "ca.d/corp.conf", corp, "identities.d/wifi.conf", wifi, "policy.d/90-wifi.conf",
        profile,          NULL};

    return world_policy(texts);
}

static void
setup(void)
{
    g_autofree char *anchors = NULL;

    world = world_new(NULL);
    policy = make_policy("CheckRevocation=30d\n");
    anchors = g_build_filename(world->root, "anchors.pem", NULL);
    books = g_build_filename(world->root, "books", NULL);
    remote_ca_make_key(anchors);
    mood = FAKE_CA_ISSUES;
    said = (SignetFindings) {.standing = SIGNET_STANDING_GOOD};
    n_looks = n_requests = looks = 0;
}

static void
teardown(void)
{
    world_free(world);
    signet_policy_unref(policy);
    remote_ca_free_key();
    g_free(books);
}

/* The CA thinks about the first request for a minute. */
static void
enrol(void)
{
    ck_assert(world_up(world, policy));
    ca = (RemoteCa) {
        .books = books, .inventory = world->inventory, .clock = &world->clock, .at = G_MAXUINT};
    world->ca.remote = answer;
    world->ca.remote_data = &ca;
    world_wait_state(world, "wifi", "pending-ca");
    world_advance(world, 61);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(n_looks, 0);
}

static void
ask(FakeCaMood towards_us)
{
    guint before = n_requests;

    mood = towards_us;
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    world_settle(world);
    ck_assert_uint_gt(n_requests, before);
    ck_assert_str_eq(world_status(world, "wifi").state, "failed");
}

START_TEST(a_refusal_is_a_reason_to_look)
{
    enrol();
    world_advance(world, PAUSE_S);
    ask(FAKE_CA_REFUSES);
    ck_assert_uint_ne(last_rungs & SIGNET_RUNG_CURRENT, 0);
    ck_assert_uint_eq(n_looks, 1);
    ck_assert(!world_status(world, "wifi").is_revoked);
}
END_TEST

START_TEST(what_is_found_then_counts)
{
    enrol();
    world_advance(world, PAUSE_S);
    said = (SignetFindings) {.standing = SIGNET_STANDING_REVOKED, .revoked_s = WORLD_NOW_S};
    ask(FAKE_CA_REFUSES);
    ck_assert(world_status(world, "wifi").is_revoked);
    ck_assert_ptr_nonnull(strstr(world->events->str, "revoked wifi 1\n"));
}
END_TEST

START_TEST(what_is_revoked_is_not_shown_again_nor_looked_for)
{
    enrol();
    world_advance(world, PAUSE_S);
    said = (SignetFindings) {.standing = SIGNET_STANDING_REVOKED, .revoked_s = WORLD_NOW_S};
    ask(FAKE_CA_REFUSES);
    world_advance(world, 2 * PAUSE_S);
    ask(FAKE_CA_REFUSES);
    ck_assert_uint_eq(last_rungs & SIGNET_RUNG_CURRENT, 0);
    ck_assert_uint_eq(n_looks, 1);
}
END_TEST

START_TEST(many_refusals_are_no_reason_to_look_more_often)
{
    enrol();
    ask(FAKE_CA_REFUSES); /* the certificate has just come */
    ck_assert_uint_eq(n_looks, 0);
    world_advance(world, PAUSE_S);
    ask(FAKE_CA_REFUSES);
    for (guint i = 1; i < 10; i++) {
        world_advance(world, PAUSE_S / 10);
        ask(FAKE_CA_REFUSES);
        ck_assert_uint_eq(n_looks, 1);
    }
    world_advance(world, PAUSE_S / 10);
    ask(FAKE_CA_REFUSES);
    ck_assert_uint_eq(n_looks, 2);
}
END_TEST

START_TEST(a_ca_that_is_not_reached_has_revoked_nothing)
{
    enrol();
    world_advance(world, PAUSE_S);
    ask(FAKE_CA_FAILS);
    ck_assert_uint_eq(n_looks, 0);
}
END_TEST

START_TEST(who_never_wants_to_know_is_not_told)
{
    signet_policy_unref(policy);
    policy = make_policy("CheckRevocation=never\n");
    enrol();
    world_advance(world, PAUSE_S);
    ask(FAKE_CA_REFUSES);
    ck_assert_uint_eq(n_looks, 0);
}
END_TEST

/* The agent's own look leaves out what the policy does not want to know. */
START_TEST(who_asks_while_it_is_looked_hears_of_everything)
{
    signet_policy_unref(policy);
    policy = make_policy("CheckRevocation=never\n");
    enrol();
    is_asked_meanwhile = TRUE;
    said.is_leaving = TRUE;
    world_advance(world, 2 * 3600);
    world_wait_flag(world, &is_told);
    ck_assert_uint_eq(n_looks, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/suspicion");
    TCase *cases = tcase_create("suspicion");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_refusal_is_a_reason_to_look);
    tcase_add_test(cases, what_is_found_then_counts);
    tcase_add_test(cases, what_is_revoked_is_not_shown_again_nor_looked_for);
    tcase_add_test(cases, many_refusals_are_no_reason_to_look_more_often);
    tcase_add_test(cases, who_asks_while_it_is_looked_hears_of_everything);
    tcase_add_test(cases, a_ca_that_is_not_reached_has_revoked_nothing);
    tcase_add_test(cases, who_never_wants_to_know_is_not_told);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
