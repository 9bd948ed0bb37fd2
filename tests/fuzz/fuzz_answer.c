/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of what a CA answers: base64, PKCS#7 and chains. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/parse.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "provider/wire/limits.h"
#include "tests/fuzz/fuzz.h"

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static void
check_again(GBytes *der)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(der, &size);
    g_autofree char *base64 = g_base64_encode(data, size);
    g_autoptr(GBytes) again = signet_answer_decode((const guint8 *)base64, strlen(base64), NULL);

    /* what begins like DER is taken for it, whatever follows */
    require(base64[0] == '0' || (again && g_bytes_equal(again, der)), "base64 of it is the same");
}

/* As if the answer's own certificates, each of them, were the one that was asked for. */
static void
check_chains(SignetX509Stack *certificates)
{
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        g_auto(SignetEnrollerOutcome) outcome = {0};
        g_autoptr(GBytes) spki =
            signet_parse_dup_spki(X509_get_X509_PUBKEY(sk_X509_value(certificates, i)));
        const SignetJobRequest job = {.spki = spki};

        signet_enroller_outcome_init(&outcome);
        if (!spki)
            continue;
        gboolean is_built = signet_chain_build(&job, certificates, certificates, &outcome, NULL);
        require(is_built == (outcome.chain->len > 0), "a chain, or none");
        require(outcome.chain->len <= SIGNET_WIRE_CHAIN_MAX, "a chain within bounds");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) der = signet_answer_decode(data, size, NULL);

    if (!der)
        return 0;
    require(g_bytes_get_size(der) > 0 && g_bytes_get_size(der) <= size, "no more than there was");
    check_again(der);
    g_autoptr(SignetX509Stack) certificates = signet_answer_read_certificates(NULL, der, NULL);
    if (!certificates)
        return 0;
    require(sk_X509_num(certificates) > 0 &&
                sk_X509_num(certificates) <= SIGNET_ANSWER_CERTIFICATES_MAX,
            "a number of certificates within bounds");
    check_chains(certificates);
    return 0;
}
