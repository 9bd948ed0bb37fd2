/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signet-enroll: one job, from one descriptor, then the end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/enroller/acme.h"
#include "agent/enroller/canary.h"
#include "agent/enroller/check.h"
#include "agent/enroller/cmp.h"
#include "agent/enroller/est.h"
#include "agent/enroller/exec.h"
#include "agent/enroller/harden.h"
#include "agent/enroller/link.h"
#include "agent/enroller/local.h"
#include "agent/enroller/manual.h"
#include "agent/enroller/revoke.h"
#include "agent/enroller/scep.h"

#define JOB_FD 3
/* Later than the agent's own deadlines, which it enforces with SIGKILL: for an agent that died. */
#define DEADLINE_S 900
#define GRACE_S    20 /* beyond the time of the conversation with the CA */

/* A new protocol is a row here and in policy/protocol.c. */
static const struct {
    const char *name;
    SignetProtocolEnroll enroll;
    SignetSandbox sandbox;
} protocols[] = {
    {"local", signet_local_enroll, SIGNET_SANDBOX_ALONE},
    {SIGNET_JOB_CMP, signet_cmp_enroll, SIGNET_SANDBOX_NETWORK},
    {"est", signet_est_enroll, SIGNET_SANDBOX_NETWORK},
    {"acme", signet_acme_enroll, SIGNET_SANDBOX_NETWORK},
    {"scep", signet_scep_enroll, SIGNET_SANDBOX_NETWORK},
    {"exec", signet_exec_enroll, SIGNET_SANDBOX_ALONE},
    {"manual", signet_manual_enroll, SIGNET_SANDBOX_ALONE},
    {SIGNET_JOB_CANARY, signet_canary_try, SIGNET_SANDBOX_NETWORK},
    {SIGNET_JOB_CHECK, signet_check_look, SIGNET_SANDBOX_NETWORK},
    {SIGNET_JOB_REVOKE, signet_revoke, SIGNET_SANDBOX_NETWORK},
};

/* Where the provider is installed, or its name alone where OpenSSL looks by itself. */
static gboolean
read_arguments(int argc, char **argv, const char **ret_provider)
{
    *ret_provider = SIGNET_PROVIDER;
    if (argc == 3 && strcmp(argv[1], "--provider") == 0) {
        *ret_provider = argv[2];
        return TRUE;
    }
    return argc == 1;
}

/* What needs files is loaded first; then the sandbox closes, and only then somebody is spoken to.
 */
static gboolean
enroll(const SignetJobRequest *job, SignetLink *link, const char *provider,
       SignetEnrollerOutcome *outcome, GError **error)
{
    gsize row = 0;

    while (row < G_N_ELEMENTS(protocols) && strcmp(job->protocol, protocols[row].name) != 0)
        row++;
    if (row == G_N_ELEMENTS(protocols))
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "protocol '%s' is not known to this signet-enroll", job->protocol);

    SignetSandbox sandbox = protocols[row].sandbox;
    g_autoptr(GError) unprepared = NULL;
    g_autoptr(SignetRunner) runner = signet_exec_prepare(job, &unprepared);
    g_autoptr(SignetProver) prover = unprepared ? NULL : signet_acme_prepare(job, &unprepared);
    if (unprepared) {
        g_propagate_error(error, g_steal_pointer(&unprepared));
        return FALSE;
    }
    if (!signet_harden_limit(error))
        return FALSE;
    if (sandbox == SIGNET_SANDBOX_ALONE)
        signet_harden_drop_network();
    g_autoptr(SignetCrypto) crypto = signet_crypto_new(provider, error);
    if (!crypto)
        return FALSE;
    g_autoptr(SignetHttp) http =
        sandbox == SIGNET_SANDBOX_NETWORK ? signet_http_new(crypto, &job->remote, error) : NULL;
    if (sandbox == SIGNET_SANDBOX_NETWORK && !http)
        return FALSE;
    const SignetProtocolContext context = {.crypto = crypto,
                                           .http = http,
                                           .job = job,
                                           .prover = prover,
                                           .runner = runner,
                                           .link = link,
                                           .now_s = (gint64)time(NULL)};
    return signet_harden_sandbox(sandbox, error) && protocols[row].enroll(&context, outcome, error);
}

/* FALSE: the result could not be told. */
static gboolean
run(const char *provider, GError **error)
{
    g_auto(SignetEnrollerOutcome) outcome = {0};
    g_autoptr(GError) failure = NULL;
    g_autoptr(SignetLink) link = signet_link_new(JOB_FD, error);
    if (!link)
        return FALSE;

    signet_enroller_outcome_init(&outcome);
    g_autoptr(SignetJob) job = signet_link_get_job(link, &failure);
    if (job && signet_job_get_request(job)->remote.timeout_s)
        alarm(signet_job_get_request(job)->remote.timeout_s + GRACE_S);
    if (job)
        enroll(signet_job_get_request(job), link, provider, &outcome, &failure);
    return signet_link_send_result(link, &outcome, failure, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const char *provider = NULL;

    if (!read_arguments(argc, argv, &provider)) {
        fprintf(stderr,
                "usage: signet-enroll [--provider MODULE]\n"
                "Started by signetd, or by the service manager for it, with a job's connection on\n"
                "descriptor 3; see signet-enroll(8).\n");
        return 2;
    }
    if (!signet_harden(JOB_FD, DEADLINE_S, &error) || !run(provider, &error)) {
        fprintf(stderr, "signet-enroll: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
