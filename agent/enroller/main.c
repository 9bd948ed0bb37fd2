/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signet-enroll: one job, from one descriptor, then the end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/enroller/crypto.h"
#include "agent/enroller/harden.h"
#include "agent/enroller/link.h"
#include "agent/enroller/local.h"

#define JOB_FD 3
/* Later than the agent's own deadline, which it enforces with SIGKILL: for an agent that died. */
#define DEADLINE_S 300

static gboolean
read_arguments(int argc, char **argv, const char **ret_provider)
{
    *ret_provider = NULL;
    if (argc == 3 && strcmp(argv[1], "--provider") == 0) {
        *ret_provider = argv[2];
        return TRUE;
    }
    return argc == 1;
}

static gboolean
enroll(const SignetJobRequest *job, const char *provider, SignetEnrollerOutcome *outcome,
       GError **error)
{
    if (strcmp(job->protocol, "local") != 0)
        return signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                                "protocol '%s' is not known to this signet-enroll", job->protocol);

    signet_harden_drop_network();
    g_autoptr(SignetCrypto) crypto = signet_crypto_new(provider, error);
    if (!crypto)
        return FALSE;
    return signet_local_enroll(crypto, job, (gint64)time(NULL), outcome, error);
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
    if (job)
        enroll(signet_job_get_request(job), provider, &outcome, &failure);
    return signet_link_send_result(link, &outcome, failure, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const char *provider = NULL;

    if (!read_arguments(argc, argv, &provider)) {
        fprintf(
            stderr,
            "usage: signet-enroll [--provider MODULE]\n"
            "Started by signetd with a job's connection on descriptor 3; see signet-enroll(8).\n");
        return 2;
    }
    if (!signet_harden(JOB_FD, DEADLINE_S, &error) || !run(provider, &error)) {
        fprintf(stderr, "signet-enroll: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
