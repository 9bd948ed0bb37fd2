/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of what is said of a certificate: revocation lists, OCSP answers, findings. A list is
 * read as it is, and once more with the input as the part that its issuer has signed: else nothing
 * behind the signature would be reached. */

#include "agent/enroll/findings.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/revocation-pki.h"

static void
check(gboolean is_judged, const SignetFindings *findings)
{
    pki_require(is_judged ? findings->standing >= SIGNET_STANDING_GOOD && findings->reason <= 10 &&
                                findings->revoked_s >= 0
                          : findings->standing == SIGNET_STANDING_UNKNOWN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    SignetFindings list = {0}, signed_list = {0}, answer = {0}, read = {0}, again = {0};

    pki_prepare();
    check(signet_crl_judge(bytes, pki_certificate, pki_issuer, PKI_NOW_S, &list, NULL), &list);
    check(signet_ocsp_judge(bytes, pki_request, pki_issuer, PKI_NOW_S, &answer, NULL), &answer);
    if (size > 0) {
        g_autoptr(GBytes) whole = pki_sign(data, size);

        check(signet_crl_judge(whole, pki_certificate, pki_issuer, PKI_NOW_S, &signed_list, NULL),
              &signed_list);
    }
    if (signet_findings_from_text(bytes, &read, NULL)) {
        g_autoptr(GBytes) text = signet_findings_to_text(&read);

        pki_require(signet_findings_from_text(text, &again, NULL));
        pki_require(read.next_update_s == again.next_update_s &&
                    g_str_equal(read.words, again.words));
    }
    ERR_clear_error();
    return 0;
}
